"""Sets what an audit derived: `free` from reservations, counters, holds and parts from records, leases from attempts,
totals from cells. Never touches what is on hand, never a record; what is not certain is left to a human.

In steps, each small, atomic, with an event, and only where the store still has what was seen. Parts go first, as the
cells of their partition are derived from them; totals last, as they follow the cells. After each step the books are
brought up to date, so a sale may go on meanwhile: what it changed in between is looked at again.
"""

from collections.abc import Iterable, Sequence

import msgspec

from engine.audit.compare import examine
from engine.audit.finding import Finding
from engine.audit.names import Names
from engine.audit.read import PartitionBooks, catch_up, read_books
from engine.audit.report import RepairReport, RepairStep
from engine.store import Store
from engine.store.packed import packed_array, packed_string
from engine.store.repairs import repair

ROWS_MAX = 200
"""Rows of one step."""

ROUNDS_MAX = 1_000
"""Steps of one partition; what is left then is for another run."""

IDLE_ROUNDS_MAX = 20
"""Rounds in which nothing could be set, as the sale was faster, before the rest is left for another run."""

LISTED_MAX = 10_000


async def repair_store(store: Store, *, dry_run: bool) -> RepairReport:
    """Mend what can be, or with `dry_run` only say what would be. Raises StoreUnavailable where there is no verdict."""
    names = await Names.read(store)
    books = await read_books(store)
    before = current = await examine(store, books, names, LISTED_MAX)
    steps: list[RepairStep] = []
    idle = 0
    for _ in range(ROUNDS_MAX):
        due = _due(current.findings)
        if not due or idle == IDLE_ROUNDS_MAX:
            break
        if dry_run:
            _imagine(books, due)
            steps += (_step(finding) for finding in due)
            # What is only imagined is not in the store: parts are not compared with it again.
            unmended = [one for one in current.findings if one.difference.kind == "part" and one not in due]
            current = await examine(store, books, names, LISTED_MAX, parts=(unmended, before.report.following))
        else:
            done = await _apply(books, due)
            steps += (_step(finding) for finding in done)
            idle = 0 if done else idle + 1
            await catch_up(books)
            current = await examine(store, books, names, LISTED_MAX)
    return RepairReport(
        dry_run=dry_run,
        audit=before.report,
        steps=tuple(steps),
        left=current.report.differences,
        left_count=current.report.difference_count,
    )


def _due(findings: Sequence[Finding]) -> list[Finding]:
    """What is to be set next: parts before all else, totals after all else."""
    certain = [finding for finding in findings if finding.mend is not None]
    parts = [finding for finding in certain if finding.mend and finding.mend.what == "part"]
    own = [finding for finding in certain if finding.mend and finding.mend.what not in ("part", "total")]
    return parts or own or certain


async def _apply(books: Iterable[PartitionBooks], due: Sequence[Finding]) -> list[Finding]:
    """One step in each partition; returns what was set."""
    done: list[Finding] = []
    for one in books:
        own = [finding for finding in due if finding.difference.partition == one.partition.number][:ROWS_MAX]
        if own:
            rows = [finding.mend for finding in own if finding.mend]
            set_ = await repair(one.partition, one.totals.repairs, one.position, rows)
            done += (finding for finding, was_set in zip(own, set_, strict=True) if was_set)
    return done


def _imagine(books: Iterable[PartitionBooks], due: Sequence[Finding]) -> None:
    """Set in our own books what a repair would set in the store's."""
    columns = {"free": "free", "counter": "counters", "hold": "holds", "lease": "leases", "part": "parts"}
    by_number = {one.partition.number: one for one in books}
    for finding in due:
        one, row = by_number[finding.difference.partition], finding.mend
        if row is None:
            continue
        if isinstance(row.seen, int) and isinstance(row.set, int) and row.what in ("free", "total"):
            # A cell's step has an event, which the sum follows.
            of_free = row.set - row.seen if row.name != "on_hand_total" else 0
            of_hand = row.set - row.seen if row.name == "on_hand_total" else 0
            totals = msgspec.structs.replace(
                one.totals, free=one.totals.free + of_free, on_hand=one.totals.on_hand + of_hand
            )
            one.totals = totals
        if row.what != "total":
            gone = row.what in ("hold", "lease") and row.set == 0
            value = row.set if isinstance(row.set, bytes) else b"%d" % row.set
            packed = [packed_string(row.name.encode()), b"\xc2" if gone else packed_string(value)]
            one.core.put(columns[row.what], packed_array(packed))


def _step(finding: Finding) -> RepairStep:
    difference, row = finding.difference, finding.mend
    assert row is not None
    seen, to_set = row.seen, row.set
    if isinstance(seen, bytes) or isinstance(to_set, bytes):
        seen, to_set = difference.found, difference.expected
    entry = row.what in ("hold", "lease")
    return RepairStep(
        what=row.what,
        where=difference.where,
        partition=difference.partition,
        seen=None if entry and seen == 0 else seen,
        set=None if entry and to_set == 0 else to_set,
        detail=difference.detail,
    )
