"""REDIS_URL names one server or several nodes, in one readable form; nonsense is refused with what to write."""

import pytest

from engine.errors import InvalidInput
from engine.store.endpoints import NODES_MAX, address_of, database_of, start_urls, with_address


@pytest.mark.parametrize(
    ("url", "nodes"),
    [
        ("redis://one", ["redis://one"]),
        ("unix:///tmp/a,b.sock?db=0", ["unix:///tmp/a,b.sock?db=0"]),
        ("redis://one:1,two:2", ["redis://one:1", "redis://two:2"]),
        ("rediss://u:p%2C@one,two:2/0?a=b", ["rediss://u:p%2C@one/0?a=b", "rediss://u:p%2C@two:2/0?a=b"]),
        ("redis://[::1]:1,[::2]:2", ["redis://[::1]:1", "redis://[::2]:2"]),
        ("redis://:pa,ss@one", ["redis://:pa,ss@one"]),
    ],
)
def test_each_node_gets_all_that_stands_around_it(url: str, nodes: list[str]) -> None:
    """Scheme, credentials, database and options are written once."""
    assert start_urls(url) == tuple(nodes)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("redis://one,,two", "a comma with no node"),
        ("redis://one,two,", "a comma with no node"),
        ("http://one,two", "redis://"),
        ("one:1,two:2", "redis://"),
        ("redis://u:p@one,u:p@two", "credentials once"),
        ("redis://" + ",".join(f"n{number}" for number in range(NODES_MAX + 1)), "the most"),
    ],
)
def test_nonsense_is_refused(url: str, says: str) -> None:
    """Before anything is connected to, and with the form to use."""
    with pytest.raises(InvalidInput, match="REDIS_URL") as refused:
        start_urls(url)
    assert says in str(refused.value)
    assert "HOST:PORT,HOST:PORT" in str(refused.value)


def test_another_node_is_reached_as_the_first_one() -> None:
    """It speaks the same protocol to the same user."""
    assert with_address("rediss://u:p@one:1/0?a=b", "two", 2) == "rediss://u:p@two:2?a=b"
    assert with_address("redis://one", "::2", 2) == "redis://[::2]:2"
    assert address_of("redis://u:p@one:1/0") == ("one", 1)
    assert address_of("redis://one") == ("one", 6379)
    assert [database_of(url) for url in ("redis://one", "redis://one/0", "redis://one/3")] == ["0", "0", "3"]
