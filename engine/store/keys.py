"""Spells every key. Does no I/O.

Keys of one partition share a hash tag, so that a cluster keeps them in one slot; the catalogue has a tag of its own.
"""

from msgspec import Struct


class CatalogueKeys(Struct, frozen=True):
    """Keys of the catalogue: SKUs, warehouses, tariff, and the stream of their changes."""

    meta: str
    skus: str
    warehouses: str
    events: str


class PartitionKeys(Struct, frozen=True):
    """Keys of one partition of the stock; stockade.lua says what each holds."""

    meta: str
    free: str
    on_hand: str
    safety: str
    counters: str
    orders: str
    holds: str
    events: str


def catalogue_keys(namespace: str) -> CatalogueKeys:
    """Keys of the catalogue."""
    return CatalogueKeys(*(f"{namespace}:{{catalogue}}:{name}" for name in CatalogueKeys.__struct_fields__))


def partition_keys(namespace: str, partition: int) -> PartitionKeys:
    """Keys of a partition."""
    return PartitionKeys(*(f"{namespace}:{{p{partition}}}:{name}" for name in PartitionKeys.__struct_fields__))
