"""What happens in mid-run: stock that comes, a warehouse that goes; what is done to processes is the caller's to do."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import aiohttp
import msgspec
from msgspec import Struct

from engine.tasks import end_task
from loadtest.client import Client, UnexpectedAnswer
from loadtest.load import OnSecond, Recorded, recorded_load
from loadtest.load_plan import LoadPlan
from loadtest.load_result import ActionDone
from loadtest.scenarios.document import Action
from loadtest.scenarios.goods import STOCK_ROWS_A_CALL, Goods
from loadtest.scenarios.outage import OutageFailed, take_down

UNFINISHED = "the run ended before it was done"


class FaultFailed(Exception):
    """What should have happened in mid-run could not be done."""


class Faults(Protocol):
    """What can be done to the service's processes. Each raises FaultFailed."""

    async def kill_worker(self) -> str:
        """Kill one of the workers; which, in words."""

    async def kill_store(self) -> str:
        """Kill the store."""

    async def slow_store(self, *, for_s: float, stopped_ms: float, every_ms: float) -> str:
        """Stop the store for a while, again and again."""

    async def fail_over(self) -> str:
        """Have another server take over."""


class Actions(Struct, frozen=True):
    """The actions of a run, and what they need."""

    actions: Sequence[Action]
    goods: Goods
    faults: Faults | None
    on_action: Callable[[ActionDone], None] = lambda _: None
    moved: set[str] = msgspec.field(default_factory=set)
    """Orders that were re-allocated, or may have been: they have another allocation than they were told."""


async def play(
    plan: LoadPlan, actions: Actions, on_second: OnSecond = lambda _: None
) -> tuple[Recorded, list[ActionDone]]:
    """The run, with its actions at their times; what is still to come when it ends is left. Raises NoRun."""
    done: list[ActionDone] = []
    async with Client(plan.url, connections=1, key=plan.key, signing_secret=plan.signing_secret) as client:
        run = asyncio.create_task(recorded_load(plan, on_second))
        began = asyncio.get_running_loop().time()

        async def act(action: Action, number: int) -> None:
            await asyncio.sleep(action.at_s)
            told, failed = "", None
            try:
                told = await _doing(action, actions, client, f"{plan.id_prefix}-m{number}")
            except (FaultFailed, OutageFailed, UnexpectedAnswer, aiohttp.ClientError, OSError) as error:
                failed = str(error) or type(error).__name__
            except asyncio.CancelledError:
                # A store that is slow to the end is what was wanted; of all else nobody knows what came of it.
                told, failed = ("to the end", None) if action.do == "slow_store" else ("", UNFINISHED)
                raise
            finally:
                at_s = asyncio.get_running_loop().time() - began
                one = ActionDone(at_s=at_s, do=action.do, told=told, failed=failed)
                done.append(one)
                actions.on_action(one)

        tasks = [asyncio.create_task(act(action, number)) for number, action in enumerate(actions.actions)]
        try:
            recorded = await run
        finally:
            await asyncio.gather(*(end_task(task) for task in (run, *tasks)))
    return recorded, done


def _doing(action: Action, actions: Actions, client: Client, movement_id: str) -> Awaitable[str]:
    if action.do == "restock":
        return _restock(action, actions.goods, client, movement_id)
    if action.do == "warehouse_down":
        # The first of the scenario's, then the next.
        earlier = [one for one in actions.actions if one.do == "warehouse_down" and one.at_s < action.at_s]
        warehouse = actions.goods.warehouses[len(earlier) % len(actions.goods.warehouses)]
        return take_down(client, warehouse, f"{movement_id}-run", actions.moved)
    if actions.faults is None:
        raise FaultFailed("The service is not this command's own.")
    match action.do:
        case "kill_worker":
            return actions.faults.kill_worker()
        case "kill_store":
            return actions.faults.kill_store()
        case "slow_store":
            return actions.faults.slow_store(
                for_s=action.for_s or 0, stopped_ms=action.stopped_ms or 0, every_ms=action.every_ms or 0
            )
        case "fail_over":
            return actions.faults.fail_over()


async def _restock(action: Action, goods: Goods, client: Client, movement_id: str) -> str:
    rows = [{"sku": sku, "warehouse": name, "quantity": action.units} for sku, name in goods.cells(action.want)]
    for start in range(0, len(rows), STOCK_ROWS_A_CALL):
        part = rows[start : start + STOCK_ROWS_A_CALL]
        await client.post(
            "/v1/stock/movements", {"movement_id": f"{movement_id}-{start}", "type": "receive", "rows": part}
        )
    return f"{len(rows) * (action.units or 0):,} units into {len(rows):,} cells"
