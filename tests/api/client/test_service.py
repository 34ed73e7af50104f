"""Every method of both clients against the service."""

import inspect

import pytest

from api.client import AsyncStockade, InsufficientStock, InvalidState, NotFound, OrderConflict, Stockade
from engine.model import Allocation, HeldLine, Line, Movement, MovementRow, StockCount
from tests.api.client.conftest import Client, an_order
from tests.api.conftest import Shop
from tests.conftest import Service


async def test_an_order_through_its_life(client: Client, shared_service: Service, shop: Shop) -> None:
    """Reserve, look, amend, split, confirm, ship, cancel."""
    warehouse = shop.warehouse()
    sku = shop.sku(on_hand={warehouse: 100})
    name = f"{shop.name}/odd id é"
    order = an_order(name, sku, 5, payment="pending", hold_seconds=600)
    async with client(shared_service.url) as call:
        quote = await call("quote", order)
        assert (quote.status, quote.version) == ("quoted", 0)
        assert quote.explanation
        held = await call("reserve", order)
        assert isinstance(held, Allocation)
        assert (held.status, held.replayed, held.shipments[0].warehouse) == ("reserved", False, warehouse)
        again = await call("reserve", order)
        assert (again.replayed, again.shipments) == (True, held.shipments)
        assert (await call("order", name)).version == 1
        with pytest.raises(OrderConflict):
            await call("reserve", an_order(name, sku, 6))
        longer = await call("extend", name, 1_200, transition_id="longer", version=1)
        assert longer.expires_at > held.expires_at
        amended = await call("amend", name, [Line(sku, 6)])
        assert amended.shipments[0].lines[0].quantity == 6
        await call("split", name, f"{name}/2", [HeldLine(sku, 2)])
        assert (await call("order", f"{name}/2")).shipments[0].lines[0].quantity == 2
        assert (await call("confirm", name)).status == "confirmed"
        assert (await call("ship", name, [HeldLine(sku, 1)], transition_id="a")).status == "partially_shipped"
        assert (await call("ship", name, [HeldLine(sku, 1)], transition_id="a")).replayed
        assert (await call("ship", name)).status == "shipped"
        with pytest.raises(InvalidState) as refused:
            await call("cancel", name)
        assert refused.value.members["order_status"] == "shipped"
        assert (await call("cancel", f"{name}/2")).status == "released"


async def test_what_the_service_refuses_is_a_typed_exception(
    client: Client, shared_service: Service, shop: Shop
) -> None:
    """With what its type carries."""
    warehouse = shop.warehouse()
    sku = shop.sku(on_hand={warehouse: 2})
    async with client(shared_service.url) as call:
        with pytest.raises(InsufficientStock) as caught:
            await call("reserve", an_order(shop.name, sku, 3))
        assert caught.value.shortages == [{"sku": sku, "requested": 3, "available": 2}]
        assert caught.value.request_id
        with pytest.raises(NotFound):
            await call("order", shop.name)


async def test_stock_is_set_moved_and_read_to_the_last_page(
    client: Client, shared_service: Service, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In pages that nobody sees."""
    monkeypatch.setattr("api.client.blocking.PAGE_CELLS", 2)
    monkeypatch.setattr("api.client.asynchronous.PAGE_CELLS", 2)
    warehouses = [shop.warehouse(f"W{number}") for number in range(5)]
    sku = shop.sku()
    async with client(shared_service.url) as call:
        counts = [StockCount(sku=sku, warehouse=name, on_hand=7) for name in warehouses]
        assert await call("set_stock", counts) == 5
        row = MovementRow(sku=sku, warehouse=warehouses[0], quantity=3)
        movement = Movement(movement_id=shop.name, type="receive", rows=(row,))
        assert not (await call("move", movement)).replayed
        assert (await call("move", movement)).replayed
        cells = await call("stock", sku=sku)
    assert {cell.warehouse: cell.on_hand for cell in cells} == dict.fromkeys(warehouses, 7) | {warehouses[0]: 10}


async def test_events_are_read_to_the_end_or_for_ever(client: Client, shared_service: Service, shop: Shop) -> None:
    """From a cursor on, each once."""
    warehouse = shop.warehouse()
    sku = shop.sku(on_hand={warehouse: 100})
    async with client(shared_service.url) as call:
        before = await call("events", follow=False)
        assert len({event.id for event in before}) == len(before) > 0
        for number in range(3):
            await call("reserve", an_order(f"{shop.name}-{number}", sku))
        seen = await call("events", after=before[-1].cursor, first=3)
    assert [event.orders for event in seen] == [(f"{shop.name}-{number}",) for number in range(3)]


def test_both_clients_have_the_same_methods() -> None:
    """With the same parameters, by name and default."""

    def public(kind: type) -> dict[str, list[inspect.Parameter]]:
        return {
            name: [one.replace(annotation=None) for one in inspect.signature(member).parameters.values()]
            for name, member in inspect.getmembers(kind, inspect.isfunction)
            if not name.startswith("_")
        }

    assert public(Stockade) == public(AsyncStockade)
