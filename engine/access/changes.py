"""Makes, rotates, limits, revokes and forgets keys: each change is made of what the store has, and takes its place."""

from collections.abc import Callable, Sequence

import msgspec

from engine.access.key import (
    KEYS_MAX,
    SCOPES,
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
from engine.access.limit import KeyLimit
from engine.access.room import AccessRoom
from engine.access.signing import HOW_TO_MAKE, SETTING
from engine.access.terms import OVERLAP_S_MAX, check_limit, check_terms
from engine.errors import FieldError, InvalidInput, StoreUnavailable
from engine.store import Store


class KeyChanges:
    """Changes of the keys of one store."""

    def __init__(self, store: Store, room: AccessRoom) -> None:
        """`room` is told of each change at once; other processes see it themselves."""
        self._calls = store.access
        self._room = room

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
        check_limit(limit)
        check_terms(name, scopes, channel=channel, expires_in_s=expires_in_s)
        self._check_signs(signed)
        await self._room.look()
        now_ms, key_id = self._room.keyring.now_ms(), new_id()
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
        letter = await self._calls.put_key(record.id, b"", encode_record(record), keys_max=KEYS_MAX)
        if letter == "F":
            message = f"{KEYS_MAX} keys were made already: rotate one, or forget one that has ended"
            raise InvalidInput((FieldError("", message),))
        if letter == "C":
            raise StoreUnavailable("Another key got the same random id meanwhile: make this one again.")
        await self._room.look()
        return await self._new(record, text)

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

        return await self._new(await self._change(key_id, rotated), text)

    async def forget(self, key_id: str) -> ApiKey:
        """Strike a key that was revoked or has expired off the list, for another's sake. Raises InvalidInput."""
        while True:
            found, record = await self._read(key_id)
            state = state_of(record, self._room.keyring.now_ms())
            if state == "live":
                raise InvalidInput((FieldError("/id", "this key is live: revoke it first"),))
            # Else somebody else changed it since it was read.
            if await self._calls.forget_key(key_id, found) == "A":
                await self._room.look()
                return await self._shown(record)

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

        return await self._shown(await self._change(key_id, revoked))

    async def limit(self, key_id: str, limit: KeyLimit | None) -> ApiKey:
        """Have a key send so many requests; None: as a service's settings say. Raises InvalidInput.

        Every process knows within a second.
        """
        check_limit(limit)
        changed = await self._change(key_id, lambda record, _: msgspec.structs.replace(record, limit=limit))
        return await self._shown(changed)

    async def _change(self, key_id: str, change: Callable[[KeyRecord, int], KeyRecord]) -> KeyRecord:
        """Put what `change` makes of a key in its place."""
        while True:
            found, record = await self._read(key_id)
            changed = change(record, self._room.keyring.now_ms())
            letter = "A"
            if changed != record:
                letter = await self._calls.put_key(key_id, found, encode_record(changed), keys_max=KEYS_MAX)
            # Else somebody else changed it since it was read.
            if letter == "A":
                await self._room.look()
                return changed

    async def _read(self, key_id: str) -> tuple[bytes, KeyRecord]:
        """A key as the store has it now. Raises InvalidInput."""
        await self._room.look()
        found = await self._calls.read_key(key_id) if key_id else None
        if found is None:
            message = f'no key has the id "{key_id}"; `stockade keys list` shows them'
            raise InvalidInput((FieldError("/id", message),))
        try:
            return found, decode_record(found)
        except msgspec.MsgspecError as error:
            message = f"this key was made by another release, which has to change it ({error})"
            raise InvalidInput((FieldError("/id", message),)) from None

    async def _new(self, record: KeyRecord, text: str) -> NewKey:
        signing = None
        if record.signed and self._room.root is not None:
            signing = self._room.root.secret_of(record.id, record.secrets[0].generation)
        return NewKey(key=await self._shown(record), text=text, signing_secret=signing)

    async def _shown(self, record: KeyRecord) -> ApiKey:
        used = await self._calls.read_use(record.id)
        return shown(record, self._room.keyring.now_ms(), used)

    def _check_signs(self, signed: bool) -> None:
        if signed and self._room.root is None:
            message = f"no file is set, which signing secrets are derived from; {HOW_TO_MAKE}"
            raise InvalidInput((FieldError(SETTING, message),))
