"""Rules of a machine: counts and movements, to the unit as the model weighs them."""

import msgspec
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from engine.errors import InvalidInput, MovementConflict, StockBelowReserved, StockRefused
from engine.model import Movement, StockCount
from tests.engine.drawn import count_calls, movements
from tests.engine.machine import Machine


class StockRules(Machine):
    """Stock comes and goes."""

    def __init__(self) -> None:
        super().__init__()
        self.moved: list[Movement] = []

    @rule(rows=count_calls)
    def count(self, rows: list[StockCount]) -> None:
        """Counts, also some that are too low."""
        refused = self.stock.count(rows)
        if below := tuple((row, found) for row, rule, found in refused if rule == "reserved"):
            with pytest.raises(StockBelowReserved) as error:
                self.run(self.engine.set_stock(rows))
            assert error.value.rows == below
        elif refused:
            with pytest.raises(StockRefused) as met:
                self.run(self.engine.set_stock(rows))
            assert [(row.row, row.rule, row.found) for row in met.value.rows] == refused
        else:
            self.run(self.engine.set_stock(rows))

    @rule(data=st.data())
    def move(self, data: st.DataObject) -> None:
        """A movement of any type, to the unit as the model weighs it."""
        announced = [(one.reference, *cell) for cell, some in self.stock.arrivals.items() for one in some]
        self._move(data.draw(movements(self.next_id(), announced)))

    @rule(data=st.data())
    def move_once_more(self, data: st.DataObject) -> None:
        """As `move`: stock should not only go down."""
        self.move(data)

    def _move(self, movement: Movement) -> None:
        known, unheard = set(self.stock.channels), False
        for row in movement.rows if movement.type == "allot" else ():
            unheard |= (row.quantity or 0) < 0 and row.channel not in known
            known.add(row.channel or "")
        if unheard:
            with pytest.raises(InvalidInput, match="ever allotted"):
                self.run(self.engine.move(movement))
            return
        refused = self.stock.move(movement)
        if refused:
            with pytest.raises(StockRefused) as met:
                self.run(self.engine.move(movement))
            assert [(row.row, row.rule, row.found) for row in met.value.rows] == refused
            return
        done = self.run(self.engine.move(movement))
        assert (done.replayed, done.rows) == (False, len(movement.rows))
        self.moved.append(movement)
        assert all(cell == self.stock.cell((cell.sku, cell.warehouse)) for cell in done.cells)
        places = {(row.sku, name) for row in movement.rows for name in (row.warehouse, row.to_warehouse) if name}
        assert {(cell.sku, cell.warehouse) for cell in done.cells} == places

    @precondition(lambda self: self.moved)
    @rule(data=st.data(), other=st.booleans())
    def move_again(self, data: st.DataObject, other: bool) -> None:
        """A movement that was done; or another under its id."""
        movement = data.draw(st.sampled_from(self.moved))
        if other:
            with pytest.raises(MovementConflict):
                self.run(self.engine.move(msgspec.structs.replace(movement, reason="another")))
        else:
            done = self.run(self.engine.move(movement))
            assert done.replayed
            assert all(cell == self.stock.cell((cell.sku, cell.warehouse)) for cell in done.cells)
