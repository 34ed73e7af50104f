"""What moves between warehouses, added up over orders."""

from collections import Counter

from msgspec import Struct

from engine.reallocation.moves import Moves


class Flow(Struct, frozen=True):
    """Units from one warehouse to another; from None: of orders that waited for stock."""

    from_warehouse: str | None
    to_warehouse: str
    units: int


def flows_of(moves: Moves) -> list[Flow]:
    """Every pair of warehouses between which something moves, most units first."""
    units: Counter[tuple[str | None, str]] = Counter()
    for source, target, quantity in zip(moves.from_warehouse, moves.to_warehouse, moves.quantity, strict=True):
        units[source, target] += quantity
    flows = [Flow(source, target, count) for (source, target), count in units.items()]
    return sorted(flows, key=lambda flow: (-flow.units, flow.from_warehouse or "", flow.to_warehouse))
