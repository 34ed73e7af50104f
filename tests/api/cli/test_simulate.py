"""`stockade simulate`: histories and drawn seasons, as table, JSON and page; what is wrong with a file is told."""

import json
from html.parser import HTMLParser
from pathlib import Path

import pytest

from api.cli.season_files import read_season
from api.cli.simulate import simulate
from engine.errors import InvalidInput
from engine.season import POLICIES

NETWORK = {
    "warehouses": [{"id": "SHA", "fixed_cost": 500}, {"id": "CAN", "fixed_cost": 500}],
    "regions": [
        {"id": "east", "unit_cost": {"SHA": 100, "CAN": 300}},
        {"id": "south", "unit_cost": {"SHA": 320, "CAN": 90}, "unserved_unit": 5_000},
    ],
    "stock": [
        {"sku": "tea", "warehouse": "SHA", "on_hand": 3},
        {"sku": "tea", "warehouse": "CAN", "on_hand": 9},
        {"sku": "cup", "warehouse": "CAN", "on_hand": 1},
    ],
}
ORDERS = [
    {"at": "2026-11-11T00:00:10Z", "region": "south", "lines": [{"sku": "tea"}, {"sku": "cup"}]},
    {"at": "2026-11-11T00:00:00Z", "region": "east", "lines": [{"sku": "tea", "quantity": 2}]},
    {"at": "2026-11-11T00:00:20+00:00", "region": "east", "lines": [{"sku": "tea", "quantity": 5}, {"sku": "cup"}]},
]
CSV = """at,order_id,region,sku,quantity
10,b,south,tea,
10,b,south,cup,1
0,a,east,tea,2
20,c,east,tea,5
20,c,east,cup,1
"""


@pytest.fixture
def network(tmp_path: Path) -> Path:
    """A file with the network."""
    path = tmp_path / "network.json"
    path.write_text(json.dumps(NETWORK))
    return path


def history(folder: Path, orders: list[dict[str, object]]) -> Path:
    """A file with orders, one a line."""
    path = folder / "orders.jsonl"
    path.write_text("\n".join(map(json.dumps, orders)))
    return path


def test_a_history_is_played_in_the_sequence_of_its_times(
    tmp_path: Path, network: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By hand: east takes 2 of 3 at SHA; south one of each at CAN; then 5 tea and no cup left."""
    simulate(history(tmp_path, ORDERS), network=network, policies="myopic,nearest", json=True)
    found = json.loads(capsys.readouterr().out)
    (season,) = found["seasons"]
    assert (season["orders"], season["units"], season["stock_units"]) == (3, 10, 13)
    myopic, nearest = season["policies"]
    # 700 for the first, 680 for the second; the third: five from CAN, and a cup short: 1,000 once and 600 a unit.
    assert myopic["cost"] == 700 + 680 + 500 + 5 * 300 + 1_000 + 600
    assert (myopic["unserved_units"], myopic["unserved_orders"], myopic["shipments"]) == (1, 1, 3)
    # Nearest takes the last one at SHA first, and pays for two shipments.
    assert nearest["cost"] == 700 + 680 + 2 * 500 + 100 + 4 * 300 + 1_000 + 600
    assert season["bound"] <= season["hindsight_cost"] <= myopic["cost"]
    assert [row[0] for row in myopic["course"]] == [1, 2, 3]
    assert found["expect"] == "learned"


def test_what_is_ordered_and_never_was_there_is_told(
    tmp_path: Path, network: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It may be a name that differs in the two files."""
    lines = [{"sku": "Tea", "quantity": 3}, {"sku": "tea"}]
    simulate(history(tmp_path, [{"at": 1, "region": "east", "lines": lines}]), network=network, policies="myopic")
    assert "1 SKU of the orders (3 units) have no stock" in capsys.readouterr().err


def test_csv_and_json_lines_say_the_same(tmp_path: Path, network: Path) -> None:
    """Rows of one order follow each other."""
    table = tmp_path / "orders.csv"
    table.write_text(CSV)
    one, other = read_season(table, network), read_season(history(tmp_path, ORDERS), network)
    for name in ("line_start", "sku", "quantity", "region", "stock", "unit_cost", "unserved_unit"):
        assert (getattr(one.orders, name) == getattr(other.orders, name)).all()
    assert one.at_s.tolist() == other.at_s.tolist() == [0, 10, 20]


class Reader(HTMLParser):
    """Collects what a page loads, and its texts."""

    def __init__(self) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what would leave the page."""
        self.loads += [tag for name, _ in attrs if name in ("src", "href")] + [tag] * (tag in ("script", "link"))

    def handle_data(self, data: str) -> None:
        """Note a text."""
        self.texts.append(data)


def test_a_drawn_season_is_the_same_each_time_and_has_a_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Which loads nothing, and names every policy in both plots."""
    page = tmp_path / "page.html"
    for _ in range(2):
        simulate(arrivals=120, seed=5, every=40, open_orders=30, html=page, json=True)
    first, second = capsys.readouterr().out.split("\n{", 1)
    assert json.loads(first) == json.loads("{" + second)
    reader = Reader()
    reader.feed(page.read_text())
    assert reader.loads == []
    for name in POLICIES:
        assert sum(text.startswith(f"{name} ") for text in reader.texts) >= 2


def test_several_seasons_are_averaged(capsys: pytest.CaptureFixture[str]) -> None:
    """Each with its seed."""
    simulate(arrivals=60, seed=9, runs=3, policies="nearest,myopic", json=True)
    found = json.loads(capsys.readouterr().out)
    shares = [season["policies"][1]["above_bound"] for season in found["seasons"]]
    assert found["means"][1]["above_bound"] == pytest.approx(sum(shares) / 3)
    assert [season["season"] for season in found["seasons"]] == [f"generated, seed {seed}" for seed in (9, 10, 11)]
    simulate(arrivals=60, seed=9, runs=3, policies="nearest,myopic")
    assert "Means of 3 drawn seasons" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("network_change", "orders", "told"),
    [
        ({"regions": [{"id": "east", "unit_cost": {"SHA": 1}}]}, ORDERS, 'lacks the warehouse "CAN"'),
        ({"regions": [{"id": "e", "unit_cost": {"SHA": 1, "CAN": 1, "X": 2}}]}, ORDERS, 'no warehouse "X"'),
        ({"stock": [{"sku": "tea", "warehouse": "X", "on_hand": 1}]}, ORDERS, "/stock/0/warehouse"),
        ({"stock": [{"sku": "tea", "warehouse": "SHA", "on_hand": -1}]}, ORDERS, "on_hand"),
        ({"warehouses": NETWORK["warehouses"] * 2}, ORDERS, "is there twice"),
        ({"more": 1}, ORDERS, "more"),
        ({}, [], "must not be empty"),
        ({}, [{"at": 1, "region": "west", "lines": [{"sku": "tea"}]}], 'no region "west"'),
        ({}, [{"at": -1, "region": "east", "lines": [{"sku": "tea"}]}], "at"),
        ({}, [{"at": 1, "region": "east", "lines": []}], "lines"),
        ({}, [{"at": 1, "region": "east", "lines": [{"sku": "tea", "quantity": 0}]}], "quantity"),
        ({}, [{"at": "2026-11-11T00:00:10", "region": "east", "lines": [{"sku": "tea"}]}], "time zone"),
        ({}, [*ORDERS, {"at": 1, "region": "east", "lines": [{"sku": "tea"}]}], "orders.jsonl:4: /at"),
    ],
)
def test_what_is_wrong_with_a_history_is_told(
    tmp_path: Path, network: Path, network_change: dict[str, object], orders: list[dict[str, object]], told: str
) -> None:
    """By file, field and rule."""
    network.write_text(json.dumps(NETWORK | network_change))
    with pytest.raises(InvalidInput) as raised:
        read_season(history(tmp_path, orders), network)
    assert told in str(raised.value)
    assert str(tmp_path) in str(raised.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("at,order_id,region,sku\nsoon,a,east,tea\n", "orders.csv:2: at: must be a time"),
        ("at,order_id,region,sku\n1,a,east,tea\n2,a,east,cup\n", 'orders.csv:3: order "a" has another time or region'),
        (
            "at,order_id,region,sku\n1,a,east,tea\n1,b,east,tea\n1,a,east,cup\n",
            'orders.csv:4: order "a" was there before',
        ),
        ("at,order_id,region,sku\n1,a,east,tea\n1,a,east,cup\n1,b,west,tea\n", "orders.csv:4: /region: the network"),
        ("at,order_id,region\n1,a,east\n", "sku"),
        ("at,order_id,region,sku\n", "must not be empty"),
    ],
)
def test_what_is_wrong_with_a_table_is_told(tmp_path: Path, network: Path, text: str, told: str) -> None:
    """By its line."""
    table = tmp_path / "orders.csv"
    table.write_text(text)
    with pytest.raises(InvalidInput) as raised:
        read_season(table, network)
    assert told in str(raised.value)


def test_what_does_not_go_together_is_told(tmp_path: Path, network: Path) -> None:
    """By the option."""
    file = history(tmp_path, ORDERS)
    for given, told in (
        ({"history": file}, "--network"),
        ({"history": file, "network": network, "runs": 2}, "--runs"),
        ({"history": file, "network": network, "arrivals": 20}, "--arrivals"),
        ({"history": file, "network": network, "expect": "known"}, "--expect"),
        ({"network": network}, "--network"),
        ({"every": 1, "every_s": 1.0}, "--every-s"),
        ({"policies": "best"}, "--policies"),
        ({"policies": "static", "expect": "learned", "arrivals": 20}, "--policies"),
        ({"policies": ","}, "--policies"),
        ({"history": tmp_path / "none.csv", "network": network}, "none.csv"),
        ({"arrivals": 20, "policies": "nearest", "html": tmp_path}, "--html"),
    ):
        arguments = dict(given)
        place = [arguments.pop("history")] if "history" in arguments else []
        with pytest.raises(InvalidInput) as raised:
            simulate(*place, **arguments)
        assert told in str(raised.value)
