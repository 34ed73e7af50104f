"""Bundles, substitutes and orders that wait on the command line."""

import json
from typing import Any

from tests.api.conftest import Finished, Shop, run
from tests.conftest import Service


def test_what_is_sold_is_defined_and_shown(shop: Shop, shared_service: Service) -> None:
    """From a file, all of it or nothing; by name, or as a list."""
    at = ("--data-dir", shared_service.data_dir)
    a, b, kit = (f"{shop.name}-{name}" for name in ("a", "b", "[kit]"))

    def define(*skus: dict[str, Any]) -> Finished:
        return run("skus", "set", "-", *at, given=json.dumps(skus))

    bundle = {"sku": kit, "components": [{"sku": a, "quantity": 2}]}
    refused = define({"sku": a, "substitutes": [b]}, bundle)
    assert (refused.code, refused.err.strip()) == (2, f'/0/substitutes/0: unknown SKU "{b}"')
    assert run("skus", a, *at).code == 1
    taken = define({"sku": b}, {"sku": a, "substitutes": [b]}, bundle)
    assert (taken.code, taken.out.strip()) == (0, "3 SKUs set.")
    assert f"made of 2 x {a}" in run("skus", kit, *at).out
    assert f"or {b}" in run("skus", a, *at).out
    assert run("skus", kit, "--json", *at).json == bundle
    assert bundle in run("skus", "--limit", 100_000, "--json", *at).json
    assert define({"sku": " "}).code == define().code == 2


def test_what_comes_and_what_waits_is_said_in_words(shop: Shop, shared_service: Service) -> None:
    """In a plan, and of an order."""
    warehouse = shop.warehouse()
    x, y = shop.sku("X", on_hand={warehouse: 3}), shop.sku("Y", on_hand={warehouse: 9})
    shop.sku("X", substitutes=[y])
    kit = shop.sku("KIT", components=[{"sku": x, "quantity": 2}])
    order = shop.order((kit, 2), allow_substitutes=True)
    lines = [f"2 x {kit}: 4 x {x}", f"1 x {y} instead of {x}"]

    def planned(order: dict[str, Any]) -> Finished:
        return run("plan", "-", "--data-dir", shared_service.data_dir, given=json.dumps(order))

    quoted = planned(order)
    assert (quoted.code, [line in quoted.out for line in lines]) == (0, [True, True]), quoted
    assert shop.post(order).status == 201
    shown = run("orders", order["order_id"], "--data-dir", shared_service.data_dir)
    assert [line in shown.out for line in lines] == [True, True], shown
    late = shop.order((x, 5), allow_backorder=True)
    would = planned(late)
    assert (would.code, "would wait for stock, nothing is held" in would.out) == (1, True), would
    assert shop.post(late).json["status"] == "backordered"
    shown = run("orders", late["order_id"], "--data-dir", shared_service.data_dir)
    assert [part in shown.out for part in ("backordered", f"waits for: 5 x {x}", "no day is known")] == [True] * 3
