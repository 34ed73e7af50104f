"""Peers of the comparison sell what they have and no more, keep what they told, and know an order again."""

import http.client
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from bench.peers.driven import Driven, driven, open_to_all
from bench.peers.entrants import SERVICES
from bench.peers.goods import BULK, SCARCE, SCARCE_UNITS, SCARCE_WAREHOUSES, SINGLE
from bench.peers.postgres_server import BIN, NoPostgres, find_programs
from bench.peers.shop import Place, Settings, balance, by_distance

RUNS_MAX = 30


@pytest.fixture(params=SERVICES)
def peer(request: pytest.FixtureRequest) -> Iterator[Driven]:
    """Each of them; PostgreSQL where it is to be had."""
    if request.param.startswith("postgres"):
        pytest.importorskip("asyncpg")
        try:
            find_programs()
        except NoPostgres as error:
            pytest.skip(str(error))
    # Not pytest's folder, which PostgreSQL's user must not enter.
    with tempfile.TemporaryDirectory(prefix="stockade-peers-") as folder:
        open_to_all(Path(folder))
        with driven(request.param, Path(folder)) as one:
            yield one


def _post(peer: Driven, path: str, body: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(urlsplit(peer.url).netloc, timeout=30)
    kind = "application/x-ndjson" if path == BULK else "application/json"
    connection.request("POST", path, body, {"Content-Type": kind})
    answer = connection.getresponse()
    told = answer.status, answer.read()
    connection.close()
    return told


def _order(name: str, units: int) -> str:
    lines = [{"sku": sku, "quantity": units} for sku in SCARCE]
    return json.dumps({"order_id": name, "ship_to": {"lat": 31.2, "lon": 121.5, "country": "CN"}, "lines": lines})


@pytest.mark.slow
def test_a_peer_sells_what_it_has_and_no_more(peer: Driven) -> None:
    """Buyers alone and in bulk lock two scarce SKUs in both sequences until they are refused."""
    use = peer.kind != "stockade"
    if use:
        peer.use(Settings(pool=4))
    assert _post(peer, SINGLE, _order("one", 2))[0] == 201
    assert _post(peer, SINGLE, _order("one", 2))[0] == 200
    assert _post(peer, SINGLE, _order("far too much", 9_999))[0] == 409
    told = [json.loads(line) for line in _post(peer, BULK, _order("two", 3) + "\n" + _order("one", 2))[1].splitlines()]
    assert [line["outcome"] for line in told] == ["reserved", "replayed"]
    refused = 0
    for number in range(RUNS_MAX):
        if use:
            peer.use(Settings(pool=16, together=50, pipelined=number % 4 == 1))
        bulk = number % 2 == 1
        connections = 4 if bulk else 24
        done = peer.run(bulk=bulk, seconds=0.2, connections=connections, lines=50, scarce=True, pause_s=0)
        assert done.others == 0
        refused += done.refused
        if refused and number >= 3:
            break
    books = peer.books()
    assert refused, "there was enough for everyone"
    assert (books.oversold, books.astray) == (0, 0)
    assert books.orders == peer.accepted + 2
    assert books.units <= len(SCARCE) * SCARCE_WAREHOUSES * SCARCE_UNITS


def test_books_that_do_not_add_up_are_told() -> None:
    """An order beyond what was there, a cell below nothing, a unit that nobody has."""
    assert balance({"a": 5}, {"a": 2}, {"a": 3}, 1).oversold == 0
    assert balance({"a": 5}, {"a": -1}, {"a": 6}, 1).oversold == 1
    assert balance({"a": 5}, {"a": 1}, {"a": 3}, 1).astray == 1
    assert balance({"a": 5}, {"a": 5}, {"b": 3}, 1).oversold == 3


def test_the_nearest_warehouse_comes_first() -> None:
    """Of the sample, the one in the city itself."""
    ranked = by_distance(Place(31.22222, 121.45806))
    assert ranked[0].startswith("SHA")
    assert len(set(ranked)) == len(ranked)


def test_programs_that_are_not_there_are_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """By the setting that named them."""
    monkeypatch.setenv(BIN, str(tmp_path))
    with pytest.raises(NoPostgres, match=BIN):
        find_programs()
