"""When keys were used: noted in memory by whoever looks keys up, and told the store once a minute at most, in batches.

To the minute. A process that is killed forgets what it has not told; while the store is away, it tells nothing.
"""

import time
from itertools import islice

from engine.access.keyring import Keyring
from engine.store import Store

WRITE_S = 60.0
"""The store is told no more often."""
WRITE_KEYS_MAX = 250
"""In one call."""


class KeyUses:
    """The uses that this process saw and the store does not know. No more of them than there are keys."""

    def __init__(self, keyring: Keyring, store: Store) -> None:
        self._keyring = keyring
        self._store = store
        self._minutes: dict[str, int] = {}
        """By the key's id: minutes since 1970, by the store's clock."""
        self._written_s = time.monotonic()

    def collect(self) -> None:
        """Note what was used since the last call as used now."""
        if used := self._keyring.take_used():
            self._minutes |= dict.fromkeys(used, self._keyring.now_ms() // 60_000)

    def are_due(self) -> bool:
        """Whether there is something to tell, and the last time was long enough ago."""
        return bool(self._minutes) and time.monotonic() - self._written_s >= WRITE_S

    async def write(self) -> None:
        """Tell the store. Raises StoreError; what was not told stays."""
        self._written_s = time.monotonic()
        while part := dict(islice(self._minutes.items(), WRITE_KEYS_MAX)):
            await self._store.access.note_uses(part)
            for key_id in part:
                del self._minutes[key_id]
