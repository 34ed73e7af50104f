"""Bodies in bulk that are a burden: bad lines without end, from clients that read their results or do not."""

import contextlib
import os
import resource
import statistics
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.conftest import Door, Shop
from tests.api.http.bulk_case import Raw, order, post, results
from tests.conftest import Service
from tests.waiting import until

LINES = b"1\n" * 30_000
"""A lot of them takes seconds, and makes a hundred times as many bytes."""
CLIENTS = 6
LOOKS = 20
QUIET_S = 20.0


@pytest.fixture
def burdened(service: Service) -> Iterator[Service]:
    """A service of the test's own."""
    service.start()
    yield service
    if service.process is not None:
        service.kill()


def memory_bytes(pid: int) -> int:
    """What a process has in memory."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * resource.getpagesize()


def cpu_s(pid: int) -> float:
    """What a process has used of processors."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def send_for_ever(raw: Raw) -> None:
    """Bad lines until the connection ends."""
    with contextlib.suppress(OSError):
        while True:
            raw.send(LINES)


def read_for_ever(raw: Raw) -> None:
    """Takes results, and drops them."""
    with contextlib.suppress(OSError):
        while raw.socket.recv(1 << 20):
            pass


def test_short_bad_lines_neither_keep_others_waiting_nor_fill_the_memory(burdened: Service) -> None:
    """Whoever reads their results is served in turns with all others; who does not is read no further, and who goes
    leaves nothing to be done."""
    assert burdened.process is not None
    pid, door = burdened.process.pid, Door(burdened.url)
    shop = Shop(door, "B")
    sku = shop.sku(on_hand={shop.warehouse(): 1_000})
    before = memory_bytes(pid)
    raws = [Raw(door) for _ in range(CLIENTS)]
    threads = [threading.Thread(target=send_for_ever, args=(raw,)) for raw in raws]
    threads += [threading.Thread(target=read_for_ever, args=(raw,)) for raw in raws[:2]]
    for thread in threads:
        thread.start()
    try:
        waits_s = []
        for number in range(LOOKS):
            start = time.monotonic()
            assert door.call("GET", "/livez").status == 200
            waits_s.append(time.monotonic() - start)
            assert results(post(door, order(f"B-{number}", sku)))[0]["outcome"] == "reserved"
        # A slice takes a millisecond; the rest is for a machine that has other things to do.
        assert statistics.median(waits_s) < 0.5
        assert memory_bytes(pid) - before < 120_000_000
    finally:
        for raw in raws:
            raw.hang_up()
        for thread in threads:
            thread.join()

    def busy_s() -> float:
        start_s = cpu_s(pid)
        time.sleep(0.5)
        return cpu_s(pid) - start_s

    until(QUIET_S, busy_s, lambda seconds: seconds < 0.1)


def test_a_service_that_stops_answers_the_lines_that_it_has_read(tmp_path: Path) -> None:
    """And holds nothing that it has not answered: the answer breaks off between two lines, without its last chunk."""
    service = Service(tmp_path / "store", STOCKADE_DRAIN_S="1")
    service.start()
    assert service.process is not None
    door = Door(service.url)
    shop = Shop(door, "D")
    sku = shop.sku(on_hand={shop.warehouse(): 100_000})
    lines = [order(f"D-{number}", sku) for number in range(20_000)]
    raw = Raw(door)
    with contextlib.closing(raw.socket):
        sender = threading.Thread(target=_send, args=(raw, lines))
        sender.start()
        raw.until(b'"order_id":"D-100"')
        service.process.terminate()
        raw.until(b"no such text")
        sender.join()
    assert service.process.wait(90) == 0
    service.stop()
    assert not raw.read.endswith(b"\r\n0\r\n\r\n")
    answered = raw.read.count(b'"outcome":"reserved"')
    assert 100 <= answered < len(lines)
    service.start()
    try:
        again = results(post(Door(service.url), b"\n".join(lines)))
    finally:
        service.stop()
    assert [row["outcome"] for row in again] == ["replayed"] * answered + ["reserved"] * (len(lines) - answered)


def _send(raw: Raw, lines: list[bytes]) -> None:
    with contextlib.suppress(OSError):
        for start in range(0, len(lines), 100):
            raw.send(b"\n".join(lines[start : start + 100]) + b"\n")
            # As a whole for longer than the service waits for it.
            time.sleep(0.03)
