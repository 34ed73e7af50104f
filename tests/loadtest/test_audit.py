"""Each way in which a service can break its word is planted before, or in, a real one; the audit must name it."""

import asyncio
import itertools
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import redis

from engine.store import running_at
from loadtest.audit.finding import RunAudit
from loadtest.load_plan import Kind, Retries
from loadtest.orders_mix import Mix
from loadtest.verdict import lies
from tests.api.conftest import Door, Shop
from tests.conftest import Service
from tests.loadtest.lying import Lying, Passing, audited, lying, told, with_id

REFUSAL = b'{"type":"insufficient-stock","title":"","status":409,"detail":"","errors":[],"retryable":false}'
MANY = 100_000
FREE = "stockade:{p0}:free"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One that these tests share; each has goods of its own."""
    one = Service(tmp_path_factory.mktemp("audited") / "store")
    one.start()
    yield one
    one.stop()


_names = itertools.count(1)


@pytest.fixture
def shop(service: Service) -> Shop:
    """Goods of a test's own."""
    return Shop(Door(service.url), f"A{next(_names)}")


def goods(shop: Shop, units: int = MANY) -> str:
    """A SKU at two warehouses."""
    return shop.sku(on_hand={shop.warehouse("W1"): units, shop.warehouse("W2", lat=40.0): units})


def lied_to(shop: Shop, lie: Lying, units: int = MANY, **more: Any) -> RunAudit:
    """The audit of a run through a proxy that lies."""
    with lying(shop.door.address, lie) as url:
        return audited(url, goods(shop, units), **more)[1]


async def truth(request: Passing) -> None:
    """What the service says."""
    await request.pass_on()


def test_a_true_service_is_found_true(shop: Shop) -> None:
    """Every order is looked up, every unit added up, replays, holds, confirmations and cancellations among them."""
    sku = goods(shop)
    mix = Mix(lines_max=1, units_max=3, replays=0.2, held=0.25)
    run, audit = audited(f"http://{shop.door.address}", sku, rate=600, mix=mix)
    assert lies(audit) == [], audit
    assert audit.acknowledged == audit.read > 100
    assert (audit.unread, audit.lost, audit.left_out, audit.refused_for_stock) == (0, 0, 0, 0)
    assert audit.cells == 2
    assert audit.units_held == sum(cell["reserved"] for cell in shop.door.stock(f"sku={sku}")) > 0
    assert audit.events > 0
    assert audit.notes == []
    assert run.result.audit is None, "the run knows nothing of it"


def test_orders_in_bulk_are_audited_line_by_line(shop: Shop) -> None:
    """As any others: those that were sold out and refused, too."""
    sku = goods(shop, 60)
    _, audit = audited(f"http://{shop.door.address}", sku, rate=20, mix=Mix(lines_max=1, units_max=1, bulk_lines=20))
    assert lies(audit) == [], audit
    assert (audit.acknowledged, audit.read, audit.refused_for_stock) == (120, 200, 80)
    assert (audit.refusals_false, audit.refusals_judged + audit.refusals_doubtful) == (0, 80)


def test_refusals_after_the_last_unit_are_true(shop: Shop) -> None:
    """Also where units come back and are sold again: by the event feed, every no was true when it was told."""
    sku = goods(shop, 20)
    _, audit = audited(f"http://{shop.door.address}", sku, rate=500, mix=Mix(lines_max=1, units_max=1, held=0.2))
    assert lies(audit) == [], audit
    assert audit.refused_for_stock > 50
    assert audit.refusals_false == 0
    assert audit.refusals_judged > 0


def test_answers_that_are_lost_leave_either_effect_open_and_are_told(shop: Shop) -> None:
    """A proxy that cuts every tenth connection after, and every tenth before, the order came to the service."""

    async def loses(request: Passing) -> None:
        if request.is_order and request.number % 10 == 3:
            await request.forward()
            request.cut()
        elif request.is_order and request.number % 10 == 7:
            request.cut()
        else:
            await request.pass_on()

    audit = lied_to(shop, loses)
    assert lies(audit) == []
    assert audit.lost >= 15
    assert 5 <= audit.lost_held < audit.lost
    assert audit.read == 100


def test_an_acknowledged_order_that_is_not_kept_is_missing(shop: Shop) -> None:
    """201 with a good allocation, and nothing behind it: by its id."""
    first: list[bytes] = []
    lost: list[str] = []

    async def loses(request: Passing) -> None:
        if not request.is_order or not first:
            heard = await request.pass_on()
            if request.is_order:
                first.append(heard.body)
        elif len(lost) < 2:
            lost.append(request.order["order_id"])
            await request.answer(201, with_id(first[0], lost[-1]))
        else:
            await request.pass_on()

    audit = lied_to(shop, loses)
    assert told(audit) == {"missing": 2}
    assert sorted(audit.lies[0].examples) == sorted(lost)
    assert lost[0] in lies(audit)[0]


def test_an_allocation_that_is_not_the_kept_one_is_told_apart(shop: Shop) -> None:
    """The right order, with another number of units than it got."""

    async def changes(request: Passing) -> None:
        heard = await request.forward()
        body = heard.body
        if request.is_order and request.number == 20:
            allocation = heard.json
            allocation["shipments"][0]["lines"][0]["quantity"] += 1
            body = msgspec.json.encode(allocation)
        await request.answer(heard.status, body)

    assert told(lied_to(shop, changes)) == {"changed": 1}


def test_two_answers_that_do_not_go_together_are_told(shop: Shop) -> None:
    """A retry that is told another warehouse, and one that is refused what was given before."""
    answered: dict[str, float] = {}
    kinds = ["elsewhere", "refused"]

    async def contradicts(request: Passing) -> None:
        order_id = request.order["order_id"] if request.is_order else ""
        # Not one that was under way together with the first, or follows it at once: times are known to a millisecond.
        follows = order_id in answered and order_id == [*answered][-1]
        again = order_id in answered and not follows and time.monotonic() - answered[order_id] > 0.02
        heard = await request.forward()
        if again and kinds:
            del answered[order_id]
            elsewhere = heard.body.replace(b"-W1", b"-W3").replace(b"-W2", b"-W4")
            await request.answer(*((409, REFUSAL) if kinds.pop() == "refused" else (200, elsewhere)))
        else:
            await request.answer(*heard)
            if request.is_order:
                answered.pop(order_id, None)
                answered[order_id] = time.monotonic()

    audit = lied_to(shop, contradicts, mix=Mix(lines_max=1, units_max=1, replays=0.5), connections=1)
    assert told(audit) == {"contradicted": 2}


def test_a_success_that_says_nothing_is_told(shop: Shop) -> None:
    """201 must carry the order's allocation: nothing else says what was sold."""

    async def empties(request: Passing) -> None:
        heard = await request.forward()
        await request.answer(heard.status, b"{}" if request.is_order and request.number == 20 else heard.body)

    assert told(lied_to(shop, empties)) == {"unreadable": 1}


def test_a_no_after_which_the_order_is_there_is_told(shop: Shop) -> None:
    """The buyer goes elsewhere, the units are gone."""

    async def denies(request: Passing) -> None:
        heard = await request.forward()
        if request.is_order and request.number == 20:
            await request.answer(409, b'{"type":"purchase-limit"}')
        else:
            await request.answer(*heard)

    assert told(lied_to(shop, denies)) == {"held-after-no": 1}


def test_a_cancellation_that_was_acknowledged_and_not_done_is_told(shop: Shop) -> None:
    """The order goes on holding what nobody will pay."""
    cancelled: list[str] = []

    async def forgets(request: Passing) -> None:
        if request.path.endswith("/cancel") and not cancelled:
            cancelled.append(request.path.split("/")[3])
            found = await asyncio.to_thread(shop.door.call, "GET", f"/v1/orders/{cancelled[0]}")
            await request.answer(200, msgspec.json.encode(found.json | {"status": "released"}))
        else:
            await request.pass_on()

    audit = lied_to(shop, forgets, rate=400, mix=Mix(lines_max=1, units_max=1, held=0.4))
    assert told(audit) == {"missing": 1}
    assert f"{cancelled[0]}: told released, found reserved" in audit.lies[0].examples


def test_a_refusal_while_stock_is_free_is_told_and_counted(shop: Shop) -> None:
    """By the event feed: there was enough all the time, so no moment can be found at which it was true."""

    async def refuses(request: Passing) -> None:
        if request.is_order and request.number % 10 == 3:
            await request.answer(409, REFUSAL)
        else:
            await request.pass_on()

    audit = lied_to(shop, refuses)
    assert told(audit).keys() == {"false-refusal"}
    assert audit.refused_for_stock == audit.refusals_false >= 8
    assert "there was enough of it all the time" in lies(audit)[0]


def test_without_the_feed_such_a_refusal_is_only_doubtful(shop: Shop) -> None:
    """Units may have come back since: what cannot be proven is told as that."""

    async def refuses(request: Passing) -> None:
        if request.path.startswith("/v1/events"):
            await request.answer(403, b'{"type":"forbidden"}')
        elif request.is_order and request.number % 10 == 3:
            await request.answer(409, REFUSAL)
        else:
            await request.pass_on()

    audit = lied_to(shop, refuses)
    assert lies(audit) == []
    assert audit.refusals_doubtful == audit.refused_for_stock >= 8
    assert any("the key may not read it" in note for note in audit.notes)


def test_an_order_that_was_decided_twice_is_told(shop: Shop) -> None:
    """As a feed tells that names an order in two commits."""
    named: list[str] = []

    async def doubles(request: Passing) -> None:
        heard = await request.forward()
        body = heard.body
        if request.path.startswith("/v1/events") and heard.status == 200:
            page = heard.json
            for event in page["events"]:
                if not named:
                    named.extend(event["orders"][:1])
                elif len(named) == 1 and named[0] not in event["orders"]:
                    event["orders"].append(named[0])
                    named.append("told")
            body = json.dumps(page).encode()
        await request.answer(heard.status, body)

    audit = lied_to(shop, doubles)
    assert told(audit) == {"double": 1}
    assert audit.lies[0].examples == named[:1]


@pytest.fixture
def store(service: Service) -> Iterator["redis.Redis[bytes]"]:
    """The store under the service, for what no service may do."""
    url = running_at(service.data_dir)
    assert url is not None
    with redis.Redis.from_url(url) as client:
        yield client


def cells(store: "redis.Redis[bytes]") -> set[str]:
    """Fields of all cells."""
    return {field.decode() for field in store.hkeys(FREE)}


@pytest.mark.parametrize("units", [-1, 1])
def test_a_cell_that_does_not_hold_what_orders_do_is_told(shop: Shop, store: "redis.Redis[bytes]", units: int) -> None:
    """A unit of the store's that went or came beside all books: sold twice, or never."""
    before = cells(store)
    sku = goods(shop)
    field = min(cells(store) - before)
    _, audit = audited(f"http://{shop.door.address}", sku, meanwhile=lambda: store.hincrby(FREE, field, units))
    assert told(audit) == {"booked-wrong": 1}
    store.hincrby(FREE, field, -units)


def test_more_sold_than_is_there_is_told(shop: Shop, store: "redis.Redis[bytes]") -> None:
    """Planted in the store: it offers units that nobody has."""
    before = cells(store)
    sku = goods(shop, 10)
    for field in cells(store) - before:
        store.hincrby(FREE, field, 40)
    _, audit = audited(f"http://{shop.door.address}", sku)
    assert told(audit)["oversold"] >= 1, audit
    assert "oversold" in lies(audit)[0], "what is worst comes first"


def test_orders_of_others_are_kept_apart(shop: Shop) -> None:
    """What they took is no lie of the service; that it was not looked at is told."""
    sku = goods(shop)
    _, audit = audited(f"http://{shop.door.address}", sku, meanwhile=lambda: shop.reserve((sku, 5)))
    assert lies(audit) == []
    assert any("Others ordered, too" in note for note in audit.notes)


def test_bodies_from_elsewhere_are_known_by_their_ids(shop: Shop) -> None:
    """A recorded trace, in which some orders come twice."""
    sku = goods(shop)
    bodies = [
        msgspec.json.encode(
            {
                "order_id": f"{sku}-{number % 30}",
                "ship_to": {"lat": 31, "lon": 121},
                "lines": [{"sku": sku, "quantity": 1}],
            }
        ).decode()
        for number in range(40)
    ]
    kinds = [Kind(name="recorded", path="/v1/orders", bodies=bodies)]
    again = Retries(times_max=5, wait_s_max=0.2)
    _, audit = audited(f"http://{shop.door.address}", sku, rate=80, kinds=kinds, retries=again)
    assert lies(audit) == [], audit
    assert (audit.acknowledged, audit.read, audit.units_held) == (30, 30, 30), audit


def test_orders_that_reach_over_partitions_are_audited(tmp_path: Path) -> None:
    """Until the last unit and beyond: leases and parts of one another's orders are no lies of anybody."""
    service = Service(tmp_path / "store", STOCKADE_PARTITIONS="3")
    try:
        shop = Shop(Door(service.start()), "P")
        warehouse = shop.warehouse()
        skus = [shop.sku(str(number), on_hand={warehouse: 60}) for number in range(4)]
        mix = Mix(lines_max=3, units_max=2, zipf=0, held=0.2, replays=0.1)
        _, audit = audited(service.url, *skus, rate=300, seconds=1, mix=mix, settle_s=5)
    finally:
        service.stop()
    assert lies(audit) == [], audit
    assert audit.refused_for_stock > 30
    assert audit.units_held > 100
    assert (audit.unread, audit.lost, audit.cells) == (0, 0, 4)
