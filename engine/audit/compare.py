"""Puts the comparisons together into one report."""

from msgspec import Struct

from engine.audit.events import compare_events, compare_totals
from engine.audit.finding import Finding
from engine.audit.names import Names
from engine.audit.parts import compare_parts
from engine.audit.read import PartitionBooks, read_books
from engine.audit.report import AuditReport, Difference
from engine.store import Store
from engine.store.repairs import RepairRow

DIFFERENCES_MAX = 1_000
"""Differences that a report lists; it counts all."""


class Examination(Struct, frozen=True):
    """A report, and what would mend what it lists."""

    report: AuditReport
    findings: list[Finding]


async def audit_store(store: Store) -> AuditReport:
    """Compare all that holds stock with all cells, counters, lists and events. Reads only.

    Raises StoreUnavailable when the store drops its events faster than they can be read: then there is no verdict.
    """
    books = await read_books(store)
    return (await examine(store, books, await Names.read(store))).report


async def examine(
    store: Store,
    books: list[PartitionBooks],
    names: Names,
    limit: int = DIFFERENCES_MAX,
    *,
    parts: tuple[list[Finding], int] | None = None,
) -> Examination:
    """Compare books that were read. Lists `limit` findings at most: those of the stream and between partitions first.

    `parts`: what the comparison of partitions is known to say.
    """
    between, following = await compare_parts(store, books) if parts is None else parts
    findings, count = list(between), len(between)
    counts = [0] * 5
    own: list[Finding] = []
    notices: list[Finding] = []
    for one in books:
        totals, rows = one.core.compare(names.purchase_limits, names.capacities, one.totals.now_ms, limit)
        *sums, free, unreadable, differences = totals
        counts = [total + part for total, part in zip(counts, sums, strict=True)]
        stream = await compare_events(one) + compare_totals(one, free, totals[3])
        findings += stream
        count += len(stream) + differences
        named = [_finding(row, one.partition.number, names, certain=unreadable == 0) for row in rows]
        own += [finding for finding in named if finding.difference.kind != "beyond"]
        notices += [finding for finding in named if finding.difference.kind == "beyond"]
    orders, holding, cells, on_hand, reserved = counts
    findings = (findings + own)[:limit]
    report = AuditReport(
        orders=orders,
        holding=holding,
        cells=cells,
        units_on_hand=on_hand,
        units_reserved=reserved,
        partitions=len(books),
        following=following,
        difference_count=count,
        differences=tuple(finding.difference for finding in findings[:DIFFERENCES_MAX]),
        notices=tuple(finding.difference for finding in notices[:DIFFERENCES_MAX]),
    )
    return Examination(report, findings)


_Row = tuple[str, str, str, int, int, str, tuple[int | None, int | None] | None]


def _finding(row: _Row, partition: int, names: Names, *, certain: bool) -> Finding:
    """The core's row in words. Not `certain`: what cannot be read may hold what seems to be held by nobody."""
    kind, about, name, expected, found, detail, mend = row
    where = f"{about} {name}"
    if about == "cell":
        where = names.cell(name)
    elif about == "counter":
        where = names.counter(name)
    elif about == "part":
        where = f"order {name} in partition {partition}"
    difference = Difference(
        kind=kind,  # type: ignore[arg-type]
        where=where,
        partition=partition,
        expected=expected,
        found=found,
        detail=detail,
    )
    return Finding(difference, _mend(about, name, mend, certain=certain))


def _mend(about: str, name: str, mend: tuple[int | None, int | None] | None, *, certain: bool) -> RepairRow | None:
    if mend is None:
        return None
    seen, to_set = mend[0] or 0, mend[1] or 0
    if about == "cell":
        return RepairRow("free", name, seen, to_set) if certain or to_set < seen else None
    if about == "counter":
        return RepairRow("counter", name, seen, to_set) if certain or to_set > seen else None
    return RepairRow("hold" if about == "order" else "lease", name, seen, to_set)
