"""A run as the store keeps it, and the names of what belongs to it. Does no I/O.

Everything of a run is in the hash `plans` of partitions: its document in the first one, its chunks where the orders
that they move are at home. Each try to plan it has a token, so that two processes that plan it at once do not mix.
"""

import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec
from msgspec import Struct

from engine.reallocation.model import ReallocationPlan, ReallocationRequest, ReallocationStatus, State, Told
from engine.reallocation.moves import Moves, Untouched
from engine.store import Leg

ROWS_OF_PART = 10_000
"""Rows of moves that are kept in one value."""

INDEX = "runs"
"""The ids of all runs that are kept, the oldest first."""


class RunDocument(Struct, kw_only=True, omit_defaults=True):
    """What is kept of a run, apart from its chunks and rows."""

    id: str
    state: State
    request: ReallocationRequest
    created_at_ms: int
    tokens: list[str] = []
    """Of tries to plan it, the last one that which counts."""
    alive_until_ms: int = 0
    """Until when nobody else plans it, by the store's clock."""
    plan: ReallocationPlan | None = None
    moves_parts: int = 0
    unserved_parts: int = 0
    error: str | None = None

    @property
    def token(self) -> str:
        """Of the try to plan it that counts."""
        return self.tokens[-1] if self.tokens else ""


Make = Callable[[RunDocument], RunDocument | None]
"""What is made of a document; None: it stays."""


def document_field(run_id: str) -> str:
    """Where a run's document is kept."""
    return f"run:{run_id}"


def forth(run_id: str, token: str) -> str:
    """The leg that applies a run."""
    return f"forth:{token}:{run_id}"


def back(run_id: str, token: str) -> str:
    """The leg that rolls a run back."""
    return f"back:{token}:{run_id}"


def chunk_fields(leg: str, chunks: int) -> list[str]:
    """The names of a leg's chunks, and of what was skipped of them."""
    return [f"{leg}:{number}{end}" for number in range(chunks) for end in ("", ":left")]


def apart(leg: str) -> str:
    """The part of a leg whose moves span partitions."""
    return f"apart-{leg}"


def part_field(run_id: str, what: str, token: str, part: int) -> str:
    """Where a part of a run's rows is kept."""
    return f"{what}:{token}:{part}:{run_id}"


def pack_document(document: RunDocument) -> bytes:
    """As it is kept."""
    return zlib.compress(msgspec.msgpack.encode(document))


def read_document(packed: bytes) -> RunDocument:
    """As it was kept."""
    return msgspec.msgpack.decode(zlib.decompress(packed), type=RunDocument)


def pack_rows(rows: Moves | Untouched) -> list[bytes]:
    """Columns in parts."""
    columns: list[Sequence[object]] = list(msgspec.structs.astuple(rows))
    return [
        zlib.compress(msgspec.msgpack.encode([column[start : start + ROWS_OF_PART] for column in columns]))
        for start in range(0, len(rows), ROWS_OF_PART)
    ]


def read_moves(parts: Sequence[bytes]) -> Moves:
    """Moves of parts."""
    moves = Moves(**{name: [] for name in Moves.__struct_fields__})
    _extend(moves, parts)
    return moves


def read_untouched(parts: Sequence[bytes]) -> Untouched:
    """Untouched orders of parts."""
    untouched = Untouched(order_id=[], why=[])
    _extend(untouched, parts)
    return untouched


def _extend(rows: Moves | Untouched, parts: Sequence[bytes]) -> None:
    for part in parts:
        columns = msgspec.msgpack.decode(zlib.decompress(part))
        for name, column in zip(rows.__struct_fields__, columns, strict=True):
            getattr(rows, name).extend(column)


def status_of(document: RunDocument, ways: Sequence[Leg], ways_back: Sequence[Leg]) -> ReallocationStatus:
    """How a run stands, by its document and its legs of all partitions."""
    return ReallocationStatus(
        id=document.id,
        state=document.state,
        request=document.request,
        created_at_ms=document.created_at_ms,
        plan=document.plan,
        chunks=sum(leg.chunks for leg in ways),
        chunks_done=sum(leg.done for leg in ways),
        applied=sum(leg.moved for leg in ways),
        skipped=_told(_sum(leg.skipped for leg in ways)),
        rolled_back=sum(leg.moved for leg in ways_back),
        not_rolled_back=_told(_sum(leg.skipped for leg in ways_back)),
        error=document.error,
    )


def _sum(tallies: Iterable[Mapping[str, int]]) -> dict[str, int]:
    sums: dict[str, int] = {}
    for tally in tallies:
        for why, orders in tally.items():
            sums[why] = sums.get(why, 0) + orders
    return sums


def _told(tally: Mapping[str, int]) -> tuple[Told, ...]:
    rows = [{"why": why, "orders": orders} for why, orders in sorted(tally.items()) if orders]
    return msgspec.convert(rows, type=tuple[Told, ...])


def only(before: State, after: State) -> Make:
    """Brings a run from one state to another; one in any other stays."""

    def change(document: RunDocument) -> RunDocument | None:
        return msgspec.structs.replace(document, state=after) if document.state == before else None

    return change


def tried(token: str, *, now_ms: int, until_ms: int) -> Make:
    """Begins a try to plan a run, unless another one is alive."""

    def change(document: RunDocument) -> RunDocument | None:
        if document.state != "planning" or document.alive_until_ms > now_ms:
            return None
        return msgspec.structs.replace(document, tokens=[*document.tokens, token], alive_until_ms=until_ms)

    return change


def alive(token: str, until_ms: int) -> Make:
    """Says that a try goes on."""

    def change(document: RunDocument) -> RunDocument | None:
        if document.state != "planning" or document.token != token:
            return None
        return msgspec.structs.replace(document, alive_until_ms=until_ms)

    return change


def failed(token: str, message: str) -> Make:
    """Ends a run that could not be planned, unless another try has begun."""

    def change(document: RunDocument) -> RunDocument | None:
        if document.state != "planning" or document.token != token:
            return None
        return msgspec.structs.replace(document, state="failed", error=message)

    return change
