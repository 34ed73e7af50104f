"""Makes hostile bytes of decent ones, by a seed: what careless clients, broken proxies and attackers send."""

import os
import random

TIMES = int(os.environ.get("STOCKADE_LONG_TESTS", "1"))
"""How many times as much is tried as in the short form."""

PIECES: tuple[bytes, ...] = (
    *(b"{", b"}", b"[", b"]", b'"', b":", b",", b"\\", b"\n", b"\r\n", b"\0", b"\x7f", b"\x1f", b"\x85", b" "),
    *(b"\\u0000", b"\\ud800", b"\\udc00\\ud800", b"\\ud83d\\ude00", b"\\u0061", b"\\/", b"\\x"),
    # A surrogate, an overlong slash, a byte of no text, a mark of byte order, letters of odd lengths and directions.
    *(b"\xed\xa0\x80", b"\xc0\xaf", b"\xff", b"\xef\xbb\xbf", "\u00e9\u0130\ufb03".encode(), "\u202e".encode()),
    *(b"null", b"true", b"false", b"NaN", b"-Infinity", b"undefined", b"'", b"//", b"/**/"),
    *(b"-", b"-0", b"-0.0", b"0.", b".5", b"1e1", b"1E400", b"1e-400", b"0x10", b"00", b"1_000", b"+1", b"1.0"),
    *(b"9" * 400, b"0." + b"0" * 400 + b"1", b"9007199254740993", b"18446744073709551616", b"-9223372036854775809"),
    *(b"90.0000000000000001", b"180.00000000000001", b"2.2250738585072011e-308", b"1000001", b"4294967296"),
    *(b'"order_id":"p",', b'"quantity":3,', b'"lat":1,', b'"metadata":{},', b'"metadata":{"a":1},', b'"lines":[],'),
    *(b'"order_id":null,', b'"unknown":1,', b'"deliver_by":"2026-02-29",', b'"deliver_by":"0000-01-01",', b'"":0,'),
    *(b"[" * 40, b'{"a":' * 40, b"[" * 2_000, b'{"a":' * 2_000, b"x" * 129, b"x" * 65),
)


def changed(draw: random.Random, text: bytes, *, changes_max: int = 4, pieces: tuple[bytes, ...] = PIECES) -> bytes:
    """A text with some places put in, changed, left out, repeated, exchanged, or cut off behind."""
    for _ in range(draw.randint(0, changes_max)):
        at = draw.randrange(len(text) + 1)
        end = at + draw.choice((1, 1, 2, 5, 20))
        match draw.randrange(8):
            case 0 | 1 | 2:
                text = text[:at] + draw.choice(pieces) + text[at:]
            case 3:
                text = text[:at] + bytes((draw.randrange(256),)) + text[at + 1 :]
            case 4:
                text = text[:at] + text[end:]
            case 5:
                text = text[:end] + text[at:]
            case 6:
                text = text[:at] + draw.choice(pieces) + text[end:]
            case _:
                text = text[:at]
    return text
