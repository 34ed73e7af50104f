"""Where the numbers of the keys are: in this process, or in a small file that the workers of one service map.

The file needs no lock for a request: a number is eight bytes, written in one piece, and the clock (CLOCK_MONOTONIC) is
the same for all processes of a machine. Two workers that read one number in the same instant may both let a request
through and count one: at the most one more for each other worker, and only within the fraction of a microsecond between
the reading and the writing of it. A key's place is found under a lock, once a process.
"""

import fcntl
import mmap
import os
import weakref
from array import array
from hashlib import sha256
from pathlib import Path
from typing import Protocol

PLACES = 4_096
"""Keys in the file. A store has no more than 1,000; who finds no place is counted by this process alone."""
FILE = "rate-limits.1"
"""Its name tells its layout: the names of the keys in their places, 8 bytes each, then their numbers."""
_WORD = 8


class Numbers(Protocol):
    """Numbers by place: of seconds by the monotonic clock."""

    def __getitem__(self, place: int, /) -> float: ...

    def __setitem__(self, place: int, number: float, /) -> None: ...


_Place = tuple[Numbers, int]


class Times(Protocol):
    """Places of numbers."""

    def place_of(self, key_id: str) -> _Place:
        """Where the number of a key is: in what, and at which place. 0 where it is new."""


class OwnTimes:
    """Numbers in this process."""

    def __init__(self) -> None:
        self._numbers = array("d")
        self._places: dict[str, int] = {}

    def place_of(self, key_id: str) -> _Place:
        place = self._places.setdefault(key_id, len(self._numbers))
        if place == len(self._numbers):
            self._numbers.append(0.0)
        return self._numbers, place


class SharedTimes:
    """Numbers in a file."""

    def __init__(self, folder: Path) -> None:
        """Raises OSError where the file cannot be made."""
        folder.mkdir(parents=True, exist_ok=True)
        self._file = os.open(folder / FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        weakref.finalize(self, os.close, self._file)
        # The same size whoever is first: what is there stays.
        os.ftruncate(self._file, 2 * PLACES * _WORD)
        whole = memoryview(mmap.mmap(self._file, 2 * PLACES * _WORD))
        self._names = whole[: PLACES * _WORD].cast("Q")
        self._numbers = whole[PLACES * _WORD :].cast("d")
        self._beyond = OwnTimes()

    def place_of(self, key_id: str) -> _Place:
        name = int.from_bytes(sha256(key_id.encode()).digest()[:_WORD], "little") or 1
        fcntl.flock(self._file, fcntl.LOCK_EX)
        try:
            for step in range(PLACES):
                place = (name + step) % PLACES
                if self._names[place] in (0, name):
                    self._names[place] = name
                    return self._numbers, place
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)
        return self._beyond.place_of(key_id)


def open_times(folder: Path | None) -> Times:
    """In a folder that processes share, if there is one. Raises OSError."""
    return OwnTimes() if folder is None else SharedTimes(folder)
