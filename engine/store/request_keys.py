"""Keys of requests (`Idempotency-Key`) that have another id besides, and of what content each is. For a while.

One string a key, some hundred bytes (two where its content comes again): `SET NX` says in one step whether it is free.
They only notice a client that mixes up its keys. That nothing is done twice is the ids' to promise: a failover that
forgets a key loses no more than that.
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
            if found == digest.encode():
                await self._wire.command("SET", _twin(key), "", "EX", kept_s)
                # Whoever gives it up from now on sees that it has a twin.
                found = await self._wire.command("GET", key)
            # It may have been given up between the two.
            if found is not None:
                return Bound.BEFORE if found == digest.encode() else Bound.OTHER
        raise StoreUnavailable("Others use the same Idempotency-Key, again and again. Send it later.")

    async def release(self, name: str, content: bytes, *, kept_s: int) -> None:
        """Forget a key: what came with it was refused, and has used nothing up. Raises StoreError.

        Not one under which the same content came again meanwhile: that may have been done.
        """
        key = self._key(name)
        await self._wire.command("DEL", key)
        # In this order: a twin that is not seen here sees that the key is gone, and binds it anew.
        if await self._wire.command("EXISTS", _twin(key)):
            await self._wire.command("SET", key, _digest(content), "EX", kept_s, "NX")

    def _key(self, name: str) -> str:
        digest = _digest(name.encode())
        # In slots that the partitions have anyway.
        return f"{self._namespace}:{{p{home_of(digest, self._partitions())}}}:request:{digest}"


def _twin(key: str) -> str:
    """Is there where the content of a key came more than once."""
    return f"{key}:twin"


def _digest(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=DIGEST_BYTES).hexdigest()
