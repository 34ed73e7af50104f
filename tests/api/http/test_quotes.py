"""What a quote explains over HTTP: parts of every cost, what keeps warehouses out, and the choice in money."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from api.metrics.counts import Counts
from api.metrics.gauges import snapshot_of
from engine.model import Explanation
from tests.api.conftest import Service, Shop
from tests.api.explained import POLICIES, build
from tests.api.http.raw import Client, Doors, order_body, post
from tests.engine.small_network import order

PARTS = ("handling", "picking", "freight", "way")


async def test_a_quote_gives_way_to_orders_that_have_to_wait(doors: Doors) -> None:
    """It is told when to come back, and counted as turned away."""
    engine = doors.engine
    client = await Client.of(doors.ours)
    engine.intake.patience.standing = True
    async with engine.intake.exclusive:
        waiting = engine.submit(order("o", ("x", 1)))
        client.writer.write(post(order_body("q", sku="y"), line=b"POST /v1/quotes HTTP/1.1"))
        status, headers, body = await client.answer()
    problem = msgspec.json.decode(body)
    assert (status, problem["type"], problem["retryable"]) == (503, "overloaded", True)
    assert 1 <= int(headers["retry-after"]) <= 60
    assert snapshot_of(Counts(), engine, doors.door, draining=False).turned_away["quote"] == 1
    await waiting
    await client.close()


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A service with policies of its own."""
    folder = tmp_path_factory.mktemp("quotes")
    (folder / "policies.toml").write_text(POLICIES, "utf-8")
    service = Service(folder / "store", STOCKADE_POLICIES_FILE=str(folder / "policies.toml"))
    service.start()
    yield build(service).shop
    service.stop()


def explain(shop: Shop, *lines: tuple[str, int], status: int = 200, **fields: Any) -> dict[str, Any]:
    """The explanation of a quote, with its rows by the warehouses' names."""
    answer = shop.door.call("POST", "/v1/quotes", shop.order(*((f"E-{sku}", units) for sku, units in lines), **fields))
    assert answer.status == status, answer.body
    explanation: dict[str, Any] = answer.json["explanation"]
    # The types tell all of it, and nothing else.
    whole = msgspec.json.encode(msgspec.convert(explanation, Explanation))
    assert msgspec.json.decode(whole) == explanation
    explanation["rows"] = {row["warehouse"].removeprefix("E-"): row for row in explanation["warehouses"]}
    return explanation


def test_each_warehouse_has_its_cost_part_by_part(network: Shop) -> None:
    """Two units of half a kilogram: handling, picking, freight by the carrier's step."""
    told = explain(network, ("A", 1), ("B", 1))
    both = told["rows"]["BOTH"]
    assert [both["cost"][part] for part in PARTS] == [2_000, 20, 500, 0]
    assert (both["cost"]["total"], both["carrier"], both["zone"]) == (2_520, "post", "all")
    assert both["score"] == {"cost": 2_520, "total": 2_520}
    for row in told["rows"].values():
        if "cost" in row:
            assert sum(row["cost"][part] for part in PARTS) == row["cost"]["total"]
            assert row["cost"]["per_shipment"] + row["cost"]["lines"] == row["cost"]["total"]
            assert row["promised_on"] > "2020"


def test_a_split_is_told_in_money(network: Shop) -> None:
    """The best single warehouse beside the set that was chosen, with what the policy adds for the second parcel."""
    told = explain(network, ("A", 1), ("B", 1))
    assert (told["single"]["warehouses"], told["single"]["cost"]["total"]) == (["E-BOTH"], 2_520)
    assert (told["chosen"]["warehouses"], told["chosen"]["cost"]["total"]) == (["E-LEFT", "E-RIGHT"], 1_220)
    assert told["chosen"]["score"] == {"cost": 1_220, "split": 300, "total": 1_520}
    assert told["reason"].startswith("one shipment from E-BOTH would cost 25.20 CNY; ")
    assert told["reason"].endswith("these 2 cost 12.20 CNY, 15.20 CNY with all that the policy weighs")


def test_what_keeps_a_warehouse_out_is_named(network: Shop) -> None:
    """By rule, for machines, and in words; shortages with what a rule leaves there."""
    told = explain(network, ("A", 8), channel="app")["rows"]
    assert (told["BARRED"]["rule"], told["CLOSED"]["rule"]) == ("exclude", "disabled")
    assert told["BARRED"]["excluded"] == "policy usual keeps it out: it is on its list of excluded ones"
    short = {"sku": "E-A", "requested": 8, "available": 7, "kept_back": 2}
    assert told["LEFT"]["short"] == [short]
    told = explain(network, ("COLD", 1))["rows"]
    assert told["BOTH"]["short"] == [{"sku": "E-COLD", "requested": 1, "available": 0, "lacks": ["cold"]}]
    assert told["SHOP"]["used"]
    told = explain(network, ("A", 1), channel="depots")["rows"]
    assert told["SHOP"]["excluded"] == "policy depots keeps it out: it is a store, not one of dc"
    told = explain(network, ("A", 1), warehouses=["E-LEFT"])["rows"]
    assert (told["BOTH"]["rule"], told["LEFT"]["used"]) == ("order", True)


def test_who_chose_the_policy_is_told(network: Shop) -> None:
    """The order, a rule, or nobody."""
    for fields, policy, chosen_by in (
        ({}, "usual", {"by": "default"}),
        ({"policy": "depots"}, "depots", {"by": "order"}),
        ({"channel": "depots"}, "depots", {"by": "rule", "rule": "for-depots"}),
    ):
        told = explain(network, ("A", 1), **fields)
        assert (told["policy"], told["policy_version"], told["chosen_by"]) == (policy, "7", chosen_by)


def test_components_and_substitutes_are_explained_not_what_they_replace(network: Shop) -> None:
    """Nobody lacks what comes as something else."""
    told = explain(network, ("KIT", 1), ("NONE", 1), allow_substitutes=True)
    line = {"sku": "E-A", "quantity": 3, "instead_of": [{"sku": "E-NONE", "quantity": 1}], "part_of": ["E-KIT"]}
    assert told["planned"] == [line]
    assert "short" not in told["rows"]["LEFT"]


def test_a_refusal_has_its_reason(network: Shop) -> None:
    """With the shortages, and the rows."""
    told = explain(network, ("A", 99), status=409)
    assert told["reason"] == "no plan: the warehouses that may serve it have too little of E-A (27 of 99)"
    assert "chosen" not in told
    told = explain(network, ("A", 12), status=409, allow_split=False)
    assert told["reason"].startswith("no plan: there is enough, but not from 1 warehouse, and it is not to be split")


def test_each_shipment_of_a_split_is_told_by_its_parts(network: Shop) -> None:
    """With the weight that its carrier bills; they add up to what the order costs."""
    told = explain(network, ("A", 1), ("B", 1), deliver_by="2020-01-01")
    left, right = told["chosen"]["shipments"]
    assert (left["warehouse"], left["carrier"], left["zone"], left["billed_g"]) == ("E-LEFT", "post", "all", 500)
    assert [left["cost"][part] for part in PARTS] == [100, 10, 500, 0]
    assert left["lines"] == [{"sku": "E-A", "quantity": 1}]
    for part in (*PARTS, "total"):
        assert left["cost"][part] + right["cost"][part] == told["chosen"]["cost"][part]
    assert left["score"] == {"cost": 610, "total": 610}
    assert left["score"]["total"] + right["score"]["total"] + 300 == told["chosen"]["score"]["total"]
    assert told["due_on"] == "2020-01-01"
    assert (left["lateness_cost"], told["chosen"]["lateness_cost"]) == (0, 0)
    assert left["days_late"] == told["chosen"]["days_late"] > 2_000
    assert "after it is due on 2020-01-01, for which the policy charges nothing" in told["reason"]


def test_what_a_policy_keeps_is_not_called_a_shortage(network: Shop) -> None:
    """The order and the quote say that it is there, and which policy keeps it."""
    order = network.order(("E-A", 10), policy="depots", warehouses=["E-SHOP", "E-LEFT"])
    for path in ("/v1/orders", "/v1/quotes"):
        found = network.door.call("POST", path, order).problem(409, "insufficient-stock")
        assert found["limit"] == {"by": "policy", "policy": "depots"}
        assert found["shortages"] == [{"sku": "E-A", "requested": 10, "available": 9}]
        assert 'There is enough stock, but the policy "depots" keeps it from this order' in found["detail"]
