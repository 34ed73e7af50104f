"""What was ordered lately: units by SKU and period, by SKU and region, and kinds of orders. Bounded; in memory only."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from engine.forecast import METHODS, MethodName
from engine.forecast.kinds import Kinds
from engine.refresher.regions import REGIONS_MAX

Floats = npt.NDArray[np.float64]

SKUS_MAX = 20_000
"""SKUs whose demand is known: some 3 KB each. Of others nothing is expected."""

PERIODS = 96
"""Equal periods, of which the last are known."""

FADE = 0.98
"""What regions and kinds of orders of a period ago weigh against those of now."""

FIRST_SHARE = 0.1
"""Before a whole period is over, what was seen counts as so much of one at the least."""

_GROWTH = 1_024


class Demand:
    """Orders as they came. Times are in milliseconds since 1970, and may be out of sequence within what is known."""

    def __init__(self, period_ms: int) -> None:
        """Nothing yet."""
        self.skus: dict[str, int] = {}
        self.kinds = Kinds()
        self.left_out = 0
        """Lines of SKUs that there was no room for."""
        self._period_ms = period_ms
        self._units: Floats = np.zeros((0, PERIODS))
        self._places: Floats = np.zeros((0, REGIONS_MAX))
        self._first: int | None = None
        self._first_ms = 0
        self._now = 0

    def add(self, at_ms: int, region: int, lines: Sequence[tuple[str, int]], times: float = 1.0) -> None:
        """An order came, or so many: SKUs with units."""
        known = [(number, units) for sku, units in lines if (number := self._number(sku)) is not None]
        period = at_ms // self._period_ms
        self._advance(period, at_ms)
        if not known:
            return
        if period > self._now - PERIODS:
            for number, units in known:
                self._units[number, period % PERIODS] += units * times
        for number, units in known:
            self._places[number, region] += units * times
        self.kinds.add(region, known, times)

    def rates(self, now_ms: int, method: MethodName) -> Floats:
        """[K] units a millisecond that are expected of each SKU from now on."""
        if self._first is None:
            return np.zeros(len(self.skus))
        self._advance(now_ms // self._period_ms, now_ms)
        # The first one was seen from its middle on: by it a forecast would begin far too low, and stay so for long.
        first = max(self._first + 1, self._now - PERIODS + 1)
        if first >= self._now:
            passed = max(now_ms - self._first_ms, FIRST_SHARE * self._period_ms)
            seen = np.arange(self._first, self._now + 1) % PERIODS
            rates: Floats = self._units[: len(self.skus)][:, seen].sum(axis=1) / passed
            return rates
        columns = np.arange(first, self._now) % PERIODS
        return METHODS[method](self._units[: len(self.skus)][:, columns]) / self._period_ms

    def places(self, numbers: npt.NDArray[np.int64], regions: int) -> Floats:
        """[k, R] units of some SKUs by region, older ones for less."""
        found: Floats = self._places[numbers, :regions]
        return found

    def places_of_all(self, regions: int) -> Floats:
        """[R] units of all SKUs by region, older ones for less."""
        found: Floats = self._places[:, :regions].sum(axis=0)
        return found

    def _number(self, sku: str) -> int | None:
        number = self.skus.get(sku)
        if number is None:
            if len(self.skus) >= SKUS_MAX:
                self.left_out += 1
                return None
            number = self.skus[sku] = len(self.skus)
            if number >= len(self._units):
                more = min(_GROWTH, SKUS_MAX - number)
                self._units = np.vstack([self._units, np.zeros((more, PERIODS))])
                self._places = np.vstack([self._places, np.zeros((more, REGIONS_MAX))])
        return number

    def _advance(self, period: int, at_ms: int) -> None:
        if self._first is None:
            self._first, self._first_ms, self._now = period, at_ms, period
            return
        passed = period - self._now
        if passed <= 0:
            return
        columns = (self._now + 1 + np.arange(min(passed, PERIODS))) % PERIODS
        self._units[:, columns] = 0
        self._places *= FADE**passed
        self.kinds.fade(FADE**passed)
        self._now = period
