"""SKUs and warehouses over HTTP: what was put is what is read."""

from urllib.parse import quote

import pytest

from tests.api.conftest import Shop

NAMES = ["a/b", "two words", "100%", "订单", "Größe", "what?#now", "x" * 128]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ["sku", "id"])
def test_any_printable_name_survives_its_way_through_paths(shop: Shop, kind: str, name: str) -> None:
    """ERP systems choose the names; what one can write in a path, one can sell and ship from."""
    collection, body = {"sku": ("/v1/skus", {}), "id": ("/v1/warehouses", {"lat": 1, "lon": 1})}[kind]
    path = f"{collection}/{quote(name, safe='')}"
    created, replaced = shop.door.call("PUT", path, body), shop.door.call("PUT", path, body | {kind: name})
    assert (created.status, replaced.status) == (201, 200)
    assert created.json == replaced.json
    assert created.json[kind] == name
    found = shop.door.call("GET", collection if kind == "id" else path).json
    assert (found in [created.json]) if kind == "sku" else (created.json in found)


def test_a_definition_is_read_as_it_was_put(shop: Shop) -> None:
    """Every field, and a replacement replaces all of them."""
    sku = {"name": "Kettle 1.7 l", "weight_g": 1_200, "volume_cm3": 9_000, "purchase_limit": 2}
    path = f"/v1/skus/{shop.name}-A"
    shop.door.put(path, sku)
    assert shop.door.call("GET", path).json == sku | {"sku": f"{shop.name}-A"}
    shop.door.put(path, {"name": "Kettle"})
    assert shop.door.call("GET", path).json == {"sku": f"{shop.name}-A", "name": "Kettle"}


def test_a_replaced_definition_rules_the_next_order(shop: Shop) -> None:
    """A limit that is set in mid-sale holds from then on."""
    sku = shop.sku(on_hand={shop.warehouse(): 9})
    shop.reserve((sku, 5))
    shop.sku(purchase_limit=1)
    shop.post(shop.order((sku, 2))).problem(409, "purchase-limit")
