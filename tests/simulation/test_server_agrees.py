"""The simulated server answers as the real one does: commands, MessagePack, structs, replies and errors."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import redis
from hypothesis import given, settings
from hypothesis import strategies as st
from redis.exceptions import ResponseError

from engine.store.library import library_source
from tests.simulation.command_mix import BEGIN, Command, commands, packed
from tests.simulation.store import SimulatedServer

LIBRARY = Path(__file__).with_name("agreement.lua").read_text("utf-8")
ALIKE = settings(max_examples=150, deadline=None, derandomize=True)


class Pair:
    """The same call to both."""

    def __init__(self, real: redis.Redis) -> None:
        self.real = real
        self.simulated = SimulatedServer(LIBRARY)

    def __call__(self, function: str, *args: bytes | str) -> tuple[Any, Any]:
        """Both replies, errors as values."""
        return (
            _answered(lambda: self.real.execute_command("FCALL", function, 0, *args)),
            _answered(lambda: self.simulated.call(function, [], args)),
        )


@pytest.fixture(scope="module")
def pair(store_url: str) -> Iterator[Pair]:
    """Both servers with the library of this comparison."""
    with redis.Redis.from_url(store_url) as client:
        client.execute_command("FUNCTION", "LOAD", "REPLACE", LIBRARY)
        yield Pair(client)
        client.execute_command("FUNCTION", "DELETE", "agreement")


def _answered(call: Callable[[], Any]) -> Any:
    try:
        return _plain(call())
    except ResponseError as error:
        return _plain(error)


def _plain(reply: Any) -> Any:
    """Errors as text, less the name of the function, which Valkey leaves out."""
    if isinstance(reply, list):
        return [_plain(inner) for inner in reply]
    if isinstance(reply, ResponseError):
        return _neutral(b"error: " + re.sub(r" script: \w+, on", " script: on", str(reply)).encode())
    return reply


def _neutral(reply: bytes) -> bytes:
    """Less the words by which Valkey's errors differ from those of Redis."""
    if not reply.startswith(b"error: "):
        return reply
    return re.sub(rb"\b(Lua redis lib|redis lib|Redis) ", b"", reply).replace(b"Command arg", b"command arg")


@ALIKE
@given(batch=st.lists(commands, min_size=1, max_size=60))
def test_commands_reply_alike(pair: Pair, batch: list[Command]) -> None:
    """Sixty at a time on a few keys, so that they meet what others left."""
    real, simulated = pair("agreement_run", packed([*BEGIN, *batch]))
    for command, theirs, ours in zip([*BEGIN, *batch], real, simulated, strict=True):
        assert _neutral(ours) == _neutral(theirs), command


@ALIKE
@given(words=commands)
def test_a_call_and_its_error_leave_alike(pair: Pair, words: Command) -> None:
    """The reply as a client gets it, not as Lua does; what raises names the error first."""
    pair("agreement_run", packed([*BEGIN, ["HSET", "hash", "f", "1"], ["ZADD", "zset", 1, "f"]]))
    if words[0] not in ("XINFO", "SMEMBERS"):
        real, simulated = pair("agreement_call", packed(words))
        assert simulated == real


@ALIKE
@given(words=commands)
def test_a_function_that_promises_not_to_write_is_held_to_it(pair: Pair, words: Command) -> None:
    """So that a test on the simulated server finds what the real one would refuse on a replica."""
    pair("agreement_run", packed(BEGIN))
    real, simulated = pair("agreement_look", packed(words))
    if words[0] != "XINFO":
        assert simulated == real


# Whole numbers of each width, floats of both sizes, text, and tables whose keys come in one order only.
whole = st.one_of(
    st.integers(-(2**63), 2**64 - 1),
    st.integers(-(2**15), 2**17),
    st.sampled_from([2**n + d for n in (5, 7, 8, 15, 16, 31, 32, 53, 62) for d in (-1, 0, 1)]),
    st.sampled_from([-(2**n) + d for n in (5, 7, 8, 15, 16, 31, 32, 53, 62) for d in (-1, 0, 1)]),
)
floats = st.one_of(st.floats(allow_nan=False), st.floats(allow_nan=False, width=32))
scalars = st.one_of(st.booleans(), whole, floats, st.binary(max_size=40), st.sampled_from([b"x" * 255, b"x" * 70_000]))
trees = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=20),
        st.dictionaries(
            st.one_of(whole, st.binary(max_size=4), st.booleans()), st.one_of(inner, st.none()), max_size=1
        ),
    ),
    max_leaves=25,
)


@ALIKE
@given(value=st.one_of(trees, st.none(), st.integers(14, 18).map(lambda size: [1] * size)))
def test_message_pack_is_packed_alike(pair: Pair, value: Any) -> None:
    """Byte for byte: records are compared as bytes."""
    real, simulated = pair("agreement_pack", packed(value))
    assert simulated == real


@pytest.mark.parametrize("size", [1, 15, 16, 17, 40, 65_535, 65_536])
def test_large_and_deep_tables_are_packed_alike(pair: Pair, size: int) -> None:
    """Array heads of each width, and nesting up to where the servers give up."""
    real, simulated = pair("agreement_pack", packed([7] * size))
    assert simulated == real
    real, simulated = pair("agreement_deep", str(min(size, 60)))
    assert simulated == real


def _broken(drawn: tuple[Any, int, bytes, bool]) -> bytes:
    value, at, piece, cut = drawn
    whole_text = msgspec.msgpack.encode(value) if not isinstance(value, bytes) else packed(value)
    at %= len(whole_text) + 1
    return whole_text[:at] + piece + (b"" if cut else whole_text[at:])


plain_trees = st.recursive(
    st.one_of(st.none(), st.booleans(), whole, floats, st.text(max_size=20), st.binary(max_size=3)),
    lambda inner: st.one_of(st.lists(inner, max_size=5), st.dictionaries(st.text(max_size=3), inner, max_size=5)),
    max_leaves=12,
)


@ALIKE
@given(
    text=st.one_of(
        plain_trees.map(msgspec.msgpack.encode),
        st.tuples(plain_trees, st.integers(0, 200), st.binary(max_size=3), st.booleans()).map(_broken),
        st.binary(max_size=30),
    )
)
def test_message_pack_is_unpacked_alike(pair: Pair, text: bytes) -> None:
    """Sound, broken and random text: what cannot be read is an error, binary as well; text behind is another result."""
    real, simulated = pair("agreement_unpack", text)
    assert simulated == real


letters = st.sampled_from([*"BbHhIiLl", *(f"{sign}{size}" for sign in "Ii" for size in range(1, 9))])
items = st.one_of(letters, letters, st.sampled_from(["c3", "c", "c0", "s", "x", " ", "<", ">", "Bc0", "z"]))
formats = st.one_of(
    st.just(">BBI4I8I8"),
    st.lists(items, max_size=8).map("".join),
    st.lists(items).map(lambda each: ">" + "".join(each)),
)
struct_values = st.one_of(
    st.integers(-(2**53), 2**53), st.integers(-300, 300), st.just(5.75), st.sampled_from([b"", b"abcd"])
)


@ALIKE
@given(form=formats, values=st.lists(struct_values, max_size=8))
def test_structs_are_packed_alike(pair: Pair, form: str, values: list[Any]) -> None:
    """Numbers too large for their place, missing values and wrong ones as well."""
    real, simulated = pair("agreement_struct_pack", form, b"".join(map(packed, values)))
    assert simulated == real


@ALIKE
@given(form=formats, text=st.one_of(st.binary(max_size=40), st.binary(min_size=40, max_size=60)))
def test_structs_are_unpacked_alike(pair: Pair, form: str, text: bytes) -> None:
    """From random bytes, enough of them or not."""
    real, simulated = pair("agreement_struct_unpack", form, text)
    assert simulated == real


replies = st.recursive(
    st.one_of(
        st.booleans(),
        st.integers(-(2**53), 2**53),
        st.floats(-1e6, 1e6),
        st.binary(max_size=10),
        st.builds(lambda text: {b"ok": text}, st.sampled_from([b"OK", b"fine words"])),
        st.builds(lambda text: {b"err": text}, st.sampled_from([b"ERR bad", b"STALEEPOCH it is"])),
    ),
    lambda inner: st.one_of(inner, st.lists(inner, max_size=5)),
    max_leaves=20,
)


@ALIKE
@given(reply=st.one_of(replies, st.none()))
def test_what_a_function_returns_leaves_alike(pair: Pair, reply: Any) -> None:
    """Numbers lose their fraction, false is nothing, a table with `err` is an error wherever it stands."""
    real, simulated = pair("agreement_echo", packed(reply))
    assert simulated == real


def test_a_reply_of_many_values_leaves_alike(pair: Pair) -> None:
    """More than one return of Lua can carry."""
    real, simulated = pair("agreement_echo", packed([list(range(9_000)), [b"x"] * 9_000]))
    assert simulated == real


@pytest.mark.parametrize("text", ["STALEEPOCH the store", "-CODE text", "ONE", "ERR no", "two  spaces"])
def test_errors_that_a_function_makes_leave_alike(pair: Pair, text: str) -> None:
    """redis.error_reply, with the code that callers look for."""
    real, simulated = pair("agreement_error", text)
    assert simulated == real
    assert simulated.startswith(b"error: ")


def test_a_function_that_stumbles_and_one_that_is_not_there_are_told_alike(pair: Pair) -> None:
    """With the line, which is what one looks for."""
    for function in ("agreement_stumble", "no_such_function"):
        real, simulated = pair(function, "x")
        assert simulated == real


NOT_SIMULATED = {
    ("HKEYS", ""),
    ("MEMORY", "USAGE"),
    ("XGROUP", "DELCONSUMER"),
    ("XINFO", "CONSUMERS"),
    ("XREADGROUP", "GROUP"),
    ("XGROUP", "CREATECONSUMER"),
    ("XACK", ""),
    ("XAUTOCLAIM", ""),
    ("XCLAIM", ""),
    ("XPENDING", ""),
    ("ZMSCORE", ""),
}
"""What only API keys, followers of the feed, repairs and stream intake have the library do: no part of what is
simulated."""


def test_every_command_of_the_library_is_known() -> None:
    """One that is not would fail in the middle of a simulation, or worse, be caught there."""
    server = SimulatedServer()
    used = set(re.findall(r"redis\.p?call\(\s*'(\w+)'(?:, '([A-Z]+)')?", library_source()[0]))
    assert len(used) > 10
    for words in used - NOT_SIMULATED:
        reply = _answered(lambda words=words: server.command(*filter(None, words)))  # type: ignore[misc]
        assert "Unknown" not in str(reply), words
