"""What can become of a change of an order that holds stock. All of these are expected, so they are values."""

import msgspec
from msgspec import Struct

from engine.intake import Contended, InsufficientStock, Invalid, NotDeliverable, PurchaseLimit
from engine.model import Allocation


class Changed(Struct, frozen=True):
    """It is done, durably. `json` is the Allocation since, ready to send; `replayed` when it was done before."""

    json: bytes
    replayed: bool
    split_off: bytes | None = None
    """Of a split: the Allocation of the new order, as JSON."""

    @property
    def allocation(self) -> Allocation:
        """The Allocation, decoded."""
        return msgspec.json.decode(self.json, type=Allocation)


class NotFound(Struct, frozen=True):
    """There is no such order."""


class InvalidState(Struct, frozen=True):
    """Nothing was changed: the order's status forbids it."""

    status: str
    version: int


class VersionConflict(Struct, frozen=True):
    """Nothing was changed: the order is not at the version that the caller asked for."""

    status: str
    version: int


class TransitionConflict(Struct, frozen=True):
    """Nothing was changed: the transition's id was used for another content before."""


class IdTaken(Struct, frozen=True):
    """Nothing was changed: the id for the new order belongs to another one."""


Change = (
    Changed
    | NotFound
    | InvalidState
    | VersionConflict
    | TransitionConflict
    | IdTaken
    | Invalid
    | InsufficientStock
    | NotDeliverable
    | PurchaseLimit
    | Contended
)
