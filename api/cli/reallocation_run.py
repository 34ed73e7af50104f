"""`stockade reallocate list|show|apply|resume|cancel|rollback`: the runs of a store, and what is done to one."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from api.cli.console import EXIT_FINDING, StoreOptions, err, out, print_json
from api.cli.opening import open_store
from api.cli.reallocation_files import check_files, write_files
from api.cli.reallocation_progress import shown_progress
from api.cli.reallocation_table import exit_code, print_run
from api.cli.table import print_table
from api.reallocation_report.words import STATES, asked
from engine.reallocation import Reallocation
from engine.reallocation.model import ReallocationStatus

Watch = Callable[[ReallocationStatus], None]
Act = Callable[[Reallocation, Watch], Awaitable[object]]
Report = Annotated[Path | None, Parameter(help="Writes an HTML file with maps of before and after.")]


async def list_runs(*, json: bool = False, store: StoreOptions = StoreOptions()) -> int:  # noqa: B008 - frozen
    """The last runs, the newest first."""
    async with open_store(store.settings(), load=False) as engine:
        statuses = await engine.reallocations()
    if json:
        print_json(statuses)
        return 0
    if not statuses:
        out.print("No orders were ever re-allocated here.")
        return 0
    columns = ("run", "begun", "state", "asked for", "orders", "saves", "applied")
    print_table(columns, [_row(status) for status in statuses], numbers=("orders", "saves", "applied"))
    return 0


def _row(status: ReallocationStatus) -> tuple[object, ...]:
    begun = datetime.fromtimestamp(status.created_at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
    plan = status.plan
    figures = ("-", "-") if plan is None else (plan.orders_moved, f"{plan.saved / 100:,.2f} {plan.currency}")
    return (status.id, begun, STATES[status.state], asked(status), *figures, status.applied)


async def show(
    run: str,
    /,
    *,
    report: Report = None,
    moves: Annotated[Path | None, Parameter(help="Writes what moves: .csv or .parquet.")] = None,
    json: bool = False,
    store: StoreOptions = StoreOptions(),  # noqa: B008 - frozen
) -> int:
    """What a run planned, and what came of it."""
    check_files(report, moves)
    async with open_store(store.settings()) as engine:
        found = await engine.reallocation(run)
        if found is None:
            return _none(run)
        await write_files(found, report, moves)
    print_run(found.status, store, json=json)
    return exit_code(found.status)


async def apply(
    run: str,
    /,
    *,
    json: bool = False,
    store: StoreOptions = StoreOptions(),  # noqa: B008 - frozen
) -> int:
    """Move what a run planned; done again it changes nothing, and goes on where it was left."""
    return await _act("apply", run, store, lambda found, watch: found.apply(progress=watch), json=json)


async def resume(
    run: str,
    /,
    *,
    json: bool = False,
    store: StoreOptions = StoreOptions(),  # noqa: B008 - frozen
) -> int:
    """Go on with a run that was stopped in the middle, whatever was under way."""
    return await _act("resume", run, store, lambda found, watch: found.resume(progress=watch), json=json)


async def cancel(
    run: str,
    /,
    *,
    json: bool = False,
    store: StoreOptions = StoreOptions(),  # noqa: B008 - frozen
) -> int:
    """Move nothing more of a run; what is moved stays."""
    return await _act("cancel", run, store, lambda found, _: found.cancel(), json=json)


async def rollback(
    run: str,
    /,
    *,
    json: bool = False,
    store: StoreOptions = StoreOptions(),  # noqa: B008 - frozen
) -> int:
    """Take back what a run moved and what has not left; orders that changed since stay, and are told."""
    return await _act("rollback", run, store, lambda found, watch: found.rollback(progress=watch), json=json)


async def _act(command: str, run: str, store: StoreOptions, act: Act, *, json: bool) -> int:
    async with open_store(store.settings()) as engine:
        found = await engine.reallocation(run)
        if found is None:
            return _none(run)
        try:
            with shown_progress() as watch:
                await act(found, watch)
        except asyncio.CancelledError:
            told = f"Stopped where it was: `stockade reallocate {command} {run}{store.words}` goes on"
            told += ", `cancel` in its place ends it." if command == "apply" else "."
            err.print(told, markup=False, soft_wrap=True)
            raise
        status = await found.refresh()
    print_run(status, store, json=json)
    return exit_code(status)


def _none(run: str) -> int:
    err.print(f'No re-allocation has the id "{run}": `stockade reallocate list` shows them.', markup=False)
    return EXIT_FINDING
