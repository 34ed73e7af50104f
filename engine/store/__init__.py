"""The only room that speaks to Valkey or Redis: the server, the function library, the calls."""

from engine.store.address import running_at
from engine.store.attempt import attempt_args
from engine.store.binary import choose_store
from engine.store.catalogue import Catalogue, Definition, parse_definition
from engine.store.cells import CellRow, Totals, Touched
from engine.store.crossing import Due, Lease
from engine.store.durability import StoreDescription
from engine.store.errors import StoreRefused
from engine.store.keys import home_of, partition_of_cell, partition_of_counter
from engine.store.orders import CommitReply, Replacement, ReplaceReply, Step, StepReply
from engine.store.partition import Partition
from engine.store.server import EmbeddedServer
from engine.store.store import Store

__all__ = [
    "Catalogue",
    "CellRow",
    "CommitReply",
    "Definition",
    "Due",
    "EmbeddedServer",
    "Lease",
    "Partition",
    "ReplaceReply",
    "Replacement",
    "Step",
    "StepReply",
    "Store",
    "StoreDescription",
    "StoreRefused",
    "Totals",
    "Touched",
    "attempt_args",
    "choose_store",
    "home_of",
    "parse_definition",
    "partition_of_cell",
    "partition_of_counter",
    "running_at",
]
