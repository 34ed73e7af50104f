"""Quotes that look at the store keep orders waiting for a short look at a time, and no other key from its turn."""

import asyncio
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest

from engine import Engine, NotQuoted, Quoted, quote_looks
from engine.errors import QuotesBusy
from engine.quote_looks import QUOTES_MAX
from engine.store.cells import CellCalls
from tests.engine.small_network import order, put_network, reserved

QUOTES = 60
BUYERS = 4
WAIT_S = 20.0


class Look:
    """What a read of cells met."""

    def __init__(self, engine: Engine, cells: int) -> None:
        self.cells = cells
        self.batches = engine.intake.batches
        self.orders_waited = engine.intake.queued_singles > 0


@pytest.fixture
def looks(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> list[Look]:
    """Every read of cells, as it ends."""
    found: list[Look] = []
    read = CellCalls.read

    async def seen(self: CellCalls, cells: Sequence[int], **more: Any) -> Any:
        rows = await read(self, cells, **more)
        found.append(Look(engine, len(cells)))
        return rows

    monkeypatch.setattr(CellCalls, "read", seen)
    return found


async def buy(engine: Engine, name: str, stop: asyncio.Event) -> int:
    """Orders one after the other, until told; how many."""
    count = 0
    while not stop.is_set():
        reserved(await engine.reserve(order(f"{name}-{count}", ("y", 1))))
        count += 1
    return count


async def test_orders_have_a_batch_between_two_looks(engine: Engine, looks: list[Look]) -> None:
    """However many quotes of what is sold out wait: the sale goes on beside them."""
    await put_network(engine, {("x", "A"): 0, ("y", "A"): 1_000_000})
    stop = asyncio.Event()
    buyers = [asyncio.create_task(buy(engine, f"b{number}", stop)) for number in range(BUYERS)]
    wanted = order("q", ("x", 1))
    for _ in range(QUOTES // 20):
        told = await asyncio.gather(*(engine.quote(wanted) for _ in range(20)))
        assert all(isinstance(one, NotQuoted) for one in told)
    stop.set()
    assert sum(await asyncio.gather(*buyers)) >= BUYERS
    assert len(looks) == QUOTES
    waited = [(one, later) for one, later in pairwise(looks) if one.orders_waited]
    assert len(waited) > QUOTES / 2
    assert all(later.batches > one.batches for one, later in waited)


async def test_a_large_quote_looks_in_parts(engine: Engine, looks: list[Look], monkeypatch: pytest.MonkeyPatch) -> None:
    """Nine cells, four at a time: a batch comes in between, and the answer is as true."""
    monkeypatch.setattr(quote_looks, "LOOK_CELLS_MAX", 4)
    await put_network(engine, {("x", "A"): 0, ("y", "A"): 1_000, ("z", "C"): 0})
    stop = asyncio.Event()
    buyer = asyncio.create_task(buy(engine, "b", stop))
    told = await engine.quote(order("q", ("x", 1), ("y", 1), ("z", 1)))
    stop.set()
    await buyer
    assert isinstance(told, NotQuoted)
    assert [one.cells for one in looks] == [4, 4, 1]
    assert [row.sku for row in told.refusal.shortages] == ["x", "z"]  # type: ignore[union-attr]
    assert isinstance(await engine.quote(order("p", ("y", 1), allow_partial=True)), Quoted)


async def test_no_key_takes_all_turns(engine: Engine) -> None:
    """One that floods has half of the places, and another's quote is next but one."""
    await put_network(engine, {("x", "A"): 0})
    done: list[str] = []

    async def ask(source: str) -> None:
        assert isinstance(await engine.quote(order("q", ("x", 1)), source=source), NotQuoted)
        done.append(source)

    async with engine.intake.exclusive:
        flood = [asyncio.create_task(ask("flood")) for _ in range(QUOTES_MAX // 2 + 8)]
        await asyncio.sleep(0)
        other = asyncio.create_task(ask("other"))
        async with asyncio.timeout(WAIT_S):
            while sum(task.done() for task in flood) < 8:
                await asyncio.sleep(0.005)
    told = await asyncio.gather(*flood, return_exceptions=True)
    await other
    busy = [one for one in told if one is not None]
    assert [type(one) for one in busy] == [QuotesBusy] * 8
    assert engine.quote_looks.turned_away == 8
    assert "other" in done[:3]
    # All places are free again.
    await asyncio.gather(*(ask("flood") for _ in range(QUOTES_MAX // 2)))


async def test_where_the_queue_stands_no_quote_looks(engine: Engine, looks: list[Look]) -> None:
    """Orders are being refused then; what the view alone can tell is answered, and so is all once nobody waits."""
    await put_network(engine, {("x", "A"): 0, ("y", "A"): 5})
    engine.intake.patience.standing = True
    async with engine.intake.exclusive:
        waiting = engine.submit(order("o", ("y", 1)))
        with pytest.raises(QuotesBusy) as busy:
            await engine.quote(order("q", ("x", 1)))
        assert busy.value.retry_after_s >= 1
        assert isinstance(await engine.quote(order("q", ("y", 1))), Quoted)
    assert looks == []
    reserved(await waiting)
    engine.intake.patience.standing = True
    assert isinstance(await engine.quote(order("q", ("x", 1))), NotQuoted)


async def test_a_quote_that_is_given_up_gives_its_place_back(engine: Engine) -> None:
    """Whoever hung up while it waited holds nobody up."""
    await put_network(engine, {("x", "A"): 0})
    async with engine.intake.exclusive:
        gone = [asyncio.create_task(engine.quote(order("q", ("x", 1)))) for _ in range(QUOTES_MAX // 2)]
        await asyncio.sleep(0.01)
        for task in gone:
            task.cancel()
        await asyncio.gather(*gone, return_exceptions=True)
    async with asyncio.timeout(WAIT_S):
        await asyncio.gather(*(engine.quote(order("q", ("x", 1))) for _ in range(QUOTES_MAX // 2)))
