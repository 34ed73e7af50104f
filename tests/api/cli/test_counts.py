"""Counts of a long file, set in parts."""

from pathlib import Path

import pytest

from api.cli.stock import CountsCutShort, read_counts, set_in_parts
from engine import Engine
from engine.errors import InvalidInput
from engine.model import Sku, StockCount, Warehouse


@pytest.fixture
async def rows(engine: Engine) -> list[StockCount]:
    """Counts of seven cells that are there."""
    await engine.put_warehouses([Warehouse(id="W", lat=30, lon=110)])
    await engine.put_skus([Sku(sku=f"S{number}") for number in range(7)])
    return [StockCount(sku=f"S{number}", warehouse="W", on_hand=number) for number in range(7)]


async def test_parts_are_set_in_their_order(engine: Engine, rows: list[StockCount]) -> None:
    """And whoever waits sees how far it is."""
    done: list[int] = []
    await set_in_parts(engine, rows, None, done=done.append, rows_max=3)
    assert done == [3, 6, 7]
    assert [cell.on_hand for cell in (await engine.stock()).cells] == list(range(7))


async def test_what_was_set_before_a_part_that_is_refused_stays_set(engine: Engine, rows: list[StockCount]) -> None:
    """The message says how much that is; where nothing is set, it is the plain error of the rows."""
    unknown = StockCount(sku="none", warehouse="W", on_hand=1)
    with pytest.raises(CountsCutShort, match="first 6 rows are set; of those from row 6 on: /1/sku"):
        await set_in_parts(engine, [*rows, unknown], None, done=lambda _: None, rows_max=3)
    assert len((await engine.stock()).cells) == 6
    with pytest.raises(InvalidInput):
        await set_in_parts(engine, [unknown, *rows], None, done=lambda _: None, rows_max=3)


async def test_of_a_file_the_line_is_named_wherever_the_parts_begin(
    engine: Engine, rows: list[StockCount], tmp_path: Path
) -> None:
    """As an editor shows it: with the header, empty lines, and fields of several lines."""
    file = tmp_path / "counts.csv"
    text = "sku,warehouse,on_hand\n\n" + "".join(f"{row.sku},W,{row.on_hand}\r\n" for row in rows)
    file.write_bytes((text + 'none,"W",1\n').encode())
    read, lines = read_counts(file)
    assert len(read) == len(rows) + 1
    with pytest.raises(CountsCutShort, match=r'first 6 rows are set; then: .*counts\.csv:10: sku: unknown SKU "none"'):
        await set_in_parts(engine, read, lines, done=lambda _: None, rows_max=3)
    file.write_text(text.replace("S2", "S1"))
    read, lines = read_counts(file)
    with pytest.raises(InvalidInput, match=r"counts\.csv:5: names the same cell as line 4$"):
        await set_in_parts(engine, read, lines, done=lambda _: None)
    file.write_text('sku,warehouse,on_hand\n"S1\n",W,1\nS2,W,x\n')
    with pytest.raises(InvalidInput, match=r"counts\.csv:4: on_hand: "):
        read_counts(file)
