"""`stockade capacity` as commands: real short runs on services of their own and on another, plans, comparisons."""

import itertools
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import structlog

from api.cli import main
from loadtest.capacity.compare import Compared
from loadtest.capacity.plan import Plan
from loadtest.capacity.result import CapacityResult
from tests.api.conftest import Finished
from tests.conftest import Service, without_settings
from tests.loadtest.capacity.results import result, session

RUN_WAIT_S = 170
SHORT = ("--minutes", 2, "--seconds", 1.2, "--connections", 8, "--loads", "60,20", "--repeats", 2)

FEW = """\
about = "Few goods, which are there soon."

[catalogue]
warehouses = 3
skus = 12
on_hand = 1

[[buyers]]
name = "buyers"
lines = [1, 2]
replays = 0.1
"""


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A scenario of a file, of which a run raises the stock until nothing can sell out."""
    file = tmp_path_factory.mktemp("scenario") / "few.toml"
    file.write_text(FEW)
    return file


@pytest.fixture(scope="module")
def measured(few: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Finished, Path]:
    """One short run of a service of its own, with a worker more than one, so that it is supervised."""
    folder = tmp_path_factory.mktemp("capacity")
    return capacity("run", *SHORT, "--scenario", few, "--workers", "2", "--out", folder, "--json"), folder


def good(finished: Finished) -> None:
    """Nothing is found but that a machine that is busy with other tests leaves generator and service no processor."""
    assert finished.code in (0, 1), finished.err
    said = " ".join(finished.err.split())
    busy = "the generator limited every load" in said or "no load met the objective" in said
    assert (finished.code == 1) == busy, finished.err


def capacity(*words: Any) -> Finished:
    """The command, which may take longer than others."""
    done = subprocess.run(
        [sys.executable, "-m", "api.cli", "capacity", *map(str, words)],
        capture_output=True,
        text=True,
        timeout=RUN_WAIT_S,
        env=without_settings(os.environ),
        check=False,
    )
    return Finished(done.returncode, done.stdout, done.stderr)


@pytest.mark.slow
def test_a_run_measures_audits_and_reports(measured: tuple[Finished, Path]) -> None:
    """Every load as often as asked; processes, disk, memory, a restart; and the service kept its word."""
    finished, folder = measured
    good(finished)
    told = msgspec.json.decode(finished.out, type=CapacityResult)
    assert told == msgspec.json.decode((folder / "result.json").read_bytes(), type=CapacityResult)
    assert told.incomplete is None
    assert told.load.startswith("few: 12 SKUs")
    (one,) = told.sessions
    assert one.workers == 2
    assert sorted((point.share, point.repeat) for point in one.sweep) == [(0.2, 0), (0.2, 1), (0.6, 0), (0.6, 1)]
    assert [point.connections for point in one.ramp][:2] == [4, 8]
    assert one.peak is not None
    for point in one.sweep:
        assert point.goodput_per_s > 0
        assert point.p50_ms <= point.p99_ms <= point.p999_ms
        names = {process.name for process in point.processes}
        assert names == {"supervisor", "worker 1", "worker 2", "store", "generator"}
        assert all(process.rss_bytes > 0 for process in point.processes)
        assert sum(process.cpu_cores for process in point.processes if process.role == "worker") > 0
        assert point.disk is not None
        assert point.queue_mean is not None
    assert one.audit is not None
    assert (one.audit.lies, one.audit.broken, one.audit.unread) == ([], None, 0)
    assert one.audit.store is True
    assert one.audit.acknowledged == one.audit.read == one.audit.acknowledged + one.audit.left_out > 100
    assert one.audit.units_held > 0, "all were read, so that units were added up"
    assert told.restart is not None
    assert told.restart.seconds > 0
    assert told.growth is not None
    assert told.growth.cells is not None
    assert "to go" in finished.err


@pytest.mark.slow
def test_a_result_names_neither_host_nor_path(measured: tuple[Finished, Path]) -> None:
    """It may be shown to anybody; and its command does it again."""
    finished, folder = measured
    page = (folder / "index.html").read_text("utf-8")
    told = msgspec.json.decode(finished.out, type=CapacityResult)
    for text in (finished.out, page):
        assert str(folder) not in text
        assert "/tmp" not in text
        if len(socket.gethostname()) > 6:
            assert socket.gethostname() not in text
    assert told.command in page.replace("&#x27;", "'")
    words = told.command.split()
    assert words[:3] == ["stockade", "capacity", "run"]
    given = dict(itertools.pairwise(words[3:]))
    assert (given["--workers"], given["--loads"], given["--scenario"]) == ("2", "20,60", "few.toml")


@pytest.mark.slow
def test_a_service_elsewhere_is_seen_from_outside(few: Path, tmp_path: Path) -> None:
    """What cannot be seen is said, and has no number; its orders are audited all the same."""
    service = Service(tmp_path / "store")
    try:
        service.start()
        finished = capacity(
            "run", "--url", service.url, *SHORT[:-1], 1, "--scenario", few, "--out", tmp_path / "out", "--json"
        )
    finally:
        service.stop()
    good(finished)
    told = msgspec.json.decode(finished.out, type=CapacityResult)
    assert told.machine.service == "remote"
    assert any("from outside" in note for note in told.notes)
    (one,) = told.sessions
    assert {process.role for process in one.sweep[0].processes} <= {"service", "generator"}
    assert (one.sweep[0].disk, told.restart) == (None, None)
    assert one.audit is not None
    assert (one.audit.lies, one.audit.store) == ([], None)
    assert service.url not in finished.out


@pytest.mark.slow
def test_ctrl_c_leaves_what_was_measured(few: Path, tmp_path: Path) -> None:
    """Marked, and audited: the service is not ended by it before it was asked."""
    command = [sys.executable, "-m", "api.cli", "capacity", "run", "--workers", "1", "--out", str(tmp_path)]
    with subprocess.Popen(
        [*command, "--connections", "16", "--scenario", str(few)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=without_settings(os.environ),
        start_new_session=True,
    ) as process:
        assert process.stderr is not None
        assert any("8 connections" in line for line in process.stderr)
        # As a terminal does: to all that belong to the command.
        os.killpg(process.pid, signal.SIGINT)
        rest = process.stderr.read()
        assert process.wait(RUN_WAIT_S) == 130, rest
    told = msgspec.json.decode((tmp_path / "result.json").read_bytes(), type=CapacityResult)
    assert told.incomplete is not None
    assert "interrupted" in told.incomplete
    (one,) = told.sessions
    assert 2 <= len(one.ramp) <= 4
    assert one.audit is not None
    assert (one.audit.lies, one.audit.broken, one.audit.store) == ([], None, True)
    assert (tmp_path / "index.html").stat().st_size > 1_000


def written(folder: Path, name: str, told: CapacityResult) -> Path:
    """A result as a file."""
    file = folder / name
    file.write_bytes(msgspec.json.encode(told))
    return file


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[..., Finished]]:
    """The command in this process, which takes a tenth of the time of another one."""

    def call(*words: object) -> Finished:
        monkeypatch.setattr(sys, "argv", ["stockade", "capacity", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return Finished(int(ended.value.code or 0), said.out, " ".join(said.err.split()))

    yield call
    structlog.reset_defaults()


def test_what_became_worse_ends_with_1(called: Callable[..., Finished], tmp_path: Path) -> None:
    """And the same, or better, with 0."""
    old = written(tmp_path, "old.json", result(session(1, 4_000)))
    new = written(tmp_path, "new.json", result(session(1, 3_000)))
    same, worse = called("compare", old, old), called("compare", old, new)
    better, lenient = called("compare", new, old, "--json"), called("compare", old, new, "--tolerance", 90)
    assert (same.code, worse.code, better.code, lenient.code) == (0, 1, 0, 0)
    assert "became worse" in worse.err
    assert {"better"} <= {row.verdict for row in msgspec.json.decode(better.out, type=Compared).rows}


def test_a_plan_answers_with_marks(called: Callable[..., Finished], tmp_path: Path) -> None:
    """Exit 1 where no number of processes leads there."""
    file = written(tmp_path, "result.json", result(session(1, 4_000), session(2, 6_800), session(4, 9_000)))
    ask = ("plan", "--from", file)
    enough = called(*ask, "--peak", 3_000, "--p99-ms", 50, "--headroom", 30)
    far = called(*ask, "--peak", 20_000, "--p99-ms", 50, "--headroom", 30)
    machine = called(*ask, "--peak", 3_000, "--json", "--million-cells", 2)
    none = called(*ask, "--peak", 3_000, "--p99-ms", 0.1)
    page = called("report", file)
    assert (enough.code, far.code, machine.code, none.code, page.code) == (0, 1, 0, 2, 0)
    for word in ("measured", "extrapolated", "not measured", "processes", "partitions", "memory", "disk"):
        assert word in " ".join(enough.out.split())
    assert "no number of processes" in far.err
    assert "about " in far.out
    told = msgspec.json.decode(machine.out, type=Plan)
    assert told.reached
    assert "p99 of 0.1 ms" in none.err
    assert (tmp_path / "index.html").exists()


def test_what_cannot_be_measured_is_told_first(called: Callable[..., Finished], tmp_path: Path) -> None:
    """Exit 2 and the option, or file and field, before anything is started."""
    other = written(tmp_path, "other.json", result(session(1, 4_000)))
    broken = tmp_path / "broken.json"
    broken.write_text('{"format": "stockade-capacity", "version": 1}')
    out = ("--out", tmp_path / "out")
    asked = {
        "--minutes": ("run", "--minutes", 0.1, *out),
        "--workers": ("run", "--workers", "1,x", *out),
        "--loads": ("run", "--loads", "0,50", *out),
        "--scenario": ("run", "--scenario", "restock", *out),
        "2,000 are the most": ("run", "--repeats", 100, "--loads", ",".join(map(str, range(10, 35))), *out),
        "--seed": ("run", "--seed", 10**12, *out),
        "nosuch": ("run", "--scenario", "nosuch", "--minutes", 0.1, *out),
        "/machine/cpu_model": ("run", "--compare", other, *out),
        "/started_at: is missing": ("compare", broken, other),
        "--url": ("run", "--url", "http://127.0.0.1:9", *SHORT, *out),
        "one number": ("run", "--url", "http://127.0.0.1:9", "--workers", "1,2", *out),
        "--out": ("run", "--out", "/proc/none"),
        "cannot be read": ("plan", "--from", tmp_path / "none", "--peak", 1),
        "--headroom": ("plan", "--from", other, "--peak", 1, "--headroom", 100),
    }
    for word, words in asked.items():
        finished = called(*words)
        assert (finished.code, finished.out) == (2, ""), (word, finished)
        assert word in finished.err
    assert called("run", "--url", "foo", "--out", tmp_path / "never").code == 2
    assert not (tmp_path / "never").exists()
    assert not (tmp_path / "out" / "result.json").exists()
