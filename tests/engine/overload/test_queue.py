"""The queue by sources, held to a plain list of lists."""

import asyncio
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.intake.queue import TURN_BYTES, OrderQueue
from engine.intake.waiting import Waiting

Step = tuple[str, str]
steps = st.lists(st.tuples(st.sampled_from(("put", "take", "first", "displace")), st.sampled_from("abcd")), max_size=60)


async def waiting(name: str) -> Waiting:
    """An order for which nobody waits."""
    return Waiting(name, b"", asyncio.get_running_loop().create_future())


@given(steps)
def test_it_is_what_a_list_for_each_source_is(drawn: list[Step]) -> None:
    """First come first served within a source, one from each in turn, and the one that grew longest gives way."""
    asyncio.run(_play(drawn))


async def _play(drawn: list[Step]) -> None:
    queue, turns, first = OrderQueue(), list[str](), list[str]()
    model: dict[str, list[str]] = {}
    longest = ""
    for number, (what, source) in enumerate(drawn):
        name = f"{source}{number}"
        if what == "put":
            queue.put(source, await waiting(name))
            if not model.setdefault(source, []):
                turns.append(source)
            model[source].append(name)
            if len(model[source]) > len(model.get(longest, ())):
                longest = source
        elif what == "first":
            queue.put_first([await waiting(name), await waiting(f"{name}+")])
            first[:0] = [name, f"{name}+"]
        elif what == "take" and (first or turns):
            found = queue.take_first() or queue.take()
            if first:
                assert found.order_id == first.pop(0)
            else:
                turn = turns.pop(0)
                assert found.order_id == model[turn].pop(0)
                if model[turn]:
                    turns.append(turn)
        elif what == "displace":
            may = len(model.get(longest, ())) > len(model.get(source, ())) + 1
            assert queue.may_displace(source) is may
            if may:
                assert queue.displace().order_id == model[longest].pop()
        assert len(queue) == len(first) + sum(map(len, model.values()))
        assert queue.sources == sum(map(bool, model.values()))
        assert queue.held(source) == len(model.get(source, ()))
    assert Counter(one.order_id for one in queue.clear()) == Counter(
        [*first, *(n for all_ in model.values() for n in all_)]
    )
    assert (len(queue), queue.sources) == (0, 0)


async def test_a_source_of_which_nobody_waits_leaves_no_trace() -> None:
    """Keys come and go; the queue must not grow by those that went."""
    queue = OrderQueue()
    for number in range(1_000):
        queue.put(f"key {number}", await waiting("one"))
        queue.take()
    held = [getattr(queue, name) for name in OrderQueue.__slots__]
    assert [len(one) for one in held if not isinstance(one, int)] == [0, 0, 0, 0, 0]
    with pytest.raises(IndexError):
        queue.take()


async def test_long_orders_cost_turns() -> None:
    """So that they do not crowd out others, of which as many bytes are taken; alone, a source loses nothing by it."""
    queue = OrderQueue()
    answer = asyncio.get_running_loop().create_future()
    for number in range(40):
        queue.put("long", Waiting(f"long{number}", bytes(10 * TURN_BYTES), answer))
        for part in range(10):
            queue.put("short", Waiting(f"short{number}.{part}", bytes(200), answer))
    taken = [queue.take().order_id[:4] for _ in range(220)]
    assert 18 <= taken.count("long") <= 20
    while len(queue):
        taken.append(queue.take().order_id[:4])
    assert taken.count("long") == 40
    for number in range(3):
        queue.put("long", Waiting(f"long{number}", bytes(TURN_BYTES), answer))
    assert [queue.take().order_id for _ in range(3)] == ["long0", "long1", "long2"]
