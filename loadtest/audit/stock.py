"""The stock before and after a run, as the service tells it."""

from collections.abc import Collection
from urllib.parse import quote

import msgspec
from msgspec import UNSET, Struct, UnsetType

from loadtest.client import Client

CELLS_MAX = 500_000
"""Cells that are read; a larger stock is not held against the orders."""
SKUS_ASKED_MAX = 200
"""As many SKUs are asked for one by one; where more are ordered, the whole stock is read."""
PAGE_CELLS = 5_000

Key = tuple[str, str]
"""SKU and warehouse."""


class CellSeen(Struct, frozen=True):
    """Units of a cell."""

    sku: str
    warehouse: str
    on_hand: int
    reserved: int
    safety: int
    available: int
    pools: dict[str, int] | UnsetType = UNSET

    @property
    def shared(self) -> int:
        """What is free to orders of any channel."""
        return self.available - (0 if self.pools is UNSET else sum(self.pools.values()))


class _Page(Struct):
    cells: list[CellSeen]
    cursor: str | None


_page = msgspec.json.Decoder(_Page)

Stock = dict[Key, CellSeen]


async def read_stock(client: Client, skus: Collection[str] | None) -> Stock | None:
    """The cells of these SKUs, or all; None where there are too many. Raises UnexpectedAnswer."""
    found: Stock = {}
    few = skus if skus is not None and len(skus) <= SKUS_ASKED_MAX else None
    queries = [""] if few is None else [f"&sku={quote(sku, safe='')}" for sku in few]
    for query in queries:
        cursor: str | None = ""
        while cursor is not None:
            more = f"&cursor={quote(cursor, safe='')}" if cursor else ""
            page = _page.decode(await client.get_bytes(f"/v1/stock?limit={PAGE_CELLS}{query}{more}"))
            found.update(((cell.sku, cell.warehouse), cell) for cell in page.cells)
            cursor = page.cursor
            if len(found) > CELLS_MAX:
                return None
    return found
