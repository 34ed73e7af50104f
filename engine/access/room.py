"""Makes, rotates and revokes keys, and keeps this process's keyring as the store has it."""

import asyncio
from collections.abc import Callable, Sequence
from functools import cached_property

import msgspec
import structlog

from engine.access.key import (
    KEYS_MAX,
    NAME_LENGTH_MAX,
    SCOPES,
    SHARED_SCOPES,
    ApiKey,
    KeyRecord,
    KeyScope,
    NewKey,
    Secret,
    decode_record,
    digest_of,
    encode_record,
    live_secrets,
    new_id,
    new_text,
    shown,
    state_of,
)
from engine.access.keyring import Keyring
from engine.access.limit import BURST_MAX, RATE_PER_S_MAX, KeyLimit
from engine.access.signing import HOW_TO_MAKE, SETTING, SIGNED_WINDOW_S, SigningRoot
from engine.config import Settings
from engine.errors import FieldError, InvalidInput, StoreError, StoreUnavailable
from engine.model.rules import PRINTABLE, printable
from engine.store import Store

LOOK_S = 0.25
"""How often each process looks for changes of keys: a revoked one is taken so much longer, and a round trip."""

OVERLAP_S_MAX = 366 * 24 * 3_600
LIFE_S_MAX = 100 * 366 * 24 * 3_600

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
            try:
                await self.look()
                away = False
            except StoreError as error:
                if not away:
                    log.warning("changes of API keys cannot be seen", error=str(error))
                away = True

    async def all(self) -> tuple[ApiKey, ...]:
        """Every key that was made, the oldest first."""
        await self.look()
        now_ms = self.keyring.now_ms()
        return tuple(shown(record, now_ms) for record in sorted(await self._records(), key=_age))

    async def create(
        self,
        name: str,
        scopes: Sequence[KeyScope],
        *,
        channel: str | None = None,
        signed: bool = False,
        expires_in_s: float | None = None,
        limit: KeyLimit | None = None,
    ) -> NewKey:
        """Make a key; its secrets are in what is returned, and nowhere else. Raises InvalidInput.

        `channel`: it makes, reads and changes orders of this channel only. `signed`: its requests must be signed.
        `limit`: how many requests it may send, in the place of what a service's settings say.
        """
        _check_limit(limit)
        self._check(name, scopes, channel=channel, signed=signed, expires_in_s=expires_in_s)
        await self.look()
        now_ms, key_id = self.keyring.now_ms(), new_id()
        text = new_text(key_id)
        record = KeyRecord(
            id=key_id,
            name=name,
            scopes=tuple(scope for scope in SCOPES if scope in scopes),
            made_ms=now_ms,
            secrets=(Secret(1, digest_of(text), now_ms),),
            channel=channel,
            signed=signed,
            expires_ms=now_ms + int(expires_in_s * 1000) if expires_in_s is not None else None,
            limit=limit,
        )
        letter = await self._store.access.put_key(record.id, b"", encode_record(record), keys_max=KEYS_MAX)
        if letter == "F":
            message = f"{KEYS_MAX} keys were made already: rotate one, or forget one that has ended"
            raise InvalidInput((FieldError("", message),))
        if letter == "C":
            raise StoreUnavailable("Another key got the same random id meanwhile: make this one again.")
        await self.look()
        return self._new(record, text)

    async def rotate(self, key_id: str, *, overlap_s: float) -> NewKey:
        """Give a key another secret; the former one is taken for so many seconds more. Raises InvalidInput.

        Two secrets live at the most: while a former one still does, the key cannot be rotated again.
        """
        if not 0 <= overlap_s <= OVERLAP_S_MAX:
            raise InvalidInput((FieldError("/overlap", f"must be 0 to {OVERLAP_S_MAX} seconds"),))
        text = new_text(key_id)

        def rotated(record: KeyRecord, now_ms: int) -> KeyRecord:
            self._check_signs(record.signed)
            if (state := state_of(record, now_ms)) != "live":
                raise InvalidInput((FieldError("/id", f"this key is {state}: make another one"),))
            newest, *former = live_secrets(record, now_ms)
            if former:
                message = (
                    "a former secret of this key still lives; end it first with `stockade keys revoke ID --former`"
                )
                raise InvalidInput((FieldError("/id", message),))
            made = Secret(newest.generation + 1, digest_of(text), now_ms)
            ending = msgspec.structs.replace(newest, ends_ms=now_ms + int(overlap_s * 1000))
            return msgspec.structs.replace(record, secrets=(made, ending))

        return self._new(await self._change(key_id, rotated), text)

    async def forget(self, key_id: str) -> ApiKey:
        """Strike a key that was revoked or has expired off the list, for another's sake. Raises InvalidInput."""
        while True:
            found, record = await self._read(key_id)
            state = state_of(record, self.keyring.now_ms())
            if state == "live":
                raise InvalidInput((FieldError("/id", "this key is live: revoke it first"),))
            # Else somebody else changed it since it was read.
            if await self._store.access.forget_key(key_id, found) == "A":
                await self.look()
                return shown(record, self.keyring.now_ms())

    async def revoke(self, key_id: str, *, former_only: bool = False) -> ApiKey:
        """Have a key, or only its former secret, taken no more. Raises InvalidInput.

        Every process knows within a second. The key stays on the list. Revoked before: nothing changes.
        """

        def revoked(record: KeyRecord, now_ms: int) -> KeyRecord:
            if record.revoked_ms is not None:
                return record
            if not former_only:
                return msgspec.structs.replace(record, revoked_ms=now_ms)
            newest, *former = record.secrets
            ended = [
                secret
                if secret.ends_ms is not None and secret.ends_ms <= now_ms
                else msgspec.structs.replace(secret, ends_ms=now_ms)
                for secret in former
            ]
            return msgspec.structs.replace(record, secrets=(newest, *ended))

        return shown(await self._change(key_id, revoked), self.keyring.now_ms())

    async def limit(self, key_id: str, limit: KeyLimit | None) -> ApiKey:
        """Have a key send so many requests; None: as a service's settings say. Raises InvalidInput.

        Every process knows within a second.
        """
        _check_limit(limit)
        changed = await self._change(key_id, lambda record, _: msgspec.structs.replace(record, limit=limit))
        return shown(changed, self.keyring.now_ms())

    async def spend(self, key_id: str, signature: str, *, at_s: float) -> str:
        """Use a key's signature of a time up, for all processes: "A"; "U" if it was used before, "F" while the key has
        too many."""
        ends_ms = int((at_s + SIGNED_WINDOW_S) * 1_000) + SIGNATURE_MARGIN_MS
        return await self._store.access.spend_signature(
            key_id, bytes.fromhex(signature), ends_ms=ends_ms, signatures_max=SIGNATURES_MAX
        )

    async def _change(self, key_id: str, change: Callable[[KeyRecord, int], KeyRecord]) -> KeyRecord:
        """Put what `change` makes of a key in its place."""
        while True:
            found, record = await self._read(key_id)
            changed = change(record, self.keyring.now_ms())
            letter = "A"
            if changed != record:
                letter = await self._store.access.put_key(key_id, found, encode_record(changed), keys_max=KEYS_MAX)
            # Else somebody else changed it since it was read.
            if letter == "A":
                await self.look()
                return changed

    async def _read(self, key_id: str) -> tuple[bytes, KeyRecord]:
        """A key as the store has it now. Raises InvalidInput."""
        await self.look()
        found = await self._store.access.read_key(key_id) if key_id else None
        if found is None:
            message = f'no key has the id "{key_id}"; `stockade keys list` shows them'
            raise InvalidInput((FieldError("/id", message),))
        try:
            return found, decode_record(found)
        except msgspec.MsgspecError as error:
            message = f"this key was made by another release, which has to change it ({error})"
            raise InvalidInput((FieldError("/id", message),)) from None

    async def _records(self) -> list[KeyRecord]:
        records = []
        for key_id, json in (await self._store.access.read_keys()).items():
            try:
                records.append(decode_record(json))
            except msgspec.MsgspecError as error:
                log.error("an API key cannot be read, and is not taken", key=key_id, error=str(error))
        return records

    def _new(self, record: KeyRecord, text: str) -> NewKey:
        signing = None
        if record.signed and self.root is not None:
            signing = self.root.secret_of(record.id, record.secrets[0].generation)
        key = shown(record, self.keyring.now_ms())
        return NewKey(key=key, text=text, signing_secret=signing)

    def _check(
        self,
        name: str,
        scopes: Sequence[KeyScope],
        *,
        channel: str | None,
        signed: bool,
        expires_in_s: float | None,
    ) -> None:
        errors = []
        if not (0 < len(name) <= NAME_LENGTH_MAX and printable(name)):
            errors.append(FieldError("/name", f"must be 1 to {NAME_LENGTH_MAX} characters, and {PRINTABLE}"))
        if not scopes or not set(scopes) <= set(SCOPES):
            errors.append(FieldError("/scopes", f"must be some of {', '.join(SCOPES)}"))
        if channel is not None and not (0 < len(channel) <= NAME_LENGTH_MAX and printable(channel)):
            errors.append(FieldError("/channel", f"must be 1 to {NAME_LENGTH_MAX} characters, and {PRINTABLE}"))
        if channel is not None and (shared := [scope for scope in SHARED_SCOPES if scope in scopes]):
            message = f"a key of one channel cannot have {' and '.join(shared)}, which all channels share"
            errors.append(FieldError("/scopes", message))
        if expires_in_s is not None and not 0 < expires_in_s <= LIFE_S_MAX:
            errors.append(FieldError("/expires_in", f"must be more than 0 and {LIFE_S_MAX} seconds at the most"))
        if errors:
            raise InvalidInput(tuple(errors))
        self._check_signs(signed)

    def _check_signs(self, signed: bool) -> None:
        if signed and self.root is None:
            message = f"no file is set, which signing secrets are derived from; {HOW_TO_MAKE}"
            raise InvalidInput((FieldError(SETTING, message),))


def _check_limit(limit: KeyLimit | None) -> None:
    if limit is None:
        return
    errors = []
    if not 0 <= limit.rate_per_s <= RATE_PER_S_MAX:
        message = f"must be 0 (any number) to {RATE_PER_S_MAX:.0f} requests a second"
        errors.append(FieldError("/limit/rate_per_s", message))
    if not 0 <= limit.burst <= BURST_MAX:
        errors.append(FieldError("/limit/burst", f"must be 0 (those of a second) to {BURST_MAX}"))
    if errors:
        raise InvalidInput(tuple(errors))


def _age(record: KeyRecord) -> tuple[int, str]:
    return record.made_ms, record.id
