"""Lots of several sources: none takes all places, and a batch is filled from all alike."""

import asyncio

import msgspec

from engine.intake import Conflict
from engine.intake.lot import Lot, Told
from engine.intake.lots import LotQueue, LotRoom
from engine.intake.waiting import Share

ROOM = 8


def lines(source: str, count: int) -> bytes:
    """Orders named after their source."""
    orders = [
        {"order_id": f"{source}{n}", "ship_to": {"lat": 30, "lon": 110}, "lines": [{"sku": "x", "quantity": 1}]}
        for n in range(count)
    ]
    return b"\n".join(msgspec.json.encode(order) for order in orders)


async def test_who_leaves_the_line_costs_no_place() -> None:
    """Also where a place becomes free between the cancelling and the leaving."""
    room = LotRoom(ROOM)
    tasks = await entered(room, "a", ROOM // 2 + 3)
    for gone in tasks[ROOM // 2 : ROOM // 2 + 2]:
        gone.cancel()
    room.leave("a")
    found = await asyncio.gather(*tasks, return_exceptions=True)
    assert [isinstance(one, asyncio.CancelledError) for one in found] == [False] * (ROOM // 2) + [True, True, False]
    for _ in range(ROOM // 2):
        room.leave("a")
    again = await entered(room, "b", ROOM)
    assert sum(one.done() for one in again) == ROOM // 2, "a place was lost, or one given twice"
    for one in again:
        one.cancel()
    await asyncio.gather(*again, return_exceptions=True)


async def entered(room: LotRoom, source: str, times: int) -> list[asyncio.Task[None]]:
    """Those who wanted in; let in is who is done."""
    tasks = [asyncio.create_task(room.enter(source)) for _ in range(times)]
    for _ in range(3):
        await asyncio.sleep(0)
    return tasks


async def test_one_source_leaves_places_for_others() -> None:
    """However many lots it has: who comes next waits for none of them."""
    room = LotRoom(ROOM)
    flood = await entered(room, "flood", 50)
    assert sum(one.done() for one in flood) == ROOM // 2
    second = await entered(room, "second", 2)
    assert all(one.done() for one in second)
    room.leave("flood")
    await asyncio.sleep(0)
    third = await entered(room, "third", 1)
    assert third[0].done()
    for one in flood:
        one.cancel()


async def test_places_are_given_in_turn_and_none_is_lost() -> None:
    """Also where who waits is cancelled, before or after it was let in."""
    room = LotRoom(ROOM)
    tasks = {source: await entered(room, source, 20) for source in "ab"}
    tasks["a"][-1].cancel()
    for _ in range(200):
        for source in "ab":
            if any(one.done() for one in tasks[source]):
                finished = next(one for one in tasks[source] if one.done())
                tasks[source].remove(finished)
                if not finished.cancelled():
                    room.leave(source)
        await asyncio.sleep(0)
    assert tasks == {"a": [], "b": []}
    late = await entered(room, "c", ROOM)
    assert sum(one.done() for one in late) == ROOM // 2
    waiting = next(one for one in late if not one.done())
    room.leave("c")
    # It was let in, and is cancelled before it knows.
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    for one in late:
        one.cancel()
    await asyncio.gather(*late, return_exceptions=True)
    for _ in range(ROOM // 2):
        room.leave("c") if any(one.done() and not one.cancelled() for one in late) else None
        late = [one for one in late if one.cancelled() or not one.done()] + [
            one for one in late if one.done() and not one.cancelled()
        ][1:]
    assert sum(one.done() for one in await entered(room, "d", ROOM)) == ROOM // 2


async def test_a_batch_has_even_parts_of_all_sources() -> None:
    """By orders and bytes; what one leaves, the others get."""
    queue, put = LotQueue(), {}
    for source, count in (("a", 100), ("b", 100), ("c", 4)):
        put[source] = Lot(lines(source, count), partitions=1, source=source)
        queue.put(Share(put[source], 0, count))
    assert queue.orders == 204
    taken = queue.take(60, 1_000_000)
    counts = {source: sum(s.end - s.start for s in taken if s.lot is lot) for source, lot in put.items()}
    assert counts["c"] == 4
    assert abs(counts["a"] - counts["b"]) <= 1
    assert sum(counts.values()) == 60
    assert len({id(share.lot) for share in taken}) == len(taken)
    queue.put_first(taken)
    assert queue.orders == 204
    again = queue.take(1_000, 10_000_000)
    places = {source: [n for s in again if s.lot is lot for n in range(s.start, s.end)] for source, lot in put.items()}
    assert places == {"a": list(range(100)), "b": list(range(100)), "c": list(range(4))}
    assert len(again) == len(put)
    assert not queue


async def test_orders_that_nobody_waits_for_are_left_and_counted() -> None:
    """But for those that a batch has, and those that were told already."""
    queue, lots = LotQueue(), [Lot(lines("a", count), partitions=1, source="a") for count in (5, 2, 3)]
    for lot in lots:
        queue.put(Share(lot, 0, len(lot)))
    assert [(share.lot, share.end) for share in queue.take(2, 1_000_000)] == [(lots[0], 2)]
    lots[0].tell(4, Told("a4", Conflict()))
    lots[0].abandon()
    assert [(share.lot, share.end) for share in queue.take(10, 1_000_000)] == [(lots[1], 2), (lots[2], 3)]
    assert queue.abandoned == 2
    queue.put(Share(lots[2], 0, 3))
    lots[2].abandon()
    queue.clear()
    assert (queue.abandoned, bool(queue)) == (5, False)


async def test_one_order_is_taken_however_few_bytes_are_left() -> None:
    """Else a batch would never be."""
    queue = LotQueue()
    queue.put(Share(Lot(lines("a", 3), partitions=1, source="a"), 0, 3))
    assert [(share.start, share.end) for share in queue.take(10, 1)] == [(0, 1)]
    assert queue.orders == 2
    assert len(queue.clear()) == 1
    assert not queue
