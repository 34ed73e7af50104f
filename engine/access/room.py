"""Keeps this process's keyring as the store has it, and tells the store when keys were used."""

import asyncio
import contextlib
from functools import cached_property

import msgspec
import structlog

from engine.access.key import ApiKey, KeyRecord, decode_record, shown
from engine.access.keyring import Keyring
from engine.access.signing import SIGNED_WINDOW_S, SigningRoot
from engine.access.uses import KeyUses
from engine.config import Settings
from engine.errors import StoreError
from engine.store import Store

LOOK_S = 0.25
"""How often each process looks for changes of keys: a revoked one is taken so much longer, and a round trip."""
CLOSE_S = 1.0
"""How long the end of a process may wait to tell when keys were used."""

SIGNATURES_MAX = 1_000_000
"""Signatures that are remembered, some hundred bytes each. A key may have as many as are left, so half of them if it is
the only one: 1,600 changes a second. Beyond, none of its own that counts once is taken."""
SIGNATURE_MARGIN_MS = 10_000
"""How much longer one is remembered than it is young enough: a process's idea of the store's time may be behind."""

log = structlog.get_logger(__name__)


class AccessRoom:
    """The keys of one store."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self.keyring = Keyring()
        self._root_file = settings.signing_key_file
        self._uses = KeyUses(self.keyring, store)
        self._loaded: tuple[bytes, int] | None = None

    @cached_property
    def root(self) -> SigningRoot | None:
        """Derives signing secrets; None: the setting names no file. Raises InvalidInput for one that cannot be used."""
        return SigningRoot.read(self._root_file) if self._root_file is not None else None

    async def look(self) -> None:
        """Know the keys as the store has them now. Raises StoreError."""
        state = await self._store.access.state()
        self.keyring.hear(state.now_ms)
        if self._loaded == (state.epoch, state.changes):
            return
        # What changes while they are read counts on, and is read the next time.
        records = await self._records()
        self.keyring.replace(records, ever_made=state.changes > 0)
        self._loaded = (state.epoch, state.changes)

    async def follow(self) -> None:
        """Look again and again. While the store is away, what was known last holds."""
        away = False
        while True:
            await asyncio.sleep(LOOK_S)
            self._uses.collect()
            try:
                await self.look()
                away = False
            except StoreError as error:
                if not away:
                    log.warning("changes of API keys cannot be seen", error=str(error))
                away = True
            if self._uses.are_due() and not away:
                await self._tell_uses()

    async def _tell_uses(self) -> None:
        try:
            await self._uses.write()
        except StoreError as error:
            log.warning("when API keys were used is told the store later", error=str(error))

    async def close(self) -> None:
        """Tell the store what it does not know yet of keys' use, if it can be had soon."""
        self._uses.collect()
        with contextlib.suppress(StoreError, TimeoutError):
            async with asyncio.timeout(CLOSE_S):
                await self._uses.write()

    async def all(self) -> tuple[ApiKey, ...]:
        """Every key that was made, the oldest first; of one millisecond, by id."""
        await self.look()
        now_ms, uses = self.keyring.now_ms(), await self._store.access.read_uses()
        records = sorted(await self._records(), key=_age)
        return tuple(shown(record, now_ms, uses.get(record.id)) for record in records)

    async def spend(self, key_id: str, signature: str, *, at_s: float) -> str:
        """Use a key's signature of a time up, for all processes: "A"; "U" if it was used before, "F" while the key has
        too many."""
        ends_ms = int((at_s + SIGNED_WINDOW_S) * 1_000) + SIGNATURE_MARGIN_MS
        return await self._store.access.spend_signature(
            key_id, bytes.fromhex(signature), ends_ms=ends_ms, signatures_max=SIGNATURES_MAX
        )

    async def _records(self) -> list[KeyRecord]:
        records = []
        for key_id, json in (await self._store.access.read_keys()).items():
            try:
                records.append(decode_record(json))
            except msgspec.MsgspecError as error:
                log.error("an API key cannot be read, and is not taken", key=key_id, error=str(error))
        return records


def _age(record: KeyRecord) -> tuple[int, str]:
    return record.made_ms, record.id
