"""Spells every key, and says which partition owns what. Does no I/O.

Keys of one partition share a hash tag, so that a cluster keeps them in one slot; the catalogue has a tag of its own.
Which node that is, the tag decides: of three primaries that share the slots evenly, 3 partitions lie on one each, 6 as
1, 1, 4, 12 as 3, 3, 6, 24 as 6, 8, 10 (the catalogue on the first). Who wants it more even moves a partition's slot.
"""

import zlib

from msgspec import Struct

from engine.model import limits

CHANNEL_CELLS = 1 << 36
"""Cell numbers of one channel: a pool's cell is channel * CHANNEL_CELLS + the cell's own number."""


class CatalogueKeys(Struct, frozen=True):
    """Keys of the catalogue: SKUs, warehouses, tariff, the stream of their changes, and who may call."""

    meta: str
    skus: str
    warehouses: str
    channels: str
    events: str
    access: str
    uses: str
    signatures: str
    signers: str


class PartitionKeys(Struct, frozen=True):
    """Keys of one partition of the stock, in the order in which functions take them; ledger.lua says what each is."""

    meta: str
    free: str
    on_hand: str
    safety: str
    quarantined: str
    inbound: str
    counters: str
    orders: str
    holds: str
    movements: str
    parts: str
    tentative: str
    leases: str
    outbox: str
    refused: str
    writers: str
    events: str
    plans: str


class StreamKeys(Struct, frozen=True):
    """Keys of the stream intake: orders that come, results, and dead letters; and a hash of nothing.

    What waits for replicas writes there, as it does to the first key of other calls, which is a hash.
    """

    orders: str
    results: str
    dead: str
    mark: str


def catalogue_keys(namespace: str) -> CatalogueKeys:
    """Keys of the catalogue."""
    return CatalogueKeys(*(f"{namespace}:{{catalogue}}:{name}" for name in CatalogueKeys.__struct_fields__))


def stream_keys(namespace: str) -> StreamKeys:
    """Keys of the stream intake."""
    return StreamKeys(*(f"{namespace}:{{intake}}:{name}" for name in StreamKeys.__struct_fields__))


def partition_keys(namespace: str, partition: int) -> PartitionKeys:
    """Keys of a partition."""
    tag = f"p{partition}"
    return PartitionKeys(*(f"{namespace}:{{{tag}}}:{name}" for name in PartitionKeys.__struct_fields__))


def home_of(order_id: str, partitions: int) -> int:
    """The partition that decides about an order. Children of a split, named `parent/child`, are at home with it."""
    if partitions == 1:
        return 0
    return zlib.crc32(order_id.partition("/")[0].encode()) % partitions


def partition_of_cell(cell: int, partitions: int) -> int:
    """The partition that owns a cell: that of its SKU."""
    return cell % CHANNEL_CELLS // limits.WAREHOUSES_MAX % partitions


def partition_of_counter(name: str, partitions: int) -> int:
    """The partition that owns a counter: that of the SKU or warehouse whose number comes first in its name."""
    return int(name.removeprefix("@").partition(":")[0]) % partitions
