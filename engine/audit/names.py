"""What the catalogue calls things, and what it allows: read from the store when the audit needs it, as numbers alone
mean nothing to a reader. No view, no planner."""

from datetime import UTC, datetime, timedelta

import msgspec

from engine.model import limits
from engine.store import Store
from engine.store.keys import CHANNEL_CELLS

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class _Terms(msgspec.Struct, frozen=True):
    purchase_limit: int | None = None
    capacity_orders_per_day: int | None = None


_decode = msgspec.json.Decoder(_Terms).decode


class Names:
    """SKUs and warehouses by number."""

    def __init__(self) -> None:
        self.purchase_limits: dict[int, int] = {}
        """Units by SKU."""
        self.capacities: dict[int, int] = {}
        """Orders a day by warehouse."""
        self._skus: dict[int, str] = {}
        self._warehouses: dict[int, str] = {}

    @classmethod
    async def read(cls, store: Store) -> "Names":
        """The catalogue as it is now. A definition that cannot be read bounds nothing."""
        names = cls()
        async for skus in store.catalogue.scan_skus():
            for row in skus:
                names._skus[row.number] = row.name
                if b'"purchase_limit"' in row.json and (limit := _terms(row.json).purchase_limit) is not None:
                    names.purchase_limits[row.number] = limit
        async for warehouses in store.catalogue.scan_warehouses():
            for row in warehouses:
                names._warehouses[row.number] = row.name
                if (capacity := _terms(row.json).capacity_orders_per_day) is not None:
                    names.capacities[row.number] = capacity
        return names

    def cell(self, number: str) -> str:
        """A cell as `SKU at warehouse`, of a pool with its channel's number."""
        try:
            channel, cell = divmod(int(number), CHANNEL_CELLS)
        except ValueError:
            return f"cell {number}"
        sku_number, warehouse_number = divmod(cell, limits.WAREHOUSES_MAX)
        sku, warehouse = self._skus.get(sku_number), self._warehouses.get(warehouse_number)
        if sku is None or warehouse is None:
            return f"cell {number}"
        return f"{sku} at {warehouse}" + (f", pool of channel {channel}" if channel else "")

    def counter(self, name: str) -> str:
        """A counter as `limit of SKU for customer` or `capacity of warehouse on day`."""
        number, _, rest = name.lstrip("@").partition(":")
        try:
            if name.startswith("@"):
                day = (_EPOCH + timedelta(days=int(rest))).date()
                return f"capacity of {self._warehouses[int(number)]} on {day}"
            return f"limit of {self._skus[int(number)]} for {rest}"
        except (KeyError, ValueError, OverflowError):
            return f"counter {name}"


def _terms(json: bytes) -> _Terms:
    try:
        return _decode(json)
    except (msgspec.MsgspecError, ValueError):
        return _Terms()
