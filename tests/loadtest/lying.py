"""A proxy before a real service that lies as a test plants it; and audited runs against it."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import msgspec
import uvloop

from engine.model import ShipTo
from loadtest.audit.audit import Auditor
from loadtest.audit.finding import RunAudit
from loadtest.load import Recorded, recorded_load
from loadtest.load_plan import Constant, LoadPlan
from loadtest.orders_mix import Mix, order_kinds, order_tables
from tests.loadtest.planted import Planted, planted

PLACE = ShipTo(lat=31.0, lon=121.0)


class Heard(NamedTuple):
    """What the real service answered."""

    status: int
    body: bytes

    @property
    def json(self) -> Any:
        """The body, decoded."""
        return json.loads(self.body)


class Passing:
    """One request that may be passed on, or not."""

    def __init__(self, planted_request: Planted, address: tuple[str, int]) -> None:
        self._planted = planted_request
        self._address = address
        self.number = planted_request.number
        self.method, self.path = (
            planted_request.head.split(b" ")[0].decode(),
            planted_request.head.split(b" ")[1].decode(),
        )
        self.body = planted_request.body

    @property
    def order(self) -> Any:
        """The order in it."""
        return json.loads(self.body)

    @property
    def is_order(self) -> bool:
        """Whether it is a new order, or one sent again."""
        return (self.method, self.path) == ("POST", "/v1/orders")

    async def forward(self, body: bytes | None = None) -> Heard:
        """The real answer; to another body where one is given."""
        head = self._planted.head
        if body is not None:
            head = re.sub(rb"(?i)content-length: \d+", b"Content-Length: %d" % len(body), head)
        reader, writer = await asyncio.open_connection(*self._address)
        try:
            writer.write(head + (self.body if body is None else body))
            answer = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"(?i)content-length: (\d+)", answer)
            assert length is not None, answer
            return Heard(int(answer[9:12]), await reader.readexactly(int(length[1])))
        finally:
            writer.close()

    async def answer(self, status: int, body: bytes) -> None:
        """Tell this."""
        head = b"HTTP/1.1 %d Told\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % (status, len(body))
        await self._planted.answer(head + body)

    async def pass_on(self) -> Heard:
        """Tell what the service says."""
        heard = await self.forward()
        await self.answer(*heard)
        return heard

    def cut(self) -> None:
        """Tell nothing, and end the connection."""
        self._planted.cut()


Lying = Callable[[Passing], Awaitable[object]]


@contextmanager
def lying(address: str, lies: Lying) -> Iterator[str]:
    """The service at host:port behind such a proxy; yields the proxy's URL."""
    host, _, port = address.partition(":")

    async def answering(request: Planted) -> None:
        await lies(Passing(request, (host, int(port))))

    with planted(answering) as url:
        yield url


def audited(
    url: str,
    *skus: str,
    rate: float = 200,
    seconds: float = 0.5,
    prefix: str = "aud",
    meanwhile: Callable[[], object] = lambda: None,
    mix: Mix | None = None,
    settle_s: float = 0.3,
    **more: Any,
) -> tuple[Recorded, RunAudit]:
    """A run with its audit; `meanwhile` is called when the last answer has come."""
    mix = mix or Mix(lines_max=1, units_max=1, zipf=0)
    tables, lines = order_tables(mix, skus, [PLACE])
    plan = LoadPlan(
        url=url,
        arrivals=Constant(rate),
        seconds=seconds,
        tables=tables,
        lines=lines,
        id_prefix=f"{prefix}-{skus[0]}",
        ledger="told",
        **({"connections": 8, "timeout_s": 5.0, "kinds": order_kinds(mix)} | more),
    )

    async def run() -> tuple[Recorded, RunAudit]:
        auditor = Auditor(plan, set(skus), settle_s=settle_s)
        before = await auditor.begin()
        recorded = await recorded_load(plan)
        await asyncio.to_thread(meanwhile)
        return recorded, await auditor.end(before, recorded)

    return uvloop.run(run())


def told(audit: RunAudit) -> dict[str, int]:
    """Lies by their kind."""
    counts: dict[str, int] = {}
    for one in audit.lies:
        counts[one.kind] = counts.get(one.kind, 0) + one.count
    return counts


def with_id(body: bytes, order_id: str) -> bytes:
    """An answer about another order."""
    return msgspec.json.encode(json.loads(body) | {"order_id": order_id})
