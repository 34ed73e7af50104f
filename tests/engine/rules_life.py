"""Rules of a machine: orders change, and what must stand against it does."""

from collections import Counter
from typing import Any

import msgspec
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from engine.intake import InsufficientStock, Invalid, follow_order
from engine.life.change import Change, Changed, IdTaken, InvalidState, TransitionConflict, VersionConflict
from engine.model import HeldLine, Line
from tests.engine.drawn import picks
from tests.engine.machine import Machine
from tests.engine.model_goods import exploded
from tests.engine.model_orders import Kept, by_cell, by_sku

HELD = ("reserved", "confirmed", "partially_shipped")
OPEN = ("reserved", "confirmed", "backordered")
"""Nothing of it has left, and it may yet."""
have_orders = precondition(lambda self: self.orders.kept)


class LifeRules(Machine):
    """Orders change."""

    @have_orders
    @rule(data=st.data(), what=st.sampled_from(["confirm", "cancel"]), named=st.booleans())
    def step(self, data: st.DataObject, what: str, named: bool) -> None:
        """Confirmed or cancelled; without an id of its own, the state alone says whether it was done."""
        order_id, kept, version = self._some(data)
        transition_id = self.next_id() if named else None
        call = self.engine.confirm if what == "confirm" else self.engine.cancel
        change = self.run(call(order_id, transition_id=transition_id, version=version))
        if kept.status in (("confirmed", "partially_shipped", "shipped") if what == "confirm" else ("released",)):
            assert change == Changed(kept.json, replayed=True)
            return
        if self._stands_against(kept, change, version, ("reserved",) if what == "confirm" else OPEN):
            return
        if what == "confirm":
            kept.status = "confirmed"
            if transition_id:
                kept.done["confirm", transition_id] = None
        else:
            self._end(kept, "released")
        self._changed(order_id, kept, change)

    @have_orders
    @rule(data=st.data(), seconds=st.integers(600, 6000))
    def extend(self, data: st.DataObject, seconds: int) -> None:
        """A hold lasts longer, if there is one."""
        order_id, kept, version = self._some(data)
        transition_id = self.next_id()
        change = self.run(self.engine.extend(order_id, seconds, transition_id=transition_id, version=version))
        if not self._stands_against(kept, change, version, ("reserved",)):
            kept.done["extend", transition_id] = seconds
            self._changed(order_id, kept, change)

    @have_orders
    @rule(data=st.data(), whole=st.booleans())
    def ship(self, data: st.DataObject, whole: bool) -> None:
        """Some of it leaves, or all."""
        order_id, kept, version = self._some(data)
        lines = None if whole else self._some_lines(kept, data)
        transition_id = self.next_id()
        change = self.run(self.engine.ship(order_id, transition_id=transition_id, lines=lines, version=version))
        if self._stands_against(kept, change, version, HELD[1:]):
            return
        if lines and self._more_than_held(kept, lines):
            assert isinstance(change, Invalid)
            return
        left = self.seen(order_id).shipped - kept.shipped
        assert self._named(left, lines) if lines else left == kept.held
        assert left <= kept.held
        kept.held, kept.shipped = kept.held - left, kept.shipped + left
        self.stock.leave(left)
        kept.status = "partially_shipped" if kept.held else "shipped"
        kept.done["ship", transition_id] = lines
        self._changed(order_id, kept, change)

    @have_orders
    @rule(data=st.data())
    def split(self, data: st.DataObject) -> None:
        """Some of it goes on as an order of its own; now and then under an id that is taken."""
        order_id, kept, version = self._some(data)
        lines = self._some_lines(kept, data)
        children = [name for name in self.orders.kept if name.rpartition("/")[0] == order_id]
        into = data.draw(st.sampled_from([*children, f"{order_id}/{self.next_id()}", f"{order_id}/{self.next_id()}"]))
        transition_id = self.next_id()
        change = self.run(self.engine.split(order_id, into, lines, transition_id=transition_id, version=version))
        if self._stands_against(kept, change, version, HELD):
            return
        if self._more_than_held(kept, lines) or sum(line.quantity for line in lines) == kept.held.total():
            assert isinstance(change, Invalid)
            return
        if into in children:
            assert change == IdTaken()
            return
        assert isinstance(change, Changed)
        moved, status = self.seen(into).held, "confirmed" if kept.status == "partially_shipped" else kept.status
        assert self._named(moved, lines)
        assert moved <= kept.held
        kept.held -= moved
        # Its warehouses' days count it as long as anything of it is there, or was.
        there = {str(self.engine.planner.core.warehouse_number(name)) for _, name, _ in kept.held + kept.shipped}
        days = Counter({name: units for name, units in kept.days.items() if name[1:].split(":")[0] not in there})
        kept.days -= days
        parent, own = self.seen(order_id), self.seen(into)
        child = Kept(kept.order, own.lines, status, 1, change.split_off or b"", moved, Counter(), days, own.bought)
        child.order = msgspec.structs.replace(kept.order, order_id=into)
        assert exploded(own.lines) + exploded(parent.lines) == exploded(kept.wanted)
        assert own.bought + parent.bought == kept.bought
        kept.wanted, kept.bought = parent.lines, parent.bought
        kept.done["split", transition_id] = (into, lines)
        self.orders.kept[into] = child
        self._changed(order_id, kept, change)
        self.enter(into, child)

    @have_orders
    @rule(data=st.data(), lines=picks)
    def amend(self, data: st.DataObject, lines: dict[str, int]) -> None:
        """Other lines, as if they had been ordered so."""
        order_id, kept, version = self._some(data)
        asked, transition_id = tuple(Line(*line) for line in lines.items()), self.next_id()
        change = self.run(self.engine.amend(order_id, asked, transition_id=transition_id, version=version))
        if self._stands_against(kept, change, version, OPEN):
            return
        asking = msgspec.structs.replace(kept.order, lines=asked)
        if not isinstance(change, Changed):
            waits = kept.status == "backordered" and kept.order.allow_backorder
            assert not (waits and isinstance(change, InsufficientStock)), "it could have waited on"
            self.orders.check_refusal(asking, change, self.days(), own=kept)
            return
        if change.allocation.status == "backordered":
            assert kept.status == "backordered", "gave up what it held, to wait"
            self.orders.check_unserved(asking, self.days())
            kept.wanted = Counter(lines)
        else:
            if kept.status == "backordered":
                kept.status = "reserved" if kept.order.payment == "pending" else "confirmed"
            self.stock.give_back(kept.held)
            kept.wanted, kept.json = Counter(lines), change.json
            self.choose(kept, self.seen(order_id))
        kept.done["amend", transition_id] = asked
        self._changed(order_id, kept, change)

    @precondition(lambda self: any(kept.done for kept in self.orders.kept.values()))
    @rule(data=st.data(), other=st.booleans())
    def change_again(self, data: st.DataObject, other: bool) -> None:
        """A change that was done, whatever became of the order since; or another under its id."""
        done = [(name, key) for name, kept in self.orders.kept.items() for key in kept.done]
        order_id, (what, transition_id) = data.draw(st.sampled_from(done))
        kept, split_off = self.orders.kept[order_id], None
        asked, call = kept.done[what, transition_id], getattr(self.engine, what)
        if what == "confirm":
            args, other = (), False
        elif what == "extend":
            args = (asked + other,)
        elif what == "split":
            into, lines = asked
            split_off = self.orders.kept[into].json
            args = (f"{into}x" if other else into, lines)
        elif what == "amend":
            args = ((*asked, asked[0]) if other else asked,)
        else:
            args, other = (), other and asked is not None
        more = {"lines": None if other else asked} if what == "ship" else {}
        change = self.run(call(order_id, *args, transition_id=transition_id, version=1, **more))
        assert change == (TransitionConflict() if other else Changed(kept.json, True, split_off))

    @precondition(lambda self: any(kept.status == "reserved" for kept in self.orders.kept.values()))
    @rule(data=st.data())
    def end_a_hold(self, data: st.DataObject) -> None:
        """The store's clock passes the end of one hold: its stock is back, once."""
        live = sorted(name for name, kept in self.orders.kept.items() if kept.status == "reserved")
        order_id = data.draw(st.sampled_from(live))
        home = self.engine.store.home(order_id)
        self.run(self.engine.store.wire.command("ZADD", home.keys.holds, 1, order_id))
        # The engine looks by itself, too: whoever is first.
        self.run(home.orders.expire(10))
        assert self.run(home.orders.expire(10)) == 0
        self.run(follow_order(self.engine.store, order_id))
        kept = self.orders.kept[order_id]
        self._end(kept, "expired")
        kept.version += 1
        kept.json = self.run(self.engine.order_json(order_id))
        self.enter(order_id, kept)

    def _some(self, data: st.DataObject) -> tuple[str, Kept, int | None]:
        """An order, and the version that a caller asks for: mostly none, or the right one."""
        # Those that hold stock are the more interesting ones.
        live = [name for name, kept in self.orders.kept.items() if kept.status in (*HELD, "backordered")]
        order_id = data.draw(st.sampled_from([*live, *self.orders.kept]))
        kept = self.orders.kept[order_id]
        return order_id, kept, data.draw(st.sampled_from([None, None, None, kept.version, kept.version + 1]))

    def _some_lines(self, kept: Kept, data: st.DataObject) -> list[HeldLine]:
        """Lines that an order holds, named by warehouse or not, and now and then more than it holds."""
        if not kept.held or data.draw(st.integers(0, 5)) == 0:
            return [HeldLine(*line) for line in data.draw(picks).items()]
        there = by_cell(kept.held) if data.draw(st.booleans()) else {(sku, None): n for sku, n in kept.units.items()}
        held = by_sku(kept.held)
        chosen = data.draw(st.lists(st.sampled_from(sorted(there, key=str)), min_size=1, unique=True))
        lines = []
        for sku, warehouse in chosen:
            most = there[sku, warehouse] if warehouse else max(1, held[sku])
            lines.append(HeldLine(sku, data.draw(st.integers(1, most)), warehouse))
        return lines

    def _more_than_held(self, kept: Kept, lines: list[HeldLine]) -> bool:
        held: Any = by_cell(kept.held) + Counter({(sku, None): n for sku, n in by_sku(kept.held).items()})  # type: ignore[operator]
        return any(line.quantity > held[line.sku, line.warehouse] for line in lines)

    def _named(self, units: Counter[Any], lines: list[HeldLine]) -> bool:
        """Whether these are the units that lines name."""
        if lines[0].warehouse:
            return by_cell(units) == Counter({(line.sku, line.warehouse): line.quantity for line in lines})
        return by_sku(units) == Counter({line.sku: line.quantity for line in lines})

    def _stands_against(self, kept: Kept, change: Change, version: int | None, statuses: tuple[str, ...]) -> bool:
        """Whether a version or the state had to stand against a change, and did."""
        if version not in (None, kept.version):
            assert change == VersionConflict(kept.status, kept.version)
            return True
        if kept.status not in statuses:
            assert change == InvalidState(kept.status, kept.version)
            return True
        return False

    def _end(self, kept: Kept, status: str) -> None:
        self.stock.give_back(kept.held)
        kept.status, kept.held = status, Counter()

    def _changed(self, order_id: str, kept: Kept, change: Change) -> None:
        assert isinstance(change, Changed), change
        assert not change.replayed
        kept.version += 1
        kept.json = change.json
        self.enter(order_id, kept)
