"""`stockade audit`: proves that the books balance."""

from collections.abc import Iterable

from api.cli.console import EXIT_FINDING, StoreOptions, counted, err, out, print_json
from api.cli.opening import open_store
from api.cli.table import print_table
from engine import AuditReport, Difference


async def audit(*, json: bool = False, store: StoreOptions = StoreOptions()) -> int:  # noqa: B008 - frozen
    """Compare what holds stock with cells, limits, holds and events, on a live store; exit 1 if anything differs."""
    async with open_store(store.settings(), load=False) as engine:
        if not json:
            err.print("Auditing ...")
        report = await engine.audit()
    if json:
        print_json(report)
    else:
        print_report(report)
    return 0 if report.balanced else EXIT_FINDING


def print_report(report: AuditReport) -> None:
    """The report in words, and a table of what differs."""
    out.print(
        f"{counted(report.orders, 'order')}, {counted(report.holding, 'of them holds', 'of them hold')}"
        f" {counted(report.units_reserved, 'unit')}"
        f" of {report.units_on_hand:,} on hand in {counted(report.cells, 'cell')}."
    )
    if report.following:
        out.print(f"{counted(report.following, 'order is', 'orders are')} being followed by other partitions.")
    if report.notices:
        out.print("No difference, but worth a look:")
        print_differences(report.notices)
    if report.balanced:
        out.print("[green]The books balance.[/]")
        return
    out.print(f"[red]{counted(report.difference_count, 'difference')}.[/]")
    print_differences(report.differences)


def print_differences(rows: Iterable[Difference]) -> None:
    """What differs, a row each."""
    table = [(row.kind, row.where, row.expected, row.found, row.detail) for row in rows]
    print_table(("kind", "where", "expected", "found", "detail"), table, numbers=("expected", "found"))
