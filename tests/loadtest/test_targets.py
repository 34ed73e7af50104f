"""What a run is held against: a scenario's targets before the defaults, what the command is told before both."""

from collections import Counter
from functools import cache

import msgspec
import pytest

from loadtest.load import run_load
from loadtest.load_plan import Constant, Kind, LoadPlan
from loadtest.load_result import LoadResult
from loadtest.scenarios import built_in, names
from loadtest.scenarios.document import Targets
from loadtest.scenarios.targets import judged
from tests.loadtest.planted import OK, Planted, planted

replace = msgspec.structs.replace

PASSES_FAILS: dict[str, tuple[dict[str, int], dict[str, int], str]] = {
    "canonical": ({"ok": 1_000}, {"ok": 985, "refused": 15}, "of the orders were accepted"),
    "hot-sku": ({"ok": 1_000}, {"ok": 980, "overloaded": 20}, "were turned away"),
    "long-tail": ({"ok": 1_000}, {"ok": 999, "failed": 1}, "had no answer"),
    "large-baskets": ({"ok": 1_000}, {"ok": 995, "refused": 5}, "of the orders were accepted"),
    "sell-out": ({"ok": 200, "refused": 800}, {"ok": 700, "refused": 300}, "of the orders were refused"),
    "restock": ({"ok": 300, "refused": 700}, {"ok": 950, "refused": 50}, "of the orders were refused"),
    "retry-storm": ({"ok": 600, "overloaded": 400}, {"ok": 400, "overloaded": 600}, "were turned away"),
    "limit-bots": ({"ok": 320, "refused": 680}, {"ok": 1_000}, "of the orders were refused"),
    "never-paid": ({"ok": 800, "refused": 200}, {"ok": 400, "refused": 600}, "of the orders were accepted"),
    "slow-store": ({"ok": 920, "overloaded": 80}, {"ok": 880, "overloaded": 120}, "were turned away"),
    "worker-crash": ({"ok": 950, "failed": 50}, {"ok": 880, "failed": 120}, "had no answer"),
    "store-crash": ({"ok": 860, "overloaded": 100, "failed": 40}, {"ok": 840, "overloaded": 160}, "were turned away"),
    "warehouse-outage": ({"ok": 1_000}, {"ok": 990, "refused": 10}, "of the orders were refused"),
    "store-failover": ({"ok": 750, "overloaded": 200, "other": 50}, {"ok": 790, "other": 210}, "nor refusal"),
}
"""By scenario, of a thousand orders: what may come of them, what may not, and what is then told."""


@cache
def base() -> LoadResult:
    """A short run in which nothing is wrong."""

    async def answering(request: Planted) -> None:
        await request.answer(OK)

    with planted(answering) as url:
        kinds = [Kind(name="order", path="/v1/orders", body="{}")]
        return run_load(LoadPlan(url=url, arrivals=Constant(50), seconds=0.2, kinds=kinds, id_prefix="t"))


def result(orders: dict[str, int]) -> LoadResult:
    """The same with other counts; how quick this machine is has no part in it."""
    ran = base()
    quick = replace(ran.from_intended, p99_ms=5.0)
    return replace(
        ran,
        offered=sum(orders.values()),
        waiting_at_end=0,
        orders=dict.fromkeys(ran.orders, 0) | orders,
        classes={
            word: replace(one, count=orders.get(word, 0), from_intended=quick) for word, one in ran.classes.items()
        },
        generator=replace(ran.generator, bound_by=[]),
    )


def test_every_scenario_is_looked_at() -> None:
    """A new one says here what it passes and fails with."""
    assert {*PASSES_FAILS} == {*names()}


@pytest.mark.parametrize("name", PASSES_FAILS)
def test_a_scenario_passes_with_what_it_is_for_and_fails_with_more(name: str) -> None:
    """What an overload or a crash must cost is no finding; what is beyond that is one."""
    passes, fails, words = PASSES_FAILS[name]
    targets = built_in(name).document.targets
    assert judged(result(passes), targets) == []
    assert any(words in one for one in judged(result(fails), targets))
    if targets.p99_ms_max is not None:
        assert any("p99 of what was accepted" in one for one in judged(late(passes, targets.p99_ms_max + 1), targets))


def late(orders: dict[str, int], p99_ms: float) -> LoadResult:
    """What was accepted took so long."""
    ran = result(orders)
    ok = ran.classes["ok"]
    return replace(
        ran, classes=ran.classes | {"ok": replace(ok, from_intended=replace(ok.from_intended, p99_ms=p99_ms))}
    )


def test_without_a_scenario_one_order_in_a_hundred_may_be_turned_away() -> None:
    """And none may fail."""
    assert judged(result({"ok": 990, "overloaded": 10})) == []
    assert any("were turned away" in one for one in judged(result({"ok": 989, "overloaded": 11})))
    assert any("had no answer" in one for one in judged(result({"ok": 999, "failed": 1})))


def test_what_the_command_is_told_goes_before_the_scenario() -> None:
    """In either direction, 0 included."""
    targets = Targets(p99_ms_max=4, overloaded_share_max=0.5)
    ran = result({"ok": 700, "overloaded": 300})
    assert ["p99" in one for one in judged(ran, targets)] == [True]
    assert judged(ran, targets, p99_ms=6) == []
    assert any("were turned away" in one for one in judged(ran, targets, overloaded_max=0))


def test_what_is_left_of_what_was_to_be_sold_is_told() -> None:
    """Beside all else."""
    ran, targets = result({"ok": 200, "refused": 800}), built_in("sell-out").document.targets
    assert judged(ran, targets, left=Counter({"a": 0})) == []
    (told,) = judged(ran, targets, left=Counter({"a": 2}))
    assert "2 units of the hot SKUs are left" in told
