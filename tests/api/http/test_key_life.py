"""The life of keys across processes: made, rotated, ended, revoked; and a door that never opens by itself again."""

import contextlib
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import pytest
import redis

from engine import Settings
from engine.access import NewKey
from tests.api.conftest import Door, run
from tests.api.guarded import KNOWN_WITHIN_S, Operator, bearer, seconds_until
from tests.conftest import Service

Pair = tuple[Door, Door]


@pytest.fixture
def operator(empty_store_url: str) -> Operator:
    """Who makes keys on the store of the tests."""
    return Operator(Settings(redis_url=empty_store_url))


@pytest.fixture
def pair(tmp_path: Path, empty_store_url: str) -> Iterator[Pair]:
    """Two processes on one store."""
    services = [Service(tmp_path / name, REDIS_URL=empty_store_url) for name in "ab"]
    with contextlib.ExitStack() as stack, ThreadPoolExecutor(2) as pool:
        for service in services:
            stack.callback(service.stop)
        first, second = pool.map(Service.start, services)
        yield Door(first), Door(second)


def statuses(pair: Pair, key: NewKey | None) -> list[int]:
    """What each process answers the holder of a key."""
    headers = bearer(key) if key is not None else {}
    return [door.call("GET", "/v1/warehouses", headers=headers).status for door in pair]


def seconds_until_both(pair: Pair, key: NewKey | None, status: int) -> float:
    return seconds_until(lambda: statuses(pair, key) == [status, status])


def test_a_revoked_key_is_taken_by_no_process_a_second_later(pair: Pair, operator: Operator) -> None:
    """It was found in a public repository: each further second is stock."""
    assert statuses(pair, None) == [200, 200]
    key = operator.create("read")
    # The first key shuts the door to all others.
    assert seconds_until_both(pair, None, 401) < KNOWN_WITHIN_S
    assert statuses(pair, key) == [200, 200]
    operator.revoke(key)
    assert seconds_until_both(pair, key, 401) < KNOWN_WITHIN_S
    found = pair[0].call("GET", "/v1/warehouses", headers=bearer(key)).problem(401, "unauthorized")
    assert "revoked" in found["detail"]
    # It was the last one; the door stays shut.
    assert statuses(pair, None) == [401, 401]


def test_two_secrets_live_while_a_key_is_rotated(pair: Pair, operator: Operator) -> None:
    """So that its holders can change over one by one, and nobody is turned away meanwhile."""
    old = operator.create("read")
    seconds_until_both(pair, None, 401)
    new = operator.rotate(old, overlap_s=3_600)
    seconds_until_both(pair, new, 200)
    assert statuses(pair, old) == [200, 200]
    operator.revoke(old, former_only=True)
    assert seconds_until_both(pair, old, 401) < KNOWN_WITHIN_S
    assert statuses(pair, new) == [200, 200]
    operator.rotate(new)
    assert seconds_until_both(pair, new, 401) < KNOWN_WITHIN_S


def test_when_a_key_was_used_is_known_when_all_services_have_ended(
    tmp_path: Path, empty_store_url: str, operator: Operator
) -> None:
    """It was in their memory until then; who goes through the keys wants to know which nobody needs."""
    used, _ = operator.create("read", name="used"), operator.create("read", name="unused")
    service = Service(tmp_path / "a", REDIS_URL=empty_store_url, STOCKADE_WORKERS="2")
    door = Door(service.start())
    began_s = time.time()
    assert door.call("GET", "/v1/warehouses", headers=bearer(used)).status == 200
    service.stop()
    listed = {key["name"]: key["last_used_at"] for key in run("keys", "list", "--json", REDIS_URL=empty_store_url).json}
    assert listed["unused"] is None
    at_s = datetime.fromisoformat(listed["used"]).timestamp()
    assert (at_s % 60, -60 < at_s - began_s < 60) == (0, True)


def test_a_secret_and_a_key_end_at_their_time(pair: Pair, operator: Operator) -> None:
    """By the store's clock, in each process at once, without anybody telling it."""
    old = operator.create("read")
    short = operator.create("read", expires_in_s=1.5)
    seconds_until_both(pair, None, 401)
    operator.rotate(old, overlap_s=1)
    seconds_until_both(pair, old, 401)
    seconds_until_both(pair, short, 401)
    found = pair[0].call("GET", "/v1/warehouses", headers=bearer(short)).problem(401, "unauthorized")
    assert "ended" in found["detail"]


def test_a_store_that_loses_its_keys_lets_nobody_in(pair: Pair, operator: Operator, empty_store_url: str) -> None:
    """Emptied, or exchanged for another one: a running service must not fall back to an open door."""
    key = operator.create("read")
    seconds_until_both(pair, None, 401)
    with redis.Redis.from_url(empty_store_url) as client:
        client.flushall()
    assert seconds_until(lambda: set(statuses(pair, key)) == {401}) < 5
    assert statuses(pair, None) == [401, 401]


def test_keys_outlive_the_service(tmp_path: Path, empty_store_url: str, operator: Operator) -> None:
    """They are in the store, so that a start needs nothing but the store."""
    key = operator.create("read")
    service = Service(tmp_path / "one", REDIS_URL=empty_store_url)
    for _ in range(2):
        door = Door(service.start())
        assert statuses((door, door), key) == [200, 200]
        assert statuses((door, door), None) == [401, 401]
        service.kill()
