"""Orders that get no plan: what they lack, or what keeps them from stock that is there. Values, made of the core's."""

from typing import Any

from msgspec import Struct

from engine.model import Shortage, StockLimit, Undeliverable


class InsufficientStock(Struct, frozen=True):
    """Nothing was held.

    `spread` when there is more, but not from as few warehouses as `limit` allows; `at_capacity` when there is enough,
    but warehouses that have it serve no more orders today: then what the others have is available. A `limit` by the
    policy without shipments: there is enough, but the policy leaves it where it is.
    """

    shortages: tuple[Shortage, ...]
    spread: bool
    at_capacity: bool = False
    limit: StockLimit | None = None

    @property
    def why(self) -> str:
        """What keeps the order from stock that is there, as a sentence; empty where it is the stock that is short."""
        if self.at_capacity:
            return (
                "There is enough stock, but warehouses that have it serve no more orders today: they are at capacity."
            )
        if self.limit is None:
            return ""
        of_policy = f'the policy "{self.limit.policy}"'
        if (most := self.limit.shipments) is None:
            return f"There is enough stock, but {of_policy} keeps it from this order; a quote says by which rule."
        there = "enough" if all(row.available >= row.requested for row in self.shortages) else "more"
        whose = of_policy if self.limit.by == "policy" else f"{self.limit.by} of the order"
        plural = "" if most == 1 else "s"
        found = f"no way was found to ship it from {most} warehouse{plural}"
        return f"There is {there} stock, but {found}: {whose} allows no more."


NAMED_PLACES = (
    "Zones that name countries, regions or postcodes are only for orders whose ship_to names one of them, too."
)


class NotDeliverable(Struct, frozen=True):
    """Nothing was held: no carrier of the tariff goes to the order's place, at the service level that it asks for.

    From where these are; from any warehouse that may serve it, where `lines` is empty. Then it does not wait for stock
    either.
    """

    lines: tuple[Undeliverable, ...]

    @property
    def why(self) -> str:
        """As a sentence."""
        nobody = (
            "No carrier of the tariff goes to this place (at the service level of the order, if it asks for one) from"
        )
        if not self.lines:
            return f"{nobody} any warehouse that may serve it. {NAMED_PLACES}"
        rows = ", ".join(f"{row.sku} ({row.requested} wanted, {row.deliverable} deliverable)" for row in self.lines)
        return f"{nobody} where the stock is of {rows}. {NAMED_PLACES}"


Refused = InsufficientStock | NotDeliverable

REFUSALS = frozenset({"short", "too_spread", "at_capacity", "kept_by_policy", "undeliverable"})
"""The core's words for them; engine/_core.pyi lists what comes with each."""


def refused_of(word: str, payload: Any) -> Refused:
    """The refusal that the core's tuple stands for."""
    rows, limit = payload
    if word == "undeliverable":
        return NotDeliverable(tuple(Undeliverable(*row[:3]) for row in rows))
    return InsufficientStock(
        tuple(Shortage(*row) for row in rows),
        spread=word == "too_spread",
        at_capacity=word == "at_capacity",
        limit=None if limit is None else StockLimit(*limit),
    )
