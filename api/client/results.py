"""What calls return, where the engine's nouns alone do not say it."""

from typing import Any, Literal

import msgspec

from api.client.errors import ProblemError, problem_of
from engine.model import Allocation

BulkOutcome = Literal["reserved", "replayed", "rejected", "invalid"]


class Reservation(Allocation, frozen=True, kw_only=True, omit_defaults=True):
    """What an order holds after a call."""

    replayed: bool = False
    """Whether the call had been done before, under the same id; nothing was changed this time."""


class Quote(Allocation, frozen=True, kw_only=True, omit_defaults=True):
    """What an order would get; nothing is held."""

    explanation: dict[str, Any]
    """For every warehouse what it would cost, or what keeps it out."""


class BulkResult(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one order of a bulk."""

    order_id: str | None
    """None of a line in which none was found."""
    outcome: BulkOutcome
    allocation: Reservation | None = None
    """If it is reserved or replayed."""
    problem: ProblemError | None = None
    """Why not, if it is not; where it is `retryable`, send the order again."""


class _Line(msgspec.Struct):
    outcome: BulkOutcome
    order_id: str | None = None


_line = msgspec.json.Decoder(_Line)
_reservation = msgspec.json.Decoder(Reservation)
_members = msgspec.json.Decoder(dict[str, Any])


def reservation(body: bytes, replayed: bool) -> Reservation:
    """An Allocation as the service tells it. Raises msgspec.MsgspecError."""
    found = _reservation.decode(body)
    return msgspec.structs.replace(found, replayed=True) if replayed else found


def bulk_result(line: bytes) -> BulkResult:
    """One line of an answer. Raises msgspec.MsgspecError."""
    head = _line.decode(line)
    if head.outcome in ("reserved", "replayed"):
        held = reservation(line, head.outcome == "replayed")
        return BulkResult(order_id=held.order_id, outcome=head.outcome, allocation=held)
    members = {name: value for name, value in _members.decode(line).items() if name not in ("outcome", "order_id")}
    return BulkResult(order_id=head.order_id, outcome=head.outcome, problem=problem_of(members))
