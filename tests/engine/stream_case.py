"""The streams of orders as a connector sees them."""

import asyncio
import json
from typing import Any

from redis.asyncio import Redis

from engine.store.stream import GROUP

WAIT_S = 20.0
CLAIM_MS = 1_000

Fields = dict[bytes, bytes]


class Queue:
    """A connector's client."""

    def __init__(self, client: "Redis[bytes]", namespace: str = "stockade") -> None:
        self.client = client
        self.orders, self.results, self.dead = (
            f"{namespace}:{{intake}}:{name}" for name in ("orders", "results", "dead")
        )

    async def put(self, *orders: bytes) -> list[bytes]:
        """Append orders; returns the ids of the messages."""
        return [await self.client.xadd(self.orders, {"order": order}) for order in orders]

    async def finished(self, count: int) -> dict[bytes, Fields]:
        """The results by message, once there are so many."""
        async with asyncio.timeout(WAIT_S):
            after, found = b"0", {}
            while len(found) < count:
                reply: Any = await self.client.xread({self.results: after}, block=1_000)
                for result, fields in reply[0][1] if reply else ():
                    after = result
                    assert fields[b"message"] not in found, "one result a message"
                    found[fields[b"message"]] = fields
        return found

    async def dead_letters(self) -> dict[bytes, Fields]:
        """Dead letters by message."""
        return {fields[b"message"]: fields for _, fields in await self.client.xrange(self.dead)}

    async def deliveries(self) -> list[int]:
        """How often each message was given out that is open."""
        rows = await self.client.xpending_range(self.orders, GROUP, min="-", max="+", count=100_000)
        return [row["times_delivered"] for row in rows]

    async def leave(self, *messages: bytes, deliveries: int = 1) -> None:
        """Be a consumer that died with messages in hand, which were given out so often and may be taken over."""
        await self.client.xreadgroup(GROUP, "dead", {self.orders: ">"})
        idle = CLAIM_MS * 2
        await self.client.xclaim(self.orders, GROUP, "dead", 0, list(messages), retrycount=deliveries, idle=idle)


def order(order_id: str, quantity: int = 1, **fields: Any) -> bytes:
    """One message's order."""
    lines = [{"sku": "x", "quantity": quantity}]
    return json.dumps({"order_id": order_id, "ship_to": {"lat": 30, "lon": 120}, "lines": lines, **fields}).encode()
