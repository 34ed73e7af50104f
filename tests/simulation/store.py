"""One server in this process: the library's real text on an imitated Valkey or Redis, with a clock that the test sets.

Alike for every run: no chance, no time of day, one order of whatever a server leaves open. It knows the commands that
the library uses (`lua/`), and refuses all else aloud. It has no expiry, no memory limit and no replicas: a failover
that loses the last writes is a `restore` of an earlier `snapshot`.
"""

import importlib
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from redis._parsers import BaseParser
from redis.exceptions import ResponseError

from engine.store.library import library_source

Word = bytes | str | int

START_MS = 1_700_000_000_000
"""What a new server's clock shows."""

_HERE = Path(__file__).parent
_PARTS = ("keyspace", "hashes", "sorted_sets", "streams", "groups", "bytes", "message_pack", "structs")
_LUAS = ("lupa.luajit21", "lupa.luajit20", "lupa.lua51")
"""The fastest first. The servers embed Lua 5.1, whose language all of these speak."""


class SimulatedServer:
    """A database of its own and its clock. Servers with one library share a Lua state, so use them from one thread.

    `library`: the text to run instead of this release's.
    """

    def __init__(self, library: str | None = None, *, clock_ms: int = START_MS) -> None:
        self.clock_ms = clock_ms
        self._library = library if library is not None else library_source()[0]
        self._lua = _loaded(self._library)
        self._database = self._lua.new_database()

    def new_database(self) -> "SimulatedServer":
        """Another server with the same library: nothing in it, and a clock of its own that shows this one's time."""
        return SimulatedServer(self._library, clock_ms=self.clock_ms)

    def advance(self, ms: int) -> None:
        """Let time go by."""
        self.clock_ms += ms

    def call(self, function: str, keys: Sequence[Word], args: Sequence[Word] = ()) -> Any:
        """FCALL. Returns bytes, int, None or lists of them, as redis-py does; raises its ResponseError."""
        words = [word if type(word) is bytes else _encoded(word) for word in args]
        key_table = _key_table(self._lua.key_table, tuple(keys))
        return _decoded(self._lua.fcall(self._database, self.clock_ms, function.encode(), key_table, *words))

    def command(self, *words: Word) -> Any:
        """One plain command, to prepare or to look. Returns and raises as `call` does."""
        return _decoded(self._lua.command(self._database, self.clock_ms, *map(_encoded, words)))

    def snapshot(self) -> Any:
        """The whole keyspace as it stands, for `restore`; the clock is no part of it. O(keys)."""
        return self._lua.snapshot(self._database)

    def restore(self, snapshot: Any) -> None:
        """Go back to a snapshot of this server, or of another with the same library, as often as you like. O(keys)."""
        self._lua.restore(self._database, snapshot)

    def keys(self) -> list[bytes]:
        """All keys, in order."""
        return list(_decoded(self._lua.key_names(self._database)))

    def hgetall(self, key: Word) -> dict[bytes, bytes]:
        """A hash."""
        flat = self.command("HGETALL", key)
        return dict(zip(flat[::2], flat[1::2], strict=True))

    def zrange(self, key: Word) -> list[tuple[bytes, float]]:
        """A sorted set: members with their scores, in order."""
        flat = self.command("ZRANGE", key, 0, -1, "WITHSCORES")
        return [(member, float(score)) for member, score in zip(flat[::2], flat[1::2], strict=True)]

    def xrange(self, key: Word) -> list[tuple[bytes, dict[bytes, bytes]]]:
        """A stream: ids with their fields, oldest first."""
        entries = self.command("XRANGE", key, "-", "+")
        return [(entry_id, dict(zip(flat[::2], flat[1::2], strict=True))) for entry_id, flat in entries]


class _Lua(NamedTuple):
    """What server.lua offers."""

    load: Any
    fcall: Any
    command: Any
    new_database: Any
    snapshot: Any
    restore: Any
    key_names: Any
    key_table: Any


@cache
def _loaded(library: str) -> _Lua:
    """The Lua state that runs a library; text crosses as bytes, both ways."""
    state = _first_lua().LuaRuntime(encoding=None)
    server = state.table()
    for path in (*(_HERE / "lua" / f"{name}.lua" for name in _PARTS), _HERE / "server.lua"):
        state.execute(path.read_bytes(), server, name=b"@" + path.name.encode())
    lua = _Lua(*(server[name.encode()] for name in _Lua._fields))
    lua.load(library.encode())
    return lua


@lru_cache(maxsize=1024)
def _key_table(make: Any, keys: tuple[Word, ...]) -> Any:
    """Keys on the Lua side, made once: calls repeat them far more often than they repeat anything else."""
    return make(*map(_encoded, keys))


def _first_lua() -> Any:
    for name in _LUAS:
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    raise ImportError(f"lupa brings none of {', '.join(_LUAS)}")


def _encoded(word: Word) -> bytes:
    return word if isinstance(word, bytes) else str(word).encode()


def _decoded(reply: Any) -> Any:
    """The value that left the Lua side as `flatten` there tells it. Raises an error reply."""
    if type(reply) is not tuple:
        return None if reply is False else reply
    if reply[0] is not None and reply[0] is not True:
        table, width = reply
        reply = [table[at] for at in range(1, width + 1)]
    value = _value(iter(reply))
    if isinstance(value, ResponseError):
        raise value
    return value


def _value(row: Iterator[Any]) -> Any:
    value = next(row)
    if value is True:
        return [_value(row) for _ in range(next(row))]
    if value is None:
        return BaseParser.parse_error(next(row).decode(errors="replace"))
    return None if value is False else value
