"""A PostgreSQL of its own in a folder: fsync before each answer, one unix socket, ends with its starter.

Its programs are on PATH, in STOCKADE_POSTGRES_BIN, where Debian keeps them, or where `make postgresql` put them.
"""

import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.http_ratio import CLOCK_TICKS

BIN = "STOCKADE_POSTGRES_BIN"
USER = "nobody"
"""Whom the server runs as where root starts it, which it refuses."""
READY_S = 60.0
STOP_S = 30.0
SETTINGS = {
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "listen_addresses": "",
    "max_connections": "300",
    "shared_buffers": "512MB",
    "wal_buffers": "16MB",
    # No checkpoint falls into a run.
    "max_wal_size": "8GB",
    "checkpoint_timeout": "1h",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "jit": "off",
    "log_timezone": "GMT",
    "timezone": "GMT",
}
"""All others are as PostgreSQL has them."""

_PR_SET_PDEATHSIG = 1


class NoPostgres(Exception):
    """There is none that could be run here; the message says what to do."""


def find_programs() -> Path:
    """The folder of `initdb` and `postgres`. Raises NoPostgres."""
    named = os.environ.get(BIN)
    if named:
        if all(os.access(Path(named) / program, os.X_OK) for program in ("initdb", "postgres")):
            return Path(named)
        raise NoPostgres(f"{BIN} is {named}, where no initdb and postgres are that may be run. Name their folder.")
    places = [Path(found).resolve().parent for found in (shutil.which("postgres"),) if found]
    for root in (Path("/usr/lib/postgresql"), Path(sys.prefix) / "postgresql/usr/lib/postgresql"):
        places += sorted(root.glob("*/bin"), key=lambda place: float(place.parent.name), reverse=True)
    for place in places:
        if all(os.access(place / program, os.X_OK) for program in ("initdb", "postgres")):
            return place
    raise NoPostgres(
        "There are no server programs of PostgreSQL. On Debian, `make postgresql` takes them from its package and"
        f" installs nothing; elsewhere install PostgreSQL's server, or name the folder of its initdb in {BIN}."
    )


@dataclass(frozen=True)
class PostgresServer:
    """One that serves."""

    socket_folder: Path
    pid: int
    """Of the server's first process."""
    version: str


@contextmanager
def running(home: Path) -> Iterator[PostgresServer]:
    """Make a database in `home`, which must not be there, and serve it. Raises NoPostgres.

    Call it on the main thread: the server ends with the thread that started it.
    """
    programs = find_programs()
    home.mkdir(parents=True)
    if os.geteuid() == 0:
        os.chown(home, pwd.getpwnam(USER).pw_uid, pwd.getpwnam(USER).pw_gid)
    data, log = home / "data", home / "log"
    version = _run([programs / "postgres", "--version"], "run")
    _run([programs / "initdb", "-D", data, "-U", "bench", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"], "initdb")
    options = [part for name, value in SETTINGS.items() for part in ("-c", f"{name}={value}")]
    with log.open("wb") as told:
        process = subprocess.Popen(
            [programs / "postgres", "-D", data, "-k", home, *options],
            stdin=subprocess.DEVNULL,
            stdout=told,
            stderr=told,
            env=_environment(programs),
            cwd=home,
            start_new_session=True,
            preexec_fn=_child(),  # noqa: PLW1509 - no thread of this process holds a lock at its start
            **_user(),
        )
    try:
        _wait_until_ready(process, home, log)
        yield PostgresServer(home, process.pid, version.strip().replace("postgres (PostgreSQL)", "PostgreSQL"))
    finally:
        # Fast: clients are thrown out, what was acknowledged stays.
        process.send_signal(signal.SIGINT)
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGQUIT)
            process.wait(STOP_S)


def tree_cpu_s(pid: int) -> float:
    """Processor time of a server's first process, of those that it has started, and of those of them that are gone."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text("utf-8").split()
    total = 0
    for one, fields_used in ((str(pid), slice(11, 15)), *((child, slice(11, 13)) for child in children)):
        try:
            fields = Path(f"/proc/{one}/stat").read_text("utf-8").rpartition(")")[2].split()
        except FileNotFoundError:
            continue  # it has ended since, and is among those that are gone
        total += sum(map(int, fields[fields_used]))
    return total / CLOCK_TICKS


def _wait_until_ready(process: subprocess.Popen[bytes], home: Path, log: Path) -> None:
    """Ready is what it says in its own file: the last line of `postmaster.pid`."""
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise NoPostgres(f"PostgreSQL ended at its start. Its log:\n{log.read_text('utf-8', 'replace')[-2_000:]}")
        try:
            state = (home / "data/postmaster.pid").read_text("utf-8").splitlines()[7:]
        except FileNotFoundError:
            state = []
        if state and state[0].strip() == "ready":
            return
        time.sleep(0.02)
    process.kill()
    raise NoPostgres(f"PostgreSQL was not ready after {READY_S:g} s. See {log}.")


def _run(command: list[str | Path], what: str) -> str:
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=READY_S,
            check=True,
            cwd="/",
            env=_environment(Path(command[0]).parent),
            **_user(),
        )
    except subprocess.CalledProcessError as error:
        raise NoPostgres(f"PostgreSQL's {command[0]} failed ({what}): {error.stderr.strip()}") from None
    except PermissionError as error:
        raise NoPostgres(
            f"{USER}, whom root runs PostgreSQL as, may not run {command[0]} ({error.strerror}): run this as another"
            f" user, or have the programs where {USER} may read, and name the folder in {BIN}."
        ) from None
    return str(done.stdout)


def _environment(programs: Path) -> Mapping[str, str]:
    """Libraries that came with the programs are beside them, as in Debian's packages."""
    environment = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "GMT"}
    if len(programs.parents) > 3 and not programs.is_relative_to("/usr"):
        environment["LD_LIBRARY_PATH"] = ":".join(map(str, programs.parents[3].glob("lib/*-linux-gnu")))
    elif "LD_LIBRARY_PATH" in os.environ:
        environment["LD_LIBRARY_PATH"] = os.environ["LD_LIBRARY_PATH"]
    return environment


def _user() -> dict[str, Any]:
    if os.geteuid() != 0:
        return {}
    found = pwd.getpwnam(USER)
    return {"user": found.pw_uid, "group": found.pw_gid, "extra_groups": []}


def _child() -> Callable[[], None]:
    libc, starter = ctypes.CDLL(None, use_errno=True), os.getpid()

    def prepare() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGINT, 0, 0, 0)
        if os.getppid() != starter:
            os._exit(1)

    return prepare


def main() -> int:
    """Say where the programs are: exit code 0, or 2 where they are not."""
    try:
        print(f"PostgreSQL's programs: {find_programs()}")
    except NoPostgres as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
