"""However a service of several workers ends, all of it ends; and it does not begin by halves."""

import asyncio
import contextlib
import http.client
import json
import os
import signal
from pathlib import Path
from time import monotonic

import pytest

from api.workers.place import WorkerFailed
from api.workers.supervisor import serve_with_workers
from engine import Engine, Settings
from tests.api.conftest import Door, run
from tests.api.under_way import is_read, is_refused, writes_held
from tests.api.workers.conftest import WAIT_S, WORKERS, Buyers, Several, alive, order, put_shop, until

CONNECTIONS = 16

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_a_signal_lets_all_workers_answer_whom_they_have(several: Several, name: str) -> None:
    """Each order that a worker had read when the signal came gets its answer. Exit 0, nothing left running."""
    several.settings(STOCKADE_DRAIN_S="60", STOCKADE_STORE_TIMEOUT_MS="60000")
    door = Door(several.start())
    put_shop(door, units=1_000_000)
    processes, run_dir = several.processes(), several.run_dir()
    assert len(processes) == 2 + WORKERS
    host, port = door.address.split(":")
    with contextlib.ExitStack() as stack:
        connections = [http.client.HTTPConnection(host, int(port), timeout=WAIT_S) for _ in range(CONNECTIONS)]
        for one in connections:
            stack.callback(one.close)
            one.request("GET", "/livez")
            assert one.getresponse().read()
        with writes_held(several.data_dir):
            for number, one in enumerate(connections):
                one.request("POST", "/v1/orders", json.dumps(order(f"o{number}")))
            until(lambda: all(is_read(one.sock) for one in connections), "orders are not read")
            assert several.process is not None
            several.process.send_signal(getattr(signal, name))
            until(lambda: is_refused(door), "the service takes new connections")
        answers = [one.getresponse() for one in connections]
        assert [answer.status for answer in answers] == [201] * CONNECTIONS
    assert several.process.wait(WAIT_S) == 0
    assert not any(map(alive, processes))
    assert not run_dir.exists()


def test_workers_may_serve_on_for_as_long_as_the_drain_delay(several: Several) -> None:
    """Though that is longer than all else that their end may take: none of them is killed for it."""
    delay_s = 7.0
    several.settings(STOCKADE_DRAIN_S="0.1", STOCKADE_DRAIN_DELAY_S=str(delay_s))
    several.start()
    assert several.process is not None
    began = monotonic()
    several.process.send_signal(signal.SIGTERM)
    assert several.process.wait(WAIT_S) == 0
    assert monotonic() - began >= delay_s


def test_a_signal_in_mid_sale_leaves_no_doubt(several: Several) -> None:
    """Whoever was told yes finds the order in the store, and nobody's is there who was told no."""
    door = Door(several.start())
    put_shop(door, units=1_000_000)
    with Buyers(door).buying() as buyers:
        buyers.await_more()
        assert several.process is not None
        several.process.send_signal(signal.SIGTERM)
        assert several.process.wait(WAIT_S) == 0
    assert {answer.status for answer in buyers.answers.values()} <= {201, 503}
    found = {
        row["order_id"] for row in run("orders", "--limit", 100_000, "--json", "--data-dir", several.data_dir).json
    }
    assert found >= set(buyers.acknowledged)
    assert found <= set(buyers.acknowledged) | set(buyers.unanswered)


def test_a_second_signal_ends_all_at_once(several: Several) -> None:
    """Also a worker that hangs; the exit code says that it was not in order."""
    several.start()
    assert several.process is not None
    processes = several.processes()
    os.kill(several.workers()[0], signal.SIGSTOP)
    several.process.send_signal(signal.SIGTERM)
    # It has been heard when the other one has ended.
    until(lambda: len(several.workers()) == 1, "the other worker does not end")
    several.process.send_signal(signal.SIGTERM)
    assert several.process.wait(WAIT_S) == 2
    assert not any(map(alive, processes))


def test_workers_and_store_end_with_a_supervisor_that_was_killed(several: Several) -> None:
    """No orphan keeps the port or the data directory, and a new start finds both free."""
    several.start()
    processes, run_dir = several.processes(), several.run_dir()
    several.kill()
    until(lambda: not any(map(alive, processes)), "an orphan goes on")
    until(lambda: not run_dir.exists(), "what the workers shared is left behind")
    assert Door(several.start()).call("GET", "/readyz").status == 200


async def test_a_worker_that_cannot_begin_ends_the_start_with_its_own_words(tmp_path: Path) -> None:
    """And is not tried again and again. Here its policies break once the supervisor has read them."""
    policies = tmp_path / "policies.toml"
    policies.write_text('version = "1"\ndefault = "nearest"\n')

    async def break_them(_engine: Engine) -> None:
        policies.write_text('version = "1"\ndefault = "nowhere"\n')

    async def ready(_engine: Engine, _url: str) -> None:
        raise AssertionError("it is not")

    settings = Settings(data_dir=tmp_path / "store", port=0, workers=2, policies_file=policies)
    with pytest.raises(WorkerFailed, match="nowhere"):
        async with asyncio.timeout(WAIT_S):
            await serve_with_workers(settings, on_open=break_them, on_ready=ready)
