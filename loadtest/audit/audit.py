"""The audit of one run: `begin` before it, `end` after it. Over HTTP alone; the store's own books are the caller's."""

import asyncio
import time
from collections.abc import Collection, Sequence
from typing import NamedTuple, get_args

import aiohttp
import msgspec
import numpy as np
import numpy.typing as npt

from loadtest.audit import books, orders
from loadtest.audit.feed import FeedLog
from loadtest.audit.finding import LieKind, RunAudit, lie
from loadtest.audit.judging import judge_refusals
from loadtest.audit.read_back import ReadBack, read_back
from loadtest.audit.stock import Stock, read_stock
from loadtest.client import Client, UnexpectedAnswer
from loadtest.ledger import CONTRADICTED, ENTRY, LOST, Entries, Told, order_id_of
from loadtest.load import NoRun, Recorded
from loadtest.load_plan import LoadPlan

ORDERS_READ_MAX = 200_000
"""Orders that are looked up; of more, a sample drawn by the run's seed."""
SETTLE_S = 10.0
"""How long books may take to agree: what was still under way at the end of the run is decided meanwhile."""
SETTLE_PAUSE_S = 0.5

Numbers = npt.NDArray[np.int64]

_RANK = {kind: rank for rank, kind in enumerate(get_args(LieKind))}


class Before(NamedTuple):
    """What the service told before the run."""

    stock: Stock | None
    feed: FeedLog


class NotAudited(Exception):
    """The service could not be asked; `status` is what it answered, if it did."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error) or type(error).__name__)
        self.status = error.status if isinstance(error, UnexpectedAnswer) else None


class _Sent(NamedTuple):
    """Orders of the run, and which of them are looked up."""

    kinds: list[Told]
    ids: list[str]
    told: Entries
    chosen: Numbers


class Auditor:
    """Audits one run of `plan`. `skus`: those that it orders, where they are known; else all stock is looked at."""

    def __init__(self, plan: LoadPlan, skus: Collection[str] | None, *, settle_s: float = SETTLE_S) -> None:
        self._plan = plan
        self._skus = skus
        self._settle_s = settle_s
        self._prefix = f"{plan.id_prefix}-"
        bodies = [body for kind in plan.kinds for body in kind.bodies or ()]
        self._known = {order_id for body in bodies if (order_id := order_id_of(body))}

    async def begin(self) -> Before:
        """Notes the stock, and where the feed is. Raises NotAudited."""
        feed = FeedLog(lambda order_id: order_id.startswith(self._prefix) or order_id in self._known)
        try:
            async with self._client() as client:
                await feed.begin(client)
                return Before(await read_stock(client, self._skus), feed)
        except (aiohttp.ClientError, UnexpectedAnswer, TimeoutError, msgspec.DecodeError) as error:
            raise NotAudited(error) from None

    async def end(self, before: Before, run: Recorded, *, moved: Collection[str] = ()) -> RunAudit:
        """What the run's orders were told, held against what there is; `moved` were re-allocated. Raises NotAudited."""
        begun = time.monotonic()
        try:
            async with self._client() as client:
                audit = await self._look(client, before, run, moved)
        except (aiohttp.ClientError, UnexpectedAnswer, NoRun, TimeoutError, msgspec.DecodeError) as error:
            raise NotAudited(error) from None
        return msgspec.structs.replace(audit, seconds=time.monotonic() - begun)

    def _client(self) -> Client:
        plan = self._plan
        return Client(plan.url, connections=2, key=plan.key, signing_secret=plan.signing_secret)

    async def _look(self, client: Client, before: Before, run: Recorded, moved: Collection[str]) -> RunAudit:
        sent = self._sent(run)
        told = sent.told[sent.chosen]
        ids = [sent.ids[at] for at in sent.chosen.tolist()]
        notes: list[str] = []
        if unrecorded := run.result.unrecorded:
            notes.append(f"For {unrecorded:,} answers the ledger of the generator had no room.")
        whole = len(ids) == len(sent.ids) and not unrecorded
        found, after, wrong = await self._settled(client, before, ids, told, complete=whole)
        there = orders.is_there(found.entries)
        read = there | (found.entries["status"] == 404)
        complete = bool(read.all()) and whole
        if not complete:
            notes.append(f"{int(read.sum()):,} of {len(sent.ids):,} orders were looked up: units were not added up.")
        if moved:
            notes.append(f"{len(moved):,} orders were re-allocated: where they ship from was not held against that.")
        if before.feed.gap:
            notes.append(before.feed.gap)
        if before.feed.foreign:
            notes.append(
                f"Others ordered, too: {len(before.feed.foreign_cells):,} cells were not held against the run's orders."
            )
        lies = orders.order_lies(ids, told, found.entries, moved)
        compared = 0
        if before.stock is None or after is None:
            notes.append("There are too many cells: no stock was held against the orders.")
        else:
            lies += books.oversold(before.stock, after, found.held)
            if complete:
                lies += books.told_of_wrong(wrong, gap=before.feed.gap)
                compared = len({*before.stock, *after} - before.feed.foreign_cells)
        lies += lie("double", list(before.feed.twice), "orders were decided more than once, as the event feed tells")
        judged, refused = await judge_refusals(client, before.stock, after, before.feed, run.ledger, sent.kinds)
        false = [f"{order_id} wanted {sku}" for order_id, sku in judged.false]
        what = "orders were refused for stock although there was enough of it all the time that they were under way"
        lies += lie("false-refusal", false, what)
        if judged.unknown:
            notes.append(f"Of {judged.unknown:,} refusals nothing can be told.")
        lost = orders.is_lost(told)
        return RunAudit(
            acknowledged=int(orders.is_acknowledged(sent.told).sum()),
            read=int(read.sum()),
            unread=len(ids) - int(read.sum()),
            left_out=len(sent.ids) - len(ids),
            lost=int(orders.is_lost(sent.told).sum()),
            lost_held=int((lost & there).sum()),
            units_held=sum(units for row in found.held.values() for units in row.values()) if complete else 0,
            cells=compared,
            events=before.feed.events,
            refused_for_stock=refused,
            refusals_judged=judged.true + len(judged.false),
            refusals_false=len(judged.false),
            refusals_doubtful=judged.doubtful,
            lies=sorted(lies, key=lambda one: _RANK[one.kind]),
            notes=notes,
        )

    def _sent(self, run: Recorded) -> _Sent:
        kinds = list(run.ledger.orders())
        ids = [order_id for one in kinds for order_id in one.ids]
        told = np.concatenate([np.empty(0, ENTRY), *(one.entries for one in kinds)])
        chosen: Numbers = np.arange(len(ids))
        if len(ids) > ORDERS_READ_MAX:
            # Those first of which something is odd.
            odd = np.flatnonzero(orders.has_mark(told, LOST | CONTRADICTED))[:ORDERS_READ_MAX]
            rest = np.setdiff1d(chosen, odd)
            drawn = np.random.default_rng(self._plan.seed).choice(rest, ORDERS_READ_MAX - len(odd), replace=False)
            chosen = np.sort(np.concatenate([odd, drawn]))
        return _Sent(kinds, ids, told, chosen)

    async def _settled(
        self, client: Client, before: Before, ids: Sequence[str], told: Entries, *, complete: bool
    ) -> tuple[ReadBack, Stock | None, books.Wrong]:
        """Orders and stock, read until they agree or `settle_s` is over: a cell is wrong that was wrong each time."""
        ends = time.monotonic() + self._settle_s
        wrong: books.Wrong | None = None
        while True:
            found = ReadBack(np.empty(0, ENTRY), {})
            if ids:
                found = await self._read_back(ids)
            after = None if before.stock is None else await read_stock(client, self._skus)
            await before.feed.read(client)
            if before.stock is None or after is None or not complete:
                return found, after, {}
            held = found.held
            if former := [ids[at] for at in _replayed(told).tolist() if ids[at] not in before.feed.decided_ms]:
                # A trace that was played before: what those orders hold was reserved then.
                held = books.less(held, (await self._read_back(former)).held)
            others = before.feed.foreign_cells
            now = books.wrong_cells(before.stock, after, held, asked=self._skus, passed_over=others)
            wrong = now if wrong is None else {key: units for key, units in now.items() if key in wrong}
            if not wrong or time.monotonic() > ends:
                return found, after, wrong
            await asyncio.sleep(SETTLE_PAUSE_S)

    async def _read_back(self, ids: Sequence[str]) -> ReadBack:
        plan = self._plan
        return await read_back(
            plan.url, ids, connections=plan.connections, key=plan.key, signing_secret=plan.signing_secret
        )


def _replayed(told: Entries) -> Numbers:
    """Places of orders that were first heard of as known already."""
    return np.flatnonzero(orders.is_acknowledged(told) & (told["status"] == 200))
