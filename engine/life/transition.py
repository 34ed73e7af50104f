"""What all changes of an order share: the name of a transition, and what the store's letters mean."""

from collections.abc import Sequence
from typing import Any, Literal, TypeVar

import msgspec

from engine.errors import FieldError, InvalidInput, StoreUnsupported
from engine.life.change import Change, InvalidState, NotFound, TransitionConflict, VersionConflict
from engine.model.rules import PRINTABLE, printable
from engine.model.wire_error import field_error
from engine.planner import Record, fingerprint_of

_sorted = msgspec.msgpack.Encoder(order="sorted").encode
DIGEST_BYTES = 8

T = TypeVar("T", bound=msgspec.Struct)


class _OfChannel(msgspec.Struct, frozen=True):
    channel: str | None = None


_channel = msgspec.msgpack.Decoder(_OfChannel)


def checked(type_: type[T], **fields: Any) -> T:
    """What a caller asks, as it would come over the wire. Raises InvalidInput."""
    try:
        given = msgspec.json.encode({name: value for name, value in fields.items() if value is not None})
        asked = msgspec.json.decode(given, type=type_)
    except msgspec.ValidationError as error:
        raise InvalidInput((field_error(error, type_),)) from None
    except UnicodeEncodeError as error:
        raise InvalidInput((FieldError("", f"holds text that is not Unicode: {error.reason}"),)) from None
    names = [name for name in ("transition_id", "into") if not printable(fields.get(name) or "")]
    if names:
        raise InvalidInput(tuple(FieldError(f"/{name}", PRINTABLE) for name in names))
    return asked


def transition_name(what: str, transition_id: str, detail: object) -> str:
    """The store's name for a transition: one id of one kind stands for one content."""
    return f"{what}:{transition_id}={fingerprint_of(_sorted(detail))[:DIGEST_BYTES].hex()}"


def read_record(stored: bytes) -> Record:
    """A record. Raises StoreUnsupported when it cannot be read."""
    try:
        return Record(stored)
    except ValueError as error:
        raise StoreUnsupported(f"What the store keeps of this order cannot be read ({error}). Run an audit.") from None


def channel_of(stored: bytes) -> str | None:
    """The channel that the order of a record named. Raises StoreUnsupported when it cannot be read."""
    return _channel.decode(read_record(stored).canonical).channel


def done_before(
    record: Record, transition: str, version: int | None, statuses: Sequence[str]
) -> Change | Literal["done"] | None:
    """What is known of a transition from the record alone: nothing, when it may be tried."""
    if transition in record.transitions:
        return "done"
    name, _, _ = transition.rpartition("=")
    if any(other.rpartition("=")[0] == name for other in record.transitions):
        return TransitionConflict()
    if version is not None and version != record.version:
        return VersionConflict(record.status, record.version)
    if record.status not in statuses:
        return InvalidState(record.status, record.version)
    return None


def refused(letter: str, stored: bytes, now_ms: int) -> Change:
    """The outcome that a refusal's letter stands for, by the order's record (if any) and the store's clock."""
    if letter == "N" and not stored:
        return NotFound()
    if letter == "D":
        return TransitionConflict()
    record = read_record(stored)
    if letter == "V":
        return VersionConflict(record.status, record.version)
    if letter == "F":
        over = record.status == "reserved" and record.expires_ms <= now_ms
        return InvalidState("expired" if over else record.status, record.version)
    raise AssertionError(f"the store answered {letter!r}, which we do not know")
