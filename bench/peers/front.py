"""The HTTP server in front of a peer: single orders, orders in bulk as lines of JSON, and the peer's books."""

import asyncio
from collections import deque
from collections.abc import Sequence

import msgspec
from aiohttp import web

from api.http.lines import LineCutter
from bench.peers.goods import BULK, SINGLE
from bench.peers.shop import Settings, Shop, ShopOrder, Taken

LINE_BYTES_MAX = 65_536
AHEAD_MAX = 2
"""Parts of a body that are under way beyond the one whose answer is awaited."""

_order = msgspec.json.Decoder(ShopOrder)
_settings = msgspec.json.Decoder(Settings)
_encode = msgspec.json.Encoder().encode


class Answer(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an order is told."""

    outcome: str
    order_id: str
    status: int | str
    warehouse: str | None = None
    type: str | None = None


class Front:
    """Routes over one shop."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self._together = 1

    def app(self) -> web.Application:
        """The application."""
        app = web.Application(client_max_size=LINE_BYTES_MAX)
        app.router.add_post(SINGLE, self.single)
        app.router.add_post(BULK, self.bulk)
        app.router.add_get("/bench/books", self.books)
        app.router.add_put("/bench/settings", self.use)
        return app

    async def single(self, request: web.Request) -> web.Response:
        """201 reserved, 200 replayed, 409 where no warehouse has all of it."""
        try:
            order = _order.decode(await request.read())
        except msgspec.DecodeError as error:
            return web.json_response({"type": "invalid-order", "detail": str(error)}, status=422)
        taken = await self._shop.reserve(order)
        status = {"reserved": 201, "replayed": 200, "refused": 409}[taken.outcome]
        return web.Response(body=_told(order, taken), status=status, content_type="application/json")

    async def bulk(self, request: web.Request) -> web.StreamResponse:
        """An answer a line, in their order; the next parts of a body are under way while one is answered."""
        response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
        await response.prepare(request)
        cutter, parts = LineCutter(LINE_BYTES_MAX), deque[asyncio.Task[bytes]]()
        try:
            while True:
                data = await request.content.readany()
                lines = (cutter.feed(data) if data else cutter.end()).splitlines()
                for start in range(0, len(lines), self._together):
                    parts.append(asyncio.create_task(self._answers(lines[start : start + self._together])))
                    while len(parts) > AHEAD_MAX:
                        await response.write(await parts[0])
                        parts.popleft()
                if not data:
                    break
            while parts:
                await response.write(await parts[0])
                parts.popleft()
        finally:
            for part in parts:
                part.cancel()
        return response

    async def _answers(self, lines: Sequence[bytes]) -> bytes:
        orders: list[ShopOrder | None] = []
        for line in lines:
            try:
                orders.append(_order.decode(line))
            except msgspec.DecodeError:
                orders.append(None)
        taken = iter(await self._shop.reserve_all([order for order in orders if order is not None]))
        return b"".join(_INVALID if order is None else _told(order, next(taken)) + b"\n" for order in orders)

    async def books(self, _: web.Request) -> web.Response:
        """What the shop's store says."""
        return web.Response(body=_encode(await self._shop.books()), content_type="application/json")

    async def use(self, request: web.Request) -> web.Response:
        """Other settings, between two runs."""
        try:
            settings = _settings.decode(await request.read())
        except msgspec.DecodeError as error:
            raise web.HTTPUnprocessableEntity(text=str(error)) from None
        await self._shop.use(settings)
        self._together = settings.together
        return web.Response(status=204)


_INVALID = b'{"outcome":"invalid","type":"invalid-order","status":422}\n'


def _told(order: ShopOrder, taken: Taken) -> bytes:
    if taken.outcome == "refused":
        return _encode(Answer("rejected", order.order_id, 409, type="insufficient-stock"))
    return _encode(Answer(taken.outcome, order.order_id, "confirmed", taken.warehouse))
