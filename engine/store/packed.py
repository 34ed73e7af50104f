"""MessagePack as the store's Lua speaks it: its strings are bytes, and it reads no binary. Wire format only."""

from collections.abc import Iterable, Sequence


def packed_string(data: bytes) -> bytes:
    """Bytes as a MessagePack string."""
    return b"\xdb" + len(data).to_bytes(4, "big") + data


def packed_array(parts: Sequence[bytes]) -> bytes:
    """An array of values that are packed already."""
    return b"\xdd" + len(parts).to_bytes(4, "big") + b"".join(parts)


def packed_strings(values: Iterable[bytes]) -> bytes:
    """An array of strings."""
    return packed_array([packed_string(value) for value in values])


def unpacked_strings(column: bytes) -> list[bytes]:
    """An array of strings, of which not all need be text."""
    reader, values = memoryview(column), []
    count, at = _head(reader, 0)
    for _ in range(count):
        length, at = _head(reader, at)
        values.append(bytes(reader[at : at + length]))
        at += length
    return values


_LENGTH_BYTES = {0xD9: 1, 0xDA: 2, 0xDB: 4, 0xDC: 2, 0xDD: 4}


def _head(reader: memoryview, at: int) -> tuple[int, int]:
    """The length in the head of an array or string, and where its content begins."""
    first = reader[at]
    if first >> 4 == 0x9:
        return first & 0x0F, at + 1
    if first >> 5 == 0x5:
        return first & 0x1F, at + 1
    size = _LENGTH_BYTES[first]
    return int.from_bytes(reader[at + 1 : at + 1 + size], "big"), at + 1 + size
