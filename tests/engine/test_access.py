"""Keys in the store: made, changed by two at once, bounded, read by another release; and how they are compared."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest
from redis.asyncio import Redis

from engine import Engine, Settings, open_engine
from engine.access import SCOPES, SIGNED_WINDOW_S, Principal, changes, keyring, room, signature, uses
from engine.access.signing import SigningRoot
from engine.errors import InvalidInput, StoreChanged

NAMESPACE = "stockade:{catalogue}"


def refused(error: pytest.ExceptionInfo[InvalidInput]) -> list[str]:
    """Where a refusal points."""
    return [each.pointer for each in error.value.errors]


@pytest.mark.parametrize(
    ("terms", "pointers"),
    [
        ({"name": ""}, ["/name"]),
        ({"name": "x" * 65}, ["/name"]),
        ({"name": "a\nb"}, ["/name"]),
        ({"scopes": []}, ["/scopes"]),
        ({"scopes": ["orders", "everything"]}, ["/scopes"]),
        ({"scopes": ["public"]}, ["/scopes"]),
        ({"channel": ""}, ["/channel"]),
        ({"channel": "web", "scopes": ["orders", "stock"]}, ["/scopes"]),
        ({"channel": "web", "scopes": ["admin"]}, ["/scopes"]),
        ({"expires_in_s": 0}, ["/expires_in"]),
        ({"expires_in_s": float("nan")}, ["/expires_in"]),
        ({"signed": True}, ["STOCKADE_SIGNING_KEY_FILE"]),
        ({"name": "", "scopes": [], "channel": ""}, ["/name", "/scopes", "/channel"]),
    ],
)
async def test_a_key_that_breaks_a_rule_is_not_made(engine: Engine, terms: dict[str, Any], pointers: list[str]) -> None:
    """A key that can do less, or more, than whoever made it thought, is found when it is too late."""
    with pytest.raises(InvalidInput) as error:
        await engine.create_key(**{"name": "x", "scopes": ["orders"], **terms})
    assert refused(error) == pointers
    assert await engine.keys() == ()


async def test_keys_are_bounded(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every process holds them all; those revoked count, as they stay on the list until they are forgotten."""
    monkeypatch.setattr(changes, "KEYS_MAX", 3)
    keys = [await engine.create_key(str(number), ["read"]) for number in range(3)]
    await engine.revoke_key(keys[0].key.id)
    with pytest.raises(InvalidInput, match="3 keys"):
        await engine.create_key("one more", ["read"])
    assert {key.name for key in await engine.keys()} == {"0", "1", "2"}
    await engine.rotate_key(keys[1].key.id)
    with pytest.raises(InvalidInput, match="revoke it first"):
        await engine.forget_key(keys[1].key.id)
    assert (await engine.forget_key(keys[0].key.id)).name == "0"
    assert engine.access.keyring.find(keys[0].text) == "unknown"
    await engine.create_key("one more", ["read"])
    with pytest.raises(InvalidInput, match="stockade keys list"):
        await engine.forget_key(keys[0].key.id)
    assert {key.name for key in await engine.keys()} == {"1", "2", "one more"}


async def test_the_oldest_key_is_told_first(engine: Engine) -> None:
    """Several may be made within a millisecond; these come by id."""
    for name in ("former", "later"):
        for _ in range(3):
            await engine.create_key(name, ["read"])
        await asyncio.sleep(0.1)
    keys = await engine.keys()
    assert [key.name for key in keys] == ["former"] * 3 + ["later"] * 3
    assert [(key.made_at, key.id) for key in keys] == sorted((key.made_at, key.id) for key in keys)


async def test_a_store_whose_last_key_was_forgotten_stays_closed(engine: Engine) -> None:
    """Tidying up must not open the door."""
    made = await engine.create_key("x", ["read"], expires_in_s=0.001)
    while (await engine.keys())[0].state == "live":
        await asyncio.sleep(0.001)
    await engine.forget_key(made.key.id)
    assert await engine.keys() == ()
    fresh = room.AccessRoom(engine.store, engine.settings)
    await fresh.look()
    assert fresh.keyring.closed


async def test_of_two_rotations_at_once_one_is_done(engine: Engine, empty_store_url: str) -> None:
    """Else one of two operators would hold a secret that was never taken."""
    made = await engine.create_key("x", ["read"])
    async with open_engine(Settings(redis_url=empty_store_url), background=False) as other:
        rotations = [one.rotate_key(made.key.id, overlap_s=60) for one in (engine, other)]
        done = await asyncio.gather(*rotations, return_exceptions=True)
        texts = [each.text for each in done if not isinstance(each, BaseException)]
        assert len(texts) == 1
        (error,) = [each for each in done if isinstance(each, BaseException)]
        assert "former secret" in str(error)
        await engine.access.look()
        for text in (*texts, made.text):
            assert isinstance(engine.access.keyring.find(text), Principal)


async def test_a_key_is_revoked_and_rotated_by_its_id_only(engine: Engine) -> None:
    """A typing error is told, and changes nothing; what is revoked stays so."""
    made = await engine.create_key("x", ["read"])
    for key_id in ("", "nobody", made.text):
        with pytest.raises(InvalidInput, match="stockade keys list"):
            await engine.revoke_key(key_id)
        with pytest.raises(InvalidInput, match="stockade keys list"):
            await engine.rotate_key(key_id)
    first = await engine.revoke_key(made.key.id)
    assert await engine.revoke_key(made.key.id) == first
    with pytest.raises(InvalidInput, match="revoked"):
        await engine.rotate_key(made.key.id)


async def test_a_record_that_says_more_than_this_release_knows_lets_nobody_in(
    engine: Engine, empty_store_url: str
) -> None:
    """What it adds may be a limit."""
    made = await engine.create_key("x", ["read"])
    async with Redis.from_url(empty_store_url) as client:
        record = msgspec.json.decode(await client.hget(f"{NAMESPACE}:access", made.key.id))
        await client.hset(f"{NAMESPACE}:access", made.key.id, msgspec.json.encode(record | {"only_on": "monday"}))
        await client.hincrby(f"{NAMESPACE}:meta", "access", 1)
    await engine.access.look()
    assert engine.access.keyring.find(made.text) == "unknown"
    assert await engine.keys() == ()


async def test_a_signature_is_spent_once_and_forgotten_in_time(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """While it is young enough to be taken it is remembered; and no more of them than fit."""
    await engine.access.look()
    now_s = engine.access.keyring.now_ms() / 1000
    one, two, three = ("0" * 63 + digit for digit in "123")

    async def spend(key_id: str, signature: str, late_s: float = 0) -> str:
        return await engine.access.spend(key_id, signature, at_s=now_s - late_s)

    assert [await spend("a", each) for each in (one, two, one)] == ["A", "A", "U"]
    assert await spend("b", one) == "A"
    # As late as one is taken, it is still remembered; later it is not, and need not be.
    assert [await spend("a", three, SIGNED_WINDOW_S) for _ in range(2)] == ["A", "U"]
    monkeypatch.setattr(room, "SIGNATURE_MARGIN_MS", 0)
    four = "4" * 64
    assert [await spend("a", four, SIGNED_WINDOW_S + 1) for _ in range(2)] == ["A", "A"]


async def test_no_key_takes_the_room_of_others_signatures(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that signs without end stops itself; what has ended makes room again."""
    monkeypatch.setattr(room, "SIGNATURES_MAX", 8)
    monkeypatch.setattr(room, "SIGNATURE_MARGIN_MS", 0)
    await engine.access.look()
    now_s = engine.access.keyring.now_ms() / 1000

    async def spent(key_id: str, late_s: float = 0) -> int:
        count = 0
        while await engine.access.spend(key_id, f"{count:064x}", at_s=now_s - late_s) == "A":
            count += 1
        return count

    assert [await spent(key_id) for key_id in ("greedy", "modest", "late")] == [4, 2, 1]
    assert await engine.access.spend("greedy", "f" * 64, at_s=now_s) == "F"
    old = now_s - SIGNED_WINDOW_S + 0.2
    assert await engine.access.spend("another", "f" * 64, at_s=old) == "A"
    while await engine.access.spend("yet another", "e" * 64, at_s=now_s) == "F":
        await asyncio.sleep(0.01)


async def test_when_a_key_was_used_last_is_told_the_store_in_batches(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of those that were used, and no others; what is wrong, revoked or too late is no use."""
    monkeypatch.setattr(uses, "WRITE_S", 0.0)
    monkeypatch.setattr(uses, "WRITE_KEYS_MAX", 2)
    made = [await engine.create_key(str(number), ["read"]) for number in range(5)]
    unused, revoked = await engine.create_key("unused", ["read"]), await engine.create_key("revoked", ["read"])
    await engine.revoke_key(revoked.key.id)
    assert {key.last_used_at for key in await engine.keys()} == {None}
    before_ms = engine.access.keyring.now_ms()
    for key in (*made, revoked):
        engine.access.keyring.find(key.text)
    engine.access.keyring.find(unused.text[:-1] + "x")
    names = {"0", "1", "2", "3", "4"}
    async with asyncio.timeout(10):
        while {key.name for key in await engine.keys() if key.last_used_at is not None} != names:
            await asyncio.sleep(0.05)
    for key in await engine.keys():
        if key.last_used_at is not None:
            assert -60 < key.last_used_at.timestamp() - before_ms / 1000 < 60
    # Each change of a key shows it as the list does.
    assert (await engine.revoke_key(made[0].key.id)).last_used_at is not None


async def test_of_two_uses_the_later_is_kept_and_none_of_a_forgotten_key(engine: Engine) -> None:
    """Whichever process tells first; and the store keeps no more of them than there are keys."""
    one, two = [(await engine.create_key(name, ["read"])).key.id for name in ("one", "two")]
    calls = engine.store.access
    await calls.note_uses({one: 100, two: 7, "stranger": 100})
    await calls.note_uses({one: 99})
    assert await calls.read_uses() == {one: 100, two: 7}
    await engine.revoke_key(one)
    await engine.forget_key(one)
    await calls.note_uses({two: 8})
    assert await calls.read_uses() == {two: 8}


async def test_a_use_that_the_store_was_not_told_is_told_later(engine: Engine) -> None:
    """With the time at which it was."""
    made = await engine.create_key("x", ["read"])
    engine.access.keyring.find(made.text)
    later = uses.KeyUses(engine.access.keyring, engine.store)
    later.collect()
    epoch, engine.store.catalogue.epoch = engine.store.catalogue.epoch, b""
    with pytest.raises(StoreChanged):
        await later.write()
    assert await engine.store.access.read_use(made.key.id) is None
    engine.store.catalogue.epoch = epoch
    await later.write()
    assert await engine.store.access.read_use(made.key.id) is not None


async def test_keys_are_compared_in_constant_time(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether a key is taken is said by `compare_digest`, of digests of equal length, and by nothing else."""
    made = await engine.create_key("x", ["read"])
    compared = []

    def never(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return False

    monkeypatch.setattr(keyring, "compare_digest", never)
    assert engine.access.keyring.find(made.text) == "unknown"
    assert engine.access.keyring.find(made.text[:-1] + "x") == "unknown"
    assert [(len(one), len(other)) for one, other in compared] == [(32, 32)] * 2
    assert not any(made.text.encode() in pair for pair in compared)


def test_no_two_requests_are_signed_alike() -> None:
    """Else a signature of one would be one of the other."""
    parts = [("1", "GET", "/a", b""), ("1", "GET", "/a", b"\n"), ("1", "GET", "/", b"a"), ("1", "GE", "T/a", b"")]
    parts += [("11", "GET", "/a", b""), ("1", "GET", "/a?", b""), ("1", "POST", "/a", b"")]
    assert len({signature("s", *each) for each in parts} | {signature("t", *parts[0])}) == len(parts) + 1


def test_a_signature_can_be_made_by_hand() -> None:
    """By what any language has: an HMAC-SHA256 of these lines, with the secret's text as its key."""
    import hashlib
    import hmac

    message = b'1700000000\nPOST\n/v1/orders?x=1\n{"order_id": "1"}'
    made = signature("sts_x", "1700000000", "POST", "/v1/orders?x=1", b'{"order_id": "1"}')
    assert made == hmac.new(b"sts_x", message, hashlib.sha256).hexdigest()


@pytest.mark.parametrize("size", [0, 31, 4_097])
def test_a_root_that_is_none_is_refused(tmp_path: Path, size: int) -> None:
    """A short one can be guessed; and a log file is no root."""
    (tmp_path / "root").write_bytes(b"x" * size)
    with pytest.raises(InvalidInput, match="random bytes"):
        SigningRoot.read(tmp_path / "root")
    with pytest.raises(InvalidInput, match="cannot be read"):
        SigningRoot.read(tmp_path / "none")


def test_signing_secrets_differ_by_root_key_and_generation() -> None:
    """And are the same wherever they are derived."""
    made = {SigningRoot(bytes([n]) * 32).secret_of(key, gen) for n in (1, 2) for key in ("a", "b") for gen in (1, 2)}
    assert len(made) == 8
    assert SigningRoot(b"\1" * 32).secret_of("a", 1) in made


async def test_every_scope_can_be_had(engine: Engine) -> None:
    """In the order in which they are told, however they were given."""
    made = await engine.create_key("x", [*reversed(SCOPES)])
    assert made.key.scopes == SCOPES
