"""The keys that a process knows, ready to be looked up by each request. Does no I/O."""

import time
from collections.abc import Iterable
from hashlib import sha256
from hmac import compare_digest
from typing import Literal

from msgspec import Struct

from engine.access.key import TEXT_LENGTH, KeyRecord
from engine.access.limit import KeyLimit

Denied = Literal["unknown", "revoked", "ended"]
"""Why a key is not taken. Whoever is told more than `unknown` has shown a secret of the key."""


class Principal(Struct, frozen=True):
    """Whose a request is, and what it may do."""

    key_id: str | None
    """None: no key was asked for."""
    name: str = ""
    scopes: frozenset[str] = frozenset()
    channel: str | None = None
    """The only channel whose orders it may make, read and change; None: all."""
    signed: bool = False
    generation: int = 0
    """Which of the key's secrets was shown."""
    limit: KeyLimit | None = None
    """How many requests it may send; None: as the service's settings say."""

    @property
    def source(self) -> str:
        """Whose orders these are, where keys take turns."""
        return self.key_id or ""


ANYONE = Principal(None)
"""Of requests that need no key."""


class _Known(Struct, frozen=True):
    """A secret of a key."""

    digest: bytes
    principal: Principal
    ends_ms: int | None
    denied: Denied | None


_NOBODY = _Known(bytes(32), ANYONE, None, "unknown")


class Keyring:
    """Looks keys up."""

    def __init__(self) -> None:
        self.closed = False
        """Whether a key was ever made, as far as this process knows. It does not become false again: a store that lost
        its keys must not let everybody in."""
        self._known: dict[bytes, _Known] = {}
        self._used: set[str | None] = set()
        """Ids of keys that were taken since `take_used`."""
        self._ahead_ms = time.time_ns() // 1_000_000 - _passing_ms()

    def hear(self, now_ms: int) -> None:
        """Learn the store's time: by it keys end and signatures are young enough."""
        self._ahead_ms = now_ms - _passing_ms()

    def now_ms(self) -> int:
        """The store's time, in ms since 1970."""
        return _passing_ms() + self._ahead_ms

    def replace(self, records: Iterable[KeyRecord], *, ever_made: bool) -> None:
        """Know these keys, and no others."""
        self.closed = self.closed or ever_made
        self._known = {known.digest: known for record in records for known in _secrets(record)}

    def find(self, text: str) -> Principal | Denied:
        """Whose key this text is. What is compared are digests, which tell nothing of the text by how long it takes."""
        if len(text) != TEXT_LENGTH or not text.isascii():
            return "unknown"
        digest = sha256(text.encode()).digest()
        known = self._known.get(digest, _NOBODY)
        if not compare_digest(known.digest, digest):
            return "unknown"
        if known.denied is not None:
            return known.denied
        if known.ends_ms is not None and self.now_ms() >= known.ends_ms:
            return "ended"
        self._used.add(known.principal.key_id)
        return known.principal

    def take_used(self) -> set[str]:
        """The ids of keys that were taken since the last call."""
        if not self._used:
            return set()
        used, self._used = self._used, set()
        return {key_id for key_id in used if key_id is not None}


def _secrets(record: KeyRecord) -> list[_Known]:
    known = []
    for secret in record.secrets:
        principal = Principal(
            record.id,
            record.name,
            frozenset(record.scopes),
            record.channel,
            record.signed,
            secret.generation,
            record.limit,
        )
        ends = [ends_ms for ends_ms in (secret.ends_ms, record.expires_ms) if ends_ms is not None]
        denied: Denied | None = "revoked" if record.revoked_ms is not None else None
        known.append(_Known(bytes.fromhex(secret.sha256), principal, min(ends, default=None), denied))
    return known


def _passing_ms() -> int:
    return time.monotonic_ns() // 1_000_000
