"""The life of orders that hold stock, or wait for it: confirmed, extended, shipped, cancelled, split, amended.

Each change has an id of the caller's and one effect: asked for again, it changes nothing and is answered with how the
order stands. The order's home decides in one atomic call. Where it holds stock of other partitions they follow at once;
if they cannot be reached, whoever tends the store has them follow later.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import structlog

from engine.errors import FieldError, InvalidInput, StoreError
from engine.intake import Contended, Invalid, follow_order
from engine.intake.clock import StoreClock
from engine.life.amendment import Amender
from engine.life.change import Change, Changed, IdTaken, NotFound
from engine.life.held_lines import cells_of, divided
from engine.life.transition import checked, done_before, read_record, refused, transition_name
from engine.model import Amendment, Extension, HeldLine, Line, Shipping, Split, Step, limits
from engine.planner import Planner, Record, split_order
from engine.store import Replacement, ReplaceReply, StepReply, Store
from engine.store import Step as What

TRIES_MAX = 4
"""How often a change is worked out anew, as the order changed between look and call."""

AGAIN = "VSX"
"""Letters of a refusal after which an amendment is planned anew."""

INTO = "into "
"""Begins the note in a record of what was split off from it; replace.lua writes it."""

log = structlog.get_logger(__name__)


class OrderLife:
    """Changes orders of one store."""

    def __init__(
        self,
        store: Store,
        planner: Planner,
        *,
        exclusive: asyncio.Lock,
        recover: Callable[[], Awaitable[bool]],
        clock: StoreClock,
    ) -> None:
        """`exclusive` and `recover` as the intake has them; `clock` is the store's."""
        self._store = store
        self._planner = planner
        self._amender = Amender(store, planner, exclusive=exclusive, recover=recover, clock=clock)
        self._amendments: set[asyncio.Task[ReplaceReply | Change]] = set()

    async def confirm(self, order_id: str, *, transition_id: str | None, version: int | None) -> Change:
        """Make a hold last. Done already for an order that is confirmed or shipped."""
        asked = checked(Step, transition_id=transition_id, version=version)
        return await self._step("confirm", order_id, asked.transition_id, asked.version)

    async def cancel(self, order_id: str, *, transition_id: str | None, version: int | None) -> Change:
        """Give back what an order holds of which nothing has left."""
        asked = checked(Step, transition_id=transition_id, version=version)
        return await self._step("cancel", order_id, asked.transition_id, asked.version)

    async def extend(self, order_id: str, hold_seconds: int, *, transition_id: str, version: int | None) -> Change:
        """Have a hold end so many seconds from now."""
        asked = checked(Extension, transition_id=transition_id, hold_seconds=hold_seconds, version=version)
        return await self._step("extend", order_id, asked.transition_id, asked.version, asked.hold_seconds * 1000)

    async def ship(
        self, order_id: str, lines: Sequence[HeldLine] | None, *, transition_id: str, version: int | None
    ) -> Change:
        """Let units leave: those that lines name, or all that are left."""
        asked = checked(Shipping, transition_id=transition_id, lines=lines, version=version)
        if asked.lines is None:
            return await self._step("ship", order_id, asked.transition_id, asked.version, [])
        transition = transition_name("ship", asked.transition_id, asked.lines)
        for _ in range(TRIES_MAX):
            found = await self._read(order_id)
            if found is None:
                return NotFound()
            _, record = found
            cells, errors = cells_of(self._planner, record, asked.lines)
            # What is wrong with the lines counts only if nothing else is: the store says so, asked for no unit at all.
            flat = [0, 0] if errors else [part for cell in cells for part in cell]
            home = self._store.home(order_id)
            reply = await home.orders.step("ship", order_id, transition, version=asked.version, detail=flat)
            if reply.letter != "Q":
                return await self._stepped(order_id, reply)
            if errors:
                return Invalid(errors)
        return Contended()

    async def split(
        self, order_id: str, into: str, lines: Sequence[HeldLine], *, transition_id: str, version: int | None
    ) -> Change:
        """Make units of an order an order of their own, which holds them where they are, and as long."""
        asked = checked(Split, transition_id=transition_id, into=into, lines=lines, version=version)
        name = asked.into.removeprefix(f"{order_id}/")
        if name == asked.into or not name or "/" in name:
            raise InvalidInput((FieldError("/into", f'must be "{order_id}/" and a name without a slash'),))
        transition = transition_name("split", asked.transition_id, [asked.into, asked.lines])
        for _ in range(TRIES_MAX):
            found = await self._read(order_id)
            if found is None:
                return NotFound()
            stored, record = found
            before = done_before(record, transition, asked.version, ("reserved", "confirmed", "partially_shipped"))
            if before == "done":
                return await self._changed(order_id, stored, replayed=True, split_off=asked.into)
            if before is not None:
                return before
            moved, errors = cells_of(self._planner, record, asked.lines)
            if errors := errors or _split_errors(record, sum(units for _, units in moved)):
                return Invalid(errors)
            stays, goes = divided(self._planner, record, stored, moved, order_id, asked.into)
            rows = split_order(self._planner.core, stored, moved, stays, goes)
            reply = await self._store.home(order_id).orders.replace(
                transition,
                [Replacement(order_id, record.version, rows[0]), Replacement(asked.into, 0, rows[1])],
                event="split",
                reason=asked.into,
                limits={},
            )
            match reply.letter:
                case "A" | "R":
                    first = reply.records[0]
                    return await self._changed(order_id, first, replayed=reply.letter == "R", split_off=asked.into)
                case "C":
                    return IdTaken()
                case "V":
                    continue
                case letter:
                    return refused(letter, reply.found, reply.now_ms)
        return Contended()

    async def amend(self, order_id: str, lines: Sequence[Line], *, transition_id: str, version: int | None) -> Change:
        """Give an order of which nothing has left other lines, planned anew over what is free and what it holds.

        One that waits for stock gets it, if it can be served by now, or waits on.
        """
        asked = checked(Amendment, transition_id=transition_id, lines=lines, version=version)
        transition = transition_name("amend", asked.transition_id, asked.lines)
        for _ in range(TRIES_MAX):
            found = await self._read(order_id)
            if found is None:
                return NotFound()
            stored, record = found
            before = done_before(record, transition, asked.version, ("reserved", "confirmed", "backordered"))
            if before == "done":
                return await self._changed(order_id, stored, replayed=True)
            if before is not None:
                return before
            amendment = asyncio.create_task(self._amender.amend(order_id, stored, record, asked.lines, transition))
            self._amendments.add(amendment)
            amendment.add_done_callback(self._amendments.discard)
            # A caller that hangs up must not leave the view behind the store.
            reply = await asyncio.shield(amendment)
            if not isinstance(reply, ReplaceReply):
                return reply
            if reply.letter in "AR":
                return await self._changed(order_id, reply.records[0], replayed=reply.letter == "R")
            if reply.letter not in AGAIN:
                return refused(reply.letter, reply.found, reply.now_ms)
        return Contended()

    async def _step(
        self, what: What, order_id: str, transition_id: str | None, version: int | None, detail: object = ""
    ) -> Change:
        # Without an id the state alone says whether it was done.
        transition = "" if transition_id is None else transition_name(what, transition_id, detail)
        home = self._store.home(order_id)
        return await self._stepped(
            order_id, await home.orders.step(what, order_id, transition, version=version, detail=detail)
        )

    async def _stepped(self, order_id: str, reply: StepReply) -> Change:
        match reply.letter:
            case "A" | "R":
                return await self._changed(order_id, reply.record, replayed=reply.letter == "R")
            case letter:
                return refused(letter, reply.record, reply.now_ms)

    async def _changed(self, order_id: str, stored: bytes, *, replayed: bool, split_off: str | None = None) -> Change:
        """The answer, once other partitions have followed or are sure to."""
        try:
            await follow_order(self._store, order_id)
        except StoreError as error:
            log.warning("other partitions will follow an order later", order_id=order_id, error=str(error))
        child = None
        if split_off is not None:
            (record,) = await self._store.read_orders([split_off])
            child = None if record is None else self._planner.core.allocation_json(split_off, record)
        return Changed(self._planner.core.allocation_json(order_id, stored), replayed, child)

    async def _read(self, order_id: str) -> tuple[bytes, Record] | None:
        (stored,) = await self._store.read_orders([order_id], for_sale=True)
        return None if stored is None else (stored, read_record(stored))


def _split_errors(record: Record, moved: int) -> tuple[FieldError, ...]:
    errors = []
    if moved >= sum(units for _, units in record.held):
        errors.append(FieldError("/lines", "must leave the order a unit that it holds"))
    if sum(transition.startswith(INTO) for transition in record.transitions) >= limits.SPLITS_MAX:
        errors.append(FieldError("/into", f"would be more than {limits.SPLITS_MAX} orders split off from one"))
    return tuple(errors)
