"""Workers sell one stock: each unit once, whichever of them is asked, and whichever of them dies."""

import asyncio
import itertools
import os
import signal
from collections import Counter
from pathlib import Path

import pytest

from engine import AuditReport, Settings, open_engine
from tests.api.conftest import Door
from tests.api.workers.conftest import WORKERS, Buyers, Several, order, put_shop, until

UNITS = 60
ORDERS = 200

pytestmark = pytest.mark.slow


def audit(data_dir: Path) -> tuple[AuditReport, set[str]]:
    """The books of the store of a running service, and the orders in them."""

    async def look() -> tuple[AuditReport, set[str]]:
        async with open_engine(Settings(data_dir=data_dir), attach=True, background=False) as engine:
            return await engine.audit(), {allocation.order_id async for allocation, _ in engine.orders()}

    return asyncio.run(look())


def test_all_workers_sell_one_stock_to_the_last_unit_and_none_beyond(several: Several) -> None:
    """By all of them: the writers of the feed are as many as the workers."""
    door = Door(several.start())
    put_shop(door, units=UNITS)
    answers = []
    for start in range(0, ORDERS, 20):
        calls = [("POST", "/v1/orders", order(f"o{number}")) for number in range(start, start + 20)]
        answers += door.call_at_once(calls)
    found = Counter(answer.status for answer in answers)
    assert found == {201: UNITS, 409: ORDERS - UNITS}
    (cell,) = door.stock("sku=S")
    assert (cell["reserved"], cell["available"]) == (UNITS, 0)
    events = door.call("GET", "/v1/events?limit=500").json["events"]
    assert len({event["writer"] for event in events if event["orders"]}) == WORKERS
    report, ids = audit(several.data_dir)
    assert report.balanced
    assert len(ids) == UNITS


def test_a_worker_killed_in_mid_sale_loses_no_acknowledged_order_and_comes_back(several: Several) -> None:
    """The other goes on meanwhile, and what was not answered is held once at the most when it is sent again."""
    door = Door(several.start())
    put_shop(door, units=1_000_000)
    with Buyers(door).buying() as buyers:
        buyers.await_more()
        former = several.workers()
        assert len(former) == WORKERS
        os.kill(former[0], signal.SIGKILL)
        buyers.await_more()
        until(lambda: len(several.workers()) == WORKERS, "no worker takes its place")
        assert former[1] in several.workers()
        buyers.await_more()
    assert {answer.status for answer in buyers.answers.values()} <= {201, 503}
    for order_id, answer in buyers.acknowledged.items():
        assert door.call("GET", f"/v1/orders/{order_id}").body == answer.body
    report, ids = audit(several.data_dir)
    assert report.balanced
    assert ids >= set(buyers.acknowledged)
    assert ids <= set(buyers.acknowledged) | set(buyers.unanswered)
    for order_id in buyers.unanswered:
        assert door.call("POST", "/v1/orders", order(order_id)).status == (200 if order_id in ids else 201)
    assert "a worker ended, and is started again" in several.said()
    assert "signal SIGKILL" in several.said()


def test_who_comes_while_all_workers_are_dead_is_served_by_those_that_follow(several: Several) -> None:
    """Their sockets outlive them: a client waits, and is not refused."""
    door = Door(several.start())
    put_shop(door, units=10)
    for pid in several.workers():
        os.kill(pid, signal.SIGKILL)
    answers = door.call_at_once([("POST", "/v1/orders", order(f"o{number}")) for number in range(8)])
    assert [answer.status for answer in answers] == [201] * 8


def test_a_killed_store_is_started_again_under_all_workers(several: Several) -> None:
    """The supervisor owns it; each worker finds it again, and what was acknowledged is in it."""
    door = Door(several.start())
    put_shop(door, units=1_000)
    assert door.call("POST", "/v1/orders", order("before")).status == 201
    former = int((several.data_dir / "lock").read_text())
    os.kill(former, signal.SIGKILL)
    numbers = itertools.count()
    # So many connections in a row that each worker had some.
    row = 0

    def sells() -> bool:
        nonlocal row
        answer = door.call("POST", "/v1/orders", order(f"after-{next(numbers)}"))
        assert answer.status in (201, 503), answer.body
        row = row + 1 if answer.status == 201 else 0
        return row == 10 * WORKERS

    until(sells, "the store does not come back")
    assert int((several.data_dir / "lock").read_text()) != former
    assert door.call("POST", "/v1/orders", order("before")).status == 200
