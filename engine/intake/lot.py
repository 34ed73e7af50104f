"""Orders that came together, as lines of JSON: read at once, waited for as one, each with an outcome of its own.

What a common client writes is read, planned and answered in Rust without an object an order. Whatever differs, be it
broken or only unusual, is read by the shape itself, as a single order is.
"""

import asyncio

import msgspec

from engine.errors import EngineClosed, FieldError
from engine.intake.outcome import Invalid, Outcome
from engine.model import Order, limits
from engine.model.rules import order_errors
from engine.model.wire_error import field_error
from engine.planner import CoreLot, canonical_bytes
from engine.slices import Slices

_order = msgspec.json.Decoder(Order)


class Broken(msgspec.Struct, frozen=True):
    """A line that is no JSON, or longer than ORDER_BYTES_MAX."""

    detail: str
    too_long: bool = False


class OtherChannel(msgspec.Struct, frozen=True):
    """An order of another channel than the caller may send orders of."""

    channel: str
    """That the caller may."""


class Left(msgspec.Struct, frozen=True):
    """Nothing was decided, as nobody waits any more."""


class Told(msgspec.Struct, frozen=True):
    """What became of an order of a lot that was not simply reserved; the id as far as it can be read."""

    order_id: str | None
    outcome: Outcome | Broken | OtherChannel | Left


LEFT = Told(None, Left())


class _Named(msgspec.Struct):
    order_id: str | None = None


_named = msgspec.json.Decoder(_Named)


class Lot:
    """Orders that came together. `done` is set once each has its outcome: in `core` if it is held, else in `told`."""

    def __init__(self, lines: bytes, *, partitions: int, channel: str | None = None, source: str = "") -> None:
        """`lines` are whole lines, an order each; empty ones are passed over. `source`: whose they are.

        With a `channel`, orders are of that one: one that names none gets it, one that names another is not taken.
        """
        self.core = CoreLot(lines, partitions, channel)
        self.source = source
        self.told: dict[int, Told] = {}
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.abandoned = False
        """Whether nobody waits any more: then `done` is set when what batches have of it has its outcomes."""
        self._channel = channel

    async def read(self, slices: Slices) -> None:
        """Read what is broken or only unusual; until then the lot is not whole."""
        if declined := self.core.declined():
            await slices.each(declined, self._read)

    def __len__(self) -> int:
        return len(self.core)

    def is_open(self, place: int) -> bool:
        """Whether an order has no outcome yet."""
        return place not in self.told and self.core.is_open(place)

    def canonical(self, place: int) -> bytes:
        """The canonical bytes of an order that was read."""
        canonical = self.core.canonical(place)
        assert canonical is not None, "only orders that were read are asked for"
        return canonical

    def tell(self, place: int, told: Told) -> None:
        """Give an order its outcome."""
        self.told[place] = told
        self.look()

    def look(self) -> None:
        """Set `done` if all orders have their outcomes."""
        if self.core.reserved + len(self.told) == len(self.core) and not self.done.done():
            self.done.set_result(None)

    def tell_rest(self, start: int, end: int, outcome: Outcome) -> None:
        """Give orders that have no outcome yet this one."""
        for place in range(start, end):
            if self.is_open(place):
                self.told[place] = Told(id_of(self.canonical(place)), outcome)
        self.look()

    def leave(self, start: int, end: int) -> int:
        """Leave orders that have no outcome yet undecided; returns how many there were."""
        places = [place for place in range(start, end) if self.is_open(place)]
        self.told.update(dict.fromkeys(places, LEFT))
        self.look()
        return len(places)

    def fail(self, reason: str) -> None:
        """End the waiting: no more outcomes will come."""
        if not self.done.done():
            self.done.set_exception(EngineClosed(reason))

    def abandon(self) -> None:
        """Nobody waits any more: what no batch has taken yet is left alone."""
        self.abandoned = True

    def _read(self, declined: tuple[int, bytes]) -> None:
        place, line = declined
        read = read_line(line)
        if isinstance(read, Order) and self._channel is not None:
            read = _of_channel(read, self._channel)
        if isinstance(read, Order):
            self.core.put(place, canonical_bytes(read))
        else:
            self.told[place] = read


class Slot:
    """The place of one order in its lot, in the stead of a caller that waits for it alone."""

    __slots__ = ("_lot", "_order_id", "_place")

    def __init__(self, lot: Lot, place: int, order_id: str) -> None:
        self._lot = lot
        self._place = place
        self._order_id = order_id

    def done(self) -> bool:
        """Whether it has its outcome."""
        return not self._lot.is_open(self._place)

    def set_result(self, outcome: Outcome) -> None:
        """Give it its outcome."""
        self._lot.tell(self._place, Told(self._order_id, outcome))

    def set_exception(self, error: EngineClosed) -> None:
        """None will come: the whole lot hears of it."""
        self._lot.fail(str(error))


def id_of(canonical: bytes) -> str:
    """The id of an order in canonical bytes."""
    order_id = msgspec.msgpack.decode(canonical, type=_Named).order_id
    assert order_id is not None, "every order has an id"
    return order_id


def read_line(line: bytes) -> Order | Told:
    """One line by the shape, or what is wrong with it."""
    if len(line) > limits.ORDER_BYTES_MAX:
        detail = f"A line may have {limits.ORDER_BYTES_MAX} bytes at the most."
        return Told(None, Broken(detail, too_long=True))
    try:
        order = _order.decode(line)
    except msgspec.ValidationError as error:
        return Told(id_in(line), Invalid((field_error(error, Order),)))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return Told(None, Broken(f"{error}."))
    errors: tuple[FieldError, ...] = order_errors(order)
    return Told(order.order_id, Invalid(errors)) if errors else order


def _of_channel(order: Order, channel: str) -> Order | Told:
    if order.channel is None:
        return msgspec.structs.replace(order, channel=channel)
    return order if order.channel == channel else Told(order.order_id, OtherChannel(channel))


def id_in(line: bytes) -> str | None:
    """The id of an order in JSON, as far as it can be read."""
    try:
        return _named.decode(line).order_id
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
