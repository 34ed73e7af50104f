"""What a simulation may rely on: snapshots, clocks, databases of their own, and the same run twice."""

import pytest
from redis.exceptions import ResponseError

from tests.simulation.store import START_MS, SimulatedServer

LIBRARY = """#!lua name=rules
redis.register_function('rules_time', function() return redis.call('TIME') end)
redis.register_function('rules_draw', function() return math.random(6) end)
redis.register_function('rules_order', function(keys, args)
  local map, order = {}, {}
  for i, name in ipairs(args) do map[name] = i end
  for name in pairs(map) do order[#order + 1] = name end
  return order
end)
"""
WRITES = (
    ("SET", "text", "new"),
    ("HSET", "hash", "field", "new"),
    ("HDEL", "hash", "field"),
    ("ZADD", "zset", 9, "member"),
    ("ZREM", "zset", "member"),
    ("SADD", "set", "other"),
    ("XADD", "stream", "*", "a", "new"),
    ("XTRIM", "stream", "MAXLEN", 0),
    ("XDEL", "stream", "1-1"),
    ("XGROUP", "DESTROY", "stream", "group"),
    ("DEL", "text", "hash", "zset", "set", "stream"),
)


@pytest.fixture
def server() -> SimulatedServer:
    """A server with one key of each kind."""
    one = SimulatedServer(LIBRARY)
    one.command("SET", "text", "old")
    one.command("HSET", "hash", "field", "old")
    one.command("ZADD", "zset", 1, "member")
    one.command("SADD", "set", "member")
    one.command("XADD", "stream", "1-1", "a", "old")
    one.command("XGROUP", "CREATE", "stream", "group", "0")
    return one


def contents(server: SimulatedServer) -> list[object]:
    """Everything in it."""
    keys = server.keys()
    return [
        keys,
        server.command("GET", "text"),
        server.hgetall("hash"),
        server.zrange("zset"),
        server.command("SMEMBERS", "set"),
        server.xrange("stream"),
        server.command("XINFO", "GROUPS", "stream") if b"stream" in keys else [],
    ]


@pytest.mark.parametrize("write", WRITES)
def test_no_write_reaches_a_snapshot(server: SimulatedServer, write: tuple[str | int, ...]) -> None:
    """A failover that loses the last writes has what was there, however often it happens."""
    before = contents(server)
    snapshot = server.snapshot()
    for _ in range(2):
        server.command(*write)
        assert contents(server) != before
        server.restore(snapshot)
        assert contents(server) == before


def test_a_snapshot_moves_to_another_server(server: SimulatedServer) -> None:
    """A replica that takes over: from there on neither sees what the other does."""
    replica = server.new_database()
    assert replica.keys() == []
    replica.restore(server.snapshot())
    server.command("HSET", "hash", "field", "mine")
    replica.command("HSET", "hash", "field", "its")
    assert (server.hgetall("hash"), replica.hgetall("hash")) == ({b"field": b"mine"}, {b"field": b"its"})


def test_the_clock_shows_what_the_test_sets(server: SimulatedServer) -> None:
    """Each server its own, down to the millisecond; a snapshot does not turn it back."""
    snapshot = server.snapshot()
    server.advance(1_234)
    server.restore(snapshot)
    assert server.call("rules_time", []) == [b"1700000001", b"234000"]
    other = server.new_database()
    other.clock_ms = START_MS
    assert other.call("rules_time", []) == [b"1700000000", b"0"]
    assert server.clock_ms == START_MS + 1_234


def test_ids_of_entries_grow_even_where_the_clock_goes_back(server: SimulatedServer) -> None:
    """As after a failover to a machine whose clock is behind."""
    first = server.command("XADD", "stream", "*", "a", "1")
    second = server.command("XADD", "stream", "*", "a", "2")
    server.advance(-5)
    third = server.command("XADD", "stream", "*", "a", "3")
    assert [first, second, third] == [f"{START_MS}-{n}".encode() for n in range(3)]


def test_approximate_trimming_takes_as_much_as_it_may(server: SimulatedServer) -> None:
    """A real server may keep more; who can live with the least can live with that."""
    for n in range(5):
        server.command("XADD", "stream", "MAXLEN", "~", 2, "*", "n", n)
    assert [fields[b"n"] for _, fields in server.xrange("stream")] == [b"3", b"4"]


def test_tables_are_walked_in_one_order(server: SimulatedServer) -> None:
    """Where Lua leaves it open, two processes would differ."""
    names = [f"name{n}" for n in range(40)]
    assert server.call("rules_order", [], names) == sorted(name.encode() for name in names)


def test_what_it_does_not_know_it_refuses_aloud(server: SimulatedServer) -> None:
    """An answer made up would be taken for the truth."""
    for words in (("SET", "text", "x", "EX", 5), ("XADD", "stream", "MAXLEN", "~", 5, "LIMIT", 9, "*", "a", "b")):
        with pytest.raises(ResponseError, match="the simulated server knows no"):
            server.command(*words)
    with pytest.raises(ResponseError, match="random"):
        server.call("rules_draw", [])
