"""A preparation of one attempt alone, as the prepare function takes it; partitions.lua tells the protocol."""

from collections.abc import Sequence

import msgspec

from engine.store.packed import packed_strings

_pack = msgspec.msgpack.Encoder().encode


def attempt_args(
    attempt: str,
    order_id: str,
    home: int,
    cells: Sequence[tuple[int, int]],
    counters: Sequence[tuple[str, int, int]],
) -> list[bytes]:
    """The arguments for an attempt that takes units of cells, and units of counters with limits."""
    flat = [part for cell in cells for part in cell]
    kept = _pack([order_id, home, flat, [(name, units) for name, units, _ in counters]])
    names, units, bounds = ([row[place] for row in counters] for place in range(3))
    wanted = [count for _, count in cells] + units
    takes = [len(wanted), *(part for pair in enumerate(wanted, 1) for part in pair)]
    return [
        _pack([str(cell) for cell, _ in cells]),
        _pack([count for _, count in cells]),
        _pack([names, bounds, units]) if counters else b"",
        _pack([attempt]),
        packed_strings([attempt.encode(), kept]),
        _pack(takes),
    ]
