"""`stockade audit`: proves that the books balance."""

from api.cli.console import EXIT_FINDING, StoreOptions, err, out, print_json, print_table
from engine import AuditReport, open_engine


async def audit(*, json: bool = False, store: StoreOptions = StoreOptions()) -> int:  # noqa: B008 - frozen
    """Compare every reservation with every cell and purchase limit, on a live store; exit 1 if anything differs."""
    async with open_engine(store.settings(), attach=True, background=False) as engine:
        if not json:
            err.print(f"Auditing {engine.planner.core.cell_count:,} cells ...")
        report = await engine.audit()
    if json:
        print_json(report)
    else:
        print_report(report)
    return 0 if report.balanced else EXIT_FINDING


def print_report(report: AuditReport) -> None:
    """The report in words, and a table of what differs."""
    out.print(
        f"{report.orders:,} orders, {report.holding:,} of them hold {report.units_reserved:,} units"
        f" of {report.units_on_hand:,} on hand in {report.cells:,} cells."
    )
    if report.balanced:
        out.print("[green]The books balance.[/]")
        return
    out.print(f"[red]{report.difference_count:,} differences.[/]")
    rows = [(row.kind, row.where, row.expected, row.found, row.detail) for row in report.differences]
    print_table(("kind", "where", "expected", "found", "detail"), rows, numbers=("expected", "found"))
