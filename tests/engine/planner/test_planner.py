"""engine.planner: the model's types in, plans out."""

import json
from typing import Any

import msgspec
import pytest

from engine.model import Allocation, Order, Sku, Tariff, TariffZone, Warehouse, limits
from engine.planner import Planner, canonical_bytes, cell_number
from tests.engine.planner.two_warehouses import EVENT, FAR, NEAR, order, small_planner


def quote(planner: Planner, wanted: Order, now_ms: int | None = None) -> dict[str, Any]:
    """The quote of an order that can be had."""
    word, payload = planner.core.quote(canonical_bytes(wanted), None, now_ms)
    assert word == "quoted", payload
    answer: dict[str, Any] = json.loads(payload)
    return answer


def warehouse_of(planner: Planner, wanted: Order) -> str:
    """The one warehouse that an order ships from."""
    (shipment,) = quote(planner, wanted)["shipments"]
    return str(shipment["warehouse"])


def test_a_quote_takes_nothing_and_is_an_allocation_with_an_explanation() -> None:
    """Rust writes the JSON, the model declares it: they must agree on every field."""
    planner = small_planner()
    first = quote(planner, order(quantity=5))
    assert quote(planner, order(quantity=5)) == first
    explanation = first.pop("explanation")
    # "quoted" is no state of a reservation.
    said = first | {"status": "confirmed"}
    allocation = msgspec.convert(said, Allocation)
    assert msgspec.json.decode(msgspec.json.encode(allocation)) == said
    assert allocation.cost == sum(shipment.cost for shipment in allocation.shipments) == 200 + 5 * 10
    assert [row["warehouse"] for row in explanation["warehouses"]] == ["far", "near"]
    assert [row["used"] for row in explanation["warehouses"]] == [False, True]


def test_a_changed_warehouse_changes_costs_at_once() -> None:
    """Lanes are kept by destination; a definition that comes later must not find old ones."""
    planner = small_planner()
    assert warehouse_of(planner, order()) == "near"
    planner.put_warehouses([(NEAR, Warehouse(id="near", lat=0, lon=0, fixed_cost=400))])
    assert warehouse_of(planner, order()) == "far"
    assert quote(planner, order())["cost"] == 200 + 10 + 111
    planner.put_warehouses([(FAR, Warehouse(id="far", lat=0, lon=1, enabled=False))])
    assert warehouse_of(planner, order()) == "near"
    planner.put_warehouses([(9, Warehouse(id="new", lat=0, lon=0, fixed_cost=1))])
    planner.set_levels([(cell_number(sku=0, warehouse=9), 1)], EVENT)
    assert warehouse_of(planner, order()) == "new"


def test_a_refused_warehouse_leaves_the_others_usable() -> None:
    """Rows before the bad one are in force: their lanes must be worked out, not looked up beyond the old ones."""
    planner = small_planner()
    assert warehouse_of(planner, order()) == "near"
    row = (0.0, 0.0, True, 1, 0, 0, 0.0, None)
    with pytest.raises(ValueError, match="warehouse number 4096 is out of range"):
        planner.core.put_warehouses([(5, "new", *row), (limits.WAREHOUSES_MAX, "beyond", *row)])
    planner.set_levels([(cell_number(sku=0, warehouse=5), 1)], EVENT)
    assert warehouse_of(planner, order()) == "new"


def test_a_tariff_replaces_the_default_cost_of_distance() -> None:
    """With a tariff the parcel carrier charges the way; without one the warehouses do."""
    planner = small_planner()
    far_only = order(warehouses=("far",))
    assert quote(planner, far_only)["cost"] == 200 + 10 + 111
    planner.set_tariff(Tariff(zones=(TariffZone("near", 50, 1, 0), TariffZone("far", 500, 70, 300))))
    assert quote(planner, far_only)["cost"] == 200 + 10 + 70 + 150
    planner.set_tariff(None)
    assert quote(planner, far_only)["cost"] == 200 + 10 + 111


def test_cells_of_an_order_are_all_that_could_serve_it() -> None:
    """Each SKU once, unknown ones left out, whatever is stocked."""
    planner = small_planner()
    wanted = order(sku="b")
    both = msgspec.structs.replace(wanted, lines=(*wanted.lines, *order().lines, *order(sku="ghost").lines))
    assert planner.cells_of(both) == [0, 1, limits.WAREHOUSES_MAX, limits.WAREHOUSES_MAX + 1]
    assert planner.cells_of(order(sku="ghost")) == []


def test_cells_have_names_when_both_halves_are_known() -> None:
    """A level may come before the definition of its SKU or warehouse."""
    core = small_planner().core
    assert core.cell_names(cell_number(sku=1, warehouse=FAR)) == ("b", "far")
    assert core.cell_names(cell_number(sku=1, warehouse=2)) is None
    assert core.cell_names(cell_number(sku=2, warehouse=0)) is None
    assert core.cell_names(2**64 - 1) is None


def test_known_cells_come_in_pages() -> None:
    """In the order of their numbers; a page starts where the one before it ended."""
    core = small_planner().core
    cells = [cell_number(sku=sku, warehouse=at) for sku in (0, 1) for at in (NEAR, FAR)]

    def page(start: int = 0, limit: int = 9, sku: int | None = None, warehouse: int | None = None) -> list[int]:
        return core.known_cells(sku=sku, warehouse=warehouse, start=start, limit=limit)

    assert page() == cells
    assert page(limit=3) == cells[:3]
    assert page(start=cells[2] + 1) == cells[3:]
    assert page(sku=1) == cells[2:]
    assert page(warehouse=FAR) == cells[1::2]
    assert page(sku=1, warehouse=FAR) == cells[3:]
    assert page(limit=0) == page(start=2**64 - 1) == page(sku=2**32 - 1) == page(warehouse=77) == []
    core.clear_levels()
    assert (page(), core.cell_count) == ([], 0)


def test_names_lead_to_numbers() -> None:
    """Unknown names are None, not an error."""
    planner = small_planner()
    planner.put_skus([(7, Sku(sku="späte Ware"))])
    assert (planner.core.sku_number("späte Ware"), planner.core.sku_number("ghost")) == (7, None)
    assert (planner.core.warehouse_number("far"), planner.core.warehouse_number("a")) == (FAR, None)


def test_only_known_policies_make_a_planner() -> None:
    """The configuration's word is checked when the planner is made, not at the first order."""
    defaults = small_planner().defaults
    with pytest.raises(ValueError, match="unknown policy"):
        Planner(currency="CNY", default_policy="dearest", defaults=defaults)  # type: ignore[arg-type]


def test_a_quote_minds_the_purchase_limit_as_an_order_does() -> None:
    """A quote says what an order would get; beyond the limit that is a refusal."""
    planner = small_planner(purchase_limit=2)
    assert planner.core.quote(canonical_bytes(order(quantity=3))) == ("limit", [("a", 3, 2, 2)])
    assert planner.core.quote(canonical_bytes(order(quantity=2)))[0] == "quoted"
