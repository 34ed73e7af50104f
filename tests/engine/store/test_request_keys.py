"""Keys of requests: held to one content, and free again where nothing came of it."""

from engine import Bound, Engine

NAME = "key\n/v1/orders\nk"


async def test_a_key_whose_request_was_refused_is_free(engine: Engine) -> None:
    """Also for another content, and for the same."""
    assert await engine.bind_key(NAME, b"one") is Bound.NOW
    assert await engine.bind_key(NAME, b"two") is Bound.OTHER
    await engine.release_key(NAME, b"one")
    assert await engine.bind_key(NAME, b"two") is Bound.NOW


async def test_a_key_whose_twin_may_have_been_done_is_kept(engine: Engine) -> None:
    """The first of two was refused, the second may have found stock: another content must not have their key."""
    assert await engine.bind_key(NAME, b"one") is Bound.NOW
    assert await engine.bind_key(NAME, b"one") is Bound.BEFORE
    await engine.release_key(NAME, b"one")
    assert await engine.bind_key(NAME, b"two") is Bound.OTHER
    assert await engine.bind_key(NAME, b"one") is Bound.BEFORE


async def test_a_twin_that_comes_after_the_key_was_freed_has_it_anew(engine: Engine) -> None:
    """Then it is the twin's to free."""
    await engine.bind_key(NAME, b"one")
    await engine.release_key(NAME, b"one")
    assert await engine.bind_key(NAME, b"one") is Bound.NOW
    await engine.release_key(NAME, b"one")
    assert await engine.bind_key(NAME, b"two") is Bound.NOW
