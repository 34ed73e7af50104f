"""One store, opened: its catalogue and its partitions. Decides nothing."""

import asyncio
import secrets
from collections.abc import Sequence
from typing import Self

from engine.store.access import AccessCalls
from engine.store.catalogue import Catalogue
from engine.store.cells import CellRow
from engine.store.durability import StoreDescription
from engine.store.keys import catalogue_keys, home_of, partition_keys, partition_of_cell, stream_keys
from engine.store.partition import Partition
from engine.store.request_keys import RequestKeys
from engine.store.stream import StreamCalls
from engine.store.wire import Lane, Wire

READ_CELLS_MAX = 2_000
"""Cells read in one call: a few milliseconds of the store's time."""


class Store:
    """`async with Store(url, namespace=..., timeout_s=..., partitions=...) as store`."""

    def __init__(
        self,
        url: str,
        *,
        namespace: str,
        timeout_s: float,
        partitions: int = 1,
        replicas_acked_min: int = 0,
        replica_wait_ms: int = 1_000,
    ) -> None:
        """`partitions` counts only for a store that is empty: one that is not keeps what it was made with.

        `replicas_acked_min` and `replica_wait_ms` as the settings of these names say.
        """
        self.url = url
        self.writer = secrets.token_hex(6)
        """Names this process in the event streams."""
        self.wire = Wire(
            url, timeout_s=timeout_s, replicas_acked_min=replicas_acked_min, replica_wait_ms=replica_wait_ms
        )
        self.catalogue = Catalogue(self.wire, catalogue_keys(namespace))
        self.access = AccessCalls(self.wire, catalogue_keys(namespace), self.catalogue)
        self.stream = StreamCalls(self.wire, stream_keys(namespace))
        self._namespace = namespace
        self._partitions_wanted = partitions
        self.partitions: tuple[Partition, ...] = ()
        self.request_keys = RequestKeys(self.wire, namespace, lambda: len(self.partitions))

    async def __aenter__(self) -> Self:
        try:
            await self.open()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def open(self) -> None:
        """Check the store, load the function library, learn the epochs; again after StoreChanged."""
        await self.wire.open()
        count = await self.catalogue.open(self._partitions_wanted)
        if len(self.partitions) != count:
            self.partitions = tuple(
                Partition(self.wire, partition_keys(self._namespace, number), number, self.writer)
                for number in range(count)
            )
        await asyncio.gather(*(partition.open(count) for partition in self.partitions))

    def distrust(self) -> None:
        """Have every change refused as StoreChanged until the next `open`: what is loaded may be of another store."""
        self.catalogue.epoch = b""
        for partition in self.partitions:
            partition.distrust()

    async def close(self) -> None:
        """Close the connections."""
        await self.wire.close()

    async def describe(self) -> StoreDescription:
        """What the store is and promises."""
        return await self.wire.describe()

    async def ping(self) -> None:
        """Return when the store answers."""
        await self.wire.ping()

    async def library_version(self) -> int:
        """Version of the function library that the first partition's node has now."""
        key = self.partitions[0].keys.meta
        version, _ = await self.wire.call("stockade_version", (key,), (), lane=Lane.READ)
        return int(version)

    async def unpaid_holds(self) -> int:
        """Orders whose hold ends by itself."""
        counts = await asyncio.gather(
            *(partition.wire.command("ZCARD", partition.keys.holds) for partition in self.partitions)
        )
        # The nameless one that keeps the key alive is none.
        return sum(max(0, int(count) - 1) for count in counts)

    def home(self, order_id: str) -> Partition:
        """The partition that decides about an order."""
        return self.partitions[home_of(order_id, len(self.partitions))]

    def owner(self, cell: int) -> Partition:
        """The partition that owns a cell."""
        return self.partitions[partition_of_cell(cell, len(self.partitions))]

    def by_owner(self, cells: Sequence[int]) -> dict[Partition, list[int]]:
        """Cells by the partition that owns them."""
        owned: dict[Partition, list[int]] = {}
        for cell in cells:
            owned.setdefault(self.owner(cell), []).append(cell)
        return owned

    async def read_cells(self, cells: Sequence[int]) -> list[CellRow]:
        """Cells as they stand, those that exist, whoever owns them; READ_CELLS_MAX at a time are of one instant."""
        rows: dict[int, CellRow] = {}
        for partition, own in self.by_owner(cells).items():
            # In steps: the sale waits for each of them.
            for start in range(0, len(own), READ_CELLS_MAX):
                _, page = await partition.cells.read(own[start : start + READ_CELLS_MAX])
                rows.update((row.cell, row) for row in page)
        return [rows[cell] for cell in cells if cell in rows]

    async def read_orders(self, order_ids: Sequence[str], *, for_sale: bool = False) -> list[bytes | None]:
        """The records of orders, None where there is none. `for_sale`: other orders wait for it."""
        if len(self.partitions) == 1:
            return await self.partitions[0].orders.read(order_ids, for_sale=for_sale)
        homes: dict[Partition, list[str]] = {}
        for order_id in order_ids:
            homes.setdefault(self.home(order_id), []).append(order_id)
        pages = await asyncio.gather(*(home.orders.read(own, for_sale=for_sale) for home, own in homes.items()))
        found = {
            order_id: record
            for own, page in zip(homes.values(), pages, strict=True)
            for order_id, record in zip(own, page, strict=True)
        }
        return [found[order_id] for order_id in order_ids]
