"""The values of which the examples are made: one small shop, by the types themselves."""

from datetime import UTC, datetime

import msgspec

from api.http.answers import ReservedLine
from engine.model import (
    Allocation,
    AllocationLine,
    Arrival,
    Cell,
    Line,
    Order,
    Quote,
    Shipment,
    ShipTo,
    Sku,
    Warehouse,
)
from engine.model.explanation import (
    Choice,
    ChosenBy,
    ChosenShipment,
    CostParts,
    Explanation,
    LackingLine,
    PlannedLine,
    ScoreParts,
    WarehouseRow,
)

REQUEST_ID = "6f1c2a90-1f"
ORDER_ID = "WEB-20261111-0042"
TRANSITION_ID = "parcel-7001"
RUN_ID = "flood-7"

WAREHOUSE = Warehouse(id="HGH-9", lat=30.3, lon=120.2, name="Hangzhou", fixed_cost=300, unit_cost=20)
SKU = Sku(sku="LAMP", name="Desk lamp", weight_g=1_200, purchase_limit=2)

ORDER = Order(
    order_id=ORDER_ID,
    customer="ann",
    ship_to=ShipTo(lat=31.23, lon=121.47, country="CN", postcode="200000"),
    lines=(Line("LAMP", 2, unit_price=12_900),),
)
PENDING = Order(
    order_id=ORDER_ID,
    customer="ann",
    ship_to=ShipTo(lat=31.23, lon=121.47),
    lines=(Line("LAMP", 2),),
    payment="pending",
    hold_seconds=900,
)

LAMPS = (AllocationLine(sku="LAMP", quantity=2),)
SHIPMENT = Shipment(warehouse="HGH-9", lines=LAMPS, cost=1_540, distance_km=161.236)


def allocation(status: str, version: int = 1, **more: object) -> Allocation:
    """The order's Allocation as it stands in a status."""
    fields = {"shipments": (SHIPMENT,), "unfilled": (), "cost": 1_540, "currency": "CNY", "policy": "cheapest"}
    return Allocation(order_id=ORDER_ID, status=status, version=version, **(fields | more))  # type: ignore[arg-type]


CONFIRMED = allocation("confirmed", policy_version="built-in")
RESERVED = allocation("reserved", policy_version="built-in", expires_at="2026-11-11T00:15:00.123Z")
WAITING = allocation("backordered", shipments=(), unfilled=LAMPS, cost=0, expected_on="2026-11-20")
RESERVED_LINE = ReservedLine(outcome="reserved", **msgspec.structs.asdict(CONFIRMED))

_COST = CostParts(handling=300, picking=40, freight=1_200, way=0, per_shipment=1_300, lines=240, total=1_540)
_SCORE = ScoreParts(cost=1_540, total=1_540)
_SINGLE = Choice(warehouses=("HGH-9",), cost=_COST, score=_SCORE)
_CHOICE = Choice(
    warehouses=("HGH-9",),
    cost=_COST,
    score=_SCORE,
    shipments=(
        ChosenShipment(
            warehouse="HGH-9", lines=LAMPS, cost=_COST, score=_SCORE, carrier="post", zone="near", billed_g=2_400
        ),
    ),
)
_AMONG = "plans that split no line which one warehouse holds whole"
_PLANNED = (PlannedLine(sku="LAMP", quantity=2),)
_ROW = WarehouseRow(
    warehouse="HGH-9", used=True, distance_km=161.236, cost=_COST, score=_SCORE, carrier="post", zone="near"
)
EXPLAINED = Explanation(
    policy="cheapest",
    policy_version="built-in",
    objective="cheapest",
    chosen_by=ChosenBy(by="default"),
    proven=True,
    proven_among=_AMONG,
    weighs=("cost",),
    score_scale=1,
    planned=_PLANNED,
    reason="one shipment from HGH-9 costs 15.40 CNY, and none costs less",
    chosen=_CHOICE,
    single=_SINGLE,
    warehouses=(
        _ROW,
        WarehouseRow(warehouse="SHA-1", used=False, excluded="the warehouse is disabled", rule="disabled"),
    ),
)
LACKING = Explanation(
    policy="cheapest",
    policy_version="built-in",
    objective="cheapest",
    chosen_by=ChosenBy(by="default"),
    proven=False,
    proven_among=_AMONG,
    weighs=("cost",),
    score_scale=1,
    planned=_PLANNED,
    reason="no warehouse has it all",
    warehouses=(
        WarehouseRow(
            warehouse="HGH-9",
            used=False,
            distance_km=161.236,
            cost=_COST,
            score=_SCORE,
            short=(LackingLine(sku="LAMP", requested=2, available=1),),
        ),
    ),
)
QUOTE = Quote(
    order_id=ORDER_ID,
    status="quoted",
    version=0,
    shipments=(SHIPMENT,),
    unfilled=(),
    cost=1_540,
    currency="CNY",
    policy="cheapest",
    policy_version="built-in",
    explanation=EXPLAINED,
)

ARRIVES = datetime(2026, 11, 20, 8, tzinfo=UTC)
CELL = Cell(
    sku="LAMP",
    warehouse="HGH-9",
    on_hand=100,
    reserved=2,
    safety=5,
    available=93,
    inbound=40,
    arrivals=(Arrival(reference="PO-17", quantity=40, arrives_at=ARRIVES),),
    pools={"app": 10},
)
