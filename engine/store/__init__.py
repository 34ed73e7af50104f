"""The only room that speaks to Valkey or Redis: the server, the function library, the calls."""

from engine.store.address import holds_store, running_at
from engine.store.attempt import attempt_args
from engine.store.binary import choose_store
from engine.store.catalogue import Catalogue, Definition, parse_definition
from engine.store.cells import CellRow, Totals, Touched
from engine.store.crossing import Due, Lease
from engine.store.durability import StoreDescription
from engine.store.errors import StoreRefused
from engine.store.feed import TRIM_STEP, EventRows, FollowerRow, Place
from engine.store.keys import CHANNEL_CELLS, home_of, partition_of_cell, partition_of_counter
from engine.store.movements import CountRows, Levels, MoveReply, MoveRow, RefusedRow
from engine.store.orders import CommitReply, Replacement, ReplaceReply, Step, StepReply
from engine.store.packed import packed_strings, unpacked_strings
from engine.store.partition import Partition, Ticket
from engine.store.plans import Leg, PlanCalls
from engine.store.request_keys import Bound
from engine.store.server import EmbeddedServer
from engine.store.store import Store
from engine.store.stream import Backlog
from engine.store.wire import Lane

__all__ = [
    "CHANNEL_CELLS",
    "TRIM_STEP",
    "Backlog",
    "Bound",
    "Catalogue",
    "CellRow",
    "CommitReply",
    "CountRows",
    "Definition",
    "Due",
    "EmbeddedServer",
    "EventRows",
    "FollowerRow",
    "Lane",
    "Lease",
    "Leg",
    "Levels",
    "MoveReply",
    "MoveRow",
    "Partition",
    "Place",
    "PlanCalls",
    "RefusedRow",
    "ReplaceReply",
    "Replacement",
    "Step",
    "StepReply",
    "Store",
    "StoreDescription",
    "StoreRefused",
    "Ticket",
    "Totals",
    "Touched",
    "attempt_args",
    "choose_store",
    "holds_store",
    "home_of",
    "packed_strings",
    "parse_definition",
    "partition_of_cell",
    "partition_of_counter",
    "running_at",
    "unpacked_strings",
]
