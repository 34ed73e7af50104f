"""Every error that Stockade raises on purpose.

    StockadeError
    ├── InvalidInput            a field breaks a rule: fix the input
    ├── Unassignable            no choice of warehouses serves every line, or none was found in time
    ├── StockBelowReserved      a count is lower than what is already promised: cancel or move orders first
    ├── StockRefused            a count or movement that the stock does not allow: each row says what was found
    ├── MovementConflict        the movement's id belongs to another movement
    ├── ReallocationConflict    the run's id belongs to another request
    ├── ReallocationBusy        as many runs are under way as one process works on at once: come back
    ├── ReallocationState       what a run stands at does not allow what was asked
    │   └── ReallocationStale   what it was planned by has changed since: plan it anew
    ├── StockUnderChange        another movement is changing the same cells: wait
    ├── QuotesBusy              a quote would keep orders waiting, of which there are too many: come back
    ├── StoreError
    │   ├── StoreUnavailable    cannot reach, start or use the store: wait, or mend it
    │   ├── StoreUnsupported    the store's version or its library does not fit this release
    │   ├── StoreChanged        the store behind the address is not the one that was loaded: reload
    │   ├── DataDirInUse        another process serves this data directory
    │   └── NoStoreThere        the data directory holds no store, and none is to be made
    ├── EventsExpired           the events after a cursor are gone: begin where the feed begins
    └── EngineClosed            the engine was shut while the call waited

What an order can meet in its normal life (no stock, a limit, a conflict) is not here: those are outcomes, and values.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from msgspec import Struct


class FieldError(Struct, frozen=True):
    """One broken rule: `pointer` is an RFC 6901 JSON pointer into the input, `message` names the rule."""

    pointer: str
    message: str


class StockadeError(Exception):
    """Base of every error that Stockade raises on purpose."""


class InvalidInput(StockadeError):
    """Fields that break a rule; nothing was done."""

    def __init__(self, errors: tuple[FieldError, ...]) -> None:
        super().__init__("; ".join(f"{error.pointer or '/'}: {error.message}" for error in errors))
        self.errors = errors


class Unassignable(StockadeError):
    """No choice of warehouses serves every line.

    `lines` are those that no warehouse serves, from 0. Where it is empty, `max_shipments` is too few: for certain if
    `proven`, else none was found before the node limit.
    """

    def __init__(self, lines: tuple[int, ...], max_shipments: int | None, proven: bool) -> None:
        if lines:
            told = "No warehouse serves " + ("line " if len(lines) == 1 else "lines ") + ", ".join(map(str, lines))
            message = f"{told}: leave them out, or give them a cost somewhere."
        elif proven:
            message = f"No {max_shipments} warehouses together serve all lines: raise max_shipments."
        else:
            message = f"No {max_shipments} warehouses were found to serve all lines: raise node_limit or max_shipments."
        super().__init__(message)
        self.lines, self.max_shipments, self.proven = lines, max_shipments, proven


class StockBelowReserved(StockadeError):
    """Counts lower than the units already reserved; no row was applied. `rows` holds (row index, reserved units)."""

    def __init__(self, rows: tuple[tuple[int, int], ...]) -> None:
        super().__init__("; ".join(f"row {index}: {below_reserved(reserved)}" for index, reserved in rows))
        self.rows = rows


def below_reserved(reserved: int) -> str:
    """What is wrong with a count that is lower than these units."""
    return f"{reserved} units are reserved, so on_hand cannot be lower"


StockRule = Literal["expected_on_hand", "free", "quarantined", "inbound", "arrivals", "on_hand", "pools"]


class RefusedStock(Struct, frozen=True):
    """A row that the stock does not allow: which (from 0), what it met, the units found of that, and so in words."""

    row: int
    rule: StockRule
    found: int
    message: str


class StockRefused(StockadeError):
    """Rows of a count or movement that the stock does not allow; no row was applied."""

    def __init__(self, rows: tuple[RefusedStock, ...]) -> None:
        super().__init__("; ".join(f"row {row.row}: {row.message}" for row in rows))
        self.rows = rows


class MovementConflict(StockadeError):
    """A movement with this id and another content was done before; nothing was changed."""

    def __init__(self, movement_id: str) -> None:
        super().__init__(f'"{movement_id}" was taken by a movement with another content. Give a new movement a new id.')
        self.movement_id = movement_id


class StockUnderChange(StockadeError):
    """Another movement is changing the same cells, and was not settled in time; nothing was changed."""

    def __init__(self) -> None:
        super().__init__("Another movement is changing the same cells. Nothing was changed; send it again.")


class QuotesBusy(StockadeError):
    """A quote would have had to look at the store, where orders, or other quotes, come first."""

    def __init__(self, reason: str, *, retry_after_s: int) -> None:
        super().__init__(reason)
        self.retry_after_s = retry_after_s


class StoreError(StockadeError):
    """Something about the store."""


class StoreUnavailable(StoreError):
    """The store cannot be reached, started or written to; the message says what to do."""


class StoreUnsupported(StoreError):
    """The store's version, or the function library in it, does not fit this release."""


class StoreChanged(StoreError):
    """The store was emptied, restored or exchanged since it was loaded: what is in memory speaks of another one."""


class DataDirInUse(StoreError):
    """Another process serves this data directory."""

    def __init__(self, data_dir: Path, pid: int | None) -> None:
        holder = f"process {pid}" if pid is not None else "another process"
        super().__init__(
            f"{data_dir} is in use by {holder}. Stop it, or choose another directory with --data-dir,"
            " or point both at one server with REDIS_URL."
        )
        self.data_dir = data_dir
        self.pid = pid


class NoStoreThere(StoreError):
    """The data directory holds no store, and none is to be made."""

    def __init__(self, data_dir: Path) -> None:
        super().__init__(
            f"There is no store in {data_dir}, and this command makes none. Name the right place with --data-dir or"
            " STOCKADE_DATA_DIR, or a server with REDIS_URL; `stockade serve` makes a store."
        )
        self.data_dir = data_dir


class EventsExpired(StockadeError):
    """Events after a cursor are gone, or it is of another store. `oldest` is the cursor where the feed begins."""

    def __init__(self, reason: str, oldest: str) -> None:
        super().__init__(f"{reason} Read the stock anew, and follow from the cursor where the feed begins: {oldest}")
        self.oldest = oldest


class EngineClosed(StockadeError):
    """The engine was shut while the call waited."""

    def __init__(self, reason: str, *, retry_after_s: int = 1) -> None:
        """`retry_after_s`: when this process, at the soonest, may have given its place to another."""
        super().__init__(reason)
        self.retry_after_s = retry_after_s


class ReallocationConflict(StockadeError):
    """The id belongs to a run with another request; nothing was begun."""

    def __init__(self, run_id: str) -> None:
        super().__init__(f'"{run_id}" was taken by a re-allocation with another request. Give a new one a new id.')
        self.run_id = run_id


class ReallocationBusy(StockadeError):
    """This process works on as many runs in the background as it does at once; nothing was begun."""

    def __init__(self, runs: int) -> None:
        super().__init__(f"{runs} re-allocations are under way here. Nothing was begun: wait for one of them.")
        self.retry_after_s = 5


class ReallocationState(StockadeError):
    """What a run stands at does not allow what was asked; nothing was changed."""

    def __init__(self, run_id: str, state: str, asked: str, allowed: tuple[str, ...]) -> None:
        told = " or ".join(allowed)
        super().__init__(f'Re-allocation "{run_id}" is {state}: only one that is {told} can be {asked}.')
        self.run_id, self.state = run_id, state


class ReallocationStale(ReallocationState):
    """What a run was planned by has changed since; nothing was changed."""

    def __init__(self, run_id: str, why: str) -> None:
        told = f'Re-allocation "{run_id}" cannot be applied any more: {why}. Plan it anew, under another id.'
        StockadeError.__init__(self, told)
        self.run_id, self.state = run_id, "planned"
