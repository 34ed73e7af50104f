"""Where requests are counted: plain numbers in plain lists, as every request passes here (api/watch/watch.py)."""

ORDERS_ROUTE = "POST /v1/orders"
"""As both lanes name the route of orders."""
UNREAD = "any (unreadable)"
"""Requests that could not be read, or of which not enough came to say what they are."""
BOUNDS_S = (
    *(0.0005, 0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.025),
    *(0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
)
"""Of the time that an answer took, in seconds: fine where the promises are, 3 and 15 ms."""

SERIES_MAX = 2_000
"""Routes by status and outcome: more than there can be. What is beyond would be a bug, and is counted as OTHER."""
OTHER = "other"

Series = tuple[str, int, str]
"""A route as "METHOD /path", the status, the outcome: a problem's type, or what was done."""


class Counts:
    """The requests of this process since it started."""

    __slots__ = ("orders", "requests")

    def __init__(self) -> None:
        self.requests: dict[Series, list[float]] = {}
        """By series: requests by BOUNDS_S, those above the last bound, and the sum of their seconds."""
        self.orders: dict[tuple[str, str], int] = {}
        """Orders that came otherwise than by a request each, by the way and the outcome."""

    def observe_orders(self, via: str, outcome: str, orders: int = 1) -> None:
        """Count orders that came, say, in "bulk" or by a "stream"."""
        self.orders[via, outcome] = self.orders.get((via, outcome), 0) + orders

    def new_row(self, key: Series) -> list[float]:
        """The numbers of a series that was not seen before."""
        if len(self.requests) >= SERIES_MAX:
            key = (OTHER, key[1], OTHER)
        return self.requests.setdefault(key, [0] * (len(BOUNDS_S) + 1) + [0.0])
