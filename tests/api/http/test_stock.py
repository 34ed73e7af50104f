"""Counts and cells over HTTP."""

import pytest

from tests.api.conftest import Shop


def test_available_is_on_hand_less_reserved_less_safety(shop: Shop) -> None:
    """The one equation of the books, and safety stock is not sold."""
    warehouse = shop.warehouse()
    sku = shop.sku()
    shop.door.put("/v1/stock", [{"sku": sku, "warehouse": warehouse, "on_hand": 10, "safety": 3}])
    shop.reserve((sku, 5))
    assert shop.cell(sku, warehouse) == {
        "sku": sku,
        "warehouse": warehouse,
        "on_hand": 10,
        "reserved": 5,
        "safety": 3,
        "available": 2,
        "quarantined": 0,
        "inbound": 0,
        "arrivals": [],
    }
    shop.post(shop.order((sku, 3))).problem(409, "insufficient-stock")
    shop.reserve((sku, 2))


def test_a_count_without_safety_leaves_it_and_a_new_count_is_sold_at_once(shop: Shop) -> None:
    """Counters count; safety stock is somebody else's decision."""
    warehouse = shop.warehouse()
    sku = shop.sku()
    shop.door.put("/v1/stock", [{"sku": sku, "warehouse": warehouse, "on_hand": 5, "safety": 5}])
    shop.post(shop.order((sku, 1))).problem(409, "insufficient-stock")
    shop.door.put("/v1/stock", [{"sku": sku, "warehouse": warehouse, "on_hand": 6}])
    assert shop.cell(sku, warehouse)["safety"] == 5
    shop.reserve((sku, 1))


def test_safety_above_what_is_free_stops_sales_but_breaks_no_promise(shop: Shop) -> None:
    """Reservations stand; the cell owes to its safety stock."""
    warehouse = shop.warehouse()
    sku = shop.sku(on_hand={warehouse: 5})
    shop.reserve((sku, 4))
    shop.door.put("/v1/stock", [{"sku": sku, "warehouse": warehouse, "on_hand": 5, "safety": 3}])
    assert shop.cell(sku, warehouse)["available"] == -2
    found = shop.post(shop.order((sku, 1))).problem(409, "insufficient-stock")
    assert found["shortages"][0]["requested"] == 1


def test_counts_below_what_is_reserved_are_refused_all_rows_or_none(shop: Shop) -> None:
    """What is promised is promised: the caller learns which rows, and no row of the call is applied."""
    one, two = shop.warehouse("1"), shop.warehouse("2")
    sku, other = shop.sku("A", on_hand={one: 5, two: 5}), shop.sku("B", on_hand={one: 5})
    shop.reserve((sku, 9))
    shop.reserve((other, 2))
    before = [shop.cell(sku, one), shop.cell(sku, two), shop.cell(other, one)]
    reserved = {cell["warehouse"]: cell["reserved"] for cell in before[:2]}
    rows = [
        {"sku": other, "warehouse": one, "on_hand": 50},
        {"sku": sku, "warehouse": one, "on_hand": reserved[one] - 1},
        {"sku": other, "warehouse": two, "on_hand": 7},
        {"sku": sku, "warehouse": two, "on_hand": 0},
    ]
    found = shop.door.call("PUT", "/v1/stock", rows).problem(409, "stock-below-reserved")
    assert found["rows"] == [{"row": 1, "reserved": reserved[one]}, {"row": 3, "reserved": reserved[two]}]
    assert [shop.cell(sku, one), shop.cell(sku, two), shop.cell(other, one)] == before
    assert shop.door.stock(f"sku={other}&warehouse={two}") == []
    exact = [{"sku": sku, "warehouse": name, "on_hand": units} for name, units in reserved.items()]
    shop.door.put("/v1/stock", exact)
    assert shop.cell(sku, one)["available"] == 0


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 8, 500])
def test_pages_join_to_the_whole(shop: Shop, limit: int) -> None:
    """No cell twice, none left out, and the last page says that it is."""
    warehouses = [shop.warehouse(str(index)) for index in range(7)]
    sku = shop.sku(on_hand=dict.fromkeys(warehouses, 1))
    shop.sku("other", on_hand=dict.fromkeys(warehouses, 2))
    # A refusal looks at every warehouse, also at those that have no such cell.
    shop.warehouse("without")
    shop.post(shop.order((sku, 8))).problem(409, "insufficient-stock")
    found, cursor = [], ""
    while cursor is not None:
        query = f"/v1/stock?sku={sku}&limit={limit}" + (f"&cursor={cursor}" if cursor else "")
        page = shop.door.call("GET", query).json
        found, cursor = found + page["cells"], page["cursor"]
        assert len(page["cells"]) <= limit
    assert found == shop.door.stock(f"sku={sku}")
    assert sorted(cell["warehouse"] for cell in found) == sorted(warehouses)


def test_pages_are_full_to_the_last_also_after_a_refusal(shop: Shop) -> None:
    """A client that stops at an empty page must have seen all; a refusal looks at cells that do not exist."""
    names = [shop.warehouse(str(index)) for index in range(4)]
    sku = shop.sku(on_hand={names[1]: 1, names[3]: 1})
    shop.post(shop.order((sku, 3))).problem(409, "insufficient-stock")
    first = shop.door.call("GET", f"/v1/stock?sku={sku}&limit=1").json
    last = shop.door.call("GET", f"/v1/stock?sku={sku}&limit=1&cursor={first['cursor']}").json
    assert [cell["warehouse"] for cell in first["cells"] + last["cells"]] == [names[1], names[3]]
    assert last["cursor"] is None


def test_cells_are_found_by_sku_and_by_warehouse(shop: Shop) -> None:
    """One shelf, one product, or one cell."""
    one, two = shop.warehouse("1"), shop.warehouse("2")
    sku, other = shop.sku("A", on_hand={one: 1, two: 2}), shop.sku("B", on_hand={one: 3})

    def found(query: str) -> set[tuple[str, str, int]]:
        return {(cell["sku"], cell["warehouse"], cell["on_hand"]) for cell in shop.door.stock(query)}

    assert found(f"warehouse={one}") == {(sku, one, 1), (other, one, 3)}
    assert found(f"sku={sku}") == {(sku, one, 1), (sku, two, 2)}
    assert found(f"sku={other}&warehouse={two}") == set()
