"""SKUs, warehouses and the tariff over HTTP."""

from urllib.parse import unquote

import msgspec
from aiohttp import web

from api.http.answer import Answer, json_answer
from api.http.body import decode, decode_named, read_body
from api.http.keys import ENGINE
from api.http.problems import Problem
from engine.errors import FieldError, InvalidInput
from engine.model import Sku, Tariff, Warehouse, limits
from engine.model.rules import PRINTABLE, printable
from engine.model.tariff_rules import check_warehouse

_warehouse = msgspec.json.Decoder(Warehouse)
_sku = msgspec.json.Decoder(Sku)
_tariff = msgspec.json.Decoder(Tariff)


async def put_warehouse(request: web.Request) -> Answer | Problem:
    """PUT /v1/warehouses/{id}: add or replace a warehouse."""
    engine, name = request.app[ENGINE], _name(request, "id")
    body = await read_body(request, limits.ORDER_BYTES_MAX)
    warehouse = decode_named(_warehouse, body, field="id", name=name)
    check_warehouse(warehouse)
    known = name in engine.planner.warehouses
    await engine.put_warehouses([warehouse])
    return json_answer(warehouse, status=200 if known else 201)


async def get_warehouses(request: web.Request) -> Answer | Problem:
    """GET /v1/warehouses: all of them, by id."""
    warehouses = request.app[ENGINE].planner.warehouses
    return json_answer([warehouses[name] for name in sorted(warehouses)])


async def put_sku(request: web.Request) -> Answer | Problem:
    """PUT /v1/skus/{sku}: add or replace a SKU."""
    engine, name = request.app[ENGINE], _name(request, "sku")
    body = await read_body(request, limits.ORDER_BYTES_MAX)
    sku = decode_named(_sku, body, field="sku", name=name)
    known = name in engine.planner.skus
    await engine.put_skus([sku])
    return json_answer(sku, status=200 if known else 201)


async def get_sku(request: web.Request) -> Answer | Problem:
    """GET /v1/skus/{sku}."""
    name = request.match_info["sku"]
    sku = request.app[ENGINE].planner.skus.get(name)
    if sku is None:
        return Problem("not-found", f'No SKU has the name "{name}".')
    return json_answer(sku)


async def put_tariff(request: web.Request) -> Answer | Problem:
    """PUT /v1/tariff: replace the parcel tariff."""
    tariff = decode(_tariff, await read_body(request, limits.BODY_BYTES_MAX))
    await request.app[ENGINE].put_tariff(tariff)
    return json_answer(tariff)


async def get_tariff(request: web.Request) -> Answer | Problem:
    """GET /v1/tariff."""
    tariff = request.app[ENGINE].planner.tariff
    if tariff is None:
        return Problem("not-found", "There is no tariff; PUT /v1/tariff sets one.")
    return json_answer(tariff)


def _name(request: web.Request, field: str) -> str:
    try:
        unquote(request.rel_url.raw_path, errors="strict")
    except UnicodeDecodeError:
        # What is not UTF-8 would be taken as it stands, and share its name with another path.
        raise InvalidInput((FieldError(f"/{field}", "must be UTF-8, percent-encoded"),)) from None
    name = request.match_info[field]
    if not printable(name):
        raise InvalidInput((FieldError(f"/{field}", PRINTABLE),))
    return name
