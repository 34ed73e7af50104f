"""Messages of the stream of orders that were given out together, until each has its result.

What the store did not decide is tried again here, ever more slowly, as long as it takes: an outage is no fault of the
order's. While they are in hand nobody else is given the messages, and a try that the store ended is no delivery.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

import msgspec
import structlog

from engine.engine import Engine
from engine.errors import StoreError
from engine.intake import Broken, Conflict, Contended, Invalid, Lot, Overloaded, Reserved, Unavailable
from engine.intake.lot import Told, id_in, read_line
from engine.planner import Record, canonical_bytes, fingerprint_of
from engine.slices import Slices
from engine.store.stream import Claimed, Result

SOURCE = "stream"
"""Whose its orders are, where sources take turns: no API key has such an id."""
FIELD = b"order"
"""The field of a message that holds the order as JSON."""

DELIVERIES_MAX = 5
"""So often a message is tried that nobody finishes. Then its order's record is looked for, once, and it is given up."""
ALONE_FROM = 3
"""From this delivery on a message is taken alone: should it be one that ends its consumer, it takes no other along."""
KEEPS_PER_TERM = 4
"""What is in hand is kept from others so many times in the term after which it may be taken over."""
RETRY_S_MIN = 0.25
RETRY_S_MAX = 5.0

log = structlog.get_logger(__name__)

LineOf = Callable[[Told, str], bytes]
"""Writes what became of an order that was not simply reserved; the text names the message."""
Count = Callable[[str, int], None]
"""Is told of so many orders of an outcome."""

_NO_JSON = b"!"


class Handful:
    """Messages in this consumer's hand."""

    def __init__(
        self,
        engine: Engine,
        given: Iterable[Claimed],
        *,
        line_of: LineOf,
        count: Count | None,
        slices: Slices,
        closing: asyncio.Event,
    ) -> None:
        """`closing`: nothing is tried again any more."""
        self._engine = engine
        self._calls = engine.store.stream
        self._consumer = engine.store.writer
        self._line_of = line_of
        self._count = count
        self._slices = slices
        self._closing = closing
        self._open = {one.message: one for one in given}
        self._unwritten: list[tuple[str, Result]] = []
        """By what it is counted, and the result."""
        self._counted = True
        """Whether this delivery counts, as the stream has it."""
        self._keep_s = engine.settings.stream_claim_ms / 1000 / KEEPS_PER_TERM

    async def finish(self) -> None:
        """Return when all have their results, or when closing has begun. Raises EngineClosed."""
        for group in _groups(self._open.values()):
            wait_s = min(RETRY_S_MIN, self._keep_s)
            while not await self._try(group):
                await self._set_count(self._open.values(), counted=False)
                if self._closing.is_set():
                    return
                if self._unwritten:
                    await self._keep()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._closing.wait(), wait_s)
                wait_s = min(2 * wait_s, RETRY_S_MAX, self._keep_s)

    async def _try(self, group: Sequence[Claimed]) -> bool:
        """Have the orders of a group reserved, and write results; whether all of them have theirs."""
        if self._engine.intake.unreachable is None:
            left = [one for one in group if one.message in self._open]
            try:
                if left:
                    if not self._counted:
                        await self._set_count(left, counted=True)
                    await self._decide(left)
                await self._write()
            except StoreError as error:
                log.warning("results of the stream of orders wait for the store", error=str(error))
        return not self._unwritten and not any(one.message in self._open for one in group)

    async def _decide(self, group: Sequence[Claimed]) -> None:
        if group[0].deliveries >= DELIVERIES_MAX:
            self._done(group[0], *await self._last_look(group[0]))
            return
        lot = await self._engine.submit_lot(b"\n".join(_line(one.fields) for one in group), source=SOURCE)
        try:
            while not (await asyncio.wait([lot.done], timeout=self._keep_s))[0]:
                await self._keep()
        except asyncio.CancelledError:
            lot.abandon()
            raise
        lot.done.result()
        await self._slices.each(enumerate(group), lambda row: self._tell(lot, *row))

    def _tell(self, lot: Lot, place: int, one: Claimed) -> None:
        told = lot.told.get(place)
        if told is None:
            line = lot.core.answer(place)
            self._done(one, "reserved", Result(one.message, lot.core.order_id(place) or "", "reserved", line[:-1]))
        elif not _is_undecided(told):
            self._done(one, *self._result(one, told))

    def _done(self, one: Claimed, word: str, result: Result) -> None:
        self._unwritten.append((word, result))
        del self._open[one.message]

    def _result(self, one: Claimed, told: Told) -> tuple[str, Result]:
        if isinstance(told.outcome, Unavailable):
            # A record that nobody can read: another try would find the same.
            return _unknown(one, told.order_id or "", told.outcome.detail)
        if FIELD not in one.fields:
            told = Told(None, Broken(f"The message has no field `{FIELD.decode()}`."))
        line = self._line_of(told, one.message.decode())[:-1]
        said = msgspec.json.decode(line, type=_Said)
        reason = said.detail if isinstance(told.outcome, Broken | Invalid) else None
        order = one.fields.get(FIELD, b"")
        return said.type or said.outcome, Result(one.message, told.order_id or "", said.outcome, line, reason, order)

    async def _last_look(self, one: Claimed) -> tuple[str, Result]:
        """What became of a message that nobody finished. The look may be what ends its consumer, so it is taken once.

        Raises StoreError.
        """
        line = _line(one.fields)
        tries = f"Not finished in {DELIVERIES_MAX} deliveries."
        if one.deliveries > DELIVERIES_MAX:
            return _unknown(one, "", f"{tries} Whether the order is held is not known: ask for it.")
        read = read_line(line)
        if isinstance(read, Told):
            return self._result(one, read)
        (stored,) = await self._engine.store.read_orders([read.order_id])
        if stored is None:
            return _unknown(one, read.order_id, f"{tries} No order of its id was held by then.")
        try:
            if Record(stored).fingerprint != fingerprint_of(canonical_bytes(read)):
                return self._result(one, Told(read.order_id, Conflict()))
            json = self._engine.planner.core.allocation_json(read.order_id, stored)
        except ValueError as error:
            return _unknown(one, read.order_id, f"{tries} {error}. Run an audit.")
        return self._result(one, Told(read.order_id, Reserved(json, replayed=True)))

    async def _write(self) -> None:
        if not self._unwritten:
            return
        settings = self._engine.settings
        await self._calls.finish(
            [result for _, result in self._unwritten],
            results_max=settings.stream_results_max,
            dead_max=settings.stream_dead_max,
        )
        if self._count is not None:
            for word, orders in Counter(word for word, _ in self._unwritten).items():
                self._count(word, orders)
        self._unwritten.clear()

    async def _keep(self) -> None:
        """Keep what is in hand from others."""
        with contextlib.suppress(StoreError):
            await self._calls.keep(self._consumer, [*self._open, *(result.message for _, result in self._unwritten)])

    async def _set_count(self, given: Iterable[Claimed], *, counted: bool) -> None:
        """Have this delivery counted, or not, as far as the store can be had; and keep the messages from others."""
        self._counted = counted
        by_deliveries: dict[int, list[bytes]] = {}
        for one in given:
            by_deliveries.setdefault(one.deliveries + counted, []).append(one.message)
        with contextlib.suppress(StoreError):
            for deliveries, messages in by_deliveries.items():
                await self._calls.keep(self._consumer, messages, deliveries=deliveries)


class _Said(msgspec.Struct):
    outcome: str
    type: str = ""
    detail: str = ""


def _groups(given: Iterable[Claimed]) -> list[list[Claimed]]:
    """What is tried together."""
    given = list(given)
    together = [one for one in given if one.deliveries < ALONE_FROM]
    alone = [[one] for one in given if one.deliveries >= ALONE_FROM]
    return [together, *alone] if together else alone


def _is_undecided(told: Told) -> bool:
    match told.outcome:
        case Unavailable(unreadable=unreadable):
            return not unreadable
        case outcome:
            return isinstance(outcome, Overloaded | Contended)


def _unknown(one: Claimed, order_id: str, reason: str) -> tuple[str, Result]:
    """A message that is given up."""
    order = one.fields.get(FIELD, b"")
    order_id = order_id or id_in(order) or ""
    line = msgspec.json.encode({"outcome": "unknown", "order_id": order_id or None, "detail": reason})
    return "unknown", Result(one.message, order_id, "unknown", line, reason, order)


def _line(fields: dict[bytes, bytes]) -> bytes:
    """The order of a message as one line; what cannot be one is a line that is no JSON."""
    order = fields.get(FIELD, b"")
    if b"\n" in order:
        # Between two names a line end is a blank; within a text it is a mistake, which must not be mended.
        with contextlib.suppress(msgspec.DecodeError):
            return msgspec.json.format(order, indent=-1)
        return _NO_JSON
    return order if order.strip() else _NO_JSON
