"""Scenarios and audits as commands: on services of their own, and on one that was tampered with."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
import redis
import structlog

from api.cli import main
from engine.store import running_at
from loadtest.load_result import LoadResult
from tests.api.conftest import Door, Finished, run, run_all
from tests.cluster.nodes import ValkeyCluster
from tests.conftest import Service

# Commands would take it for a setting.
LONG = os.environ.pop("STOCKADE_SCENARIOS_LONG", None) == "1"
"""Every scenario at its own length and rate; else one of a file, and one that kills a process, shortly."""

LONG_WAIT_S = 300

OWN = """\
about = "A dozen units for a hundred buyers, and some more of them later."

[catalogue]
warehouses = 2
warehouses_per_sku = 2
skus = 4
hot_skus = 1
hot_on_hand = 6
on_hand = 5_000

[load]
shape = "constant"
rate = 120
seconds = 2

[[buyers]]
name = "hunters"
want = "hot"
lines = [1, 1]
units = [1, 1]

[[buyers]]
name = "others"
want = "rest"
lines = [2, 3]
pays = "later"
cancels = 0.5

[[actions]]
at_s = 1
do = "restock"
want = "hot"
units = 5

[targets]
refused_share_min = 0.1
sold_out = true
"""


def result_of(finished: Finished) -> LoadResult:
    """What was printed; the service must not have lied, whatever else was missed on a busy machine."""
    assert finished.code in (0, 1), finished.err
    result = msgspec.json.decode(finished.out, type=LoadResult)
    assert result.audit is not None
    assert result.audit.lies == [], finished.err
    assert result.audit.broken is None
    assert (result.audit.unread, result.audit.left_out) == (0, 0)
    return result


def test_scenarios_serve_themselves_and_the_service_keeps_its_word(tmp_path: Path) -> None:
    """One of a file sells out and is restocked, a worker is killed, a warehouse goes down: all are audited."""
    file = tmp_path / "own.toml"
    file.write_text(OWN)
    own, crash, outage = run_all(
        [
            ("loadtest", "--scenario", file, "--serve", "--json"),
            ("loadtest", "--scenario", "worker-crash", "--serve", "--rate", 60, "--duration", 2, "--json"),
            ("loadtest", "--scenario", "warehouse-outage", "--serve", "--rate", 60, "--duration", 4, "--json"),
        ]
    )
    result = result_of(own)
    assert result.audit is not None
    assert (result.scenario, result.audit.store) == ("own", True)
    assert [action.do for action in result.actions] == ["restock"]
    assert result.actions[0].failed is None
    assert result.classes["refused"].count > 20
    assert result.audit.refusals_judged > 0
    assert "are left" not in own.err, "22 units, of which each was wanted"
    assert {one.name for one in result.kinds} == {"hunters", "others", "others-confirm", "others-cancel"}
    killed = result_of(crash)
    assert killed.audit is not None
    assert (killed.scenario, killed.audit.store) == ("worker-crash", True)
    assert killed.actions[0].told.startswith("worker ")
    down = result_of(outage)
    assert down.audit is not None
    assert (down.scenario, down.audit.store) == ("warehouse-outage", True)
    assert "orders moved in" in down.actions[0].told


@pytest.mark.skipif(not LONG, reason="takes minutes: make scenarios-long")
@pytest.mark.parametrize(
    "name",
    [
        *("canonical", "hot-sku", "long-tail", "large-baskets", "sell-out", "restock", "retry-storm", "limit-bots"),
        *("never-paid", "slow-store", "worker-crash", "store-crash", "warehouse-outage"),
    ],
)
def test_every_scenario_at_its_own_length(name: str) -> None:
    """Whatever breaks in it, nothing that was told is untrue."""
    command = [sys.executable, "-m", "api.cli", "loadtest", "--scenario", name, "--serve", "--json"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=LONG_WAIT_S)
    result_of(Finished(done.returncode, done.stdout, done.stderr))


@pytest.mark.skipif(not LONG, reason="takes half a minute: make scenarios-long")
async def test_the_failover_scenario_on_a_cluster(tmp_path: Path) -> None:
    """A replica takes over in mid-sale; what was acknowledged by two is there."""
    async with ValkeyCluster(tmp_path / "nodes", replicas_per_primary=1) as cluster:
        replica = cluster.shard_mates(await cluster.owner_of(cluster.slot_of("p0")))[0]
        command = f"{sys.executable} -c 'import redis; redis.Redis(port={replica.port}).cluster(\"FAILOVER\")'"
        settings = {"STOCKADE_REPLICAS_ACKED_MIN": "1", "STOCKADE_PARTITIONS": "3"}
        service = Service(tmp_path / "service", REDIS_URL=cluster.url, **settings)
        try:
            url = await asyncio.to_thread(service.start)
            shown = await asyncio.to_thread(
                lambda: run(
                    *("loadtest", "--scenario", "store-failover", "--url", url, "--duration", 9, "--json"),
                    *("--fail-over", command, "--redis-url", cluster.url),
                    **settings,
                )
            )
        finally:
            await asyncio.to_thread(service.stop)
    result = result_of(shown)
    assert [action.failed for action in result.actions] == [None]
    assert result.audit is not None
    assert result.audit.store is True


@pytest.fixture
def tampered(tmp_path: Path) -> Iterator[Service]:
    """A service on whose store a unit was taken beside the books."""
    service = Service(tmp_path / "store")
    door = Door(service.start())
    door.put("/v1/warehouses/W", {"lat": 30, "lon": 120})
    door.put("/v1/skus/tea", {})
    door.put("/v1/stock", [{"sku": "tea", "warehouse": "W", "on_hand": 10_000}])
    url = running_at(service.data_dir)
    assert url is not None
    with redis.Redis.from_url(url) as client:
        (field,) = {*client.hkeys("stockade:{p0}:free")} - {b""}
        client.hincrby("stockade:{p0}:free", field.decode(), -1)
    yield service
    service.stop()


def test_a_store_whose_books_are_wrong_fails_the_run(tampered: Service) -> None:
    """Over HTTP all fits, as it was so before; the store's own audit tells, and comes first."""
    order = ("loadtest", "--url", tampered.url, "--rate", 50, "--seconds", 1, "--connections", 4)
    shown, blind, skipped = run_all(
        [
            (*order, "--data-dir", tampered.data_dir),
            (*order, "--json", "--no-audit", "--data-dir", tampered.data_dir),
            (*order, "--no-audit"),
        ]
    )
    assert shown.code == 1
    assert shown.out.startswith("The service did not do what it told:")
    assert "differences in the store's own books" in " ".join(shown.err.split())
    for word in ("DO NOT BALANCE", "orders acknowledged", "cells held against that"):
        assert word in shown.out
    audit = msgspec.json.decode(blind.out, type=LoadResult).audit
    assert audit is not None
    assert (audit.skipped, audit.lies, audit.store) == ("--no-audit", [], None)
    assert "Not audited (--no-audit)" in skipped.out


def test_what_cannot_be_run_is_told_before_anything_is_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 2, and what to do."""

    def called(*arguments: object) -> Finished:
        monkeypatch.setattr(sys, "argv", ["stockade", "loadtest", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return Finished(int(ended.value.code or 0), said.out, " ".join(said.err.split()))

    file = tmp_path / "wrong.toml"
    file.write_text(OWN.replace("rate = 120", "rate = 0").replace('do = "restock"', 'do = "restok"'))
    right = tmp_path / "right.toml"
    right.write_text(OWN)
    wrong = {
        "wrong.toml:13: load.rate: must be a number above 0": ("--scenario", file),
        'did you mean "restock"?': ("--scenario", file, "--check"),
        "is neither a file nor a scenario": ("--scenario", "none"),
        "--serve: is needed": ("--scenario", "worker-crash"),
        "--fail-over: is needed by this scenario": ("--scenario", "store-failover"),
        "says what is ordered and when": ("--scenario", right, "--zipf", 2),
        "leave --url out": ("--serve", "--url", "http://127.0.0.1:9"),
        "needs a --scenario to look at": ("--check",),
        "does not take the scenario's catalogue": ("--scenario", right, "--url", "http://127.0.0.1:9"),
    }
    for word, arguments in wrong.items():
        finished = called(*arguments)
        assert (finished.code, finished.out) == (2, ""), (word, finished)
        assert word in finished.err
    listed, checked = called("--scenarios"), called("--scenario", right, "--check")
    assert (listed.code, len(listed.out.splitlines())) == (0, 14)
    assert (checked.code, checked.out) == (
        0,
        "right: A dozen units for a hundred buyers, and some more of them later. 2 kinds of buyers, 1 action.\n",
    )
    structlog.reset_defaults()
