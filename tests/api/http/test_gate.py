"""The gate by itself, as a lane calls it that has the whole request: neither aiohttp nor a loop is asked."""

from pathlib import Path

import pytest

from api.http.access import signature as signatures
from api.http.access.channel import of_channel
from api.http.access.gate import Gate
from api.http.problems import Problem
from api.http.routes import Scope
from api.rate_limit import Limiter, OwnTimes
from engine import Engine, Settings, open_engine
from engine.access import ANYONE, KeyLimit, Principal
from engine.config import AccessMode
from engine.model import Line, Order, ShipTo
from tests.api.guarded import bearer, signed

LOCAL = {"host": "127.0.0.1:8080"}
TARGET = "/v1/orders"
ORDER = Order(order_id="1", ship_to=ShipTo(1, 2), lines=(Line("a", 1),))


def lower(headers: dict[str, str]) -> dict[str, str]:
    """Headers as a parser of the hot path gives them."""
    return {name.lower(): value for name, value in headers.items()}


async def test_it_tells_whose_a_request_is(engine: Engine) -> None:
    """Before the first key anybody's on this machine, from then on its key's; and what else is a problem to answer."""
    gate = Gate(engine.access, "auto", Limiter(OwnTimes(), None))
    assert gate.check(Scope.ORDERS, "POST", TARGET, LOCAL, b"{}") is ANYONE
    new = await engine.create_key("shop", ["orders"], channel="web")
    found = gate.check(Scope.ORDERS, "POST", TARGET, lower(bearer(new)), b"{}")
    assert isinstance(found, Principal)
    assert (found.key_id, found.name, found.channel) == (new.key.id, "shop", "web")
    for headers, scope, type_ in (
        (LOCAL, Scope.ORDERS, "unauthorized"),
        (lower(bearer(new)), Scope.STOCK, "forbidden"),
    ):
        refused = gate.check(scope, "POST", TARGET, headers, b"{}")
        assert isinstance(refused, Problem)
        assert refused.type == type_
    assert gate.check(Scope.PUBLIC, "GET", "/livez", {}, b"") is ANYONE
    ordered = of_channel(found, ORDER)
    assert isinstance(ordered, Order)
    assert (ordered.channel, of_channel(ANYONE, ORDER)) == ("web", ORDER)


async def test_what_a_key_may_not_counts_towards_its_limit(engine: Engine) -> None:
    """A no costs the service time as well: beyond the limit it is told as any other request."""
    limiter = Limiter(OwnTimes(), None)
    gate = Gate(engine.access, "auto", limiter)
    new = await engine.create_key("reader", ["read"], limit=KeyLimit(rate_per_s=0.01, burst=3))
    told = [gate.check(Scope.ORDERS, "POST", TARGET, lower(bearer(new)), b"{}") for _ in range(5)]
    assert [one.type for one in told if isinstance(one, Problem)] == ["forbidden"] * 3 + ["rate-limited"] * 2
    assert limiter.refused == 2
    allowed = gate.check(Scope.READ, "GET", "/v1/tariff", lower(bearer(new)), b"")
    assert isinstance(allowed, Problem)
    assert allowed.type == "rate-limited"


@pytest.mark.parametrize("mode", ["open", "auto"])
async def test_a_page_from_elsewhere_is_let_in_nowhere(engine: Engine, mode: AccessMode) -> None:
    """Where no key is asked for, a browser would carry anybody's request to a service that only its user can reach."""
    gate = Gate(engine.access, mode, Limiter(OwnTimes(), None))
    for origin in ("https://evil.example", "http://127.0.0.1:9999", "null"):
        refused = gate.check(Scope.STOCK, "POST", "/v1/stock/movements", {**LOCAL, "origin": origin}, b"{}")
        assert isinstance(refused, Problem)
        assert refused.type == "forbidden"
    own = {**LOCAL, "origin": f"http://{LOCAL['host']}"}
    assert gate.check(Scope.STOCK, "POST", "/v1/stock/movements", own, b"{}") is ANYONE
    assert gate.check(Scope.PUBLIC, "GET", "/livez", {**LOCAL, "origin": "https://evil.example"}, b"") is ANYONE


async def test_a_signature_is_compared_in_constant_time(
    tmp_path: Path, empty_store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By `compare_digest` and nothing else."""
    (tmp_path / "root").write_bytes(bytes(32))
    settings = Settings(redis_url=empty_store_url, signing_key_file=tmp_path / "root")
    async with open_engine(settings, background=False) as engine:
        gate = Gate(engine.access, "auto", Limiter(OwnTimes(), None))
        new = await engine.create_key("shop", ["orders"], signed=True)
        at_s = engine.access.keyring.now_ms() / 1000
        headers = lower(signed(new, "POST", TARGET, b"{}", at_s=at_s))
        assert isinstance(gate.check(Scope.ORDERS, "POST", TARGET, headers, b"{}"), Principal)
        assert isinstance(gate.check(Scope.ORDERS, "POST", TARGET, headers, b"{ }"), Problem)
        monkeypatch.setattr(signatures, "compare_digest", lambda one, other: len(one) != len(other))
        assert isinstance(gate.check(Scope.ORDERS, "POST", TARGET, headers, b"{}"), Problem)
