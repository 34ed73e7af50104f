"""A file of policies that changes, or is wrong, under a live engine; and trials that one begins."""

import asyncio
from collections import Counter
from pathlib import Path

import msgspec
import pytest

from engine import Engine, Settings, open_engine
from engine.errors import InvalidInput
from engine.intake import Reserved
from engine.model import Allocation, Trial
from engine.policy.results import past_orders, results_of
from tests.engine.policies.case import SOON_S, put, reserved, version_in_force, write
from tests.engine.small_network import order, put_stock

TRIAL = """[[rules]]
name = "tried"
use = "near"
channels = ["app"]
trial = { name = "t", use = "far", share_percent = 50 }
"""


async def test_a_retry_has_its_allocation_whatever_the_policies_are_by_then(engine: Engine, file: Path) -> None:
    """The same order is the same order: nothing is planned for it."""
    wanted = order("a", ("x", 1), policy="far")
    first = await reserved(engine, wanted)
    put(file, 'version = "2"\n[policies.other]\nobjective = "fastest"\n')
    await version_in_force(engine, "2")
    outcome = await engine.reserve(wanted)
    assert isinstance(outcome, Reserved)
    assert (outcome.replayed, msgspec.json.decode(outcome.json, type=Allocation)) == (True, first)


async def test_a_file_that_changes_during_a_sale_plans_each_batch_by_one_version(
    engine: Engine, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And from then on all by the new one; a wrong file between them changes nothing."""
    await put_stock(engine, {("x", warehouse): 100_000 for warehouse in "ABC"})
    monkeypatch.setattr("engine.upkeep.LOOK_S", 0.01)
    sold: list[Allocation] = []
    running = True

    async def sell(seller: int) -> None:
        number = 0
        while running:
            sold.append(await reserved(engine, order(f"{seller}-{number}", ("x", 1))))
            number += 1

    sellers = [asyncio.create_task(sell(seller)) for seller in range(20)]
    for version in ("2", "wrong", "3"):
        if version == "wrong":
            put(file, "version = ")
            async with asyncio.timeout(SOON_S):
                while engine.status.policies_error is None:
                    await asyncio.sleep(0.01)
        else:
            write(file, version)
            await version_in_force(engine, version)
            sold.append(await reserved(engine, order(f"after-{version}", ("x", 1))))
    running = False
    await asyncio.gather(*sellers)
    assert engine.status.policies_error is None
    versions = {one.order_id: one.policy_version for one in sold}
    assert {versions[f"after-{version}"] for version in "23"} == {"2", "3"}
    batches: list[set[str]] = []
    cursor: str | None = None
    while (page := await engine.events(after=cursor)).events:
        commits = [event for event in page.events if event.type == "commit"]
        batches += [{versions[order_id] for order_id in event.orders} for event in commits]
        cursor = page.cursor
    assert len(batches) > 2
    assert all(len(found) == 1 for found in batches)
    assert (await engine.audit()).balanced


async def test_an_engine_does_not_start_on_a_wrong_file(empty_store_url: str, file: Path) -> None:
    """But an audit, which plans nothing, does."""
    put(file, "version = 1")
    settings = Settings(redis_url=empty_store_url, policies_file=file)
    with pytest.raises(InvalidInput, match=r"policies\.toml:1"):
        async with open_engine(settings):
            pass
    async with open_engine(settings, background=False, load=False) as engine:
        assert (await engine.audit()).balanced


async def test_a_trial_shares_out_the_orders_of_its_rule_and_results_tell_its_arms_apart(
    engine: Engine, file: Path
) -> None:
    """By id alone: another process would say the same."""
    write(file, "2", TRIAL)
    await version_in_force(engine, "2")
    found = [await reserved(engine, order(f"o{number}", ("x", 1), channel="app")) for number in range(40)]
    beside = await reserved(engine, order("web", ("x", 1), channel="web"))
    assert (beside.policy, beside.trial) == ("near", None)
    arms = Counter(one.trial.arm for one in found if one.trial is not None)
    assert arms["trial"] + arms["control"] == 40
    assert min(arms.values()) >= 8, "half of 40, give or take"
    for one in found:
        assert one.trial is not None
        assert (one.policy, one.shipments[0].warehouse) == (("far", "C") if one.trial.arm == "trial" else ("near", "A"))
        assert await engine.order(one.order_id) == one
    await engine.cancel(next(one.order_id for one in found if one.policy == "far"))
    rows = {(row.policy, row.trial): row for row in await results_of(past_orders(engine.orders()))}
    assert set(rows) == {
        ("near", None),
        ("near", Trial(name="t", arm="control")),
        ("far", Trial(name="t", arm="trial")),
    }
    far = rows["far", Trial(name="t", arm="trial")]
    assert (far.orders, far.over, far.version) == (arms["trial"], 1, "2")
    assert (far.shipments_per_order, round(far.mean_km)) == (1, 222)
    assert far.cost_per_order > rows["near", None].cost_per_order
