"""Keys of requests (`Idempotency-Key`) that have another id besides, and of what content each is. For a while.

One string a key, some hundred bytes: `SET NX` says in one step whether it is free. They only notice a client that mixes
up its keys. That nothing is done twice is the ids' to promise: a failover that forgets a key loses no more than that.
"""

import hashlib
from collections.abc import Callable
from enum import Enum

from engine.errors import StoreUnavailable
from engine.store.keys import home_of
from engine.store.wire import Wire

DIGEST_BYTES = 16
BIND_TRIES_MAX = 10


class Bound(Enum):
    """Whose a key is."""

    NOW = "this content's, from now on"
    BEFORE = "this content's"
    OTHER = "another's"


class RequestKeys:
    """The keys of one store. `partitions` says how many it has."""

    def __init__(self, wire: Wire, namespace: str, partitions: Callable[[], int]) -> None:
        self._wire = wire
        self._namespace = namespace
        self._partitions = partitions

    async def bind(self, name: str, content: bytes, *, kept_s: int) -> Bound:
        """Let a key be that of a content, unless it is another's. Raises StoreError."""
        key, digest = self._key(name), _digest(content)
        for _ in range(BIND_TRIES_MAX):
            if await self._wire.command("SET", key, digest, "EX", kept_s, "NX"):
                return Bound.NOW
            found = await self._wire.command("GET", key)
            # It may have been given up between the two.
            if found is not None:
                return Bound.BEFORE if found == digest.encode() else Bound.OTHER
        raise StoreUnavailable("Others use the same Idempotency-Key, again and again. Send it later.")

    async def release(self, name: str) -> None:
        """Forget a key: what came with it was refused, and has used nothing up. Raises StoreError."""
        await self._wire.command("DEL", self._key(name))

    def _key(self, name: str) -> str:
        digest = _digest(name.encode())
        # In slots that the partitions have anyway.
        return f"{self._namespace}:{{p{home_of(digest, self._partitions())}}}:request:{digest}"


def _digest(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=DIGEST_BYTES).hexdigest()
