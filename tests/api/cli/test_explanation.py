"""`stockade plan --explain`: who ships, who else could, who cannot and why, in a terminal of 80 columns."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.api.conftest import Finished, run
from tests.api.explained import POLICIES, Network, build
from tests.conftest import Service

COLUMNS = 80


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    """A service with policies of its own."""
    folder = tmp_path_factory.mktemp("explained")
    (folder / "policies.toml").write_text(POLICIES, "utf-8")
    service = Service(folder / "store", STOCKADE_POLICIES_FILE=str(folder / "policies.toml"))
    service.start()
    yield build(service)
    service.stop()


def plan(network: Network, *lines: tuple[str, int], **fields: Any) -> Finished:
    """The plan of an order of these lines, explained."""
    order = network.shop.order(*((f"E-{sku}", units) for sku, units in lines), **fields)
    policies = network.service.data_dir.parent / "policies.toml"
    options = ("--explain", "--data-dir", network.service.data_dir)
    return run(
        "plan", "-", *options, given=json.dumps(order), COLUMNS=str(COLUMNS), STOCKADE_POLICIES_FILE=str(policies)
    )


def test_the_reason_comes_first_then_who_ships_then_who_could_then_who_cannot(network: Network) -> None:
    """Every line fits the terminal."""
    told = plan(network, ("A", 1), ("B", 1))
    assert told.code == 0, told.err
    assert max(map(len, told.out.splitlines())) <= COLUMNS
    said = " ".join(told.out.split())
    assert "Policy usual@7 (the default), proven the least by cost and penalties that keeps lines whole." in said
    assert "Proven among plans that split no line which one warehouse holds whole." in said
    places = [told.out.index(name) for name in ("One shipment from E-BOTH", "handling")]
    table = told.out.index("handling")
    for name in ("E-LEFT", "E-RIGHT", "E-BOTH", "E-SHOP", "Cannot ship all of it", "E-CLOSED"):
        places.append(told.out.index(name, table))
    assert places[2:4] == sorted(places[2:4])
    assert places[3:] == sorted(places[3:])
    assert places[0] < places[1]


def test_costs_are_told_by_parts_and_what_is_lacking_with_its_rule(network: Network) -> None:
    """As the JSON has them, in major units."""
    told = plan(network, ("A", 8), channel="app")
    (row,) = [line for line in told.out.splitlines() if line.startswith("* ") and "E-LEFT" in line]
    assert [part in row for part in (" 1.00 ", " 0.80 ", " 5.00 ", " 6.80")] == [True] * 4
    said = " ".join(told.out.split())
    assert "E-SHOP │ lacks E-A (7/8), 2 kept back from the channel" in said
    assert "policy usual keeps it out: it is on its list of excluded ones" in said
    assert "proven the least by cost and penalties that keeps lines whole" in said
    said = " ".join(plan(network, ("A", 8), ("B", 8), channel="app").out.split())
    assert "not proven the least by cost and penalties that keeps lines whole (no such plan counts less than" in said
    assert "Proven among" not in said


def test_a_refusal_is_explained_too(network: Network) -> None:
    """With exit code 1."""
    told = plan(network, ("A", 99))
    assert told.code == 1
    assert "No plan: the warehouses that may serve it have too little of E-A (27 of 99)." in " ".join(told.out.split())
    assert "for want of stock" in told.out


def test_shipments_of_a_split_are_told_by_parts_that_add_up(network: Network) -> None:
    """Penalties apart from what is paid, and how late it comes; within the terminal."""
    told = plan(network, ("A", 1), ("B", 1), deliver_by="2020-01-01")
    lines = told.out.splitlines()
    assert max(map(len, lines)) <= COLUMNS
    table = told.out[told.out.index("Shipments, each by its parts") :].splitlines()
    header = next(row for row in table if "┃" in row)
    assert [cell.strip() for cell in header.split("┃")][1:7] == [
        "billed g",
        "handling",
        "picking",
        "freight",
        "cost",
        "penalties",
    ]
    cells = {row.split("│")[0].strip(): [cell.strip() for cell in row.split("│")[1:]] for row in table if "│" in row}
    assert cells["E-LEFT"][:6] == ["500", "1.00", "0.10", "5.00", "6.10", "0.00"]
    assert cells["split"][5] == "3.00"
    assert cells["total"][1:6] == ["2.00", "0.20", "10.00", "12.20", "3.00"]
    assert "Due on 2020-01-01; promised on" in told.out
    assert "for which the policy counts nothing." in " ".join(told.out.split())


def test_the_limit_that_refuses_is_named_with_the_stock_as_it_is(network: Network) -> None:
    """Not called a shortage of stock."""
    told = plan(network, ("A", 12), allow_split=False)
    said = " ".join(told.out.split())
    assert told.code == 1
    assert "There is enough stock, but no way was found to ship it from 1 warehouse: allow_split of the order" in said
    assert "E-A │ 12 │ 27 │ 9" in said


def test_substitutes_are_what_is_explained(network: Network) -> None:
    """And nobody lacks what they come for."""
    told = plan(network, ("NONE", 1), allow_substitutes=True)
    assert "1 x E-A instead of E-NONE" in told.out
    assert "lacks E-NONE" not in told.out
