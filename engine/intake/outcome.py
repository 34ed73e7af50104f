"""What can become of an order. All of these are expected, so they are values."""

from typing import Annotated

import msgspec
from msgspec import Struct

from engine.errors import FieldError
from engine.intake.patience import Reason
from engine.intake.refused import Refused
from engine.model import Allocation


class Reserved(Struct, frozen=True):
    """It is kept and durable, and so is the stock that it holds; one that is backordered holds none yet.

    `json` is the Allocation, ready to send; `replayed` when it was kept before.
    """

    json: bytes
    replayed: bool

    @property
    def allocation(self) -> Allocation:
        """The Allocation, decoded."""
        return msgspec.json.decode(self.json, type=Allocation)


class ExceededLimit(Struct, frozen=True):
    """A purchase limit, in units of a SKU per customer."""

    sku: str
    requested: int
    limit: int
    remaining: int


class PurchaseLimit(Struct, frozen=True):
    """Nothing was held: the order is beyond what its customer may take."""

    exceeded: tuple[ExceededLimit, ...]


class Conflict(Struct, frozen=True):
    """Nothing was held: the id belongs to another order."""


class Invalid(Struct, frozen=True):
    """Nothing was held: fields break a rule."""

    errors: tuple[FieldError, ...]


class Overloaded(Struct, frozen=True):
    """This request held nothing: too many wait already, or this one waited longer than its caller gave it.

    Nobody has looked whether an earlier one with the same id did.
    """

    retry_after_s: Annotated[int, msgspec.Meta(ge=1)]
    reason: Reason = "queue-full"


class Contended(Struct, frozen=True):
    """Nothing was held: others took the stock between plan and commit, every time. Worth another try."""


class Unavailable(Struct, frozen=True):
    """The store did not answer or refused. Unless `certain`, the order may be held: the same order again tells."""

    detail: str
    certain: bool
    retry_after_s: Annotated[int, msgspec.Meta(ge=1)] = 1
    unreadable: bool = False
    """Whether it is only that the record of this order cannot be read, which does not pass by itself."""


Outcome = Reserved | Refused | PurchaseLimit | Conflict | Invalid | Overloaded | Contended | Unavailable
