"""`stockade audit` on books that somebody changed by hand."""

import redis

from engine.store.keys import partition_keys
from tests.api.conftest import Shop, run_all
from tests.conftest import Service


def test_a_cell_that_was_changed_by_hand_is_found_and_named(
    shop: Shop, shared_service: Service, live_store: "redis.Redis[bytes]"
) -> None:
    """Exit 1, the cell, and both numbers: what reservations hold and what the cell says."""
    warehouse = shop.warehouse()
    sku = shop.sku(on_hand={warehouse: 7_341})
    shop.reserve((sku, 2))
    keys = partition_keys("stockade", 0)
    (cell,) = [cell for cell, units in live_store.hgetall(keys.on_hand).items() if units == b"7341"]
    live_store.hincrby(keys.free, cell, 3)
    command = ("audit", "--data-dir", shared_service.data_dir)
    found, words = run_all([(*command, "--json"), command])
    live_store.hincrby(keys.free, cell, -3)
    assert (found.code, words.code) == (1, 1)
    total, difference = found.json["differences"]
    assert (total["kind"], total["found"] - total["expected"]) == ("total", 3)
    assert (difference["kind"], difference["where"]) == ("reserved", f"{sku} at {warehouse}")
    assert (difference["expected"], difference["found"]) == (2, -1)
    assert "2 differences" in words.out
    assert f"{sku} at {warehouse}" in " ".join(words.out.split())
