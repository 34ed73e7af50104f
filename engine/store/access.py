"""Calls about who may call: API keys, and signatures that were used. Knows neither secrets nor what a key allows."""

from collections.abc import Mapping
from typing import NamedTuple

from engine.store.catalogue import Catalogue
from engine.store.keys import CatalogueKeys
from engine.store.scan import scan_hash
from engine.store.wire import Lane, Wire


class AccessState(NamedTuple):
    """Tells whether keys have to be read anew, and what time it is at the store."""

    epoch: bytes
    changes: int
    now_ms: int


class AccessCalls:
    """The calls about keys, which are kept with the catalogue."""

    def __init__(self, wire: Wire, keys: CatalogueKeys, catalogue: Catalogue) -> None:
        self._wire = wire
        self._keys = keys
        self._catalogue = catalogue

    async def state(self) -> AccessState:
        """How often keys were changed in which store."""
        return AccessState(*await self._wire.call("stockade_access", (self._keys.meta,), (), lane=Lane.READ))

    async def read_keys(self) -> dict[str, bytes]:
        """All keys by id, each as JSON."""
        return {
            key_id.decode(): json async for page in scan_hash(self._wire, self._keys.access) for key_id, json in page
        }

    async def read_key(self, key_id: str) -> bytes | None:
        """A key as JSON, if there is one by this id."""
        json: bytes | None = await self._wire.command("HGET", self._keys.access, key_id)
        return json

    async def put_key(self, key_id: str, former: bytes, json: bytes, *, keys_max: int) -> str:
        """Put a key in the place of what was seen (b"": none); returns a letter, which access.lua lists."""
        arguments = (self._catalogue.epoch, key_id, former, json, keys_max)
        keys = (self._keys.meta, self._keys.access)
        reply: bytes = await self._wire.call("stockade_put_key", keys, arguments, lane=Lane.READ, durable=True)
        return reply.decode()

    async def forget_key(self, key_id: str, former: bytes) -> str:
        """Remove a key that still is what was seen; returns a letter, which access.lua lists."""
        return await self.put_key(key_id, former, b"", keys_max=0)

    async def note_uses(self, minutes: Mapping[str, int]) -> None:
        """Keys were used, each by its id at a minute since 1970."""
        arguments = (self._catalogue.epoch, *(part for use in minutes.items() for part in use))
        keys = (self._keys.meta, self._keys.access, self._keys.uses)
        await self._wire.call("stockade_note_uses", keys, arguments, lane=Lane.READ)

    async def read_uses(self) -> dict[str, int]:
        """When keys were used last, by id, in minutes since 1970."""
        pages = scan_hash(self._wire, self._keys.uses)
        return {key_id.decode(): int(minute) async for page in pages for key_id, minute in page}

    async def read_use(self, key_id: str) -> int | None:
        """When a key was used last, in minutes since 1970, as far as that is known."""
        minute: bytes | None = await self._wire.command("HGET", self._keys.uses, key_id)
        return None if minute is None else int(minute)

    async def spend_signature(self, key_id: str, signature: bytes, *, ends_ms: int, signatures_max: int) -> str:
        """Use a signature of a key up; returns a letter, which access.lua lists."""
        arguments = (self._catalogue.epoch, key_id, signature, ends_ms, signatures_max)
        keys = (self._keys.meta, self._keys.signatures, self._keys.signers)
        reply: bytes = await self._wire.call("stockade_spend_signature", keys, arguments, lane=Lane.READ, durable=True)
        return reply.decode()
