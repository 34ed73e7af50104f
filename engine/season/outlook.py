"""What is still to be expected of a season at an instant: what was known before, or what the orders so far tell."""

from typing import Protocol

import numpy as np

from engine.forecast import METHODS, Baskets, MethodName, expected_orders, regional_shares
from engine.forecast.kinds import Kinds
from engine.season.season import Season

PERIODS = 50
"""Equal parts of a season, of which demand is counted to forecast it."""

REST_ROWS_MAX = 20_000


class Outlook(Protocol):
    """Tells what is to come."""

    def rest(self, order: int) -> Baskets:
        """The orders that are expected from this one on. Called for ever later ones."""
        ...


class Known:
    """What was to be expected of the whole season is known; it comes evenly."""

    def __init__(self, season: Season, expected: Baskets) -> None:
        """`expected`: of the whole season."""
        self._season, self._expected = season, expected

    def rest(self, order: int) -> Baskets:
        """As the protocol has it."""
        share = 1.0 - self._season.at_s[order] / self._season.length_s
        b = self._expected
        return Baskets(b.line_start, b.sku, b.quantity, b.region, b.weight * share)


class Learned:
    """Nothing is known but the orders that came: the demand of each SKU is forecast from that of the periods so far."""

    def __init__(self, season: Season, method: MethodName) -> None:
        """Before the first order."""
        self._season, self._forecast = season, METHODS[method]
        self._kinds = Kinds()
        self._sold = np.zeros((season.skus, PERIODS))
        self._place = np.zeros((season.skus, season.regions))
        self._next = 0

    def rest(self, order: int) -> Baskets:
        """As the protocol has it. The period under way counts as far as it is over."""
        season = self._season
        now = season.at_s[order] / season.length_s * PERIODS
        self._learn(order)
        over = int(now)
        if over:
            rate = self._forecast(self._sold[:, :over])
        else:
            # Not even one period: what came so far, as if it went on.
            rate = self._sold[:, 0] / now if now > 0 else np.zeros(season.skus)
        units = (rate * (PERIODS - now))[:, None] * regional_shares(self._place)
        return expected_orders(self._kinds.baskets(), units, rest_rows_max=REST_ROWS_MAX)

    def _learn(self, order: int) -> None:
        p, season = self._season.orders, self._season
        start, end = p.line_start[self._next], p.line_start[order]
        count = np.diff(p.line_start[self._next : order + 1])
        period = np.minimum(season.at_s[self._next : order] / season.length_s * PERIODS, PERIODS - 1).astype(np.int64)
        sku, quantity = p.sku[start:end], p.quantity[start:end]
        np.add.at(self._sold, (sku, np.repeat(period, count)), quantity)
        np.add.at(self._place, (sku, np.repeat(p.region[self._next : order], count)), quantity)
        for one in range(self._next, order):
            lines = slice(p.line_start[one], p.line_start[one + 1])
            self._kinds.add(
                int(p.region[one]), list(zip(p.sku[lines].tolist(), p.quantity[lines].tolist(), strict=True))
            )
        self._next = order
