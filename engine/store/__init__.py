"""The only room that speaks to Valkey or Redis: the server, the function library, the calls."""

from engine.store.address import running_at
from engine.store.binary import choose_store
from engine.store.durability import StoreDescription
from engine.store.errors import StoreRefused
from engine.store.server import EmbeddedServer
from engine.store.store import CellRow, CommitReply, Definition, Store, Touched, parse_definition

__all__ = [
    "CellRow",
    "CommitReply",
    "Definition",
    "EmbeddedServer",
    "Store",
    "StoreDescription",
    "StoreRefused",
    "Touched",
    "choose_store",
    "parse_definition",
    "running_at",
]
