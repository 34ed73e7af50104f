"""What a re-allocation says, in words for people: states, and reasons why orders stay as they are."""

from engine.reallocation.model import ReallocationStatus, State, Why

STATES: dict[State, str] = {
    "planning": "being planned",
    "planned": "planned",
    "applying": "being applied",
    "applied": "applied",
    "cancelled": "cancelled",
    "rolling_back": "being taken back",
    "rolled_back": "taken back",
    "failed": "failed",
}

REASONS: dict[Why, str] = {
    "partially_shipped": "a part has left already",
    "hold_over": "unpaid, and its time is up",
    "unreadable": "its record cannot be read: stockade audit",
    "not_plannable": "it breaks a rule of today's catalogue",
    "too_many": "beyond the orders that one run looks at",
    "purchase_limit": "its customer has as many as may be had",
    "no_stock": "nothing that its terms allow has the stock",
    "no_gain": "it would not get cheaper",
    "stock_went_to_others": "the stock went to orders that come first",
    "moves_max": "beyond --max-moves",
    "gone": "the order is gone",
    "version": "the order was changed since the plan",
    "state": "shipped, cancelled or expired since the plan",
    "stock": "the stock was sold since the plan",
    "capacity": "the warehouse's day is full",
}


def reason(why: str) -> str:
    """Why, in words; a word of a later release as it is."""
    return REASONS.get(why, why.replace("_", " "))  # type: ignore[call-overload, no-any-return]


def asked(status: ReallocationStatus) -> str:
    """Which orders were asked for."""
    request = status.request
    parts = []
    if request.warehouse_down is not None:
        parts.append(f"{request.warehouse_down} is down")
    for what, names in (
        ("at", request.warehouses),
        ("to", request.countries),
        ("to", request.regions),
        ("with", request.skus),
    ):
        if names:
            more = f" and {len(names) - 3} more" if len(names) > 3 else ""
            parts.append(f"{what} {', '.join(names[:3])}{more}")
    if request.older_than_s is not None:
        parts.append(f"older than {request.older_than_s:,} s")
    if request.backordered:
        parts.append("waiting for stock")
    if request.all_open:
        parts.append("all that are open")
    return "; ".join(parts)
