"""How far one body in bulk is ahead of its client: lots under way, and results that it has not taken.

Counted in bytes, as far as they are known: a lot is first as long as its lines, then as what it keeps of orders that
were not simply reserved, and at last as its lines of the answer. Bodies times BYTES_AHEAD_MAX is what all clients of a
process that read nothing can make it keep, and a lot for each that is under way.
"""

import asyncio

from engine.intake import Lot

LOTS_AHEAD_MAX = 16
BYTES_AHEAD_MAX = 2 * 1024 * 1024
TOLD_BYTES = 1_024
"""What is kept of an order that was not simply reserved, until it is a line."""


class Ahead:
    """The lots of one body, in order, from when they are submitted until their results are taken."""

    def __init__(self) -> None:
        self._lots: asyncio.Queue[Lot | None] = asyncio.Queue()
        self._answers: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._sizes: dict[Lot, int] = {}
        """Of lots that have no answer yet."""
        self._count = 0
        self._bytes = 0
        self._room = asyncio.Event()
        self._room.set()

    async def room(self) -> None:
        """Wait until another lot may be submitted."""
        await self._room.wait()

    def add(self, lot: Lot, lines_bytes: int) -> None:
        """A lot was submitted, of so many bytes."""

        def weigh(_: object = None) -> None:
            if lot in self._sizes:
                self._sizes[lot] = size = lines_bytes + TOLD_BYTES * len(lot.told)
                self._grow(size - known)

        self._sizes[lot] = known = lines_bytes + TOLD_BYTES * len(lot.told)
        self._lots.put_nowait(lot)
        self._count += 1
        self._grow(known)
        if not lot.done.done():
            lot.done.add_done_callback(weigh)

    def end(self) -> None:
        """No more lots will come."""
        self._lots.put_nowait(None)

    async def lot(self) -> Lot | None:
        """The next lot to be answered; None at the end."""
        return await self._lots.get()

    def answer(self, lot: Lot, lines: bytes) -> None:
        """A lot has its lines of the answer."""
        self._answers.put_nowait(lines)
        self._grow(len(lines) - self._sizes.pop(lot))

    def answered_all(self) -> None:
        """No more answers will come."""
        self._answers.put_nowait(None)

    async def lines(self) -> bytes | None:
        """The next lines of the answer; None at the end."""
        return await self._answers.get()

    def taken(self, lines: bytes) -> None:
        """The client took them."""
        self._count -= 1
        self._grow(-len(lines))

    def abandon(self) -> list[Lot]:
        """The client is gone: nobody waits for what is under way. Returns the lots that have no answer."""
        for lot in self._sizes:
            lot.abandon()
        return list(self._sizes)

    def _grow(self, size: int) -> None:
        self._bytes += size
        if self._count < LOTS_AHEAD_MAX and self._bytes < BYTES_AHEAD_MAX:
            self._room.set()
        else:
            self._room.clear()
