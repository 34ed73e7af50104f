"""A record names the attempts that it decided for as long as any partition may ask for one."""

import msgspec

from engine.planner import Record
from engine.store.keys import home_of
from engine.store.library import LIBRARY_VERSION
from engine.store.packed import packed_strings
from tests.simulation.store import SimulatedServer
from tests.simulation.wire import KEYS, PARTITION_KEYS
from tests.simulation.world import World, servers_of

WORLD = World(partitions=2, warehouses=1, stock=0)
ORDER = "a"
HOME = home_of(ORDER, 2)
EPOCH = f"{LIBRARY_VERSION}.epoch{HOME}"


def put_order(home: SimulatedServer) -> None:
    """An order that holds a unit of the other partition's first SKU, as an attempt had it."""
    cell = (1 - HOME) * 4096
    body = [[[0, 0, 0, [cell, 1]]], [], [], "USD", "cheapest", "", [], ["@P1.1-1"]]
    head = b"\x02\x01" + (1).to_bytes(4, "big") + bytes(8) + (home.clock_ms + 10_000_000).to_bytes(8, "big")
    home.command("HSET", PARTITION_KEYS[HOME].orders, ORDER, head + bytes(16) + msgspec.msgpack.encode(body))


def test_no_number_of_transitions_pushes_an_attempt_out() -> None:
    """A lease may wait for long; who asks then must not hear that nothing was decided."""
    home = servers_of().begin(WORLD)[HOME]
    put_order(home)
    for number in range(70):
        args = (EPOCH, "P2", "extend", ORDER, f"extend:t{number}=0", "", 10_000_000)
        assert home.call("stockade_transition", KEYS[HOME], args)[0] == b"A"
    stored = home.command("HGET", PARTITION_KEYS[HOME].orders, ORDER)
    assert Record(stored).transitions == ["@P1.1-1", *(f"extend:t{number}=0" for number in range(6, 70))]
    assert home.call("stockade_refuse", KEYS[HOME], (EPOCH, "P2", packed_strings([b"a", b"@P1.1-1"]))) == [stored]


def test_an_amendment_waits_when_too_many_attempts_are_not_settled() -> None:
    """Else the first of them would be forgotten. Once all partitions have followed, none is needed any more."""
    home = servers_of().begin(WORLD)[HOME]
    put_order(home)

    def amend(number: int) -> bytes:
        stored = home.command("HGET", PARTITION_KEYS[HOME].orders, ORDER)
        row = (
            msgspec.msgpack.encode([ORDER, Record(stored).version])[1:] + b"\xdb" + len(stored[22:]).to_bytes(4, "big")
        )
        rows = b"\x91\x93" + row + stored[22:]
        args = (EPOCH, "P2", f"t{number}", "amend", "", rows, b"\x90", f"@P2.1-{number}")
        letter: bytes = home.call("stockade_replace", KEYS[HOME], args)[0]
        return letter

    assert [amend(number) for number in range(66)] == [b"A"] * 64 + [b"X"] * 2
    version = Record(home.command("HGET", PARTITION_KEYS[HOME].orders, ORDER)).version
    home.call("stockade_followed", KEYS[HOME], (EPOCH, "P2", msgspec.msgpack.encode([ORDER, version])))
    assert amend(66) == b"A"
    stored = home.command("HGET", PARTITION_KEYS[HOME].orders, ORDER)
    assert [name for name in Record(stored).transitions if name.startswith("@")] == ["@P2.1-66"]
