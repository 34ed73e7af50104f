"""Stock in plain Python: what cells and pools hold, and what counts and movements make of it, or meet instead."""

import copy
from collections import Counter
from datetime import datetime

import msgspec

from engine.model import Arrival, Cell, Movement, MovementRow, StockCount, limits

CellName = tuple[str, str]
Place = tuple[str, str, str]
"""SKU, warehouse, and the channel whose pool it is, or ''."""

Refusal = tuple[int, str, int]
"""Row, rule, what was found."""


class Short(Exception):
    """A row asks for more than there is."""

    def __init__(self, rule: str, found: int) -> None:
        super().__init__(rule, found)
        self.rule, self.found = rule, found


class Stock:
    """All cells."""

    def __init__(self) -> None:
        self.on_hand: Counter[CellName] = Counter()
        self.safety: Counter[CellName] = Counter()
        self.reserved: Counter[CellName] = Counter()
        self.quarantined: Counter[CellName] = Counter()
        self.pools: Counter[Place] = Counter()
        """What is free in them."""
        self.arrivals: dict[CellName, list[Arrival]] = {}
        self.channels: set[str] = set()
        """Those that something was ever to be allotted to."""

    def pooled(self, cell: CellName) -> int:
        """Units in the pools of a cell."""
        return sum(self.pools[(*cell, channel)] for channel in self.channels)

    def free(self, cell: CellName) -> int:
        """What all channels share; below zero where safety stock was raised above what is left."""
        return self.on_hand[cell] - self.safety[cell] - self.reserved[cell] - self.pooled(cell)

    def cell(self, name: CellName) -> Cell:
        """A cell as the engine has to show it."""
        pools = {channel: self.pools[(*name, channel)] for channel in self.channels if self.pools[(*name, channel)]}
        arrivals = tuple(self.arrivals.get(name, ()))
        return Cell(
            sku=name[0],
            warehouse=name[1],
            on_hand=self.on_hand[name],
            reserved=self.reserved[name],
            safety=self.safety[name],
            available=self.on_hand[name] - self.reserved[name] - self.safety[name],
            quarantined=self.quarantined[name],
            inbound=sum(arrival.quantity for arrival in arrivals),
            arrivals=arrivals,
            pools=pools or msgspec.UNSET,
        )

    def take(self, units: Counter[Place]) -> None:
        """Promise units, which must be there."""
        for (sku, warehouse, channel), count in units.items():
            cell = sku, warehouse
            there = self.pools[sku, warehouse, channel] if channel else self.free(cell)
            assert there >= count, f"{count} of {cell} {channel} sold, {there} were there"
            if channel:
                self.pools[sku, warehouse, channel] -= count
            self.reserved[cell] += count

    def give_back(self, units: Counter[Place]) -> None:
        """Promised units go where they were taken."""
        for (sku, warehouse, channel), count in units.items():
            if channel:
                self.pools[sku, warehouse, channel] += count
            self.reserved[sku, warehouse] -= count

    def leave(self, units: Counter[Place]) -> None:
        """Promised units leave."""
        for (sku, warehouse, _), count in units.items():
            self.reserved[sku, warehouse] -= count
            self.on_hand[sku, warehouse] -= count

    def count(self, rows: list[StockCount]) -> list[Refusal]:
        """Set counts, or none and why; a rule "reserved" where a count is below that."""
        refused: list[Refusal] = []
        for index, row in enumerate(rows):
            cell = row.sku, row.warehouse
            safety = self.safety[cell] if row.safety is None else row.safety
            lost = self.on_hand[cell] - row.on_hand + safety - self.safety[cell]
            if row.on_hand < self.reserved[cell]:
                refused.append((index, "reserved", self.reserved[cell]))
            elif self.pooled(cell) and lost > max(0, self.free(cell)):
                refused.append((index, "pools", self.pooled(cell)))
        for row in () if refused else rows:
            self.on_hand[row.sku, row.warehouse] = row.on_hand
            if row.safety is not None:
                self.safety[row.sku, row.warehouse] = row.safety
        return refused

    def move(self, movement: Movement) -> list[Refusal]:
        """Do a movement, or nothing of it and why."""
        after, refused = copy.deepcopy(self), []
        if movement.type == "allot":
            self.channels.update(row.channel or "" for row in movement.rows)
            after.channels = self.channels
        for index, row in enumerate(movement.rows):
            on_hand = self.on_hand[row.sku, row.warehouse]
            try:
                if row.expected_on_hand not in (None, on_hand):
                    raise Short("expected_on_hand", on_hand)
                after.move_row(movement, row)
            except Short as short:
                refused.append((index, short.rule, short.found))
        if not refused:
            self.__dict__.update(after.__dict__)
        return refused

    def move_row(self, movement: Movement, row: MovementRow) -> None:
        """Do one row, as far as it goes: the rows behind it meet what it did."""
        cell, units = (row.sku, row.warehouse), row.quantity or 0
        match movement.type:
            case "receive":
                if row.inbound:
                    self.use_up(cell, row.inbound, units)
                self.put(cell, units)
            case "adjust" | "return":
                self.put(cell, units)
            case "quarantine":
                self.put(cell, -units)
                self.quarantined[cell] += units
            case "release_quarantine":
                self.set_free(cell, units)
                self.put(cell, units)
            case "scrap":
                self.set_free(cell, units)
            case "transfer":
                self.put(cell, -units)
                self.announce((row.sku, row.to_warehouse or ""), movement.movement_id, units, row.arrives_at)
            case "inbound":
                self.announce(cell, movement.movement_id, units, row.arrives_at)
            case "cancel_inbound":
                self.use_up(cell, row.inbound or "", units)
            case "allot":
                pool = (*cell, row.channel or "")
                if units > max(0, self.free(cell)) or -units > self.pools[pool]:
                    raise Short("free", self.free(cell) if units > 0 else self.pools[pool])
                self.pools[pool] += units

    def put(self, cell: CellName, units: int) -> None:
        """Units come to what all channels share, or go from it."""
        if units < 0 and -units > self.free(cell):
            raise Short("free", self.free(cell))
        self.on_hand[cell] += units

    def set_free(self, cell: CellName, units: int) -> None:
        """Units are set apart no longer."""
        if units > self.quarantined[cell]:
            raise Short("quarantined", self.quarantined[cell])
        self.quarantined[cell] -= units

    def announce(self, cell: CellName, reference: str, units: int, arrives_at: datetime | None) -> None:
        """Units are to arrive; those of one reference together, when the last of them do."""
        arrivals = self.arrivals.setdefault(cell, [])
        for place, one in enumerate(arrivals):
            if one.reference == reference:
                last = max(filter(None, (one.arrives_at, arrives_at)), default=None)
                arrivals[place] = Arrival(reference=reference, quantity=one.quantity + units, arrives_at=last)
                return
        if len(arrivals) >= limits.ARRIVALS_MAX:
            raise Short("arrivals", len(arrivals))
        arrivals.append(Arrival(reference=reference, quantity=units, arrives_at=arrives_at))

    def use_up(self, cell: CellName, reference: str, units: int) -> None:
        """Announced units are no longer: so many of them, or all (0)."""
        arrivals = self.arrivals.get(cell, [])
        for place, one in enumerate(arrivals):
            if one.reference == reference:
                if units > one.quantity:
                    raise Short("inbound", one.quantity)
                left = one.quantity - units if units else 0
                arrivals[place : place + 1] = [msgspec.structs.replace(one, quantity=left)] if left else []
                return
        raise Short("inbound", 0)
