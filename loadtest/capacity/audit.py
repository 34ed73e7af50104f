"""The audit of a whole run of many points: what orders were told, held against what the service has, over HTTP.

Like that of a single run (loadtest/audit), but bounded in time, and without the event feed, which is shorter than such
a run: that no order was decided twice is left to the books, which then do not add up.
"""

import asyncio
import math
import time
from collections.abc import Collection
from typing import NamedTuple

import aiohttp
import msgspec
import numpy as np

from loadtest.audit import books, orders
from loadtest.audit.finding import Lie, RunAudit, lie
from loadtest.audit.read_back import CONNECTIONS, ReadBack, read_back
from loadtest.audit.stock import Stock, read_stock
from loadtest.capacity.measure import Rig
from loadtest.capacity.workload import Workload
from loadtest.client import UnexpectedAnswer
from loadtest.ledger import CONTRADICTED, ENTRY, FOR_STOCK, LOST, UNREADABLE, Entries
from loadtest.load import NoRun, Recorded

ORDERS_READ_MAX = 200_000
CHUNK = 5_000
"""Orders that are looked up between two looks at the clock."""
SETTLE_S, SETTLE_PAUSE_S = 10.0, 0.5
FAILED = (aiohttp.ClientError, UnexpectedAnswer, NoRun, TimeoutError, msgspec.DecodeError)


class _Part(NamedTuple):
    """Orders of one kind of one point."""

    prefix: str
    numbers: np.ndarray
    entries: Entries


class CampaignAudit:
    """Keeps what each point's orders were told. `alone`: nobody else orders of the service."""

    def __init__(self, rig: Rig, workload: Workload, *, seed: int, alone: bool, settle_s: float = SETTLE_S) -> None:
        self._rig = rig
        self._workload = workload
        self._skus: Collection[str] = set(workload.goods.skus)
        self._seed = seed
        self._alone = alone
        self._settle_s = settle_s
        self._before: Stock | None = None
        self._parts: list[_Part] = []
        self._unrecorded = 0

    async def begin(self) -> None:
        """Notes the stock. Raises UnexpectedAnswer, or aiohttp.ClientError."""
        self._before = await read_stock(self._rig.client, self._skus)

    def add(self, id_prefix: str, recorded: Recorded) -> None:
        """A point that was run."""
        self._unrecorded += recorded.result.unrecorded
        for told in recorded.ledger.orders():
            # Names are made anew of those that are looked up: kept, they would take ten times as much.
            self._parts.append(_Part(f"{id_prefix}-{told.kind}-", told.numbers, told.entries.copy()))

    @property
    def acknowledged(self) -> int:
        """Orders."""
        return sum(int(orders.is_acknowledged(part.entries).sum()) for part in self._parts)

    async def end(self, seconds_max: float) -> RunAudit:
        """What was found. So many orders are looked up as can be in that time, odd ones first, then drawn ones."""
        begun = time.monotonic()
        try:
            audit = await self._look(begun, seconds_max)
        except FAILED as error:
            audit = RunAudit(broken=str(error) or type(error).__name__)
        return msgspec.structs.replace(audit, seconds=time.monotonic() - begun)

    async def _look(self, begun: float, seconds_max: float) -> RunAudit:
        told = np.concatenate([np.empty(0, ENTRY), *(part.entries for part in self._parts)])
        chosen = self._order_of(told)
        ids, found, held = await self._read(chosen, begun + seconds_max)
        told_here = told[chosen[: len(ids)]]
        read = orders.is_there(found) | (found["status"] == 404)
        whole = len(ids) == len(told) and bool(read.all()) and not self._unrecorded
        lies = orders.order_lies(ids, told_here, found)
        notes = [] if whole else [f"{int(read.sum()):,} of {len(told):,} orders were looked up, drawn by the seed."]
        if self._unrecorded:
            notes.append(f"For {self._unrecorded:,} answers the ledger of the generator had no room.")
        after, wrong = await self._stock(held, chosen[: len(ids)], whole=whole and self._alone)
        cells = 0
        if self._before is None or after is None:
            notes.append("There are too many cells: no stock was held against the orders.")
        else:
            lies += books.oversold(self._before, after, held)
            cells = len(after)
            lies += books.told_of_wrong(wrong, gap=None)
        refused = int(orders.has_mark(told, FOR_STOCK).sum())
        false, judged = self._refusals(told, refused)
        lies += false
        if refused and not judged:
            notes.append("Whether refusals for stock were true cannot be told: more was sent than was there.")
        lost = orders.is_lost(told_here)
        return RunAudit(
            acknowledged=self.acknowledged,
            read=int(read.sum()),
            unread=len(ids) - int(read.sum()),
            left_out=len(told) - len(ids),
            lost=int(orders.is_lost(told).sum()),
            lost_held=int((lost & orders.is_there(found)).sum()),
            units_held=sum(units for row in held.values() for units in row.values()) if whole else 0,
            cells=cells,
            refused_for_stock=refused,
            refusals_judged=refused if judged else 0,
            refusals_false=refused if judged else 0,
            lies=lies,
            notes=notes,
        )

    def _order_of(self, told: Entries) -> np.ndarray:
        odd = np.flatnonzero(orders.has_mark(told, LOST | CONTRADICTED | UNREADABLE))
        rest = np.random.default_rng(self._seed).permutation(np.setdiff1d(np.arange(len(told)), odd))
        return np.concatenate([odd, rest]).astype(np.int64)[:ORDERS_READ_MAX]

    async def _read(self, chosen: np.ndarray, ends_s: float) -> tuple[list[str], Entries, dict[str, dict[str, int]]]:
        """Ids, in the order of `chosen`, of as many as there was time for; what was found of them, and holds."""
        ids: list[str] = []
        found = ReadBack(np.empty(0, ENTRY), {})
        starts = np.cumsum([0, *(len(part.numbers) for part in self._parts)])
        entries, held = [found.entries], dict[str, dict[str, int]]()
        for first in range(0, len(chosen), CHUNK):
            if first and time.monotonic() > ends_s:
                break
            names = []
            for at in chosen[first : first + CHUNK].tolist():
                place = int(np.searchsorted(starts, at, side="right")) - 1
                part = self._parts[place]
                names.append(f"{part.prefix}{part.numbers[at - starts[place]]}")
            key, secret = self._workload.key, self._workload.signing_secret
            found = await read_back(self._rig.url, names, connections=CONNECTIONS, key=key, signing_secret=secret)
            ids += names
            entries.append(found.entries)
            for sku, row in found.held.items():
                into = held.setdefault(sku, {})
                for warehouse, units in row.items():
                    into[warehouse] = into.get(warehouse, 0) + units
        return ids, np.concatenate(entries), held

    async def _stock(
        self, held: dict[str, dict[str, int]], chosen: np.ndarray, *, whole: bool
    ) -> tuple[Stock | None, books.Wrong]:
        """The stock now, and cells that were wrong each time; those only where all orders, `chosen`, were read.

        Where holds end by themselves, orders that were read before the stock may have let go of theirs since: then they
        are read again.
        """
        ends = time.monotonic() + self._settle_s
        wrong: books.Wrong | None = None
        while True:
            after = await read_stock(self._rig.client, self._skus)
            if self._before is None or after is None or not whole:
                return after, {}
            now = books.wrong_cells(self._before, after, held, asked=self._skus, passed_over=set())
            wrong = now if wrong is None else {key: units for key, units in now.items() if key in wrong}
            if not wrong or time.monotonic() > ends:
                return after, wrong
            await asyncio.sleep(SETTLE_PAUSE_S)
            if self._workload.ends_holds:
                _, _, held = await self._read(chosen, math.inf)

    def _refusals(self, told: Entries, refused: int) -> tuple[list[Lie], bool]:
        """A refusal for stock is untrue where all that was ever sent could have been had from any cell."""
        if not self._before or not refused:
            return [], False
        least = min(cell.available for cell in self._before.values())
        if len(told) * self._workload.units_max > least:
            return [], False
        what = "orders were refused for stock although every cell had enough for all that were sent"
        return lie("false-refusal", [], what, refused), True
