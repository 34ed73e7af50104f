"""What the event feed tells of a run: which orders were decided and when, and what was taken from each cell."""

import time
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import quote

import msgspec
from msgspec import Struct

from loadtest.audit.stock import Key
from loadtest.client import Client, UnexpectedAnswer

PAGE_EVENTS = 500
EVENTS_MAX = 500_000
"""Events that are read; a longer run is audited without them."""
READ_S_MAX = 60.0

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class _Change(Struct):
    sku: str
    warehouse: str
    taken: int
    channel: str | None = None


class _Event(Struct):
    type: str
    at: datetime
    orders: list[str]
    cells: list[_Change]


class _Page(Struct):
    events: list[_Event]
    cursor: str


_page = msgspec.json.Decoder(_Page)


class Change(Struct, frozen=True):
    """Units that left what is free to all in a cell (negative: came back), and when by the store's clock."""

    at_ms: int
    warehouse: str
    taken: int


class FeedLog:
    """The events since a run began. `mine` says of an order's id whether it is one of the run's."""

    def __init__(self, mine: Callable[[str], bool]) -> None:
        self._mine = mine
        self.events = 0
        self.gap: str | None = None
        """Why events are missing; None while all were read."""
        self.decided_ms: dict[str, int] = {}
        """When each order of the run was decided, by the store's clock."""
        self.twice: Counter[str] = Counter()
        """Orders of the run that were decided again, and how often."""
        self.changes: defaultdict[str, list[Change]] = defaultdict(list)
        """Changes of free units by SKU, in their order."""
        self.foreign = 0
        """Times that an order of others was decided or changed."""
        self.foreign_cells: set[Key] = set()
        """Cells that changed together with those."""
        self._cursor: str | None = None

    async def begin(self, client: Client) -> None:
        """From now on. Where the feed may not be read, there is a gap from the beginning."""
        try:
            self._cursor = _page.decode(await client.get_bytes("/v1/events?after=$&limit=1")).cursor
        except UnexpectedAnswer as error:
            self._miss(error)

    async def read(self, client: Client) -> None:
        """All that came since."""
        ends = time.monotonic() + READ_S_MAX
        while self.gap is None and self._cursor is not None:
            try:
                path = f"/v1/events?limit={PAGE_EVENTS}&after={quote(self._cursor, safe='')}"
                page = _page.decode(await client.get_bytes(path))
            except UnexpectedAnswer as error:
                self._miss(error)
                return
            for event in page.events:
                self._take(event)
            self._cursor = page.cursor
            if not page.events:
                return
            if self.events > EVENTS_MAX or time.monotonic() > ends:
                self.gap = f"The event feed was read for {self.events:,} events only."

    def _miss(self, error: UnexpectedAnswer) -> None:
        reasons = {403: "the key may not read it", 410: "events of the run are gone already"}
        self.gap = f"The event feed could not be read: {reasons.get(error.status, str(error))}."

    def _take(self, event: _Event) -> None:
        self.events += 1
        at_ms = round((event.at - _EPOCH).total_seconds() * 1_000)
        others = 0
        for order_id in event.orders:
            if not self._mine(order_id):
                others += 1
            elif event.type == "commit":
                if order_id in self.decided_ms:
                    self.twice[order_id] += 1
                self.decided_ms.setdefault(order_id, at_ms)
        self.foreign += others
        for cell in event.cells:
            if others:
                self.foreign_cells.add((cell.sku, cell.warehouse))
            if cell.channel is None and cell.taken:
                self.changes[cell.sku].append(Change(at_ms, cell.warehouse, cell.taken))
