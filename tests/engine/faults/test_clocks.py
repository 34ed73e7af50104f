"""Clocks that jump: the store's decides about holds and leases, ours about nothing, and neither loses a unit."""

import asyncio
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from engine import Engine
from engine.intake import clock as clock_module
from engine.intake.clock import StoreClock
from engine.intake.commit import LEASE_MS
from engine.planner import Record
from engine.store.keys import partition_keys
from engine.store.packed import packed_strings
from tests.engine.small_network import assert_balanced, order, put_network, reserved
from tests.engine.store.by_hand import Args, pack, unpack
from tests.simulation.store import START_MS, SimulatedServer

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
NEAR_MS = 2_000
WAIT_S = 10.0


@pytest.mark.parametrize("jump_ms", [DAY_MS, -DAY_MS])
async def test_a_jump_of_the_services_clock_is_seen_by_no_order(
    engine: Engine, client: Redis, monkeypatch: pytest.MonkeyPatch, jump_ms: int
) -> None:
    """Neither in what its record says of its time nor in when its hold ends."""
    await put_network(engine, {("x", "A"): 10})
    reserved(await engine.reserve(order("before", ("x", 1))))
    pending = {"payment": "pending", "hold_seconds": 1}
    reserved(await engine.reserve(order("short", ("x", 1), **pending)))
    clocks = {name: jumped(getattr(time, name), jump_ms) for name in ("time", "time_ns")}
    monkeypatch.setattr(clock_module, "time", SimpleNamespace(monotonic_ns=time.monotonic_ns, **clocks))
    for name, clock in clocks.items():
        monkeypatch.setattr(time, name, clock)
    reserved(await engine.reserve(order("after", ("x", 1))))
    reserved(await engine.reserve(order("long", ("x", 1), payment="pending", hold_seconds=60)))
    async with asyncio.timeout(WAIT_S):
        while (await record(engine, "short")).status != "expired":
            await asyncio.sleep(0.02)
    assert (await record(engine, "long")).status == "reserved"
    seconds, _ = await client.time()
    for order_id in ("before", "after", "long", "short"):
        assert abs((await record(engine, order_id)).reserved_ms - seconds * 1000) < WAIT_S * 1000
    await assert_balanced(engine, units_reserved=3)


def jumped(clock: Callable[[], Any], jump_ms: int) -> Callable[[], Any]:
    """A clock that somebody has set."""
    by = jump_ms * 1_000_000 if clock is time.time_ns else jump_ms / 1000
    return lambda: clock() + by


async def record(engine: Engine, order_id: str) -> Record:
    """An order's record."""
    (stored,) = await engine.store.read_orders([order_id])
    assert stored is not None
    return Record(stored)


def test_the_reckoned_clock_follows_the_stores_wherever_that_goes() -> None:
    """One reply is enough."""
    clock = StoreClock()
    assert abs(clock.now_ms() - time.time_ns() // 1_000_000) < NEAR_MS
    for now_ms in (START_MS, START_MS + DAY_MS, START_MS - DAY_MS):
        clock.hear([(0, now_ms, b"0-0", b"", b"", [])])
        assert 0 <= clock.now_ms() - now_ms < NEAR_MS


class Ledger:
    """One partition on an imitated server, as one process uses it."""

    def __init__(self, server: SimulatedServer, writer: str) -> None:
        self.server = server
        self.keys = [getattr(partition_keys("stockade", 0), name) for name in partition_keys("s", 0).__struct_fields__]
        self.writer = writer
        self.open()

    def open(self) -> None:
        """Begin a generation."""
        reply = self.server.call("stockade_open", self.keys, ["candidate", self.writer, 1, 0])
        self.epoch, _, self.generation, *_ = reply
        self.committed = 0

    def call(self, function: str, *args: Any) -> Any:
        """A call of this partition."""
        return self.server.call(f"stockade_{function}", self.keys, [self.epoch, self.writer, *args])

    def ticketed(self, function: str, *args: Any) -> Any:
        """A call that counts once."""
        tickets = (b"%b:%d" % (self.generation, number) for number in (self.committed, self.committed + 1))
        reply = self.call(function, *tickets, *args)
        self.committed += 1
        return reply

    def commit(self, args: Args, attempts: bytes = b"") -> bytes:
        """The outcomes of a commit."""
        outcomes = self.ticketed("commit", *args.packed()[:-1], attempts)[2]
        assert isinstance(outcomes, bytes)
        return outcomes

    def free(self, cell: int) -> int:
        """What is free."""
        _, free, *_ = self.call("read_cells", pack([str(cell)]))
        return int(unpack(free)[0])


@pytest.fixture
def imitation() -> SimulatedServer:
    """A server whose clock the test sets."""
    return SimulatedServer()


@pytest.fixture
def ledger(imitation: SimulatedServer) -> Ledger:
    """A partition with ten units of cell 1."""
    one = Ledger(imitation, "one")
    one.call("set_stock", pack(["1"]), pack([10]), pack([0]))
    return one


def test_a_hold_ends_once_whatever_the_clock_does(imitation: SimulatedServer, ledger: Ledger) -> None:
    """Set back, it lasts longer; set forward, it ends; set back again, it stays ended."""
    ledger.commit(Args().order("one", (1, 3), hold_ms=HOUR_MS))
    imitation.clock_ms -= DAY_MS
    assert (ledger.call("expire", 10), ledger.free(1)) == (0, 7)
    imitation.clock_ms += DAY_MS + HOUR_MS
    assert (ledger.call("expire", 10), ledger.free(1)) == (1, 10)
    imitation.clock_ms -= DAY_MS
    assert (ledger.call("expire", 10), ledger.free(1)) == (0, 10)
    assert ledger.commit(Args().order("one", (1, 3), hold_ms=HOUR_MS)) == b"R"
    letter, *_ = ledger.call("transition", "confirm", "one", "t", "", pack(None))
    assert (letter, ledger.free(1)) == (b"F", 10)


def test_events_stay_in_order_while_the_clock_goes_back(imitation: SimulatedServer, ledger: Ledger) -> None:
    """Followers and views go by ids; the numbers have no gap."""
    for number in range(4):
        assert ledger.commit(Args().order(f"o{number}", (1, 1))) == b""
        imitation.clock_ms -= HOUR_MS
    entries = imitation.xrange(partition_keys("stockade", 0).events)
    ids = [tuple(int(part) for part in entry_id.split(b"-")) for entry_id, _ in entries]
    assert ids == sorted(set(ids))
    assert [int(fields[b"n"]) for _, fields in entries] == list(range(1, 6))
    assert ledger.call("read_cells", pack(["1"]))[0] == entries[-1][0]


@pytest.mark.parametrize("jump_ms", [-DAY_MS, -1, 0, 2 * DAY_MS])
def test_no_commit_of_a_former_generation_counts_whatever_the_clock_does(
    imitation: SimulatedServer, ledger: Ledger, jump_ms: int
) -> None:
    """Generations are numbered by the clock, but never twice and never lower."""
    ledger.commit(Args().order("first", (1, 1)))
    late = Ledger(imitation, "one")
    imitation.clock_ms += jump_ms
    ledger.open()
    assert int(ledger.generation) > int(late.generation)
    with pytest.raises(ResponseError, match="FENCED"):
        late.commit(Args().order("late", (1, 1)))
    # A process that is silent for long is forgotten; it is refused, and opens anew.
    other = Ledger(imitation, "other")
    imitation.clock_ms += 10 * DAY_MS
    ledger.open()
    with pytest.raises(ResponseError, match="FENCED"):
        other.commit(Args().order("forgotten", (1, 1)))
    other.open()
    assert other.commit(Args().order("again", (1, 1))) == b""
    assert ledger.commit(Args().order("second", (1, 1))) == b""
    assert ledger.free(1) == 7


@pytest.mark.parametrize("jump_ms", [-DAY_MS, -LEASE_MS, LEASE_MS, DAY_MS])
def test_a_lease_ends_once_whatever_the_clock_does(imitation: SimulatedServer, ledger: Ledger, jump_ms: int) -> None:
    """Once refused, it is never decided for, and its units are given back once."""
    kept = pack(["order", 0, [1, 4], []])
    prepare = [pack(["1"]), pack([4]), b"", pack(["attempt"]), packed_strings([b"attempt", kept]), pack([1, 1, 4])]
    assert ledger.ticketed("prepare", *prepare, LEASE_MS, "")[2] == b""
    assert ledger.free(1) == 6
    imitation.clock_ms += jump_ms
    leases, _ = ledger.call("due", 10)
    assert bool(leases) == (jump_ms >= LEASE_MS)
    home = Ledger(imitation.new_database(), "one")
    home.server.clock_ms = imitation.clock_ms
    home.call("set_stock", pack(["2"]), pack([10]), pack([0]))
    refused = home.call("refuse", pack(["order", "attempt"]))
    assert refused == [b""]
    home.server.clock_ms -= jump_ms
    assert home.commit(Args().order("order", (2, 1)), pack([1, "attempt"])) == b"X"
    assert home.free(2) == 10
    for _ in range(2):
        ledger.call("follow", pack(["attempt"]), packed_strings([]))
        assert ledger.free(1) == 10
