"""The stock of a season while it runs, and the placing of one order from it. Books what each order costs."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from engine.assign import assign_order
from engine.season.season import Season

Ints = npt.NDArray[np.int64]

NOWHERE = -1
NOT_THERE = -1

Piece = tuple[int, int, int]
"""Line (of all), warehouse (NOWHERE: not served), units."""


class Floor:
    """What is left, and where each order so far is served from."""

    def __init__(self, season: Season) -> None:
        """At the start of a season."""
        p = season.orders
        self.season = season
        self.stock: Ints = p.stock.copy()
        self.pieces: list[Sequence[Piece]] = []
        """Of each order that has come."""
        self.cost: Ints = np.zeros(p.orders, np.int64)
        """[O] of what each order has now."""
        self._fixed = p.fixed.tolist()
        # With a last row for what is not served, which there is any number of.
        self._rates = [np.append(row, unserved) for row, unserved in zip(p.unit_cost, p.unserved_unit, strict=True)]
        self._openings = np.append(p.fixed, p.unserved_fixed)
        self._starts = p.line_start.tolist()

    def place_nearest(self, order: int) -> None:
        """Serve the next order unit by unit from where a unit costs least, whatever a shipment does."""
        lines = self._lines(order)
        unit = self.season.orders.unit_cost[self.season.orders.region[order]]
        near = np.argsort(unit, kind="stable")
        self._book(order, [piece for line in lines for piece in self._from(line, near)])

    def place_cheapest(self, order: int, prices: Ints | None) -> None:
        """Serve the next order at the least cost and price, exactly, where one warehouse has each line whole.

        A line that none has whole is taken first where its units cost least.
        """
        p = self.season.orders
        lines = self._lines(order)
        sku, quantity = p.sku[lines.start : lines.stop], p.quantity[lines.start : lines.stop].astype(np.int64)
        left = self.stock[sku]
        rates = self._rates[p.region[order]]
        pieces: list[Piece] = []
        shared = (left < quantity[:, None]).all(axis=1) & left.any(axis=1)
        if shared.any():
            for at in np.flatnonzero(shared):
                worth = rates[:-1] if prices is None else rates[:-1] + prices[sku[at]]
                pieces += self._from(lines.start + int(at), np.argsort(worth, kind="stable"))
        kept = np.flatnonzero(~shared)
        if len(kept):
            sku, quantity, left = sku[kept], quantity[kept], left[kept]
            cost = rates[:, None] * quantity
            cost[:-1][(left < quantity[:, None]).T] = NOT_THERE
            price = None
            if prices is not None:
                price = np.zeros_like(cost)
                price[:-1] = prices[sku].T * quantity
            openings = self._openings
            if pieces:
                # Paid already, by lines that are shared; its last place is what an order pays that lacks something.
                openings = openings.copy()
                openings[[warehouse for _, warehouse, _ in pieces]] = 0
            chosen = assign_order(openings, cost, price=price).warehouse
            nowhere = len(rates) - 1
            pieces += [
                (lines.start + int(at), NOWHERE if warehouse == nowhere else int(warehouse), int(units))
                for at, warehouse, units in zip(kept, chosen, quantity, strict=True)
            ]
        self._book(order, pieces)

    def exchange(self, order: int, pieces: Sequence[Piece]) -> None:
        """Serve an order that has come from elsewhere; the stock must be there once all exchanges are done."""
        sku = self.season.orders.sku
        for line, warehouse, units in self.pieces[order]:
            if warehouse != NOWHERE:
                self.stock[sku[line], warehouse] += units
        for line, warehouse, units in pieces:
            if warehouse != NOWHERE:
                self.stock[sku[line], warehouse] -= units
        self.pieces[order] = pieces
        self.cost[order] = self.cost_of(order, pieces)

    def cost_of(self, order: int, pieces: Sequence[Piece]) -> int:
        """What an order costs that is served so."""
        p = self.season.orders
        rates = self._rates[p.region[order]]
        total = sum(int(rates[warehouse]) * units for _, warehouse, units in pieces)
        used = {warehouse for _, warehouse, _ in pieces}
        if NOWHERE in used:
            used.remove(NOWHERE)
            total += p.unserved_fixed
        return total + sum(int(self._fixed[warehouse]) for warehouse in used)

    def _lines(self, order: int) -> range:
        return range(self._starts[order], self._starts[order + 1])

    def _from(self, line: int, warehouses: npt.NDArray[np.intp]) -> list[Piece]:
        """A line's units from these warehouses, one after the other; the rest from nowhere."""
        p = self.season.orders
        wanted, left = int(p.quantity[line]), self.stock[p.sku[line]]
        pieces: list[Piece] = []
        for warehouse in warehouses:
            units = min(wanted, int(left[warehouse]))
            if units > 0:
                pieces.append((line, int(warehouse), units))
                wanted -= units
        return [*pieces, (line, NOWHERE, wanted)] if wanted else pieces

    def _book(self, order: int, pieces: Sequence[Piece]) -> None:
        sku = self.season.orders.sku
        for line, warehouse, units in pieces:
            if warehouse != NOWHERE:
                self.stock[sku[line], warehouse] -= units
        self.pieces.append(pieces)
        self.cost[order] = self.cost_of(order, pieces)
