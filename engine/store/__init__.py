"""The only room that speaks to Valkey or Redis: the server, the function library, the calls."""

from engine.store.address import running_at
from engine.store.binary import choose_store
from engine.store.catalogue import Catalogue, Definition, parse_definition
from engine.store.cells import CellRow, Totals, Touched
from engine.store.crossing import Due, Lease
from engine.store.durability import StoreDescription
from engine.store.errors import StoreRefused
from engine.store.feed import TRIM_STEP, EventRows, FollowerRow, Place
from engine.store.keys import home_of
from engine.store.orders import CommitReply, Replacement, ReplaceReply, Step, StepReply
from engine.store.partition import Partition
from engine.store.server import EmbeddedServer
from engine.store.store import Store

__all__ = [
    "TRIM_STEP",
    "Catalogue",
    "CellRow",
    "CommitReply",
    "Definition",
    "Due",
    "EmbeddedServer",
    "EventRows",
    "FollowerRow",
    "Lease",
    "Partition",
    "Place",
    "ReplaceReply",
    "Replacement",
    "Step",
    "StepReply",
    "Store",
    "StoreDescription",
    "StoreRefused",
    "Totals",
    "Touched",
    "choose_store",
    "home_of",
    "parse_definition",
    "running_at",
]
