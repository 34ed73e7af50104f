"""What commands print, on a data directory with a running service and on one without: the same."""

from collections.abc import Iterator
from pathlib import Path
from time import sleep
from typing import NamedTuple

import msgspec
import pytest

from engine.model import Allocation
from tests.api.conftest import Door, Finished, Shop, run
from tests.conftest import Service

COUNTS = [{"sku": "CLI-A", "warehouse": "CLI-W", "on_hand": 10, "safety": 1}]


class Place(NamedTuple):
    """A data directory that holds one warehouse, one SKU with 10 units, and three orders, the newest last."""

    data_dir: Path
    running: bool
    orders: tuple[str, ...]

    def run(self, *arguments: object, given: str = "") -> Finished:
        """A command on this directory."""
        return run(*arguments, "--data-dir", self.data_dir, given=given)


@pytest.fixture(scope="module", params=["running", "stopped"])
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """The shop, with its service or as that left it."""
    service = Service(tmp_path_factory.mktemp("cli") / "store")
    service.start()
    shop = Shop(Door(service.url), "CLI")
    warehouse = shop.warehouse()
    sku = shop.sku(on_hand={warehouse: 10})
    orders = []
    for payment in ("cod", "paid", "pending"):
        orders.append(shop.reserve((sku, 1), payment=payment)["order_id"])
        # Two of one millisecond have no newer one.
        sleep(0.002)
    running = request.param == "running"
    if not running:
        service.stop()
    yield Place(service.data_dir, running, tuple(orders))
    service.stop()


def test_stock_shows_cells(place: Place) -> None:
    """What is there, what is promised, what is left."""
    (cell,) = place.run("stock", "--sku", "CLI-A", "--warehouse", "CLI-W", "--json").json
    assert (cell["on_hand"], cell["reserved"], cell["available"] + cell["safety"]) == (10, 3, 7)


@pytest.mark.parametrize("form", ["counts.csv", "counts.json", "-"])
def test_counts_are_set_from_a_file(place: Place, tmp_path: Path, form: str) -> None:
    """From a spreadsheet (with a byte order mark, carriage returns, an empty cell), from a program, from a pipe."""
    file, text = tmp_path / form, msgspec.json.encode(COUNTS).decode()
    if form == "counts.csv":
        text = "\ufeffsku,warehouse,on_hand,safety\r\nCLI-A,CLI-W,10,\r\n"
    file.write_text(text, encoding="utf-8", newline="")
    finished = place.run("stock", "set", "-" if form == "-" else file, "--json", given=text)
    assert (finished.code, finished.json) == (0, {"rows": 1}), finished.err


def test_orders_lists_the_newest_first(place: Place) -> None:
    """The order that somebody asks about came in a minute ago."""
    found = place.run("orders", "--limit", "2", "--json")
    assert found.code == 0
    assert [allocation["order_id"] for allocation in found.json] == [place.orders[2], place.orders[1]]


def test_orders_shows_one_by_its_id(place: Place) -> None:
    """The whole Allocation."""
    found = place.run("orders", place.orders[-1], "--json")
    assert found.code == 0
    assert msgspec.json.decode(found.out, type=Allocation).status == "reserved"


def test_plan_says_what_an_order_would_get_and_why(place: Place, tmp_path: Path) -> None:
    """In words, and for machines; too much is a finding."""
    order = {"order_id": "P", "ship_to": {"lat": 31, "lon": 121}, "lines": [{"sku": "CLI-A", "quantity": 3}]}
    file = tmp_path / "order.json"
    file.write_bytes(msgspec.json.encode(order))
    explained = place.run("plan", file, "--explain")
    assert explained.code == 0, explained.err
    assert "CLI-W" in explained.out
    assert "Policy cheapest@built-in (the default), proven the cheapest that keeps lines whole." in " ".join(
        explained.out.split()
    )
    assert "3 x CLI-A" in explained.out
    order["lines"][0]["quantity"] = 99
    short = place.run("plan", "-", "--json", given=msgspec.json.encode(order).decode())
    assert short.code == 1
    assert short.json["shortages"][0]["requested"] == 99
    assert short.json["explanation"]["warehouses"][0]["warehouse"] == "CLI-W"


def test_audit_finds_the_books_in_balance(place: Place) -> None:
    """Also on a live store."""
    found = place.run("audit", "--json")
    assert (found.code, found.json["difference_count"]) == (0, 0)
    assert (found.json["orders"], found.json["units_reserved"]) == (3, 3)


def test_doctor_says_which_store_and_how_durable(place: Place) -> None:
    """The embedded one needs no advice."""
    found = place.run("doctor", "--json")
    assert found.code == 0, found.err
    assert found.json["found"]["durable"] == "always"
    assert str(place.data_dir) in found.json["found"]["store"]
    assert (found.json["found"]["warehouses"], found.json["advice"]) == (1, [])


def test_a_running_service_goes_on_and_a_stopped_one_stays_stopped(place: Place) -> None:
    """Commands join the store that runs, and leave none behind where none ran. Last in this file."""
    assert (place.data_dir / "valkey.sock").exists() is place.running


@pytest.mark.parametrize("form", ["rows.csv", "movement.json", "-"])
def test_stock_is_moved_from_a_file(place: Place, tmp_path: Path, form: str) -> None:
    """Rows of a spreadsheet with type and id beside them, or the movement as a program writes it; then a replay."""
    movement_id, file = f"{place.running}-{form}", tmp_path / form
    row = {"sku": "CLI-A", "warehouse": "CLI-W", "quantity": 1, "arrives_at": "2030-01-02T12:00:00Z"}
    text = msgspec.json.encode({"movement_id": movement_id, "type": "inbound", "rows": [row]}).decode()
    options: tuple[object, ...] = ("stock", "move", "-" if form == "-" else file)
    if form == "rows.csv":
        text = "sku,warehouse,quantity,arrives_at,expected_on_hand\r\nCLI-A,CLI-W,1,2030-01-02T12:00:00Z,\r\n"
        options += ("--type", "inbound", "--id", movement_id)
    file.write_text(text, encoding="utf-8", newline="")
    finished = place.run(*options, "--json", given=text)
    assert finished.code == 0, finished.err
    assert (finished.json["movement_id"], finished.json["replayed"]) == (movement_id, False)
    again = place.run(*options, given=text)
    assert again.code == 0
    assert "was done before" in again.out
    assert "arrivals" in again.out


def test_rows_need_a_type_and_an_id(place: Place, tmp_path: Path) -> None:
    """And a movement that has both must not be given others."""
    rows, whole = tmp_path / "rows.csv", tmp_path / "movement.json"
    rows.write_text("sku,warehouse,quantity\nCLI-A,CLI-W,1\n", encoding="utf-8")
    whole.write_text('{"movement_id": "m", "type": "receive", "rows": []}', encoding="utf-8")
    assert place.run("stock", "move", rows, "--type", "receive").code == 2
    assert place.run("stock", "move", whole, "--type", "receive").code == 2


def test_a_part_of_many_counts_is_set_whole_or_not_at_all(place: Place, tmp_path: Path) -> None:
    """More than one call takes; its first part names unknown SKUs, so that nothing is set."""
    file = tmp_path / "counts.csv"
    rows = ["CLI-A,CLI-W,10"] + [f"CLI-{number},CLI-W,1" for number in range(10_000)]
    file.write_text("sku,warehouse,on_hand\n" + "\n".join(rows), encoding="utf-8")
    finished = place.run("stock", "set", file)
    assert finished.code == 2
    assert "counts.csv:3: sku" in finished.err
