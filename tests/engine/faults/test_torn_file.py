"""The end of the append-only file is not what was written: cut short by a crash, or with bytes that nobody wrote.

A cut is mended at the start, and takes the last write with it as a whole or not at all. Foreign bytes are for a person
to look at: the start says what is wrong and with which command to mend it.
"""

import asyncio
import os
import re
import shutil
import signal
import subprocess
from functools import partial
from pathlib import Path
from random import Random

import pytest

from engine import Settings, open_engine
from engine.errors import StoreUnavailable
from engine.store import EmbeddedServer
from engine.store.binary import find_binary
from tests.engine.small_network import assert_balanced, order, put_network, reserved

SEED = 20_261_111
CUTS = 12
ORDERS = 20


async def sold(data_dir: Path) -> tuple[dict[str, bytes], int]:
    """A store that was killed after a sale: what was acknowledged, and the file's size before the last order."""
    told = {}
    async with open_engine(Settings(data_dir=data_dir)) as engine:
        await put_network(engine, {(sku, name): ORDERS for sku in ("x", "y", "few") for name in "ABC"})
        size = 0
        for number in range(ORDERS):
            size = file_of(data_dir).stat().st_size
            # Of many writes: cells, a counter, the record, a hold, an event.
            lines = (("x", 1), ("y", 1), ("few", 1))
            one = order(f"o{number}", *lines, customer=f"c{number}", payment="pending", hold_seconds=900)
            told[one.order_id] = reserved(await engine.reserve(one)).json
        os.kill(int((data_dir / "lock").read_text()), signal.SIGKILL)
    return told, size


def file_of(data_dir: Path) -> Path:
    """The file that grows."""
    (path,) = (data_dir / "appendonlydir").glob("*.incr.aof")
    return path


async def test_a_write_that_was_cut_short_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    """The power went during the last write; that one was not acknowledged then, all before it were."""
    told, last = await sold(tmp_path / "sold")
    *_, last_id = told
    size = file_of(tmp_path / "sold").stat().st_size
    random = Random(SEED)
    cuts = {last, last + 1, size - 1, size, *(random.randrange(last, size) for _ in range(CUTS))}
    found = set()
    for cut in sorted(cuts):
        data_dir = tmp_path / str(cut)
        shutil.copytree(tmp_path / "sold", data_dir, ignore=shutil.ignore_patterns("*.sock"))
        os.truncate(file_of(data_dir), cut)
        async with open_engine(Settings(data_dir=data_dir)) as engine:
            for order_id, json in told.items():
                there = await engine.order_json(order_id)
                assert there == json or (order_id == last_id and there is None)
            whole = await engine.order_json(last_id) is not None
            found.add(whole)
            assert not whole or cut > last
            await assert_balanced(engine, units_reserved=3 * (len(told) - (not whole)))
            again = order("again", ("x", 1))
            reserved(await engine.reserve(again))
        shutil.rmtree(data_dir)
    assert found == {False, True}


@pytest.mark.parametrize(
    "tail", [bytes(4096), b"*3\r\n$4\r\nSETX", b"\xff\x00junk" * 50], ids=["zeros", "half", "junk"]
)
async def test_bytes_that_nobody_wrote_are_cut_or_named_with_what_to_do(tmp_path: Path, tail: bytes) -> None:
    """A file system that grew the file but had not its blocks leaves zeros; the command that is named mends it."""
    data_dir = tmp_path / "store"
    told, _ = await sold(data_dir)
    with file_of(data_dir).open("ab") as file:
        file.write(tail)
    server = EmbeddedServer(find_binary(), data_dir)
    # A half command is what a crash leaves, too: that is cut at the start.
    if not tail.startswith(b"*"):
        with pytest.raises(StoreUnavailable, match="damaged") as caught:
            await server.start()
        (command,) = re.findall(r"run: (.+)\n", str(caught.value))
        run = partial(subprocess.run, ["bash", "-c", command], input="y\n", capture_output=True, text=True, check=False)
        done = await asyncio.to_thread(run)
        assert done.returncode == 0, done
    async with open_engine(Settings(data_dir=data_dir)) as engine:
        for order_id, json in told.items():
            assert await engine.order_json(order_id) == json
        await assert_balanced(engine, units_reserved=3 * len(told))
