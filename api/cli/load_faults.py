"""What a load test does to the processes of a service that it started itself, and to none else."""

import asyncio
import os
import shlex
import signal
from pathlib import Path

from engine.store.address import probe, socket_path
from loadtest.scenarios.actions import FaultFailed

FAIL_OVER_WAIT_S = 60.0


class Processes:
    """The service of this process id, on the embedded store in a folder; without them nothing can be done to any."""

    def __init__(self, pid: int | None = None, data_dir: Path | None = None, *, fail_over: str | None = None) -> None:
        self._pid = pid
        self._data_dir = data_dir
        self._fail_over = fail_over

    async def kill_worker(self) -> str:
        """SIGKILL to the worker that was started first."""
        if self._pid is None:
            raise FaultFailed("The service is not this command's own.")
        workers = worker_pids(self._pid)
        if not workers:
            raise FaultFailed("The service has no worker.")
        os.kill(workers[0], signal.SIGKILL)
        return f"worker {workers[0]}"

    async def kill_store(self) -> str:
        """SIGKILL."""
        pid = self._store()
        os.kill(pid, signal.SIGKILL)
        return f"store {pid}"

    async def slow_store(self, *, for_s: float, stopped_ms: float, every_ms: float) -> str:
        """Stopped and let go again, by signals."""
        pid = self._store()
        ends = asyncio.get_running_loop().time() + for_s
        stops = 0
        while asyncio.get_running_loop().time() < ends:
            os.kill(pid, signal.SIGSTOP)
            stops += 1
            try:
                await asyncio.sleep(stopped_ms / 1_000)
            finally:
                os.kill(pid, signal.SIGCONT)
            await asyncio.sleep((every_ms - stopped_ms) / 1_000)
        return f"store {pid} was stopped {stops:,} times for {stopped_ms:g} ms"

    async def fail_over(self) -> str:
        """Runs the caller's command."""
        if self._fail_over is None:
            raise FaultFailed("There is no command for it: give --fail-over.")
        process = await asyncio.create_subprocess_exec(*shlex.split(self._fail_over), stdin=asyncio.subprocess.DEVNULL)
        try:
            code = await asyncio.wait_for(process.wait(), FAIL_OVER_WAIT_S)
        except TimeoutError:
            raise FaultFailed(f"The command took more than {FAIL_OVER_WAIT_S:g} s.") from None
        finally:
            if process.returncode is None:
                process.kill()
        if code:
            raise FaultFailed(f"The command ended with {code}.")
        return self._fail_over

    def _store(self) -> int:
        found = None if self._data_dir is None else probe(socket_path(self._data_dir))
        if found is None:
            raise FaultFailed("The store is not this command's own, or does not answer.")
        return found.pid


def worker_pids(pid: int) -> list[int]:
    """The workers of a supervisor, in the order in which they were started; of a service without one, none."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(one) for one in children if b"api.workers.worker" in _command(int(one))]


def _command(pid: int) -> bytes:
    """None of a process that has ended since it was listed."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""
