"""Files that break a rule: the row, the field and the rule, and nothing is set."""

from collections.abc import Callable
from pathlib import Path

import pytest

from api.cli.plan import read_order
from api.cli.policy import read_orders
from api.cli.stock import read_counts
from engine.errors import InvalidInput
from tests.api.conftest import Shop, run_all
from tests.conftest import Service

HEAD = "sku,warehouse,on_hand\n"

COUNTS: dict[str, tuple[str, bytes, str, str]] = {
    "a count that is text": ("f.csv", (HEAD + "A,W,5\nA,V,many\n").encode(), "f.csv:3", '1,000,000,000, not "many"'),
    "a negative count": ("f.csv", (HEAD + "A,W,-5\n").encode(), "f.csv:2", "on_hand: "),
    "a count of 10**30": ("f.csv", (HEAD + "A,W,1" + "0" * 30 + "\n").encode(), "f.csv:2", "on_hand: "),
    "an empty count": ("f.csv", (HEAD + "A,W,\n").encode(), "f.csv:2", "on_hand: "),
    "a cell too many": ("f.csv", (HEAD + "A,W,5,6\n").encode(), "f.csv:2", "columns"),
    "a cell too few": ("f.csv", (HEAD + "A,W\n").encode(), "f.csv:2", "columns"),
    "a quote without end": ("f.csv", (HEAD + '"A,W,5\nA,V,5\n').encode(), "f.csv:2", "columns"),
    "a cell of 200,000 characters": ("f.csv", (HEAD + "A" * 200_000 + ",W,5\n").encode(), "f.csv:2", "limit"),
    "a column missing": ("f.csv", b"sku,on_hand\nA,5\n", "f.csv:1", 'lacks the column "warehouse"'),
    "an unknown column": ("f.csv", b"sku,warehouse,on_hand,colour\nA,W,5,red\n", "f.csv:1", 'column 4, "colour": no'),
    "semicolons": ("f.csv", b"sku;warehouse;on_hand\nA;W;5\n", "f.csv:1", 'has ";" between its columns'),
    "tabs": ("f.csv", b"sku\twarehouse\ton_hand\nA\tW\t5\n", "f.csv:1", "has tabs between its columns"),
    "a column twice": (
        "f.csv",
        b"sku,warehouse,on_hand,sku\nA,W,5,B\n",
        "f.csv:1",
        'column 4, "sku", is there as 1',
    ),
    "an empty file": ("f.csv", b"", "f.csv:1", 'lacks the columns "sku", "warehouse", "on_hand"'),
    "Latin-1": ("f.csv", (HEAD + "Größe,W,5\n").encode("latin-1"), "f.csv:2", "UTF-8"),
    "a wrong row far down": ("f.csv", (HEAD + "A,W,5\n" * 1_500 + "A,W,x\n").encode(), "f.csv:1502", "on_hand: "),
    "JSON with a negative count": (
        "f.json",
        b'[{"sku":"A","warehouse":"W","on_hand":-5}]',
        "f.json",
        "/0/on_hand: must be a whole number from 0",
    ),
    "JSON cut short": ("f.json", b'[{"sku":"A",', "f.json", "is not JSON"),
    "JSON in Latin-1": ("f.json", '[{"sku":"Ä"}]'.encode("latin-1"), "f.json", "is not JSON"),
    "JSON that is an object": ("f.json", b"{}", "f.json", "must be an array, not an object"),
    "nested 100,000 deep": ("f.json", b"[" * 100_000, "f.json", "/0: must be an object, not an array"),
    "another kind of file": ("f.xlsx", b"PK\x03\x04", "f.xlsx", ".csv"),
}

ORDERS: dict[str, tuple[bytes, str, str]] = {
    "nothing": (b"", "f.json", "is not JSON"),
    "Latin-1": ('{"order_id":"Ä"}'.encode("latin-1"), "f.json", "is not JSON"),
    "a wrong quantity": (
        b'{"order_id":"1","ship_to":{"lat":1,"lon":1},"lines":[{"sku":"A","quantity":0}]}',
        "f.json",
        "/lines/0/quantity: must be a whole number from 1 to 1,000,000",
    ),
    "a blank id": (
        b'{"order_id":" ","ship_to":{"lat":1,"lon":1},"lines":[{"sku":"A","quantity":1}]}',
        "f.json",
        "/order_id: must be printable",
    ),
}

GOOD = b'{"order_id":"1","ship_to":{"lat":1,"lon":1},"lines":[{"sku":"A","quantity":1}]}'
BLANK_ID, NO_UNITS = GOOD.replace(b'"1"', b'" "'), GOOD.replace(b'quantity":1', b'quantity":0')

MANY_ORDERS: dict[str, tuple[bytes, str, str]] = {
    "a line that is no JSON": (GOOD + b"\n{oops\n", "f.json:2", "is neither JSON"),
    "a line after empty ones": (b"\n\r\n" + GOOD + b"\r\n\n{oops", "f.json:5", "is neither JSON"),
    "a wrong quantity on a line": (GOOD + b"\n\n" + NO_UNITS, "f.json:3", "/lines/0/quantity: "),
    "a blank id on a line": (b"\n" + GOOD + b"\n\n" + BLANK_ID, "f.json:4", "/order_id: "),
    "one order over many lines": (GOOD.replace(b",", b",\n"), "f.json:1", "is neither JSON of one row, nor"),
    "Latin-1 on a line": (GOOD + b"\n" + GOOD.replace(b"A", b"\xc4"), "f.json:2", "is neither JSON"),
    "an array cut short": (b"[" + GOOD, "f.json", "is not JSON"),
    "a wrong quantity in an array": (b"[" + GOOD + b"," + NO_UNITS + b"]", "f.json", "/1/lines/0/quantity: "),
    "a blank id in an array": (b"[" + GOOD + b"," + BLANK_ID + b"]", "f.json", "/1/order_id: "),
}


@pytest.mark.parametrize("case", COUNTS)
def test_a_file_of_counts_is_refused_with_row_and_rule(tmp_path: Path, case: str) -> None:
    """One wrong row among ten thousand must be found by its number."""
    name, data, pointer, rule = COUNTS[case]
    (tmp_path / name).write_bytes(data)
    with pytest.raises(InvalidInput) as refused:
        read_counts(tmp_path / name)
    (error,) = refused.value.errors
    assert error.pointer == str(tmp_path / pointer)
    assert rule in error.message


def test_every_mistake_of_a_header_is_told(tmp_path: Path) -> None:
    """With what was meant, where that can be guessed."""
    (tmp_path / "f.csv").write_text("SKU,warehouse ,onhand\nA,W,5\n")
    with pytest.raises(InvalidInput) as refused:
        read_counts(tmp_path / "f.csv")
    assert [error.message for error in refused.value.errors] == [
        'column 1, "SKU": no such column; did you mean "sku"? There are sku, warehouse, on_hand, safety',
        'column 2, "warehouse ": no such column; did you mean "warehouse"? There are sku, warehouse, on_hand, safety',
        'column 3, "onhand": no such column; did you mean "on_hand"? There are sku, warehouse, on_hand, safety',
        'lacks the columns "sku", "warehouse", "on_hand"',
    ]


@pytest.mark.parametrize("case", ORDERS)
def test_a_file_with_an_order_is_refused_with_field_and_rule(tmp_path: Path, case: str) -> None:
    """By the rules of the HTTP door."""
    data, pointer, rule = ORDERS[case]
    (tmp_path / "f.json").write_bytes(data)
    with pytest.raises(InvalidInput) as refused:
        read_order(tmp_path / "f.json")
    (error,) = refused.value.errors
    assert error.pointer == str(tmp_path / pointer)
    assert rule in error.message


@pytest.mark.parametrize("case", MANY_ORDERS)
def test_a_file_of_orders_is_refused_with_its_name_and_the_line_of_the_editor(tmp_path: Path, case: str) -> None:
    """Lines from 1, empty ones counted; an array has rows, from 0."""
    data, where, rule = MANY_ORDERS[case]
    (tmp_path / "f.json").write_bytes(data)
    with pytest.raises(InvalidInput) as refused:
        read_orders(tmp_path / "f.json")
    (error,) = refused.value.errors
    assert error.pointer == str(tmp_path / where)
    assert error.message.startswith(rule)


def test_a_refused_file_ends_with_2_and_sets_nothing(shop: Shop, shared_service: Service, tmp_path: Path) -> None:
    """Every row or none, whoever finds the wrong one: the reader, the rules or the catalogue."""
    warehouse = shop.warehouse()
    sku = shop.sku(on_hand={warehouse: 5})
    shop.reserve((sku, 4))
    good = f"{HEAD}{sku},{warehouse},50\n"
    files = {
        "0.csv:3: on_hand: must be a whole number": good + f"{sku},{warehouse},x\n",
        '1.csv:3: warehouse: unknown warehouse "[x]"': good + f"{sku},[x],60\n",
        "2.csv:2: 4 units are reserved": f"{HEAD}{sku},{warehouse},3\n",
    }
    commands = []
    for index, text in enumerate(files.values()):
        (tmp_path / f"{index}.csv").write_text(text)
        commands.append(("stock", "set", tmp_path / f"{index}.csv", "--data-dir", shared_service.data_dir))
    for rule, finished in zip(files, run_all(commands), strict=True):
        assert (finished.code, finished.out) == (2, "")
        assert rule in finished.err
    assert shop.cell(sku, warehouse)["on_hand"] == 5


@pytest.mark.parametrize("read", [read_counts, read_order])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, read: Callable[[Path], object]) -> None:
    """It says which, and why."""
    for file, why in ((tmp_path / "none.json", "No such file"), (tmp_path, "Is a directory")):
        with pytest.raises(InvalidInput, match=why) as refused:
            read(file)
        assert refused.value.errors[0].pointer == str(file)
