"""Stock over HTTP."""

import msgspec
from aiohttp import web

from api.http.answer import JSON, REPLAYED, Answer, json_answer
from api.http.body import decode, read_body
from api.http.keys import ENGINE
from engine.errors import FieldError, InvalidInput
from engine.model import Movement, StockCount, limits

PAGE_CELLS_DEFAULT = 500
PAGE_CELLS_MAX = 5_000

_movement = msgspec.json.Decoder(Movement)
_counts = msgspec.json.Decoder(list[StockCount])
_QUERY = ("sku", "warehouse", "cursor", "limit")


async def put_stock(request: web.Request) -> Answer:
    """PUT /v1/stock: set counts, every row or none."""
    rows = decode(_counts, await read_body(request, limits.BODY_BYTES_MAX))
    await request.app[ENGINE].set_stock(rows)
    return json_answer({"rows": len(rows)})


async def post_movement(request: web.Request) -> Answer:
    """POST /v1/stock/movements: change stock, every row or none, once for each id."""
    movement = decode(_movement, await read_body(request, limits.BODY_BYTES_MAX))
    moved = await request.app[ENGINE].move(movement)
    return json_answer(moved, headers=REPLAYED if moved.replayed else JSON)


async def get_stock(request: web.Request) -> Answer:
    """GET /v1/stock: a page of cells as the store has them now."""
    query = request.query
    errors = tuple(FieldError(f"/{name}", f"is none of {', '.join(_QUERY)}") for name in query if name not in _QUERY)
    errors += tuple(
        FieldError(f"/{name}", "is given more than once") for name in _QUERY if len(query.getall(name, ())) > 1
    )
    limit = query.get("limit", str(PAGE_CELLS_DEFAULT))
    if not (limit.isascii() and limit.isdigit() and len(limit) < 10 and 1 <= int(limit) <= PAGE_CELLS_MAX):
        errors += (FieldError("/limit", f"must be 1 to {PAGE_CELLS_MAX}"),)
    if errors:
        raise InvalidInput(errors)
    page = await request.app[ENGINE].stock(
        sku=query.get("sku"), warehouse=query.get("warehouse"), cursor=query.get("cursor"), limit=int(limit)
    )
    return json_answer(page)
