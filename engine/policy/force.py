"""The book of policies in force: the store's, so that a policy's name means the same to every process on that store.

A file is where a book comes from. A service puts its file's book in the store when it starts with a version that the
store has never seen, and whenever the file changes; everybody follows what the store has. So a service that was only
started again changes nothing. A process for a single look puts nothing there: with a file of its own it plans by that.
"""

import asyncio
import tomllib
from collections.abc import Callable
from pathlib import Path

import msgspec
import structlog

from engine.errors import FieldError, InvalidInput, StoreUnsupported
from engine.model import BuiltInPolicy
from engine.policy.book import PolicyBook, built_in_book, check_policies
from engine.policy.watch import PolicyWatch
from engine.store import Store

log = structlog.get_logger(__name__)


_UNKNOWN = "The store's policies are not such as this release knows"

WHAT_TO_DO = (
    "Upgrade to the release that put them there, or put others there with `stockade policy publish FILE`, or have none"
    " with `stockade policy withdraw`."
)
"""About policies in the store that cannot be read."""


class StoredBook(msgspec.Struct, frozen=True, kw_only=True):
    """A book as the store keeps it."""

    version: str
    fingerprint: str
    default: BuiltInPolicy
    """Of the service that put it there; for a file that names none."""
    text: str


_decode = msgspec.json.Decoder(StoredBook).decode


class PoliciesInForce:
    """Of one process."""

    def __init__(
        self, store: Store, file: Path | None, default: BuiltInPolicy, *, put_in_force: Callable[[bytes], None]
    ) -> None:
        """`put_in_force` is given the message of each book that is to be planned by from then on."""
        self._store = store
        self._default = default
        self._watch = PolicyWatch(file, default)
        self._put_in_force = put_in_force
        self._built_in = built_in_book(default)
        self._stored: PolicyBook | None = None
        self._is_service = False
        self._has_begun = False
        self._to_publish = False
        self._unreadable: str | None = None
        self._refused: str | None = None
        self._one_at_a_time = asyncio.Lock()
        self.book = self._built_in
        """What is planned by."""

    @property
    def stored(self) -> PolicyBook | None:
        """The store's, as far as it is known here."""
        return self._stored

    @property
    def error(self) -> str | None:
        """What is wrong with the file or the store's book, or why the file's is not what is in force."""
        return self._watch.error or self._unreadable or self._refused or self._difference()

    def open(self, *, is_service: bool) -> None:
        """Read the file, if there is one; call it first. Raises InvalidInput, which names every mistake."""
        self._is_service = is_service
        self._watch.open()
        self._choose()

    async def refresh(self) -> None:
        """Take what the store has. Raises StoreError; StoreUnsupported, at a start, where it cannot be read."""
        # Each read is newer than the one before, and the last one counts.
        async with self._one_at_a_time:
            content = await self._store.catalogue.read_policies()
            if content is None:
                self._stored, self._unreadable = None, None
            else:
                await self._take(content)
            self._has_begun = True
        self._choose()

    async def begin(self) -> None:
        """Settle which book is in force, once the store's is read: at a start, and after another store was found.

        Raises StoreError, and InvalidInput where the version of the file's book means another one in the store.
        """
        mine, its = self._watch.book, self._stored
        if mine is None:
            return
        if self._is_service:
            await self.publish(mine, go_back=False, source=str(self._watch.file))
        elif its is not None and its.version == mine.version and its.fingerprint != mine.fingerprint:
            raise InvalidInput((_other(str(self._watch.file), mine, its.fingerprint),))

    async def resume(self) -> None:
        """As `begin`, of a process that goes on by what there is, and tells what is wrong. Raises StoreError."""
        try:
            await self.begin()
        except InvalidInput as error:
            self._refuse(error)

    async def look(self) -> None:
        """Look at the file, and put its book in the store if it is another one. Raises StoreError: then look again."""
        self._to_publish |= await self._watch.changed()
        if self._to_publish and self._watch.book is not None:
            try:
                await self.publish(self._watch.book, go_back=True, source=str(self._watch.file))
            except InvalidInput as error:
                self._refuse(error)
            self._to_publish = False

    async def publish(self, book: PolicyBook, *, go_back: bool, source: str) -> bool:
        """Put a book in the store; whether it is in force there. `go_back`: also one that was before another.

        Raises StoreError, and InvalidInput where its version is known there as another book.
        """
        self._refused = None
        row = StoredBook(version=book.version, fingerprint=book.fingerprint, default=self._default, text=book.text)
        content = msgspec.json.encode(row)
        reply = await self._store.catalogue.put_policies(book.version, book.fingerprint, content, go_back=go_back)
        if reply.startswith("other "):
            raise InvalidInput((_other(source, book, reply.removeprefix("other ")),))
        await self.refresh()
        return reply != "before"

    async def withdraw(self) -> bool:
        """Have no book in the store: the built-in policies are in force. Whether there was one. Raises StoreError."""
        reply = await self._store.catalogue.put_policies("", "", b"", go_back=False)
        await self.refresh()
        return reply != "same"

    async def close(self) -> None:
        """Return when nobody reads the file any more."""
        await self._watch.close()

    async def read_stored(self) -> StoredBook | None:
        """What the store has, right or not. Raises StoreError; StoreUnsupported where not even its text is known."""
        content = await self._store.catalogue.read_policies()
        try:
            return None if content is None else _decode(content)
        except msgspec.MsgspecError as error:
            raise StoreUnsupported(f"{_UNKNOWN}: {error}. {WHAT_TO_DO}") from None

    async def _take(self, content: bytes) -> None:
        try:
            row = _decode(content)
        except msgspec.MsgspecError as error:
            self._cannot_read(f"{_UNKNOWN}: {error}.")
            return
        if self._stored is not None and self._stored.fingerprint == row.fingerprint:
            self._unreadable = None
            return
        # A long one takes a while, and orders do not wait for it.
        found = await asyncio.to_thread(check_policies, row.text.encode(), default=row.default)
        if isinstance(found, PolicyBook):
            self._stored, self._unreadable = msgspec.structs.replace(found, fingerprint=row.fingerprint), None
            return
        first = found[0]
        told = f"The store's policies, version {row.version}, are not such as this release knows: line {first.line}: "
        self._cannot_read(f"{told}{first.where}: {first.reason}.")

    def _cannot_read(self, why: str) -> None:
        """Keep what is in force; a process that has begun with nothing yet does not begin."""
        self._unreadable = f"{why} {WHAT_TO_DO}"
        if not self._has_begun and (self._is_service or self._watch.book is None):
            raise StoreUnsupported(self._unreadable)
        log.error("the policies are as they were", error=self._unreadable)

    def _choose(self) -> None:
        mine = None if self._is_service else self._watch.book
        before, self.book = self.book, mine or self._stored or self._built_in
        if self.book.fingerprint != before.fingerprint:
            if self._is_service:
                log.info("policies changed", version=self.book.version, before=before.version)
            self._put_in_force(self.book.message)

    def _refuse(self, error: InvalidInput) -> None:
        self._refused = str(error)
        log.error("the policies are as they were", error=self._refused)

    def _difference(self) -> str | None:
        mine, its = self._watch.book, self._stored
        if mine is None or (its is None and not self._is_service):
            return None
        if its is not None and mine.fingerprint == its.fingerprint:
            return None
        stored = "has none" if its is None else f"has version {its.version} ({its.fingerprint})"
        told = f"{self._watch.file} has version {mine.version} ({mine.fingerprint}), the store {stored}"
        if not self._is_service:
            return f"{told}, by which its services plan."
        return f"{told}: the file is not in force. `stockade policy publish` puts it there, or give it a new version."


def _other(source: str, book: PolicyBook, known: str) -> FieldError:
    told = (
        f"version {book.version} is known to the store with another content ({known}, this one is {book.fingerprint})"
    )
    told += "" if "default" in tomllib.loads(book.text) else "; it names no default, so STOCKADE_POLICY is a part of it"
    return FieldError(source, f"{told}: orders name their policies by it, so give this one a new version")
