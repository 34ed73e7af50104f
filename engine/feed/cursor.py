"""The cursor of the event feed: one opaque text that tells a place in every partition's stream."""

import binascii
import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode

import msgspec

from engine.errors import FieldError, InvalidInput, StoreUnavailable
from engine.store import Place, Store

FORMAT = 1
CURSOR_LENGTH_MAX = 8_192
"""Characters: 256 partitions need some 5,000."""

_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(tuple[int, bytes, tuple[int, ...]]).decode


class Cursor(msgspec.Struct, frozen=True):
    """A place in every stream, and of which store."""

    store: bytes
    """Tells one store's streams from another's."""
    places: tuple[Place, ...]

    def text(self) -> str:
        """The cursor as callers see it."""
        numbers: list[int] = []
        for place in self.places:
            ms, _, order = place.id.partition(b"-")
            numbers += (int(ms), int(order), place.n)
        packed = _pack((FORMAT, self.store, numbers))
        return urlsafe_b64encode(packed + binascii.crc32(packed).to_bytes(4, "big")).decode().rstrip("=")

    def moved(self, partition: int, place: Place) -> "Cursor":
        """The cursor after an event of a partition."""
        return Cursor(self.store, (*self.places[:partition], place, *self.places[partition + 1 :]))


def read_cursor(text: str, *, field: str = "/after") -> Cursor:
    """A cursor from its text. Raises InvalidInput for anything that the feed did not give."""
    try:
        if len(text) > CURSOR_LENGTH_MAX or not text.isascii():
            raise ValueError
        data = urlsafe_b64decode(text + "=" * (-len(text) % 4))
        packed, check = data[:-4], data[-4:]
        if binascii.crc32(packed).to_bytes(4, "big") != check:
            raise ValueError
        version, store, numbers = _unpack(packed)
        if version != FORMAT or len(numbers) % 3:
            raise ValueError
    except (ValueError, msgspec.MsgspecError):
        message = "is no cursor of this feed: give one that came with an event or a page, $ for now, or none"
        raise InvalidInput((FieldError(field, message),)) from None
    triples = zip(numbers[::3], numbers[1::3], numbers[2::3], strict=True)
    return Cursor(store, tuple(Place(b"%d-%d" % (ms, order), n) for ms, order, n in triples))


def store_tag(store: Store) -> bytes:
    """What tells a store's streams from those of before it was emptied or exchanged. Raises StoreUnavailable."""
    epochs = [partition.epoch for partition in store.partitions]
    if not all(epochs):
        raise StoreUnavailable("The store is being opened again.")
    return hashlib.sha256(b" ".join(epochs)).digest()[:6]
