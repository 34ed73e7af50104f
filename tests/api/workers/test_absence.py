"""A place without a worker that answers is served by the others: no client waits for it, nor is sent away."""

import os
import signal
from pathlib import Path

import pytest

from tests.api.conftest import Door
from tests.api.workers.conftest import WORKERS, Several, alive, put_shop, until

CLIENTS = 40
STARTS = 3
LISTEN = "0A"

pytestmark = pytest.mark.slow


def listening(pid: int) -> int:
    """Sockets by which a process may take connections."""
    rows = [row.split() for row in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]]
    queues = {f"socket:[{row[9]}]" for row in rows if row[3] == LISTEN}
    return sum(_opens(one) in queues for one in Path(f"/proc/{pid}/fd").iterdir())


def _opens(descriptor: Path) -> str:
    """What it stands for; nothing where the process has closed it since it was listed."""
    try:
        return os.readlink(descriptor)
    except FileNotFoundError:
        return ""


def test_while_a_worker_cannot_start_again_the_other_one_has_its_clients(several: Several, tmp_path: Path) -> None:
    """Its socket stays: who comes by it waits for no start, and those who are in its queue already are served, too."""
    policies = tmp_path / "policies.toml"
    policies.write_text('version = "1"\ndefault = "nearest"\n')
    several.settings(STOCKADE_POLICIES_FILE=str(policies))
    door = Door(several.start())
    killed, other = several.workers()
    policies.write_text('version = "2"\ndefault = "nowhere"\n')
    os.kill(killed, signal.SIGKILL)
    calls = 0
    while several.said().count("is started again") <= STARTS or calls < CLIENTS:
        assert door.call("GET", "/livez").status == 200
        calls += 1
    assert listening(other) == WORKERS
    policies.write_text('version = "3"\ndefault = "nearest"\n')
    until(lambda: listening(other) == 1, "it serves for others who are there again")
    assert [door.call("GET", "/livez").status for _ in range(CLIENTS)] == [200] * CLIENTS


def test_a_worker_that_hangs_is_helped_by_the_other_and_replaced(several: Several) -> None:
    """It is heard no more: that shows it, though its process and its socket are there."""
    door = Door(several.start())
    put_shop(door, units=10)
    hung, other = several.workers()
    os.kill(hung, signal.SIGSTOP)
    answers = door.call_at_once([("GET", "/livez")] * CLIENTS)
    assert [answer.status for answer in answers] == [200] * CLIENTS
    assert alive(hung)
    until(lambda: not alive(hung) and len(several.workers()) == WORKERS, "it is not replaced")
    until(lambda: listening(other) == 1, "the other one serves for it still")
    assert "a worker is silent, and is killed" in several.said()


def test_a_worker_that_comes_back_in_time_is_left_alone(several: Several) -> None:
    """A machine may stand still for a while; nobody is killed for it."""
    door = Door(several.start())
    before = several.workers()
    os.kill(before[0], signal.SIGSTOP)
    until(lambda: listening(before[1]) == WORKERS, "nobody serves for it")
    os.kill(before[0], signal.SIGCONT)
    until(lambda: "a worker is heard again" in several.said(), "it is not heard")
    until(lambda: listening(before[1]) == 1, "the other one serves for it still")
    assert [door.call("GET", "/livez").status for _ in range(CLIENTS)] == [200] * CLIENTS
    assert several.workers() == before
