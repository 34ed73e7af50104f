"""Watches the file of policies: takes it when it is whole and right, and says what is wrong with it when it is not."""

import os
from pathlib import Path

import structlog

from engine.errors import FieldError, InvalidInput
from engine.model import BuiltInPolicy
from engine.policy.book import built_in_book, read_policies

LOOK_S = 1.0
"""How often the file is looked at."""

log = structlog.get_logger(__name__)

_Stamp = tuple[int, int, int]
"""Inode, time of change and size of a file."""


class PolicyWatch:
    """The book in force, and the file that it comes from. Does no waiting."""

    def __init__(self, file: Path | None, default: BuiltInPolicy) -> None:
        self._file = file
        self._default = default
        self._stamp: _Stamp | None = None
        self.book = built_in_book(default)
        self.error: str | None = None
        """What is wrong with the file as it is now, while the book of before is in force."""

    def open(self) -> None:
        """Read the file, if there is one. Raises InvalidInput: by no others is anything to be planned."""
        if self._file is not None:
            self._stamp = self._look()
            self.book = read_policies(self._file, default=self._default)

    def changed(self) -> bool:
        """Look at the file, and take its book if it is another one and right; whether there is another in force."""
        stamp = self._look()
        if self._file is None or stamp == self._stamp:
            return False
        self._stamp = stamp
        try:
            book = read_policies(self._file, default=self._default)
            if book.version == self.book.version and book.document != self.book.document:
                raise InvalidInput(
                    (FieldError(str(self._file), f"is not what version {book.version} was: give it another version"),)
                )
        except InvalidInput as error:
            self.error = str(error)
            log.error("the policies are as they were: the file is not right", error=self.error)
            return False
        self.error = None
        if book.document == self.book.document:
            return False
        log.info("policies changed", version=book.version, before=self.book.version)
        self.book = book
        return True

    def _look(self) -> _Stamp | None:
        if self._file is None:
            return None
        try:
            found = os.stat(self._file)
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size
