"""A run from beginning to end, on one partition and on three: what it plans, does, refuses, repeats and takes back."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import msgspec
import pytest

from engine import Engine, Settings, open_engine
from engine.errors import InvalidInput, ReallocationConflict, ReallocationStale, ReallocationState, StoreUnavailable
from engine.model import Allocation, HeldLine, Movement, MovementRow
from engine.reallocation import Move, Moves, ReallocationRequest, ReallocationStatus
from engine.reallocation.document import tried
from engine.store import Lane, PlanCalls
from engine.store.orders import OrderCalls
from tests.engine.small_network import another, assert_balanced, order, put_network, put_stock, reserved

STOCK = {("x", "A"): 10, ("x", "B"): 10, ("x", "C"): 10, ("y", "A"): 5, ("y", "B"): 5}


@pytest.fixture(params=[1, 3], ids=["one partition", "three partitions"])
async def stocked(request: pytest.FixtureRequest, empty_store_url: str) -> AsyncIterator[Engine]:
    """An engine whose books balance after the test."""
    async with open_engine(Settings(redis_url=empty_store_url, partitions=request.param)) as engine:
        await put_network(engine, STOCK)
        yield engine
        await assert_balanced(engine)


async def allocation(engine: Engine, order_id: str) -> Allocation:
    """An order as it stands."""
    found = await engine.order(order_id)
    assert found is not None
    return found


async def served_by(engine: Engine, order_id: str) -> dict[tuple[str, str], int]:
    """Units by SKU and warehouse."""
    shipments = (await allocation(engine, order_id)).shipments
    return {(line.sku, one.warehouse): line.quantity for one in shipments for line in one.lines}


async def test_orders_of_a_warehouse_that_is_down_leave_it(stocked: Engine) -> None:
    """The dry run changes nothing; the plan says what it costs; the feed tells the move and why."""
    for number in range(3):
        reserved(await stocked.reserve(order(f"o{number}", ("x", 2), ("y", 1))))
    before = {name: await allocation(stocked, name) for name in ("o0", "o1", "o2")}
    run = await stocked.reallocate(warehouse_down="A", dry_run=True)
    assert run.state == "planned"
    assert {name: await allocation(stocked, name) for name in before} == before
    assert run.plan is not None
    assert (run.plan.orders_chosen, run.plan.orders_moved, run.plan.units_moved) == (3, 3, 9)
    assert run.plan.cost_before == sum(one.cost for one in before.values())
    assert [move[1:5] for move in run.moves][:2] == [("x", 2, "A", "B"), ("y", 1, "A", "B")]
    assert "3 orders" in run.summary()
    status = await run.apply()
    assert (status.state, status.applied, status.skipped) == ("applied", 3, ())
    after = {name: await allocation(stocked, name) for name in before}
    assert run.plan.cost_after == sum(one.cost for one in after.values())
    for name, was in before.items():
        assert await served_by(stocked, name) == {("x", "B"): 2, ("y", "B"): 1}
        assert after[name].version == was.version + 1
    events = [event for event in (await stocked.events()).events if event.type == "amend"]
    assert {order_id for event in events for order_id in event.orders} == set(before)
    assert {str(event.transition_id).rpartition(".")[0] for event in events} == {run.id}
    assert {event.reason for event in events} == {f"re-allocation {run.id}: warehouse A down"}


async def test_pools_go_to_the_orders_of_their_channel(stocked: Engine) -> None:
    """The others stay unserved rather than taking them; what the channel does not want is still in its pool."""
    await put_stock(stocked, {("x", "B"): 4, ("x", "C"): 1})
    rows = [
        MovementRow(sku="x", warehouse="B", quantity=4, channel="app"),
        MovementRow(sku="x", warehouse="C", quantity=1, channel="shop"),
    ]
    await stocked.move(Movement(movement_id="pools", type="allot", rows=tuple(rows)))
    wanted = {"app0": "app", "app1": "app", "shop0": "shop", "shop1": "shop", "fair": "fair", "none": None}
    for name, channel in reversed(wanted.items()):
        reserved(await stocked.reserve(order(name, ("x", 1), channel=channel)))
    assert await served_by(stocked, "app0") == {("x", "A"): 1}
    run = await stocked.reallocate(warehouse_down="A")
    assert run.plan is not None
    assert (run.plan.orders_chosen, run.plan.orders_moved) == (6, 3)
    for name in ("app0", "app1"):
        assert await served_by(stocked, name) == {("x", "B"): 1}
    moved = [name for name in ("shop0", "shop1") if await served_by(stocked, name) == {("x", "C"): 1}]
    assert len(moved) == 1
    assert set(run.unserved.order_id) == wanted.keys() - {"app0", "app1", *moved}
    reserved(await stocked.reserve(order("more", ("x", 2), channel="app", warehouses=("B",))))


async def test_what_was_planned_is_applied_by_any_process_and_once(stocked: Engine) -> None:
    """Another engine finds the run by its id; asked again, it changes nothing."""
    reserved(await stocked.reserve(order("one", ("x", 2))))
    planned = await stocked.reallocate(warehouse_down="A", id="flood", dry_run=True)
    async with another(stocked) as other:
        run = await other.reallocation("flood")
        assert run is not None
        await run.load()
        assert list(run.moves) == list(planned.moves) == [Move("one", "x", 2, "A", "B", *_costs(run.moves))]
        assert (await run.apply()).applied == 1
    version = (await allocation(stocked, "one")).version
    assert (await planned.apply()).applied == 1
    again = await stocked.reallocate(warehouse_down="A", id="flood")
    assert (again.state, again.status.applied) == ("applied", 1)
    assert (await allocation(stocked, "one")).version == version
    assert [status.id for status in await stocked.reallocations()] == ["flood"]
    with pytest.raises(ReallocationConflict):
        await stocked.reallocate(warehouse_down="B", id="flood")
    assert await stocked.reallocation("fire") is None


def _costs(moves: Moves) -> tuple[int, int]:
    return moves.cost_before[0], moves.cost_after[0]


async def test_orders_that_changed_since_are_skipped_and_told(stocked: Engine) -> None:
    """Shipped, cancelled, amended, or their stock was sold: the others move."""
    for name in ("shipped", "cancelled", "amended", "moves"):
        reserved(await stocked.reserve(order(name, ("x", 2))))
    run = await stocked.reallocate(warehouse_down="A", dry_run=True)
    await stocked.ship("shipped", transition_id="s")
    await stocked.cancel("cancelled")
    await stocked.amend("amended", (order("", ("x", 1)).lines), transition_id="a")
    status = await run.apply()
    assert status.applied == 1
    assert {told.why: told.orders for told in status.skipped} == {"version": 3}
    assert await served_by(stocked, "moves") == {("x", "B"): 2}
    assert set((await run.skipped()).order_id) == {"shipped", "cancelled", "amended"}


async def test_stock_that_was_sold_since_is_not_taken(stocked: Engine) -> None:
    """What is left goes to those who come first."""
    for number in range(4):
        reserved(await stocked.reserve(order(f"o{number}", ("y", 1))))
    run = await stocked.reallocate(warehouse_down="A", dry_run=True)
    reserved(await stocked.reserve(order("late", ("y", 3), warehouses=("B",))))
    status = await run.apply()
    assert (status.applied, {told.why: told.orders for told in status.skipped}) == (2, {"stock": 2})


async def test_a_run_is_taken_back_where_nothing_happened_since(stocked: Engine) -> None:
    """Each order is where it was, at its old cost; one that was shipped stays, and is told."""
    for number in range(3):
        reserved(await stocked.reserve(order(f"o{number}", ("x", 2))))
    before = {name: await allocation(stocked, name) for name in ("o0", "o1", "o2")}
    run = await stocked.reallocate(warehouse_down="A")
    assert run.status.applied == 3
    await stocked.ship("o1", transition_id="gone")
    status = await run.rollback()
    assert (status.state, status.rolled_back) == ("rolled_back", 2)
    assert {told.why: told.orders for told in status.not_rolled_back} == {"version": 1}
    for name in ("o0", "o2"):
        now = await allocation(stocked, name)
        was = before[name]
        assert (now.shipments, now.cost, now.status) == (was.shipments, was.cost, "confirmed")
    assert await served_by(stocked, "o1") == {("x", "B"): 2}
    assert (await run.rollback()).rolled_back == 2
    with pytest.raises(ReallocationState, match="rolled_back"):
        await run.apply()


async def test_a_cancelled_run_does_no_more(stocked: Engine) -> None:
    """Before it was applied: nothing is; and it can be cancelled twice, but not applied."""
    reserved(await stocked.reserve(order("one", ("x", 2))))
    run = await stocked.reallocate(warehouse_down="A", dry_run=True)
    assert (await run.cancel()).state == "cancelled"
    assert (await run.cancel()).state == "cancelled"
    with pytest.raises(ReallocationState, match="cancelled"):
        await run.apply()
    assert await served_by(stocked, "one") == {("x", "A"): 2}


async def test_a_move_that_was_about_to_be_made_when_its_run_was_taken_back_is_not_made(
    stocked: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether it is one of a chunk or by itself: whoever makes it has not heard of that."""
    reserved(await stocked.reserve(order("one", ("x", 2), ("y", 1))))
    run = await stocked.reallocate(warehouse_down="A", dry_run=True)
    taken_back: list[ReallocationStatus] = []

    def late(call: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def after_the_way_back(calls: object, *args: Any, **fields: Any) -> Any:
            if not taken_back:
                monkeypatch.undo()
                taken_back.append(await run.cancel())
                taken_back.append(await run.rollback())
            return await call(calls, *args, **fields)

        return after_the_way_back

    monkeypatch.setattr(PlanCalls, "advance", late(PlanCalls.advance))
    monkeypatch.setattr(OrderCalls, "replace", late(OrderCalls.replace))
    assert (await run.apply()).state == "rolled_back"
    assert [status.state for status in taken_back] == ["cancelled", "rolled_back"]
    assert await served_by(stocked, "one") == {("x", "A"): 2, ("y", "A"): 1}
    status = await run.rollback()
    assert (status.applied, status.rolled_back, status.not_rolled_back) == (0, 0, ())


async def test_a_place_in_a_day_that_was_taken_since_is_not_given_back(stocked: Engine) -> None:
    """The order stays where it was moved to, and is told; others are taken back."""
    for name in ("A", "B"):
        terms = stocked.planner.warehouses[name]
        await stocked.put_warehouses([msgspec.structs.replace(terms, capacity_orders_per_day=2)])
    for name in ("o0", "o1"):
        reserved(await stocked.reserve(order(name, ("x", 1), ("y", 1), warehouses=("A", "B"))))
        assert await served_by(stocked, name) == {("x", "A"): 1, ("y", "A"): 1}
    run = await stocked.reallocate(warehouse_down="A")
    assert run.status.applied == 2
    reserved(await stocked.reserve(order("since", ("x", 1), warehouses=("A",))))
    status = await run.rollback()
    assert (status.rolled_back, {told.why: told.orders for told in status.not_rolled_back}) == (1, {"capacity": 1})
    served = [await served_by(stocked, name) for name in ("o0", "o1")]
    assert sorted(warehouse for one in served for _, warehouse in one) == ["A", "A", "B", "B"]


@pytest.mark.parametrize(("planned", "now", "taken_back"), [(5, 1, 1), (2, 9, 2), (5, 0, 0)])
async def test_a_day_has_the_bound_of_when_an_order_comes_back(
    stocked: Engine, planned: int, now: int, taken_back: int
) -> None:
    """Not the one of when it left."""

    async def may_serve(name: str, orders: int) -> None:
        terms = stocked.planner.warehouses[name]
        await stocked.put_warehouses([msgspec.structs.replace(terms, capacity_orders_per_day=orders)])

    await may_serve("A", planned)
    for name in ("o0", "o1"):
        reserved(await stocked.reserve(order(name, ("x", 1), ("y", 1), warehouses=("A", "B"))))
    run = await stocked.reallocate(warehouse_down="A")
    assert run.status.applied == 2
    if planned == 2:
        reserved(await stocked.reserve(order("since", ("x", 1), warehouses=("A",))))
    await may_serve("A", now)
    status = await run.rollback()
    left = {"capacity": 2 - taken_back} if taken_back < 2 else {}
    assert (status.rolled_back, {told.why: told.orders for told in status.not_rolled_back}) == (taken_back, left)


async def test_whoever_applies_goes_by_what_a_warehouse_serves_now(stocked: Engine) -> None:
    """Also a process that follows nobody's changes, as a command does."""
    for name in ("A", "B"):
        terms = stocked.planner.warehouses[name]
        await stocked.put_warehouses([msgspec.structs.replace(terms, capacity_orders_per_day=9)])
    for name in ("o0", "o1", "o2"):
        reserved(await stocked.reserve(order(name, ("x", 1), warehouses=("A", "B"))))
    planned = await stocked.reallocate(warehouse_down="A", dry_run=True)
    async with open_engine(Settings(redis_url=stocked.store.url), background=False) as command:
        run = await command.reallocation(planned.id)
        assert run is not None
        terms = stocked.planner.warehouses["B"]
        await stocked.put_warehouses([msgspec.structs.replace(terms, capacity_orders_per_day=1)])
        status = await run.apply()
    assert (status.applied, {told.why: told.orders for told in status.skipped}) == (1, {"capacity": 2})


async def test_a_customers_limit_is_told_from_stock_that_lacks(stocked: Engine) -> None:
    """By whichever partition finds it broken: what the customer bought since the plan counts."""
    await put_stock(stocked, {("few", "A"): 2, ("few", "B"): 9})
    reserved(await stocked.reserve(order("waits", ("few", 3), allow_backorder=True, customer="c", warehouses=("A",))))
    await put_stock(stocked, {("few", "A"): 9})
    run = await stocked.reallocate(backordered=True, dry_run=True)
    reserved(await stocked.reserve(order("bought", ("few", 1), customer="c", warehouses=("B",))))
    status = await run.apply()
    assert (status.applied, {told.why: told.orders for told in status.skipped}) == (0, {"purchase_limit": 1})


async def test_a_day_that_is_full_is_told_from_stock_that_lacks(stocked: Engine) -> None:
    """Else somebody would buy stock that is there."""
    for name in ("o0", "o1", "o2"):
        reserved(await stocked.reserve(order(name, ("x", 1), warehouses=("A", "B"))))
    reserved(await stocked.reserve(order("large", ("y", 5), warehouses=("A", "B"))))
    terms = stocked.planner.warehouses["B"]
    await stocked.put_warehouses([msgspec.structs.replace(terms, capacity_orders_per_day=1)])
    await put_stock(stocked, {("y", "B"): 1})
    run = await stocked.reallocate(warehouse_down="A", dry_run=True)
    assert run.plan is not None
    assert {told.why: told.orders for told in run.plan.unserved} == {"capacity": 2, "no_stock": 1}


async def test_no_order_is_left_for_where_its_day_is_counted(stocked: Engine) -> None:
    """Order, stock and day may each be of another partition."""
    for name in ("A", "B"):
        terms = stocked.planner.warehouses[name]
        await stocked.put_warehouses([msgspec.structs.replace(terms, capacity_orders_per_day=9)])
    names = [f"o{number}" for number in range(9)]
    for name in names:
        reserved(await stocked.reserve(order(name, ("x", 1), warehouses=("A", "B"))))
    run = await stocked.reallocate(warehouse_down="A")
    assert (run.status.applied, run.status.skipped) == (9, ())
    assert (await run.rollback()).rolled_back == 9
    assert [await served_by(stocked, name) for name in names] == [{("x", "A"): 1}] * 9


async def test_orders_swap_places_where_no_stock_is_free(empty_store_url: str) -> None:
    """Both move at once, as neither could first."""
    async with open_engine(Settings(redis_url=empty_store_url)) as engine:
        await put_network(engine, {("x", "A"): 1, ("x", "B"): 1})
        near_b = order("near b", ("x", 1), warehouses=("A", "B"))
        near_b = type(near_b)(**{**{name: getattr(near_b, name) for name in near_b.__struct_fields__},
                                 "ship_to": type(near_b.ship_to)(lat=31.0, lon=110.0)})  # fmt: skip
        filler = order("filler", ("x", 1), warehouses=("B",))
        reserved(await engine.reserve(filler))
        reserved(await engine.reserve(near_b))
        await engine.cancel("filler")
        near_a = order("near a", ("x", 1))
        reserved(await engine.reserve(near_a))
        assert await served_by(engine, "near b") == {("x", "A"): 1}
        assert await served_by(engine, "near a") == {("x", "B"): 1}
        run = await engine.reallocate(all_open=True)
        assert run.status.applied == 2
        assert run.plan is not None
        assert run.plan.saved > 0
        assert await served_by(engine, "near b") == {("x", "B"): 1}
        assert await served_by(engine, "near a") == {("x", "A"): 1}
        # Nothing is left to be saved.
        assert (await engine.reallocate(all_open=True)).status.applied == 0
        await assert_balanced(engine)


async def test_orders_that_wait_are_filled_by_priority(stocked: Engine) -> None:
    """Paid before unpaid, then the older; what cannot be filled whole waits on. A rollback lets them wait again."""
    for name, payment in (("unpaid", "pending"), ("first", "paid"), ("second", "paid")):
        reserved(await stocked.reserve(order(name, ("z", 2), allow_backorder=True, payment=payment)))
    assert (await allocation(stocked, "first")).status == "backordered"
    await put_stock(stocked, {("z", "C"): 4})
    run = await stocked.reallocate(backordered=True)
    assert run.status.applied == 2
    assert (list(run.unserved.order_id), list(run.unserved.why)) == (["unpaid"], ["no_stock"])
    assert {name: (await allocation(stocked, name)).status for name in ("first", "second", "unpaid")} == {
        "first": "confirmed",
        "second": "confirmed",
        "unpaid": "backordered",
    }
    assert {move.from_warehouse for move in run.moves} == {None}
    assert (await run.rollback()).rolled_back == 2
    assert (await allocation(stocked, "first")).status == "backordered"
    await put_stock(stocked, {("z", "C"): 6})
    assert (await stocked.reallocate(backordered=True)).status.applied == 3
    unpaid = await allocation(stocked, "unpaid")
    assert unpaid.status == "reserved"
    assert unpaid.expires_at is not None


async def test_terms_of_orders_are_kept(stocked: Engine) -> None:
    """Warehouses allowed, pick-up, and a part that has left: such orders stay, and are told."""
    reserved(await stocked.reserve(order("pinned", ("x", 1), warehouses=("A",))))
    reserved(await stocked.reserve(order("collected", ("x", 1), pickup_at="A")))
    reserved(await stocked.reserve(order("left", ("x", 1), ("y", 1))))
    await stocked.ship("left", transition_id="s", lines=[HeldLine("x", 1)])
    reserved(await stocked.reserve(order("whole", ("x", 3), ("y", 4), allow_split=False, warehouses=("A", "B"))))
    run = await stocked.reallocate(warehouse_down="A", dry_run=True)
    assert run.plan is not None
    assert [(told.why, told.orders) for told in run.plan.left_out] == [("partially_shipped", 1)]
    assert sorted(zip(run.unserved.order_id, run.unserved.why, strict=True)) == [
        ("collected", "no_stock"),
        ("pinned", "no_stock"),
    ]
    assert {move.to_warehouse for move in run.moves} == {"B"}
    await run.apply()


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({}, ""),
        ({"warehouse_down": "nowhere"}, "/warehouse_down"),
        ({"skus": ("x", "none")}, "/skus/1"),
        ({"all_open": True, "excluded_warehouses": ("?",)}, "/excluded_warehouses/0"),
        ({"all_open": True, "max_moves": 0}, "/max_moves"),
        ({"backordered": True, "warehouse_down": "A"}, "/backordered"),
        ({"all_open": True, "colour": "red"}, "/colour"),
        ({"all_open": True, "id": " a"}, "/id"),
    ],
)
async def test_a_request_that_breaks_a_rule_begins_nothing(
    stocked: Engine, fields: dict[str, object], pointer: str
) -> None:
    """The error names field and rule."""
    with pytest.raises(InvalidInput) as caught:
        await stocked.reallocate(**fields)  # type: ignore[arg-type]
    assert [error.pointer for error in caught.value.errors] == [pointer]
    assert await stocked.reallocations() == ()


async def test_a_run_that_somebody_plans_is_waited_for(stocked: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks for the same again and again would else have a long one begun again and again."""
    reserved(await stocked.reserve(order("one", ("x", 1))))
    room, worked = stocked._reallocations, list[str]()
    work_out = room._planning.work_out

    async def noted(request: ReallocationRequest, going_on: Callable[[], bool]) -> object:
        worked.append(request.id or "")
        await asyncio.sleep(0.1)
        return await work_out(request, going_on)

    monkeypatch.setattr(room._planning, "work_out", noted)
    await room.begin(ReallocationRequest(id="asked", warehouse_down="A"))
    found = await asyncio.gather(*(room.plan("asked") for _ in range(4)))
    assert worked == ["asked"]
    assert {status.state for status in found} == {"planned"}
    assert {status.plan.orders_moved for status in found if status.plan is not None} == {1}


async def test_a_run_whose_planner_died_is_planned_by_whoever_asks(stocked: Engine) -> None:
    """Once it has not been heard of for a while."""
    reserved(await stocked.reserve(order("one", ("x", 1))))
    room = stocked._reallocations
    await room.begin(ReallocationRequest(id="left", warehouse_down="A"))
    now_ms = room._clock.now_ms()
    assert await room._runs.change("left", tried("dead", now_ms=now_ms, until_ms=now_ms + 400)) is not None
    began = asyncio.get_running_loop().time()
    assert (await room.plan("left")).state == "planned"
    assert 0.3 <= asyncio.get_running_loop().time() - began < 5


async def test_a_process_that_died_as_it_began_a_run_leaves_none_that_is_listed_nowhere(stocked: Engine) -> None:
    """What it kept first is an id without a run, which the next one of that id completes."""
    room = stocked._reallocations
    plans, keep = stocked.store.partitions[0].plans, PlanCalls.keep
    with pytest.MonkeyPatch.context() as patched:

        async def dying(calls: PlanCalls, field: str, seen: bytes | None, **rest: Any) -> bool:
            if field.startswith("run:"):
                raise StoreUnavailable("killed")
            return await keep(calls, field, seen, **rest)

        patched.setattr(PlanCalls, "keep", dying)
        with pytest.raises(StoreUnavailable):
            await room.begin(ReallocationRequest(id="cut", warehouse_down="A"))
    assert await plans.read(["run:cut"]) == [None]
    assert await stocked.reallocations() == ()
    await room.begin(ReallocationRequest(id="cut", warehouse_down="A"))
    assert [status.id for status in await stocked.reallocations()] == ["cut"]


async def kept(engine: Engine) -> list[str]:
    """All that the store keeps of runs."""
    found = []
    for partition in engine.store.partitions:
        packed = await partition.wire.command("HKEYS", partition.keys.plans, lane=Lane.READ)
        found += [field.decode() for field in packed if field]
    return found


async def test_of_a_run_that_is_let_go_nothing_is_kept(stocked: Engine) -> None:
    """Neither what was skipped, nor what undoes it."""
    for number in range(3):
        reserved(await stocked.reserve(order(f"o{number}", ("x", 1), ("y", 1))))
    run = await stocked.reallocate(warehouse_down="A", dry_run=True)
    await stocked.cancel("o0")
    assert (await run.apply()).applied == 2
    assert len(await kept(stocked)) > 3
    await stocked._reallocations.forget(run.id)
    assert await kept(stocked) == ["runs"]


async def test_an_id_that_comes_again_names_another_run(stocked: Engine) -> None:
    """What the first one did to an order is not what the second one does."""
    reserved(await stocked.reserve(order("one", ("x", 1))))
    assert (await stocked.reallocate(warehouse_down="A", id="flood")).status.applied == 1
    await stocked._reallocations.forget("flood")
    run = await stocked.reallocate(warehouse_down="B", id="flood")
    assert (run.status.applied, run.status.skipped) == (1, ())
    assert await served_by(stocked, "one") != {("x", "B"): 1}


async def test_a_plan_is_not_applied_to_a_warehouse_that_serves_nothing_any_more(stocked: Engine) -> None:
    """It is planned anew then."""
    reserved(await stocked.reserve(order("one", ("x", 1))))
    run = await stocked.reallocate(warehouse_down="A", dry_run=True)
    (to,) = run.moves.to_warehouse
    await stocked.put_warehouses([msgspec.structs.replace(stocked.planner.warehouses[to], enabled=False)])
    with pytest.raises(ReallocationStale, match=to):
        await run.apply()
    again = await stocked.reallocate(warehouse_down="A")
    assert again.status.applied == 1
    assert to not in again.moves.to_warehouse
