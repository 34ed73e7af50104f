"""Stock over HTTP."""

import msgspec
from aiohttp import web

from api.http.answer import JSON, REPLAYED, Answer, json_answer
from api.http.answers import CountsTaken
from api.http.body import decode, read_body
from api.http.idempotent import key_of
from api.http.keys import ENGINE
from api.http.principal import principal_of
from api.http.problems import Problem
from api.http.query import Query
from api.idempotency import once, resource_of, with_id
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
    return json_answer(CountsTaken(len(rows)))


async def post_movement(request: web.Request) -> Answer | Problem:
    """POST /v1/stock/movements: change stock, every row or none, once for each id."""
    key = key_of(request)
    if isinstance(key, Problem):
        return key
    body = await read_body(request, limits.BODY_BYTES_MAX)
    principal = principal_of(request)
    movement = decode(_movement, body if key is None else with_id(body, "movement_id", key, principal))
    engine = request.app[ENGINE]

    async def answer() -> Answer:
        moved = await engine.move(movement)
        return json_answer(moved, headers=REPLAYED if moved.replayed else JSON)

    if key is None:
        return await answer()
    content = msgspec.json.encode(movement, order="sorted")
    return await once(
        engine,
        key,
        movement.movement_id,
        resource=resource_of(principal, "movements"),
        content=content,
        conflict="movement-conflict",
        do=answer,
    )


async def get_stock(request: web.Request) -> Answer:
    """GET /v1/stock: a page of cells as the store has them now."""
    query = Query(request.query, _QUERY)
    limit = query.number("limit", PAGE_CELLS_DEFAULT, 1, PAGE_CELLS_MAX)
    query.check()
    page = await request.app[ENGINE].stock(
        sku=query.text("sku"), warehouse=query.text("warehouse"), cursor=query.text("cursor"), limit=limit
    )
    return json_answer(page)
