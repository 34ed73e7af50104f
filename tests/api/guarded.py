"""A running service with API keys: made in its store by this process, as an operator's command does."""

import asyncio
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from engine import Engine, Settings, open_engine
from engine.access import NewKey, signature
from tests.api.conftest import Answer, Door

KNOWN_WITHIN_S = 1.0
"""How soon each process must know of a key that was made or revoked."""
SEEN_WITHIN_S = 10.0
"""How long a test waits for that before it gives up, so that it can say how long it took."""


def bearer(key: NewKey | str) -> dict[str, str]:
    """The header that a key's holder sends."""
    return {"Authorization": f"Bearer {key if isinstance(key, str) else key.text}"}


def signed(
    key: NewKey, method: str, target: str, body: bytes = b"", *, at_s: float | str | None = None
) -> dict[str, str]:
    """The headers of a signed request."""
    assert key.signing_secret is not None
    stamp = at_s if isinstance(at_s, str) else f"{time.time() if at_s is None else at_s:.6f}"
    made = signature(key.signing_secret, stamp, method, target, body)
    return {**bearer(key), "Stockade-Signature": f"t={stamp},v1={made}"}


class Keyed(Door):
    """A door whose every call carries a key."""

    def __init__(self, url: str, key: NewKey | str) -> None:
        super().__init__(url)
        self.key = key

    def call(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Answer:
        """One request with the key."""
        return super().call(method, path, body, {**bearer(self.key), **(headers or {})})


class Operator:
    """Who makes and revokes keys on a store."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def does(self, work: Callable[[Engine], Any]) -> Any:
        """Run something on an engine of its own."""

        async def run() -> Any:
            async with open_engine(self.settings, attach=True, background=False, load=False) as engine:
                return await work(engine)

        return asyncio.run(run())

    def create(self, *scopes: Any, name: str = "test", **terms: Any) -> NewKey:
        """Make a key."""
        made: NewKey = self.does(lambda engine: engine.create_key(name, scopes, **terms))
        return made

    def rotate(self, key: NewKey, overlap_s: float = 0) -> NewKey:
        """Give a key another secret."""
        made: NewKey = self.does(lambda engine: engine.rotate_key(key.key.id, overlap_s=overlap_s))
        return made

    def revoke(self, key: NewKey, *, former_only: bool = False) -> None:
        """Have a key taken no more."""
        self.does(lambda engine: engine.revoke_key(key.key.id, former_only=former_only))


def seconds_until(answers: Callable[[], bool]) -> float:
    """How long it takes until something is so."""
    began = time.monotonic()
    while not answers():
        assert time.monotonic() - began < SEEN_WITHIN_S, "it did not come to be so"
        time.sleep(0.01)
    return time.monotonic() - began


def operator_of(data_dir: Path, **settings: Any) -> Operator:
    """The operator of a service on an embedded store."""
    return Operator(msgspec.structs.replace(Settings(data_dir=data_dir), **settings))
