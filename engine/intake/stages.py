"""Counts what batches go through, in plain numbers; whoever shows them reads them."""

from time import perf_counter
from typing import NamedTuple

from engine.intake.spread import Spread

ORDERS_BOUNDS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 4_000)
SECONDS_BOUNDS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class BatchTimes(NamedTuple):
    """When a batch was where, by `time.perf_counter`."""

    orders: int
    began: float
    planned: float
    ended: float
    """Committed and settled, or given up."""


class Stages:
    """The batches of one intake."""

    def __init__(self) -> None:
        self.orders = Spread(ORDERS_BOUNDS)
        """Of a batch."""
        self.plan_s = Spread(SECONDS_BOUNDS)
        self.commit_s = Spread(SECONDS_BOUNDS)
        """The store's answer and what is made of it."""
        self.last: BatchTimes | None = None

    def done(self, orders: int, began: float, planned: float) -> None:
        """A batch has come to its end, just now."""
        ended = perf_counter()
        self.orders.add(orders)
        self.plan_s.add(planned - began)
        self.commit_s.add(ended - planned)
        self.last = BatchTimes(orders, began, planned, ended)
