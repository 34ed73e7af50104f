"""`stockade stock repair`: sets what the audit derives from reservations and records."""

from api.cli.audit import print_differences
from api.cli.console import EXIT_FINDING, StoreOptions, counted, err, out, print_json
from api.cli.opening import open_store
from api.cli.table import print_table
from engine import RepairReport


async def repair(
    *,
    dry_run: bool = False,
    json: bool = False,
    store: StoreOptions = StoreOptions(),  # noqa: B008 - frozen
) -> int:
    """Set free units, counters, holds and sums as reservations say they are; --dry-run only prints what it would set.

    Never changes what is on hand, nor an order. Exit 1 if anything is left that needs a human.
    """
    async with open_store(store.settings(), load=False) as engine:
        if not json:
            err.print("Auditing ...")
        report = await engine.repair(dry_run=dry_run)
    if json:
        print_json(report)
    else:
        print_repair(report)
    return 0 if report.left_count == 0 else EXIT_FINDING


def print_repair(report: RepairReport) -> None:
    """What was set, or would be, and what is left."""
    if report.audit.balanced:
        out.print("[green]The books balance: there is nothing to repair.[/]")
        return
    verb = "would be set, in this order" if report.dry_run else "set"
    out.print(f"{counted(report.audit.difference_count, 'difference')}; {counted(len(report.steps), 'value')} {verb}.")
    if report.steps:
        rows = [(step.what, step.where, _entry(step.seen), _entry(step.set)) for step in report.steps]
        columns = ("what", "where", "found", "set")
        print_table(columns, rows, numbers=columns[2:])
    if report.left_count:
        left = counted(report.left_count, "difference needs", "differences need")
        out.print(f"[red]{left} a human, or another run.[/]")
        print_differences(report.left)
    elif not report.dry_run:
        out.print("[green]The books balance.[/]")


def _entry(value: int | None) -> int | str:
    return "-" if value is None else value
