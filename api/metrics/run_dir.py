"""Where workers of one service tell each other their numbers: a file each, in a folder that they share.

A worker writes its file anew each second, whole or not at all, and before it tells anybody else: what was told is in a
file, and no later sum is less. It holds a lock as long as it lives, which the system takes away however it ends: so
others know whose gauges count; and those of one that hangs, whose file grows old, do not. What an ended one had counted
stays; whoever starts next moves it into one file, so that there are never many.
"""

import contextlib
import fcntl
import os
import secrets
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, TypeVar

import msgspec
import structlog

from api.metrics.snapshot import FORMAT, Snapshot, add_up

_NUMBERS = ".metrics"
_LOCK = ".lock"
_ENDED = "ended"
_MOVING = "moving"
_DUTY = "duty"

STALE_S = 10.0
"""A worker that has not told its numbers for so long does not answer: what stood then stands no more."""

log = structlog.get_logger(__name__)

T = TypeVar("T")


class _Ended(msgspec.Struct):
    """What ended workers had counted, and which are in it already, should their files still be there."""

    moved: list[str]
    numbers: Snapshot


class RunDirectory:
    """One worker's place in the folder. Each call is a few small files: some tenths of a millisecond."""

    def __init__(self, folder: Path) -> None:
        """Raises OSError where the folder cannot be made or written."""
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._name = f"worker-{os.getpid()}-{secrets.token_hex(4)}"
        self._writing = threading.Lock()
        self._told_at_s = 0.0
        with self._moving(fcntl.LOCK_EX):
            # Before anybody may take us for one that has ended.
            self._lock = _open(folder / f"{self._name}{_LOCK}")
            fcntl.flock(self._lock, fcntl.LOCK_EX)
            self.write(Snapshot())
            self._move_ended()
        self._duty: BinaryIO | None = None

    def write(self, snapshot: Snapshot) -> None:
        """Tell the others our numbers, unless they know later ones; from any thread. Raises OSError."""
        with self._writing:
            if snapshot.told_at_s >= self._told_at_s:
                self._replace(f"{self._name}{_NUMBERS}", msgspec.msgpack.encode(snapshot))
                self._told_at_s = snapshot.told_at_s

    def everybody(self, own: Snapshot) -> Snapshot:
        """All workers' numbers, ours as they are now. Raises OSError."""
        self.write(own)
        live, ended = [own], []
        fresh_from_s = time.monotonic() - STALE_S
        with self._moving(fcntl.LOCK_SH):
            moved = self._ended()
            ended.append(moved.numbers)
            for name in self._names():
                if name == self._name or name in moved.moved:
                    continue
                snapshot = _read(self._folder / f"{name}{_NUMBERS}", Snapshot)
                if snapshot is not None and snapshot.format == FORMAT:
                    answers = snapshot.told_at_s > fresh_from_s and self._lives(name)
                    (live if answers else ended).append(snapshot)
        return add_up(live, ended)

    def on_duty(self) -> bool:
        """Whether it is ours, of all workers, to do what one is enough for: as long as we live, once it is."""
        if self._duty is None:
            duty = _open(self._folder / f"{_DUTY}{_LOCK}")
            try:
                fcntl.flock(duty, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                duty.close()
                return False
            self._duty = duty
        return True

    def close(self) -> None:
        """We end: what we counted stays."""
        self._lock.close()
        if self._duty is not None:
            self._duty.close()

    def _move_ended(self) -> None:
        before = self._ended()
        gone = [name for name in self._names() if name != self._name and not self._lives(name)]
        fresh = [name for name in gone if name not in before.moved]
        read = [_read(self._folder / f"{name}{_NUMBERS}", Snapshot) for name in fresh]
        told = [one for one in read if one is not None and one.format == FORMAT]
        # From here on they count by this file, whether theirs are there or not.
        after = _Ended(gone, add_up([], [before.numbers, *told]))
        self._replace(f"{_ENDED}{_NUMBERS}", msgspec.msgpack.encode(after))
        for name in gone:
            (self._folder / f"{name}{_NUMBERS}").unlink(missing_ok=True)
            (self._folder / f"{name}{_LOCK}").unlink(missing_ok=True)

    def _ended(self) -> _Ended:
        ended = _read(self._folder / f"{_ENDED}{_NUMBERS}", _Ended)
        return ended if ended is not None and ended.numbers.format == FORMAT else _Ended([], Snapshot())

    def _names(self) -> list[str]:
        return sorted(path.name.removesuffix(_NUMBERS) for path in self._folder.glob(f"worker-*{_NUMBERS}"))

    def _lives(self, name: str) -> bool:
        try:
            with _open(self._folder / f"{name}{_LOCK}", new=False) as lock:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except FileNotFoundError:
            return False
        return False

    def _replace(self, name: str, content: bytes) -> None:
        path = self._folder / f".{name}.{os.getpid()}"
        path.write_bytes(content)
        path.replace(self._folder / name)

    @contextlib.contextmanager
    def _moving(self, how: int) -> Iterator[None]:
        """While files are read, none is moved."""
        with _open(self._folder / f"{_MOVING}{_LOCK}") as lock:
            fcntl.flock(lock, how)
            yield


def _open(path: Path, *, new: bool = True) -> BinaryIO:
    return path.open("ab" if new else "rb")


def _read(path: Path, kind: type[T]) -> T | None:
    try:
        return msgspec.msgpack.decode(path.read_bytes(), type=kind)
    except FileNotFoundError:
        return None
    except msgspec.MsgspecError as error:
        log.warning("numbers of a worker cannot be read", file=path.name, error=str(error))
        return None
