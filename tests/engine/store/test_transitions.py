"""Transitions of orders as the store decides them: by state, by id, in races."""

import asyncio
from typing import Any

import pytest
from redis.asyncio import Redis

from engine.planner import Record
from engine.store import Replacement, Step, StepReply, Store
from tests.engine.store.by_hand import LONG_HOLD_MS, Args, body, commit, events, fields, free, opened
from tests.engine.store.three import step

FOUR_OF_TEN = {1: 4}

STATES = {
    "reserved": [],
    "confirmed": [("confirm", "")],
    "partially_shipped": [("confirm", ""), ("ship", [1, 1])],
    "shipped": [("confirm", ""), ("ship", [])],
    "released": [("cancel", "")],
    "expired": [("expire", "")],
}
"""How an unpaid order gets into each state."""

TABLE = {
    # state:             confirm, cancel, extend, ship
    "reserved": "AAAF",
    "confirmed": "RAFA",
    "partially_shipped": "RFFA",
    "shipped": "RFFF",
    "released": "FRFF",
    "expired": "FFFF",
}
WHATS: tuple[Step, ...] = ("confirm", "cancel", "extend", "ship")
AFTER = {"confirm": "confirmed", "cancel": "released", "extend": "reserved", "ship": "shipped"}
DETAILS: dict[str, Any] = {"confirm": "", "cancel": "", "extend": LONG_HOLD_MS, "ship": []}


async def put(store: Store, client: Redis, state: str) -> None:
    """An order "one" that holds four of ten, in a state."""
    await store.partitions[0].movements.set_stock([1], [10], [0])
    hold_ms = 1 if state == "expired" else LONG_HOLD_MS
    reply = await commit(store, Args(limits={"7:ann": 9}).order("one", (1, 4), ("7:ann", 4), hold_ms=hold_ms))
    assert reply.outcomes == b""
    for number, (what, detail) in enumerate(STATES[state]):
        if what == "expire":
            await until(client, reply.now_ms + 1)
            assert await store.partitions[0].orders.expire(10) == 1
        else:
            assert (await step(store, what, "one", f"made-{number}", detail)).letter == "A"


async def until(client: Redis, moment_ms: int) -> None:
    """Return when the store's clock is past a moment."""
    while True:
        seconds, micros = await client.time()
        if seconds * 1000 + micros // 1000 > moment_ms:
            return


@pytest.mark.parametrize("state", TABLE)
@pytest.mark.parametrize("what", WHATS)
async def test_each_state_allows_what_the_table_says(store: Store, client: Redis, state: str, what: Step) -> None:
    """Done, done already, or forbidden with the state found; nothing is done twice, and nothing by halves."""
    await put(store, client, state)
    before = Record((await store.read_orders(["one"]))[0] or b"")
    entries = len(await events(client))
    reply = await step(store, what, "one", "t", DETAILS[what])
    assert reply.letter == TABLE[state][WHATS.index(what)]
    found = Record(reply.record)
    assert reply.record == (await store.read_orders(["one"]))[0]
    if reply.letter == "A":
        assert (found.status, found.version) == (AFTER[what], before.version + 1)
        assert len(await events(client)) == entries + 1
    else:
        assert (found.status, found.version) == (before.status, before.version)
        assert len(await events(client)) == entries
    again = await step(store, what, "one", "t", DETAILS[what])
    assert (again.letter, again.record) == ("R" if reply.letter == "A" else reply.letter, reply.record)
    await assert_books(store, client)


async def assert_books(store: Store, client: Redis) -> None:
    """The one cell and the one counter are what the one record says, and so are the totals."""
    record = Record((await store.read_orders(["one"]))[0] or b"")
    _, (row,) = await store.partitions[0].cells.read([1])
    left = sum(units for _, units in record.shipped)
    assert (row.free, row.on_hand) == (10 - left - sum(units for _, units in record.held), 10 - left)
    counted = 0 if record.status in ("released", "expired") else 4
    assert int((await fields(client, "counters"))[b"7:ann"]) == counted
    totals = (await store.partitions[0].cells.touched(b"0-0", 100)).totals
    assert (totals.free, totals.on_hand, totals.sequence) == (row.free, row.on_hand, totals.events)
    assert (b"one" in await client.zrange("stockade:{p0}:holds", 0, -1)) is (record.status == "reserved")


@pytest.mark.parametrize("what", WHATS)
async def test_a_hold_whose_time_is_up_is_over_though_nobody_swept(store: Store, client: Redis, what: Step) -> None:
    """Whoever comes first ends it, and is told."""
    await store.partitions[0].movements.set_stock([1], [10], [0])
    reply = await commit(store, Args().order("one", (1, 4), hold_ms=1))
    await until(client, reply.now_ms + 1)
    late = await step(store, what, "one", "t", DETAILS[what])
    assert (late.letter, Record(late.record).status, Record(late.record).version) == ("F", "expired", 2)
    assert await free(store, 1) == [10]
    assert await store.partitions[0].orders.expire(10) == 0
    assert [entry[b"t"] for entry in await events(client)][-1] == b"expire"


async def test_no_such_order(store: Store, client: Redis) -> None:
    """An answer without a record; a record that cannot be read comes with it."""
    assert (await step(store, "confirm", "none", "t")).record == b""
    await client.hset("stockade:{p0}:orders", "torn", "nonsense")
    torn = await step(store, "confirm", "torn", "t")
    assert (torn.letter, torn.record) == ("N", b"nonsense")


async def test_one_id_names_one_content_of_one_kind(store: Store, client: Redis) -> None:
    """Another content under it is told; another kind is another transition."""
    await put(store, client, "confirmed")
    orders = store.partitions[0].orders

    async def ship(transition: str, units: int) -> str:
        return (await orders.step("ship", "one", transition, version=None, detail=[1, units])).letter

    assert [await ship("ship:t=a", 1), await ship("ship:t=b", 2), await ship("ship:t=a", 1)] == ["A", "D", "R"]
    assert [await ship("ship:t=c=a", 1), await ship("ship:u", 1), await ship("ship:u", 1)] == ["A", "A", "R"]
    assert (await step(store, "confirm", "one", "t")).letter == "R"
    await assert_books(store, client)


async def test_more_than_is_held_does_not_leave(store: Store, client: Redis) -> None:
    """Nor none, nor less, nor from elsewhere; whatever of it would do."""
    await put(store, client, "confirmed")
    for wanted in ([1, 5], [1, 3, 1, 2], [1, 1, 2, 1], [1, 0], [1, -1]):
        assert (await step(store, "ship", "one", "t", wanted)).letter == "Q"
    await assert_books(store, client)
    assert (await step(store, "ship", "one", "t", [1, 3, 1, 1])).letter == "A"
    await assert_books(store, client)


async def test_the_version_is_checked_after_what_was_done(store: Store, client: Redis) -> None:
    """A retry carries the version from before."""
    await put(store, client, "reserved")
    orders = store.partitions[0].orders

    async def extend(transition: str, version: int) -> str:
        return (await orders.step("extend", "one", transition, version=version, detail=LONG_HOLD_MS)).letter

    assert [await extend("extend:a=0", 1), await extend("extend:a=0", 1), await extend("extend:b=0", 1)] == list("ARV")


async def test_the_last_transitions_are_remembered_and_children_for_good(store: Store, client: Redis) -> None:
    """A record does not grow without end; but what was split off must be found as long as the order lives."""
    await put(store, client, "reserved")
    record = Record((await store.read_orders(["one"]))[0] or b"")
    rows = [
        Replacement("one", record.version, body(1, {1: 3}, {"7:ann": 3})),
        Replacement("one/2", 0, body(2, {1: 1}, {"7:ann": 1})),
    ]
    orders = store.partitions[0].orders
    assert (await orders.replace("split:t=0", rows, event="split", reason="", limits={})).letter == "A"
    for number in range(70):
        assert (await step(store, "extend", "one", str(number), LONG_HOLD_MS)).letter == "A"
    transitions = Record((await store.read_orders(["one"]))[0] or b"").transitions
    assert (len(transitions), transitions[:3]) == (65, ["into one/2", "split:t=0", "extend:7=0"])
    assert [order_id for order_id, _ in await store.partitions[0].crossing.family(["one"])] == ["one", "one/2"]


async def test_confirm_cancel_and_expire_exclude_one_another(empty_store_url: str) -> None:
    """Many at once from several connections, around the end of the hold: exactly one of them decides."""
    async with opened(empty_store_url) as store, opened(empty_store_url) as other, Redis.from_url(store.url) as client:
        count = 40
        await store.partitions[0].movements.set_stock([1], [count], [0])
        args = Args()
        for number in range(count):
            args.order(f"o{number}", (1, 1), hold_ms=1 + number)
        await commit(store, args)
        replies = await asyncio.gather(
            *(step((store, other)[n % 2], w, f"o{n}", w) for n in range(count) for w in ("confirm", "cancel")),
            *(
                partition.orders.expire(count)
                for partition in (store.partitions[0], other.partitions[0])
                for _ in range(9)
            ),
        )
        letters = [reply.letter for reply in replies if isinstance(reply, StepReply)]
        await until(client, int((await client.time())[0] * 1000) + count)
        await store.partitions[0].orders.expire(count)
        records = [Record(record or b"") for record in await store.read_orders([f"o{n}" for n in range(count)])]
        for confirmed, cancelled, record in zip(letters[::2], letters[1::2], records, strict=True):
            assert (confirmed, cancelled, record.status) in (
                ("A", "A", "released"),
                ("F", "A", "released"),
                ("A", "F", "confirmed"),
                ("F", "F", "expired"),
            )
            assert record.version == (3 if (confirmed, cancelled) == ("A", "A") else 2)
        left = sum(record.status == "confirmed" for record in records)
        assert await free(store, 1) == [count - left]


async def test_a_replacement_is_whole_or_not_at_all(store: Store, client: Redis) -> None:
    """Bound to versions, to stock and to limits; the first that fails is told, and nothing is written."""
    orders = store.partitions[0].orders
    await store.partitions[0].movements.set_stock([1, 2], [10, 1], [0, 0])
    limits = {"7:ann": 5}
    await commit(store, Args(limits=limits).order("one", (1, 4), ("7:ann", 4)).order("two", (1, 1)))
    before = await client.hgetall("stockade:{p0}:orders")

    async def replace(*rows: Replacement, transition: str = "amend:t=0") -> tuple[str, int, bytes]:
        reply = await orders.replace(transition, rows, event="amend", reason="", limits=limits)
        return reply.letter, reply.row, reply.found

    good = Replacement("one", 1, body(1, {1: 5, 2: 1}, {"7:ann": 5}))
    assert await replace(good, Replacement("none", 1, good.rest)) == ("N", 1, b"")
    assert (await replace(good, Replacement("two", 9, good.rest)))[:2] == ("V", 1)
    assert await replace(good, Replacement("two", 0, good.rest)) == ("C", 1, b"")
    assert await replace(Replacement("one", 1, body(1, {2: 2}, {}))) == ("S", 0, b"2")
    assert await replace(Replacement("one", 1, body(1, {1: 6}, {"7:ann": 6}))) == ("L", 0, b"7:ann")
    assert await client.hgetall("stockade:{p0}:orders") == before
    assert await free(store, 1, 2) == [5, 1]
    assert await replace(good) == ("A", 0, b"")
    assert await free(store, 1, 2) == [4, 0]
    assert (await replace(good, transition="amend:t=1"))[0] == "D"
    assert await replace(good) == ("R", 0, b"")
    assert await fields(client, "counters") == {b"7:ann": b"5"}
    assert (await step(store, "cancel", "one", "c")).letter == "A"
    late = await replace(Replacement("one", 3, good.rest), transition="amend:u=0")
    assert (late[0], Record(late[2]).status) == ("F", "released")
