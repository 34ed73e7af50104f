"""Bundles and substitutes in plain Python: what is taken for what was ordered, and what an Allocation says of it."""

from collections import Counter
from collections.abc import Mapping

import msgspec

from engine.model import Allocation
from tests.engine.drawn import GOODS

PARTS = {sku.sku: {part.sku: part.quantity for part in sku.components} for sku in GOODS if sku.components}
INSTEAD = {sku.sku: sku.substitutes for sku in GOODS}


class Goods(msgspec.Struct):
    """What an Allocation says."""

    instead: Counter[tuple[str, str]]
    """Units by what was ordered and what comes for it."""
    bundles: Counter[str]
    unfilled: Counter[str]

    @classmethod
    def of(cls, allocation: Allocation) -> "Goods":
        """What an Allocation says; of what it says, nothing is strange."""
        instead = Counter({(one.sku, one.by): one.quantity for one in allocation.substitutions})
        assert len(instead) == len(allocation.substitutions)
        assert all(by in INSTEAD[sku] for sku, by in instead)
        for bundle in allocation.bundles:
            components = {line.sku: line.quantity for line in bundle.components}
            assert components == {sku: bundle.quantity * each for sku, each in PARTS[bundle.sku].items()}
        return cls(
            instead,
            Counter({bundle.sku: bundle.quantity for bundle in allocation.bundles}),
            Counter({line.sku: line.quantity for line in allocation.unfilled}),
        )

    @property
    def replaced(self) -> Counter[str]:
        """Units of what something else came for."""
        sums: Counter[str] = Counter()
        for (sku, _), units in self.instead.items():
            sums[sku] += units
        return sums

    def stood_for(self, units: Counter[str]) -> Counter[str]:
        """What units stand for: of substitutes, what they came for."""
        sums = Counter(units)
        for (sku, by), count in self.instead.items():
            sums[by] -= count
            sums[sku] += count
        assert min(sums.values(), default=0) >= 0, "more came for something than there is of it"
        return +sums


def exploded(units: Counter[str]) -> Counter[str]:
    """Units by SKU, bundles taken apart, in the order of the lines."""
    sums: Counter[str] = Counter()
    for sku, count in units.items():
        for part, each in PARTS.get(sku, {sku: 1}).items():
            sums[part] += count * each
    return +sums


def bent(wants: Counter[str], there: Mapping[str, int], *, substitutes: bool) -> tuple[Counter[str], Counter[str]]:
    """What is taken where there is so much of each SKU, the best substitutes first; and what is missing then."""
    take, missing = Counter(wants), Counter[str]()
    spare = {sku: units - wants[sku] for sku, units in there.items()}
    for sku, wanted in wants.items():
        lacking = max(0, wanted - there[sku])
        for by in INSTEAD.get(sku, ()) if substitutes else ():
            units = max(0, min(lacking, spare[by]))
            spare[by] -= units
            lacking -= units
            take[by] += units
            take[sku] -= units
        missing[sku] = lacking
    return +take, +missing
