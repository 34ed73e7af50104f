"""Random commands, well formed and not, over a few keys: what the real and the simulated server are compared by."""

from typing import Any

import msgspec
from hypothesis import strategies as st

Word = str | bytes | int | float
Command = list[Word]
Drawn = st.SearchStrategy[Any]

KEYS = ("text", "hash", "hash2", "zset", "zset2", "set", "set2", "stream", "stream2")
FUTURE = "future"
"""A stream whose newest id is ahead of any clock, so that ids made by the server are the same everywhere."""

BEGIN: list[Command] = [["DEL", *KEYS, FUTURE], ["XADD", FUTURE, "9000000000000-1", "a", "b"]]


def packed(value: object) -> bytes:
    """MessagePack in which bytes are strings, as Lua has them; lists and dicts of these, too."""
    if isinstance(value, bytes):
        return b"\xdb" + len(value).to_bytes(4, "big") + value
    if isinstance(value, list):
        return b"\xdd" + len(value).to_bytes(4, "big") + b"".join(map(packed, value))
    if isinstance(value, dict):
        rows = (packed(key) + packed(inner) for key, inner in value.items())
        return b"\xdf" + len(value).to_bytes(4, "big") + b"".join(rows)
    return msgspec.msgpack.encode(value)


# Numbers that all servers spell alike: later ones than Redis 7.0 write other digits where these do not end.
numbers: Drawn = st.one_of(st.integers(-3, 12), st.sampled_from([1.5, -0.25, 2**45, -(2**40), 123456789012]))
texts: Drawn = st.sampled_from(["", "x", "12", "-7", "012", "1.5", " 1", "inf", b"\xff\x00", "\u00fc"])
values: Drawn = st.one_of(numbers, texts, st.binary(max_size=40))
fields: Drawn = st.sampled_from(["f", "g", "h", 7, b"\xff\x00", ""])
counts: Drawn = st.one_of(st.integers(-4, 6), st.sampled_from(["0", "-1", "x", 1.5]))
scores: Drawn = st.one_of(st.integers(-3, 6), st.sampled_from([1.5, "-inf", "+inf", "inf", "2", "x", "1e3", ""]))
bounds: Drawn = st.one_of(scores, st.sampled_from(["(1", "(2", "(-inf", "(", "(1.5"]))
ids: Drawn = st.one_of(
    st.builds("{}-{}".format, st.integers(0, 6), st.integers(0, 3)),
    st.sampled_from(["3", 4, "0-0", "5-*", "0-*", "x", "1-", "7-0", "9000000000000-1", "9000000000000-2"]),
)
id_bounds: Drawn = st.one_of(ids, st.sampled_from(["-", "+", "(2-1", "(3", "(-", "9000000000001"]))


def keys(*kinds: str) -> Drawn:
    """Mostly a key for the kind, now and then another."""
    return st.one_of(*[st.sampled_from(kinds)] * 8, st.sampled_from(KEYS))


def words(*parts: Word | Drawn) -> Drawn:
    """One command of parts: words, and strategies for a word or a list of words."""
    drawn = st.tuples(*(part if isinstance(part, st.SearchStrategy) else st.just(part) for part in parts))
    return drawn.map(_flat)


def _flat(parts: tuple[Any, ...]) -> Command:
    return [word for part in parts for word in (part if isinstance(part, list) else [part])]


def some(*parts: Drawn) -> Drawn:
    """One to three repetitions."""
    return st.lists(st.tuples(*parts), min_size=1, max_size=3).map(lambda rows: [word for row in rows for word in row])


def maybe(*choices: Command | Drawn) -> Drawn:
    """Nothing, or one of these."""
    return st.one_of(st.just([]), *(one if isinstance(one, st.SearchStrategy) else st.just(one) for one in choices))


text, hashes, zsets = keys("text"), keys("hash", "hash2"), keys("zset", "zset2")
sets, streams = keys("set", "set2"), st.one_of(keys("stream", "stream2"), st.just(FUTURE))
groups: Drawn = st.sampled_from(["g", "h", 7])
kept: Drawn = st.sampled_from(["MAXLEN", "maxlen"])
trims: Drawn = st.one_of(
    words(kept, maybe(["="]), st.integers(-1, 4)),
    words("MINID", maybe(["="]), ids),
)

COMMANDS: list[Drawn] = [
    words("GET", text),
    words("SET", text, values, maybe(["NX"], ["xx"])),
    words("EXISTS", some(text)),
    words("DEL", some(keys("hash", "zset", "set", "stream"))),
    words("HGET", hashes, fields),
    words("hget", hashes, fields),
    words("HMGET", hashes, some(fields)),
    words("HSET", hashes, some(fields, values)),
    words("HSETNX", hashes, fields, values),
    words("HINCRBY", hashes, fields, counts),
    words("HEXISTS", hashes, fields),
    words("HGETALL", hashes),
    words("HSCAN", hashes, st.sampled_from([0, "0", "x"]), maybe(["COUNT", 5], ["count", 0])),
    words("HDEL", hashes, some(fields)),
    words("HLEN", hashes),
    words("SADD", sets, some(values)),
    words("SREM", sets, some(values)),
    words("SCARD", sets),
    words("SISMEMBER", sets, values),
    words("SMEMBERS", sets),
    words(
        "ZADD",
        zsets,
        maybe(["NX"], ["XX"], ["GT"], ["LT", "CH"], ["CH"], ["NX", "XX"], ["GT", "LT"]),
        some(scores, fields),
    ),
    words("ZADD", zsets, some(st.integers(-3, 6), fields)),
    words("ZREM", zsets, some(fields)),
    words("ZCARD", zsets),
    words("ZSCORE", zsets, fields),
    words("ZRANGE", zsets, counts, counts, maybe(["WITHSCORES"], ["REV"], ["REV", "withscores"])),
    words("ZRANGEBYSCORE", zsets, bounds, bounds, maybe(["WITHSCORES"]), maybe(words("LIMIT", counts, counts))),
    words("ZRANGEBYSCORE", zsets, "-inf", bounds, "LIMIT", 0, counts),
    words("ZREMRANGEBYSCORE", zsets, bounds, bounds),
    words("XADD", streams, ids, some(fields, values)),
    words("XADD", streams, maybe(["NOMKSTREAM"]), maybe(trims), ids, some(fields, values)),
    words("XADD", FUTURE, maybe(trims), "*", some(fields, values)),
    words("XLEN", streams),
    words("XRANGE", streams, id_bounds, id_bounds, maybe(words("COUNT", counts))),
    words("XREVRANGE", streams, id_bounds, id_bounds, maybe(words("COUNT", counts))),
    words("XTRIM", streams, trims),
    words("XDEL", streams, some(ids)),
    words("XGROUP", "CREATE", streams, groups, st.one_of(ids, st.just("$")), maybe(["MKSTREAM"])),
    words("XGROUP", st.sampled_from(["SETID", "setid"]), streams, groups, st.one_of(ids, st.just("$"))),
    words("XGROUP", "DESTROY", streams, groups),
    words("XINFO", st.sampled_from(["STREAM", "GROUPS"]), streams),
    words("NOSUCH", text),
]

# One in twelve has lost its last word.
commands: Drawn = st.tuples(st.one_of(COMMANDS), st.integers(0, 11)).map(
    lambda drawn: drawn[0][:-1] if drawn[1] == 0 and len(drawn[0]) > 1 else drawn[0]
)
