"""What the network is made of: SKUs, warehouses, tariff, own distances and costs, prices. Checked, stored, known."""

import asyncio
from collections.abc import Sequence

import msgspec

from engine.intake import Replica
from engine.model import CostMatrix, DistanceMatrix, MatrixOf, Sku, Tariff, Warehouse
from engine.model.tariff_rules import check_matrix, check_tariff, check_warehouse
from engine.planner import Planner, Prices
from engine.stock.assortment import AssortmentRoom
from engine.store import Store


class DefinitionRoom:
    """Definitions on one store. All calls raise StoreError."""

    def __init__(self, planner: Planner, store: Store, replica: Replica, *, exclusive: asyncio.Lock) -> None:
        """`exclusive`: as that of the intake."""
        self._planner = planner
        self._catalogue = store.catalogue
        self._replica = replica
        self._exclusive = exclusive
        self._assortment = AssortmentRoom(planner, store, replica)

    async def put_skus(self, skus: Sequence[Sku]) -> None:
        """Add or replace SKUs. Raises InvalidInput for components and substitutes that break a rule."""
        await self._assortment.check(skus)
        async with self._exclusive:
            await self._catalogue.put_skus([(sku.sku, msgspec.json.encode(sku)) for sku in skus])
            await self._replica.catch_up_catalogue()

    async def put_warehouses(self, warehouses: Sequence[Warehouse]) -> None:
        """Add or replace warehouses. Raises InvalidInput for a time zone that is not known, or lacks."""
        for index, row in enumerate(warehouses):
            check_warehouse(row, f"/{index}")
        async with self._exclusive:
            await self._catalogue.put_warehouses([(row.id, msgspec.json.encode(row)) for row in warehouses])
            await self._replica.catch_up_catalogue()

    async def put_tariff(self, tariff: Tariff) -> None:
        """Replace the tariff. Raises InvalidInput, which names each field and its rule."""
        check_tariff(tariff)
        async with self._exclusive:
            await self._catalogue.put_tariff(msgspec.json.encode(tariff))
            await self._replica.catch_up_catalogue()

    async def set_distances(self, matrix: DistanceMatrix | None) -> None:
        """Replace your own distances, which come before the great circle; None: have none. Raises InvalidInput.

        `matrix_of` makes a matrix of a CSV file, an array or a frame.
        """
        await self._set_matrix("distance", matrix)

    async def set_costs(self, matrix: CostMatrix | None) -> None:
        """Replace your own freight costs, which come before the tariff; otherwise as `set_distances`."""
        await self._set_matrix("cost", matrix)

    async def set_prices(self, prices: Prices | None) -> None:
        """Have this process choose warehouses by cost and opportunity prices, and book the cost; None: by cost alone.

        They are advice, kept in memory only. Raises InvalidInput.
        """
        async with self._exclusive:
            self._planner.set_prices(prices)

    async def _set_matrix(self, of: MatrixOf, matrix: DistanceMatrix | CostMatrix | None) -> None:
        if matrix is not None:
            check_matrix(matrix, is_warehouse=self._planner.warehouses.__contains__)
        async with self._exclusive:
            await self._catalogue.put_matrix(of, msgspec.json.encode(matrix) if matrix is not None else b"")
            await self._replica.catch_up_catalogue()
