"""After many points the audit still finds what the service lied about, in the time that it has."""

import asyncio
import itertools
from collections.abc import Iterator

import msgspec
import pytest
import uvloop

from engine.model import ShipTo
from loadtest.audit.finding import RunAudit
from loadtest.capacity.audit import CampaignAudit
from loadtest.capacity.measure import Rig
from loadtest.capacity.workload import Workload, ample
from loadtest.client import Client
from loadtest.load import recorded_load
from loadtest.load_plan import Constant
from loadtest.scenarios import built_in
from loadtest.scenarios.goods import Goods
from loadtest.verdict import lies
from tests.api.conftest import Door, Shop
from tests.conftest import Service
from tests.loadtest.lying import Lying, Passing, lying, told

AMPLE = 1_000_000
PLACE = ShipTo(lat=31.0, lon=121.0)
REFUSAL = (
    b'{"type":"insufficient-stock","title":"-","status":409,"detail":"-",'
    b'"errors":[],"retryable":false,"request_id":"-"}'
)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One that these tests share; each has goods of its own."""
    one = Service(tmp_path_factory.mktemp("campaign") / "store")
    one.start()
    yield one
    one.stop()


_names = itertools.count(1)


def audited(
    service: Service, lie: Lying, *, units: int = AMPLE, alone: bool = True, seconds_max: float = 20
) -> RunAudit:
    """Two points through a proxy that lies."""
    shop = Shop(Door(service.url), f"C{next(_names)}")
    sku = shop.sku(on_hand={shop.warehouse("W1"): units, shop.warehouse("W2", lat=40.0): units})

    async def run(url: str) -> RunAudit:
        async with Client(url, connections=2) as client:
            workload = Workload(
                scenario=ample(built_in("canonical")),
                goods=Goods(skus=[sku], hot=0, places=[PLACE]),
                url=url,
                id_prefix=shop.name,
                connections=8,
                threads=1,
            )
            audit = CampaignAudit(Rig(url=url, client=client), workload, seed=1, alone=alone, settle_s=0.3)
            await audit.begin()
            for number in range(2):
                plan = workload.plan(number, Constant(150), seconds=0.5, warmup_s=0.1, seed=number)
                audit.add(plan.id_prefix, await recorded_load(plan))
            return await audit.end(seconds_max)

    with lying(shop.door.address, lie) as url:
        return uvloop.run(run(url))


async def truth(request: Passing) -> None:
    """What the service says."""
    await request.pass_on()


def test_a_true_service_is_found_true(service: Service) -> None:
    """All orders of all points are looked up, and their units added up."""
    found = audited(service, truth)
    assert lies(found) == [], found
    assert found.acknowledged == found.read > 100
    assert (found.left_out, found.unread, found.notes) == (0, 0, [])
    assert found.units_held > 100


def test_holds_that_end_while_orders_are_looked_up_are_no_lie(service: Service) -> None:
    """They are looked up again."""
    shop = Shop(Door(service.url), f"C{next(_names)}")
    sku = shop.sku(on_hand={shop.warehouse("W1"): AMPLE})
    scenario = ample(built_in("never-paid"))
    (never,) = [one for one in scenario.document.buyers if one.pays == "never"][:1]
    short = msgspec.structs.replace(never, hold_s=2)
    document = msgspec.structs.replace(scenario.document, buyers=[short])

    async def late(request: Passing) -> None:
        if request.path.startswith("/v1/stock"):
            # Until holds that were just looked up have ended.
            await asyncio.sleep(3)
        await request.pass_on()

    async def run(url: str) -> RunAudit:
        async with Client(url, connections=2) as client:
            workload = Workload(
                scenario=msgspec.structs.replace(scenario, document=document),
                goods=Goods(skus=[sku], hot=1, places=[PLACE]),
                url=url,
                id_prefix=shop.name,
                connections=8,
                threads=1,
            )
            assert workload.ends_holds
            audit = CampaignAudit(Rig(url=url, client=client), workload, seed=1, alone=True, settle_s=8)
            await audit.begin()
            plan = workload.plan(0, Constant(300), seconds=1.0, warmup_s=0.1, seed=0)
            audit.add(plan.id_prefix, await recorded_load(plan))
            return await audit.end(20)

    with lying(shop.door.address, late) as url:
        found = uvloop.run(run(url))
    assert found.acknowledged > 200
    assert lies(found) == []


def test_what_is_done_to_orders_is_no_order_more() -> None:
    """A load in orders a second must not count them."""

    def each(name: str) -> float:
        return Workload(
            scenario=ample(built_in(name)),
            goods=Goods(skus=["a"], hot=1, places=[PLACE]),
            url="http://127.0.0.1:1",
            id_prefix="t",
            connections=1,
            threads=1,
        ).orders_per_request

    assert each("canonical") == 1
    assert each("never-paid") == pytest.approx(0.85, abs=0.01)


def test_an_order_that_is_not_kept_is_missing(service: Service) -> None:
    """It was acknowledged by what another one was told."""
    heard: list[bytes] = []

    async def loses(request: Passing) -> None:
        if request.is_order and request.number % 50 == 20 and heard:
            own = request.order["order_id"].encode()
            other = heard[0][heard[0].index(b'"order_id":"') + 12 :].split(b'"')[0]
            await request.answer(201, heard[0].replace(other, own))
        else:
            answer = await request.pass_on()
            if request.is_order and answer.status == 201:
                heard.append(answer.body)

    assert told(audited(service, loses)).keys() == {"missing"}


def test_units_that_no_order_holds_are_told(service: Service) -> None:
    """Where nobody else orders; where others may, that is no lie."""

    async def twice(request: Passing) -> None:
        if request.is_order and request.number % 50 == 20:
            await request.forward(request.body.replace(b'"order_id":"', b'"order_id":"x'))
        await request.pass_on()

    assert told(audited(service, twice)).keys() == {"booked-wrong"}
    assert told(audited(service, twice, alone=False)) == {}


def test_a_refusal_for_stock_that_was_never_short_is_false(service: Service) -> None:
    """Each cell had enough for all that was ever sent. Where it had not, nothing is said."""

    async def refuses(request: Passing) -> None:
        if request.is_order and request.number % 20 == 3:
            await request.answer(409, REFUSAL)
        else:
            await request.pass_on()

    found = audited(service, refuses)
    assert told(found).keys() == {"false-refusal"}
    assert found.refusals_false == found.refused_for_stock >= 4
    scarce = audited(service, refuses, units=200)
    assert told(scarce) == {}
    assert any("cannot be told" in note for note in scarce.notes)


def test_what_there_was_no_time_for_is_told(service: Service) -> None:
    """A sample at the least, of which the first part is always looked at."""
    found = audited(service, truth, seconds_max=0.0)
    assert lies(found) == []
    assert found.read > 0
