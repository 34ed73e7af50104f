"""What happens in mid-run is told, whatever came of it."""

import asyncio

import pytest

from engine.model import ShipTo
from loadtest.load_plan import Constant, Kind, LoadPlan
from loadtest.load_result import ActionDone
from loadtest.scenarios.actions import UNFINISHED, Actions, play
from loadtest.scenarios.document import Action
from loadtest.scenarios.goods import Goods
from tests.loadtest.planted import OK, Planted, planted

GOODS = Goods(skus=["a"], hot=1, places=[ShipTo(lat=31.0, lon=121.0)])


class Slow:
    """Faults that take for ever."""

    async def kill_worker(self) -> str:
        """At once."""
        return "worker 7"

    async def kill_store(self) -> str:
        """Never done."""
        await asyncio.sleep(600)
        return ""

    async def slow_store(self, *, for_s: float, stopped_ms: float, every_ms: float) -> str:
        """Longer than any run."""
        del for_s, stopped_ms, every_ms
        await asyncio.sleep(600)
        return ""

    async def fail_over(self) -> str:
        """Not asked for."""
        raise AssertionError


@pytest.mark.parametrize(
    ("action", "told"),
    [
        (Action(at_s=0.2, do="kill_worker"), ("worker 7", None)),
        (Action(at_s=0.2, do="kill_store"), ("", UNFINISHED)),
        (Action(at_s=0.2, do="slow_store", for_s=600, stopped_ms=1, every_ms=2), ("to the end", None)),
        (Action(at_s=60, do="kill_worker"), None),
    ],
)
async def test_an_action_that_the_end_cut_short_is_told(action: Action, told: tuple[str, str | None] | None) -> None:
    """One that never began is none."""

    async def answers(request: Planted) -> None:
        await request.answer(OK)

    heard: list[ActionDone] = []
    with planted(answers) as url:
        plan = LoadPlan(
            url=url,
            arrivals=Constant(50),
            kinds=[Kind(name="order", path="/v1/orders", body='{"order_id":"${id}"}')],
            connections=4,
            id_prefix="t",
            seconds=0.6,
        )
        _, done = await play(plan, Actions([action], GOODS, Slow(), heard.append))
    assert done == heard
    assert [(one.told, one.failed) for one in done] == ([] if told is None else [told])
