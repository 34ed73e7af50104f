"""The client's re-allocations, for threads and for asyncio, on a real service."""

import pytest

from api.client import AsyncStockade, NotFound, ProblemError, Stockade
from api.client.reallocations import AsyncReallocations, Reallocations
from engine.reallocation.model import ReallocationRequest
from engine.reallocation.moves import Move
from tests.api.conftest import Shop
from tests.conftest import Service


@pytest.fixture
def network(shop: Shop) -> tuple[str, str, str]:
    """Two warehouses and a SKU, of which three orders hold a unit at the first; the other has two."""
    near = shop.warehouse("NEAR", lat=31.0, lon=121.0)
    far = shop.warehouse("FAR", lat=25.0, lon=110.0)
    sku = shop.sku(on_hand={near: 9, far: 2})
    for _ in range(3):
        shop.reserve((sku, 1))
    return near, far, sku


def test_a_run_is_begun_waited_for_applied_and_taken_back(
    shared_service: Service, network: tuple[str, str, str]
) -> None:
    """Its rows come page by page."""
    near, far, sku = network
    with Stockade(shared_service.url) as stockade:
        runs = stockade.reallocations
        begun = runs.begin(warehouse_down=near)
        planned = runs.wait(begun.id)
        assert planned.plan is not None
        assert (planned.state, planned.plan.orders_moved) == ("planned", 2)
        rows = list(runs.moves(begun.id))
        assert {(row.sku, row.quantity, row.from_warehouse, row.to_warehouse) for row in rows} == {(sku, 1, near, far)}
        assert isinstance(rows[0], Move)
        assert len(list(runs.unserved(begun.id))) == 1
        runs.apply(begun.id)
        assert runs.wait(begun.id).applied == 2
        assert list(runs.skipped(begun.id)) == []
        runs.rollback(begun.id)
        assert runs.wait(begun.id).state == "rolled_back"
        assert begun.id in [run.id for run in runs.all()]
        with pytest.raises(ProblemError) as refused:
            runs.cancel(begun.id)
        assert refused.value.type == "reallocation-state"
        with pytest.raises(NotFound):
            runs.get("nobody's")


async def test_the_same_for_asyncio(shared_service: Service, network: tuple[str, str, str]) -> None:
    """With the same methods."""
    near, _, _ = network
    async with AsyncStockade(shared_service.url) as stockade:
        runs = stockade.reallocations
        begun = await runs.begin(ReallocationRequest(warehouse_down=near))
        assert (await runs.wait(begun.id)).state == "planned"
        assert len([row async for row in runs.moves(begun.id)]) == 2
        assert [why async for _, why in runs.unserved(begun.id)]
        await runs.apply(begun.id)
        assert (await runs.wait(begun.id)).applied == 2
        assert [row async for row in runs.skipped(begun.id)] == []
        await runs.rollback(begun.id)
        assert (await runs.wait(begun.id)).state == "rolled_back"
        assert begun.id in [run.id for run in await runs.all()]
        with pytest.raises(ProblemError):
            await runs.cancel(begun.id)


def test_both_have_the_same_methods() -> None:
    """Who knows one knows the other."""

    def public(type_: type) -> set[str]:
        return {name for name in vars(type_) if not name.startswith("_")}

    assert public(Reallocations) == public(AsyncReallocations)
