"""Watches the file of policies: takes it when it is whole and right, and says what is wrong with it when it is not."""

import asyncio
import os
from pathlib import Path

import structlog

from engine.errors import FieldError, InvalidInput
from engine.model import BuiltInPolicy
from engine.policy.book import PolicyBook, built_in_book, read_policies

LOOK_S = 1.0
"""How often the file is looked at."""

log = structlog.get_logger(__name__)

_Stamp = tuple[int, int, int]
"""Inode, time of change and size of a file."""


_Read = tuple[_Stamp | None, PolicyBook | InvalidInput | None]
"""What the file was, and its book or its mistakes; nothing where it is as it was."""


class PolicyWatch:
    """The book in force, and the file that it comes from."""

    def __init__(self, file: Path | None, default: BuiltInPolicy) -> None:
        self._file = file
        self._default = default
        self._stamp: _Stamp | None = None
        self._reading: asyncio.Task[_Read] | None = None
        self.book = built_in_book(default)
        self.error: str | None = None
        """What is wrong with the file as it is now, while the book of before is in force."""

    def open(self) -> None:
        """Read the file, if there is one. Raises InvalidInput: by no others is anything to be planned."""
        if self._file is not None:
            self._stamp = _look(self._file)
            self.book = read_policies(self._file, default=self._default)

    async def changed(self) -> bool:
        """Look at the file, and take its book if it is another one and right; whether there is another in force.

        A long file takes a while to be read and checked: that is done beside the event loop, once at a time.
        """
        if self._file is None:
            return False
        # One whose caller was cancelled goes on: nothing stops a thread.
        while self._reading is not None and not self._reading.done():
            await asyncio.wait([self._reading])
        self._reading = asyncio.create_task(asyncio.to_thread(_read, self._file, self._default, self._stamp))
        self._stamp, found = await asyncio.shield(self._reading)
        return found is not None and self._take(found)

    async def close(self) -> None:
        """Return when nobody reads the file any more."""
        if self._reading is not None:
            await asyncio.wait([self._reading])

    def _take(self, found: PolicyBook | InvalidInput) -> bool:
        if not isinstance(found, InvalidInput):
            if found.document == self.book.document:
                self.error = None
                return False
            if found.version != self.book.version:
                self.error = None
                log.info("policies changed", version=found.version, before=self.book.version)
                self.book = found
                return True
            wrong = f"is not what version {found.version} was: give it another version"
            found = InvalidInput((FieldError(str(self._file), wrong),))
        self.error = str(found)
        log.error("the policies are as they were: the file is not right", error=self.error)
        return False


def _read(file: Path, default: BuiltInPolicy, before: _Stamp | None) -> _Read:
    stamp = _look(file)
    if stamp == before:
        return stamp, None
    try:
        return stamp, read_policies(file, default=default)
    except InvalidInput as error:
        return stamp, error


def _look(file: Path) -> _Stamp | None:
    try:
        found = os.stat(file)
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
