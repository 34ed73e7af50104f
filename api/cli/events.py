"""`stockade events`: what changed, and who follows."""

from collections.abc import AsyncIterator
from typing import Annotated

import msgspec
from cyclopts import App, Parameter
from cyclopts.validators import Number

from api.cli.console import EXIT_WRONG, StoreOptions, err, out, print_json
from api.cli.opening import open_store
from api.cli.table import print_table
from engine import Engine
from engine.model.event import CellChange, Event

app = App(name="events", help="Show what changed, or follow it; see who follows.")

PAGE_EVENTS_MAX = 500
NAMES_SHOWN = 3
"""Orders and cells that a line names; it counts the others."""


@app.default
async def show(
    *,
    after: Annotated[str | None, Parameter(help="A cursor; $ for now. Else from the oldest event kept.")] = None,
    follow: Annotated[bool, Parameter(help="Go on with what comes, until Ctrl-C.")] = False,
    limit: Annotated[int | None, Parameter(help="Events to show.", validator=Number(gte=1))] = None,
    json: Annotated[bool, Parameter(help="One JSON value a line.")] = False,
    store: StoreOptions = StoreOptions(),  # noqa: B008 - frozen
) -> int:
    """Show events, the oldest first: 100 of them, or with --follow all that come."""
    wanted = limit if follow or limit is not None else 100
    rows: list[tuple[object, ...]] = []
    last: str | None = None
    async with open_store(store.settings()) as engine:
        async for event in _events(engine, after, wanted, follow=follow):
            last = event.cursor
            if json:
                print(msgspec.json.encode(event).decode(), flush=follow)
            elif follow:
                out.print("  ".join(map(str, _row(event))), markup=False, soft_wrap=True)
                out.file.flush()
            else:
                rows.append(_row(event))
    if not json and not follow:
        print_table(("at", "event", "type", "orders", "cells"), rows)
        if last is not None:
            out.print(f"What came after: --after {last}", soft_wrap=True)
    return 0


@app.command
async def followers(
    *,
    add: Annotated[str | None, Parameter(help="Register a follower: nothing is dropped that it has not read.")] = None,
    from_start: Annotated[bool, Parameter(help="With --add: from the oldest event kept, not from now.")] = False,
    remove: Annotated[str | None, Parameter(help="Remove a follower, and what it has not read.")] = None,
    json: bool = False,
    store: StoreOptions = StoreOptions(),  # noqa: B008 - frozen
) -> int:
    """Show who follows and how far behind each is; register one, or remove one."""
    if (add is not None and remove is not None) or (from_start and add is None):
        err.print("Give --add NAME (with --from-start, if wanted) or --remove NAME, not both.")
        return EXIT_WRONG
    async with open_store(store.settings(), makes=add is not None) as engine:
        if add is not None:
            await engine.register_follower(add, from_start=from_start)
        if remove is not None:
            await engine.remove_follower(remove)
        found = await engine.followers()
    if json:
        print_json(found)
        return 0
    columns = ("follower", "consumers", "unread", "unacknowledged", "seconds behind")
    rows = [(row.name, row.consumers, row.unread, row.pending, f"{row.behind_s:,.1f}") for row in found]
    print_table(columns, rows, numbers=columns[1:])
    return 0


async def _events(engine: Engine, after: str | None, wanted: int | None, *, follow: bool) -> AsyncIterator[Event]:
    """As many as wanted; without `follow`, those that there are."""
    while wanted is None or wanted > 0:
        limit = PAGE_EVENTS_MAX if wanted is None else min(wanted, PAGE_EVENTS_MAX)
        page = await engine.events(after=after, limit=limit, wait_ms=10_000 if follow else 0)
        for event in page.events:
            yield event
        if not page.events and not follow:
            return
        after = page.cursor
        wanted = None if wanted is None else wanted - len(page.events)


def _row(event: Event) -> tuple[object, ...]:
    at = event.at.astimezone().strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
    orders = _few(list(event.orders))
    return at, f"{event.partition}:{event.n}", event.type, orders, _few([_change(change) for change in event.cells])


def _change(change: CellChange) -> str:
    """One cell in words: what its free units became more or less by, and those on hand."""
    pool = f"/{change.channel}" if change.channel else ""
    parts = [f"{-change.taken:+d} free"] if change.taken else []
    parts += [f"{change.on_hand_change:+d} on hand"] if change.on_hand_change else []
    return f"{change.sku}@{change.warehouse}{pool} {', '.join(parts)}"


def _few(names: list[str]) -> str:
    more = f" and {len(names) - NAMES_SHOWN:,} more" if len(names) > NAMES_SHOWN else ""
    return "; ".join(names[:NAMES_SHOWN]) + more
