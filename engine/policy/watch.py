"""Watches the file of policies: reads it when it changed, says what is wrong with it. What is in force: force.py."""

import asyncio
import os
from pathlib import Path

import structlog

from engine.errors import InvalidInput
from engine.model import BuiltInPolicy
from engine.policy.book import PolicyBook, read_policies

LOOK_S = 1.0
"""How often the file is looked at."""

log = structlog.get_logger(__name__)

_Stamp = tuple[int, int, int]
"""Inode, time of change and size of a file."""


_Read = tuple[_Stamp | None, PolicyBook | InvalidInput | None]
"""What the file was, and its book or its mistakes; nothing where it is as it was."""


class PolicyWatch:
    """The file, if there is one, and the book that it had when it was last right."""

    def __init__(self, file: Path | None, default: BuiltInPolicy) -> None:
        self.file = file
        self._default = default
        self._stamp: _Stamp | None = None
        self._reading: asyncio.Task[_Read] | None = None
        self.book: PolicyBook | None = None
        self.error: str | None = None
        """What is wrong with the file as it is now."""

    def open(self) -> None:
        """Read the file, if there is one. Raises InvalidInput: by no others is anything to be planned."""
        if self.file is not None:
            self._stamp = _look(self.file)
            self.book = read_policies(self.file, default=self._default)
            self._warn(self.book)

    async def changed(self) -> bool:
        """Look at the file, and take its book if that is right and says something else; whether it does.

        A long file takes a while to be read and checked: that is done beside the event loop, once at a time.
        """
        if self.file is None:
            return False
        # One whose caller was cancelled goes on: nothing stops a thread.
        while self._reading is not None and not self._reading.done():
            await asyncio.wait([self._reading])
        self._reading = asyncio.create_task(asyncio.to_thread(_read, self.file, self._default, self._stamp))
        self._stamp, found = await asyncio.shield(self._reading)
        return found is not None and self._take(found)

    async def close(self) -> None:
        """Return when nobody reads the file any more."""
        if self._reading is not None:
            await asyncio.wait([self._reading])

    def _take(self, found: PolicyBook | InvalidInput) -> bool:
        if isinstance(found, InvalidInput):
            self.error = str(found)
            log.error("the policies are as they were: the file is not right", error=self.error)
            return False
        self.error = None
        before, self.book = self.book, found
        self._warn(found)
        return before is None or found.fingerprint != before.fingerprint

    def _warn(self, book: PolicyBook) -> None:
        for one in book.warnings:
            log.warning("policies", file=str(self.file), line=one.line, setting=one.where, reason=one.reason)


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
