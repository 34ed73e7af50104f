"""Keys of requests (`Idempotency-Key`) that have another id besides, and of what content each is. For a while.

One string a key, some hundred bytes. They only notice a client that mixes up its keys. That nothing is done twice is
the ids' to promise: a failover that forgets a key loses no more than that.
"""

import hashlib
from collections.abc import Callable
from enum import Enum

from engine.store.keys import home_of
from engine.store.wire import Lane, Wire

DIGEST_BYTES = 16


class Bound(Enum):
    """Whose a key is."""

    NOW = "this content's, from now on"
    BEFORE = "this content's"
    OTHER = "another's"


_BOUND = {b"N": Bound.NOW, b"B": Bound.BEFORE, b"O": Bound.OTHER}
"""By the letters of requests.lua."""


class RequestKeys:
    """The keys of one store. `partitions` says how many it has."""

    def __init__(self, wire: Wire, namespace: str, partitions: Callable[[], int]) -> None:
        self._wire = wire
        self._namespace = namespace
        self._partitions = partitions

    async def bind(self, name: str, content: bytes, *, kept_s: int) -> Bound:
        """Let a key be that of a content, unless it is another's. Raises StoreError."""
        arguments = (_digest(content), kept_s)
        letter = await self._wire.call("stockade_bind_request", (self._key(name),), arguments, lane=Lane.READ)
        return _BOUND[letter]

    async def release(self, name: str, content: bytes) -> None:
        """A request was refused: forget its key, unless a twin is under way or was done. Raises StoreError."""
        await self._wire.call("stockade_release_request", (self._key(name),), (_digest(content),), lane=Lane.READ)

    def _key(self, name: str) -> str:
        digest = _digest(name.encode())
        # In slots that the partitions have anyway.
        return f"{self._namespace}:{{p{home_of(digest, self._partitions())}}}:request:{digest}"


def _digest(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=DIGEST_BYTES).hexdigest()
