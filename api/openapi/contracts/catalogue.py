"""Warehouses, SKUs, the tariff, own distances and costs."""

from typing import Any

from api.http.answers import MatrixTaken
from api.http.contract import Body, Contract, Reply
from api.http.problems import ProblemType
from api.openapi.contracts import values
from engine.model import Carrier, CostMatrix, DistanceMatrix, Sku, Tariff, TariffZone, Warehouse, Zone, limits

_PUT: tuple[ProblemType, ...] = ("invalid-request", "store-unavailable")

GET_WAREHOUSES = Contract(
    summary="All warehouses, by id",
    replies=(Reply(200, "Every one of them.", list[Warehouse], {"one": [values.WAREHOUSE]}),),
)


def _definition(what: str, type_: type, example: Any, name: str) -> Contract:
    return Contract(
        summary=f"Add or replace a {what}",
        body=Body(type_, {"one": example}, limits.ORDER_BYTES_MAX, optional=(name,)),
        replies=(
            Reply(200, "Replaced.", type_, {"as it is now": example}),
            Reply(201, "Added.", type_, {"as it is now": example}),
        ),
        problems=_PUT,
    )


PUT_WAREHOUSE = _definition("warehouse", Warehouse, values.WAREHOUSE, "id")
PUT_SKU = _definition("SKU", Sku, values.SKU, "sku")
GET_SKU = Contract(
    summary="A SKU",
    replies=(Reply(200, "As it was defined.", Sku, {"one": values.SKU}),),
    problems=("not-found",),
)

_ZONES = Tariff(zones=(TariffZone("near", 300, 600, 100, 1), TariffZone("far", 3_000, 1_200, 250, 3)))
_CARRIERS = Tariff(
    carriers=(Carrier(carrier="post", zones=(Zone(zone="home", countries=("CN",), base=600, per_kg=100),)),)
)
_TARIFFS = {"zones by distance": _ZONES, "carriers": _CARRIERS}
GET_TARIFF = Contract(
    summary="The parcel tariff",
    replies=(Reply(200, "As it was set.", Tariff, _TARIFFS),),
    problems=("not-found",),
)
PUT_TARIFF = Contract(
    summary="Replace the parcel tariff",
    body=Body(Tariff, _TARIFFS, limits.BODY_BYTES_MAX),
    replies=(Reply(200, "As it is now.", Tariff, _TARIFFS),),
    problems=_PUT,
)


def _matrix(what: str, else_: str, type_: type, example: Any) -> tuple[Contract, Contract, Contract]:
    """To read, to replace, and to remove it."""
    taken = MatrixTaken(example.by, len(example.warehouses), len(example.rows))
    return (
        Contract(
            summary=f"The own {what}",
            replies=(Reply(200, "As they were set.", type_, {"by region": example}),),
            problems=("not-found",),
        ),
        Contract(
            summary=f"Replace the own {what}, which come before {else_}",
            body=Body(type_, {"by region": example}, limits.BODY_BYTES_MAX),
            replies=(Reply(200, "What was taken.", MatrixTaken, {"one row": taken}),),
            problems=_PUT,
        ),
        Contract(
            summary=f"Remove the own {what}: {else_} holds everywhere",
            replies=(Reply(204, "There are none any more."),),
            problems=("store-unavailable",),
        ),
    )


GET_DISTANCES, PUT_DISTANCES, DELETE_DISTANCES = _matrix(
    "distances",
    "the great circle",
    DistanceMatrix,
    DistanceMatrix(by="region", warehouses=("HGH-9",), rows={"Shanghai": (176.5,)}),
)
GET_COSTS, PUT_COSTS, DELETE_COSTS = _matrix(
    "freight costs",
    "the tariff",
    CostMatrix,
    CostMatrix(by="region", warehouses=("HGH-9",), rows={"Shanghai": (900,)}),
)
