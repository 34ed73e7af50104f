"""Lets orders in bulk through as fast as the limit of their key allows: bodies are read slower, and none is refused."""

import asyncio
from collections.abc import AsyncIterator

from api.rate_limit.limiter import Limiter
from engine.access import Principal


async def paced(lines: bytes, limiter: Limiter, principal: Principal) -> AsyncIterator[bytes]:
    """Whole lines in parts, each when it is due. They take their turn before they wait for it, so that other requests
    of the key do not starve them; and they leave a part of the burst, so that they do not starve those."""
    part = limiter.part(principal)
    if part is None:
        if lines:
            yield lines
        return
    start = 0
    while start < len(lines):
        end, count = start, 0
        while count < part and end < len(lines):
            end = lines.find(b"\n", end) + 1 or len(lines)
            count += 1
        await asyncio.sleep(limiter.debit(principal, count))
        yield lines[start:end]
        start = end
