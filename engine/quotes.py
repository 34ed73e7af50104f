"""Quotes: plans that hold nothing, with what is said of them. A no is told only after a look at the store."""

import msgspec

from engine.errors import FieldError, InvalidInput
from engine.intake import REFUSALS, ExceededLimit, PurchaseLimit, Refused, expected_day, read_capacities, refused_of
from engine.intake.clock import StoreClock
from engine.model import Order
from engine.planner import Planner, canonical_bytes
from engine.quote_looks import QuoteLooks
from engine.store import Store


class Quoted(msgspec.Struct, frozen=True):
    """A plan with its explanation, as JSON; nothing is held. `backordered` where the order would wait for stock."""

    json: bytes


class NotQuoted(msgspec.Struct, frozen=True):
    """No plan: why, as JSON with the explanation, and as what the order itself would be told."""

    json: bytes
    refusal: Refused


class QuoteRoom:
    """Quotes by one process's planner."""

    def __init__(self, planner: Planner, store: Store, *, looks: QuoteLooks, clock: StoreClock) -> None:
        self._planner = planner
        self._store = store
        self._looks = looks
        self._clock = clock

    async def quote(self, order: Order, source: str) -> Quoted | NotQuoted | PurchaseLimit:
        """Plan an order without holding anything, and say why. Raises InvalidInput, and QuotesBusy; see QuoteLooks.

        `proven` in its explanation is among plans that split no line which one warehouse holds whole, and that take
        substitutes for nothing but what the network lacks.
        """
        core, canonical = self._planner.core, canonical_bytes(order)
        now_ms, day = self._clock.now_ms(), self._clock.day()
        self._planner.keep_calendars(now_ms)
        word, payload = core.quote(canonical, day, now_ms)
        bends = order.allow_partial or order.allow_substitutes
        if word in REFUSALS or word == "backorder" or (word == "quoted" and bends):
            # The view only advises: before a no, or a part of one, look at the store.
            async with self._looks.look(order, source):
                await read_capacities(self._store, self._planner, day)
                self._planner.keep_calendars(now_ms)
                word, payload = self._planner.core.quote(canonical, day, now_ms)
            if word == "backorder":
                expected = await expected_day(self._store, *payload, today=day)
                word, payload = self._planner.core.quote(canonical, day, now_ms, expected)
        if word == "quoted":
            return Quoted(payload)
        if word in REFUSALS:
            json, refused = payload
            return NotQuoted(json, refused_of(word, refused))
        if word == "limit":
            return PurchaseLimit(tuple(ExceededLimit(*row) for row in payload))
        raise InvalidInput(tuple(FieldError(*row) for row in payload))
