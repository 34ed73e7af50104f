"""What is asked of an order that holds stock: which of its units, and under which id. Shape and limits only."""

from typing import Annotated

from msgspec import Meta, Struct

from engine.model import limits
from engine.model.order import Identifier, Line

Version = Annotated[int, Meta(ge=1, le=limits.VERSION_MAX)]
HoldSeconds = Annotated[int, Meta(ge=1, le=limits.HOLD_SECONDS_MAX)]


class HeldLine(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Units of a SKU that an order holds; without a warehouse, wherever they are, in the order of its shipments."""

    sku: Identifier
    quantity: Annotated[int, Meta(ge=1, le=limits.QUANTITY_MAX)]
    warehouse: Identifier | None = None


HeldLines = Annotated[tuple[HeldLine, ...], Meta(min_length=1, max_length=limits.HELD_LINES_MAX)]
NewLines = Annotated[tuple[Line, ...], Meta(min_length=1, max_length=limits.LINES_MAX)]


class Step(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """To confirm or to cancel."""

    transition_id: Identifier | None = None
    version: Version | None = None
    """The version that the order must have."""


class Extension(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """To hold an unpaid order's stock for so long from now."""

    transition_id: Identifier
    hold_seconds: HoldSeconds
    version: Version | None = None


class Shipping(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """To let units leave; without lines all that is left."""

    transition_id: Identifier
    lines: HeldLines | None = None
    version: Version | None = None


class Split(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """To make some of an order's units an order of their own, whose id is the order's, a slash and a name."""

    transition_id: Identifier
    into: Identifier
    lines: HeldLines
    version: Version | None = None


class Amendment(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """To give an order other lines, with absolute quantities: what is not named is dropped."""

    transition_id: Identifier
    lines: NewLines
    version: Version | None = None
