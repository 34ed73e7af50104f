"""A seal that comes late, after the record was followed already, holds nothing twice."""

from collections.abc import AsyncIterator

import pytest

from engine.intake import follow_order
from engine.intake.recommit import Entry, Share, commit_args, kept_of_attempt, weighed_args
from engine.store import Store
from tests.engine.store.by_hand import HEAD, body, pack, unpack

CELLS = (0 * 4096, 1 * 4096)
"""By the partition that owns them."""
LEASE_MS = 60_000
ORDER, ATTEMPT = "o0", "attempt"


@pytest.fixture
async def two(empty_store_url: str) -> AsyncIterator[Store]:
    """A store of two partitions, with 10 units in a cell of each."""
    async with Store(empty_store_url, namespace="stockade", timeout_s=5, partitions=2) as store:
        for cell in CELLS:
            await store.owner(cell).movements.set_stock([cell], [10], [0])
        yield store


@pytest.mark.parametrize("cancelled", [False, True])
async def test_late_seal_holds_nothing_twice(two: Store, cancelled: bool) -> None:
    """Also when the order has ended meanwhile, which a seal that knows nothing of it must not undo."""
    home = two.home(ORDER)
    other = two.partitions[1 - home.number]
    cells = {home: CELLS[home.number], other: CELLS[other.number]}
    share = Share(((cells[other], 3),), ())
    await other.crossing.prepare(
        weighed_args([Entry(ATTEMPT, kept_of_attempt(ORDER, home.number, share), share)]), LEASE_MS
    )
    plain = body(1, {cells[home]: 2, cells[other]: 3}, {})
    rest = plain[:16] + pack([*unpack(plain[16:])[:7], [ATTEMPT]])
    await home.orders.commit(
        commit_args([Entry(ORDER, HEAD + rest, Share(((cells[home], 2),), ()))], [None], [ATTEMPT])
    )
    if cancelled:
        await home.orders.step("cancel", ORDER, "t", version=None, detail=None)
    (record,) = await two.read_orders([ORDER])
    assert record is not None
    await follow_order(two, ORDER)
    assert await other.crossing.seal([ATTEMPT]) == 0
    await follow_order(two, ORDER)
    rows = await two.read_cells([cells[home], cells[other]])
    assert [row.free for row in rows] == ([10, 10] if cancelled else [8, 7])
