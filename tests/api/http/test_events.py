"""The event feed over real sockets: pages, streams that go on where they broke off, readers that do not read."""

import contextlib
import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from api.http.events import STREAMS_MAX
from engine.feed.cursor import Cursor
from engine.store import Place
from tests.api.conftest import Door, Shop
from tests.api.guarded import bearer, operator_of, seconds_until
from tests.conftest import Service

WAIT_S = 20.0
SOON_S = 2.0


def page(door: Door, query: str = "") -> dict[str, Any]:
    """One page."""
    answer = door.call("GET", f"/v1/events?{query}")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json"), answer.body
    return answer.json


def now(door: Door) -> str:
    """The cursor of this moment."""
    return page(door, "after=$")["cursor"]


class Stream:
    """A stream of server-sent events on a socket of its own."""

    def __init__(self, door: Door, query: str = "", **headers: str) -> None:
        host, port = door.address.split(":")
        self.socket = socket.create_connection((host, int(port)), timeout=WAIT_S)
        lines = [f"GET /v1/events?{query} HTTP/1.1", f"Host: {door.address}", "Accept: text/event-stream"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self.socket.sendall("\r\n".join([*lines, "", ""]).encode())
        self._reader = self.socket.makefile("rb")
        self.status = int(self._reader.readline().split()[1])
        self.headers = {}
        while line := self._reader.readline().strip():
            name, _, value = line.decode().partition(": ")
            self.headers[name] = value

    def blocks(self) -> Iterator[dict[str, str]]:
        """Blocks of the stream: fields by name, a comment under no name; until it ends."""
        body = self._body()
        block: dict[str, str] = {}
        for line in body:
            if line:
                name, _, value = line.partition(": " if not line.startswith(":") else " ")
                block[name.strip(":")] = value
            elif block:
                yield block
                block = {}

    def events(self, count: int) -> list[tuple[str, dict[str, Any]]]:
        """The next events, each with its id."""
        found = []
        for block in self.blocks():
            if "data" in block:
                found.append((block["id"], json.loads(block["data"])))
            if len(found) == count:
                break
        return found

    def _body(self) -> Iterator[str]:
        rest = b""
        while size := int(self._reader.readline() or b"0", 16):
            *lines, rest = (rest + self._reader.read(size)).split(b"\n")
            self._reader.readline()
            yield from (line.decode() for line in lines)

    def close(self) -> None:
        """Hang up."""
        self._reader.close()
        self.socket.close()


def test_pages_lead_from_one_to_the_next(door: Door, shop: Shop) -> None:
    """What a shop did, in its order, in pages of one."""
    cursor = now(door)
    sku = shop.sku(on_hand={shop.warehouse(): 9})
    order_id = shop.reserve((sku, 2))["order_id"]
    events = []
    while found := page(door, f"after={cursor}&limit=1")["events"]:
        (event,) = found
        events.append(event)
        cursor = event["cursor"]
    own = [event for event in events if any(cell["sku"] == sku for cell in event["cells"])]
    assert [(event["type"], event["orders"]) for event in own] == [("count", []), ("commit", [order_id])]
    assert own[0]["cells"] == [{"sku": sku, "warehouse": f"{shop.name}-W", "taken": -9, "on_hand_change": 9}]
    assert own[1]["cells"] == [{"sku": sku, "warehouse": f"{shop.name}-W", "taken": 2, "on_hand_change": 0}]
    assert own[1]["at"].endswith("Z")


def test_a_wait_ends_with_the_first_event(door: Door, shop: Shop) -> None:
    """Or with its time, and then with the same cursor."""
    sku = shop.sku(on_hand={shop.warehouse(): 9})
    cursor = now(door)
    answers = door.call_at_once(
        [("GET", f"/v1/events?after={cursor}&wait_ms=20000", None), ("POST", "/v1/orders", shop.order((sku, 1)))]
    )
    assert answers[0].json["events"][0]["type"] == "commit"
    cursor = now(door)
    assert page(door, f"after={cursor}&wait_ms=10") == {"events": [], "cursor": cursor}


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("after=nonsense", "/after"),
        ("limit=0", "/limit"),
        ("limit=501", "/limit"),
        ("limit=-1", "/limit"),
        ("limit=%C2%B2", "/limit"),
        ("wait_ms=30001", "/wait_ms"),
        ("wait_ms=1&wait_ms=2", "/wait_ms"),
        ("since=1", "/since"),
    ],
)
@pytest.mark.parametrize("accept", ["application/json", "text/event-stream"])
def test_a_strange_query_is_refused(door: Door, query: str, pointer: str, accept: str) -> None:
    """Before a stream begins, too."""
    answer = door.call("GET", f"/v1/events?{query}", headers={"Accept": accept})
    answer.problem(422, "invalid-request")
    assert answer.pointers() == [pointer]


@pytest.mark.parametrize("accept", ["application/json", "text/event-stream"])
def test_a_cursor_that_leads_nowhere_is_answered_with_where_to_begin(door: Door, shop: Shop, accept: str) -> None:
    """410: it will never lead anywhere again."""
    shop.sku(on_hand={shop.warehouse(): 9})
    stranger = Cursor(b"other!", (Place(b"1-0", 1),)).text()
    found = door.call("GET", f"/v1/events?after={stranger}", headers={"Accept": accept}).problem(410, "cursor-expired")
    assert page(door, f"after={found['oldest']}&limit=1")["events"] == page(door, "limit=1")["events"]


def test_a_stream_brings_what_comes_and_goes_on_after_a_break(door: Door, shop: Shop) -> None:
    """Each event with its cursor as id; the header of a reconnect goes before the address."""
    sku = shop.sku(on_hand={shop.warehouse(): 9})
    cursor = now(door)
    with contextlib.closing(Stream(door, f"after={quote(cursor)}")) as stream:
        assert (stream.status, stream.headers["Content-Type"]) == (200, "text/event-stream")
        blocks = stream.blocks()
        assert [next(blocks), next(blocks)] == [{"retry": "1000"}, {"": "still here"}]
        sold = [shop.reserve((sku, 1))["order_id"] for _ in range(3)]
        events = stream.events(3)
    assert [event["orders"] for _, event in events] == [[order_id] for order_id in sold]
    assert [name for name, _ in events] == [event["cursor"] for _, event in events]
    with contextlib.closing(Stream(door, f"after={quote(cursor)}", Last_Event_ID=events[0][0])) as stream:
        assert stream.events(2) == events[1:]


def test_streams_have_a_limit_and_one_that_closed_makes_room(door: Door) -> None:
    """One more is told to come back; a reader that went is noticed though nothing happens."""
    with contextlib.ExitStack() as stack:
        # Those of other tests may count for a moment longer.
        statuses = [stack.enter_context(contextlib.closing(Stream(door, "after=$"))).status for _ in range(STREAMS_MAX)]
        assert STREAMS_MAX / 3 < statuses.count(200) < STREAMS_MAX * 3 / 4
        assert stack.enter_context(contextlib.closing(Stream(door, "after=$"))).status == 503
        answer = door.call("GET", "/v1/events", headers={"Accept": "text/event-stream"})
        answer.problem(503, "overloaded")
        assert answer.headers["Retry-After"] == "5"
    deadline = time.monotonic() + WAIT_S
    while True:
        with contextlib.closing(Stream(door, "after=$")) as stream:
            if stream.status == 200:
                return
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_no_key_has_all_streams(tmp_path: Path) -> None:
    """One alone has half of them; the next one as many as are left then."""
    with contextlib.ExitStack() as stack:
        guarded = Service(tmp_path / "store")
        stack.callback(guarded.stop)
        door, operator = Door(guarded.start()), operator_of(guarded.data_dir)
        opened = []
        for name in ("greedy", "other"):
            key = operator.create("read", name=name)
            seconds_until(lambda key=key: door.call("GET", "/v1/tariff", headers=bearer(key)).status != 401)

            def ask(key: str = key) -> int:
                return stack.enter_context(contextlib.closing(Stream(door, "after=$", **bearer(key)))).status

            seconds_until(lambda ask=ask: ask() == 200)
            statuses = [200, *(ask() for _ in range(STREAMS_MAX * 3 // 4))]
            assert set(statuses) == {200, 503}, (name, opened, statuses)
            opened.append(statuses.count(200))
        # On a busy machine a stream may end meanwhile, and make room for another.
        assert STREAMS_MAX // 2 <= opened[0] < STREAMS_MAX * 3 // 4
        assert STREAMS_MAX // 8 < opened[1] < STREAMS_MAX // 2


def test_readers_that_do_not_read_hold_up_neither_the_service_nor_its_end(service: Service) -> None:
    """Megabytes wait for them; the service keeps a page for each and goes on; and stops when it is told to."""
    door = Door(service.start())
    shop = Shop(door, "S")
    warehouse = shop.warehouse()
    skus = [shop.sku(f"{number:0100}") for number in range(200)]
    for units in range(300):
        door.put("/v1/stock", [{"sku": sku, "warehouse": warehouse, "on_hand": 500 + units} for sku in skus])
    with contextlib.ExitStack() as stack:
        for _ in range(5):
            assert stack.enter_context(contextlib.closing(Stream(door))).status == 200
        idle = stack.enter_context(contextlib.closing(Stream(door, "after=$")))
        began = time.monotonic()
        for _ in range(20):
            shop.reserve((skus[0], 1))
        assert time.monotonic() - began < SOON_S * 5
        assert len(idle.events(20)) == 20
        assert service.process is not None
        service.process.terminate()
        assert service.process.wait(WAIT_S / 4) == 0
        assert list(idle.blocks()) in ([], [{"": "still here"}])
