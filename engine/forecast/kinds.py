"""Kinds of orders as they come, with how often each came. Bounded: the seldom ones of long ago are forgotten."""

from collections.abc import Sequence

import numpy as np

from engine.forecast.expected import Baskets

KINDS_MAX = 20_000
"""Kinds that are known; some 300 bytes each."""

Lines = tuple[tuple[int, int], ...]
"""SKU and quantity, by SKU, each SKU once."""


class Kinds:
    """Counts orders of the same lines and region as one kind."""

    def __init__(self, kinds_max: int = KINDS_MAX) -> None:
        """None yet."""
        self._most = kinds_max
        self._count: dict[tuple[int, Lines], float] = {}

    def __len__(self) -> int:
        return len(self._count)

    def add(self, region: int, lines: Sequence[tuple[int, int]], times: float = 1.0) -> None:
        """An order came, or so many: SKUs with quantities, of which there is one at the least."""
        if len(lines) > 1:
            units: dict[int, int] = {}
            for sku, quantity in lines:
                units[sku] = units.get(sku, 0) + quantity
            lines = sorted(units.items())
        key = (region, tuple(lines))
        self._count[key] = self._count.get(key, 0.0) + times
        if len(self._count) > self._most:
            self._forget()

    def _forget(self) -> None:
        """Forget half of the kinds: the seldom ones, and of these those that were first seen longest ago."""
        ranked = sorted(enumerate(self._count.items()), key=lambda one: (one[1][1], one[0]))
        kept = sorted(ranked[-(-len(ranked) // 2) :])
        self._count = {key: count for _, (key, count) in kept}

    def fade(self, factor: float, *, least: float = 0.05) -> None:
        """Let all that came count for less, and forget what counts less than `least`."""
        self._count = {key: count * factor for key, count in self._count.items() if count * factor >= least}

    def baskets(self) -> Baskets:
        """All kinds, in the sequence in which they were first seen."""
        keys = list(self._count)
        lines = [line for _, lines in keys for line in lines]
        return Baskets(
            line_start=np.concatenate([[0], np.cumsum([len(lines) for _, lines in keys])]).astype(np.int64),
            sku=np.array([sku for sku, _ in lines], np.int64),
            quantity=np.array([quantity for _, quantity in lines], np.int64),
            region=np.array([region for region, _ in keys], np.int64),
            weight=np.array([self._count[key] for key in keys], np.float64),
        )
