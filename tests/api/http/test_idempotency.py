"""One order id has one effect: whatever is sent again, sent at once, or sent by a client that hangs up."""

import json
import socket
import struct
from time import sleep

import msgspec
import pytest
import redis

from tests.api.conftest import Answer, Shop

TWINS = 12
STORE_PAUSE_MS = 300


def test_an_order_sent_again_is_the_same_order(shop: Shop) -> None:
    """A client that lost the answer asks again, and must neither buy twice nor hear something else."""
    warehouse = shop.warehouse()
    sku = shop.sku(on_hand={warehouse: 3})
    order = shop.order((sku, 3))
    first = shop.post(order)
    for _ in range(3):
        again = shop.post(order)
        assert (again.status, again.headers["Idempotent-Replayed"]) == (200, "true")
        assert again.body == first.body
    assert first.headers["Idempotent-Replayed"] is None
    assert shop.cell(sku, warehouse)["reserved"] == 3


def test_the_form_of_its_json_does_not_make_another_order(shop: Shop) -> None:
    """A retry may be written by another library: the values count, not blanks, key order, escapes or defaults."""
    sku = shop.sku(on_hand={shop.warehouse(): 9})
    order = shop.order((sku, 1), channel="app", metadata={"b": "ä/", "a": 1})
    assert shop.post(order).status == 201
    backwards = dict(reversed(order.items())) | {"metadata": dict(reversed(order["metadata"].items()))}
    defaults = {"payment": "paid", "allow_split": True, "allow_partial": False, "customer": None}
    for same in (
        json.dumps(order, indent=4),
        json.dumps(backwards, ensure_ascii=False),
        json.dumps(order | defaults),
        json.dumps(order).replace("31.0", "31").replace("121.0", "1.21e2"),
        json.dumps(order).replace("/", "\\/"),
    ):
        assert shop.post(same.encode()).status == 200, same


CHANGES = [
    {"channel": "app"},
    {"customer": "ann"},
    {"payment": "pending"},
    {"ship_to": {"lat": 31.0, "lon": 121.000001}},
    {"allow_partial": True},
    {"metadata": {"a": 1}},
]


@pytest.mark.parametrize("change", CHANGES)
def test_the_same_id_with_another_content_is_refused(shop: Shop, change: dict[str, object]) -> None:
    """Two orders under one id are somebody's error, and the second must not be taken for the first."""
    warehouse = shop.warehouse()
    sku = shop.sku(on_hand={warehouse: 9})
    order = shop.order((sku, 1))
    first = shop.post(order)
    shop.post(order | change).problem(422, "order-conflict")
    assert shop.door.call("GET", first.headers["Location"]).body == first.body
    assert shop.cell(sku, warehouse)["reserved"] == 1


def test_a_refused_order_may_try_again_under_its_id(shop: Shop) -> None:
    """Nothing was held, so nothing is remembered: after a restock the same order succeeds."""
    warehouse = shop.warehouse()
    sku = shop.sku(on_hand={warehouse: 1})
    order = shop.order((sku, 2))
    shop.post(order).problem(409, "insufficient-stock")
    shop.door.put("/v1/stock", [{"sku": sku, "warehouse": warehouse, "on_hand": 2}])
    assert shop.post(order).status == 201


def test_twins_sent_at_once_are_one_order(shop: Shop) -> None:
    """A double click and a retry storm arrive together."""
    warehouse = shop.warehouse()
    sku = shop.sku(on_hand={warehouse: TWINS})
    order = shop.order((sku, 1))
    answers = shop.door.call_at_once([("POST", "/v1/orders", order)] * TWINS)
    assert sorted(answer.status for answer in answers) == [200] * (TWINS - 1) + [201]
    assert len({answer.body for answer in answers}) == 1
    assert shop.cell(sku, warehouse)["reserved"] == 1


def test_of_rivals_for_one_id_sent_at_once_one_wins(shop: Shop) -> None:
    """Half send one content and half another: one is created, its twins are replays, all others conflict."""
    warehouse = shop.warehouse()
    sku = shop.sku(on_hand={warehouse: 100})
    order = shop.order((sku, 1))
    rivals = [order | {"lines": [{"sku": sku, "quantity": 1 + index % 2}]} for index in range(TWINS)]
    answers = shop.door.call_at_once([("POST", "/v1/orders", rival) for rival in rivals])
    winners = [answer for answer in answers if answer.status == 201]
    assert len(winners) == 1
    won = winners[0].json["shipments"][0]["lines"][0]["quantity"]
    for rival, answer in zip(rivals, answers, strict=True):
        if rival["lines"][0]["quantity"] == won:
            assert answer.body == winners[0].body
        else:
            answer.problem(422, "order-conflict")
    assert shop.cell(sku, warehouse)["reserved"] == won


def test_a_replay_of_the_order_that_took_the_last_unit_is_no_shortage(shop: Shop) -> None:
    """Its own stock is gone because it has it."""
    sku = shop.sku(on_hand={shop.warehouse(): 1}, purchase_limit=1)
    order = shop.order((sku, 1), customer="ann")
    assert [shop.post(order).status for _ in range(3)] == [201, 200, 200]
    shop.post(order | {"channel": "app"}).problem(422, "order-conflict")


def send_and_hang_up(shop: Shop, order: dict[str, object], *, rudely: bool, wait_s: float = 0.0) -> None:
    """Send an order and close without reading; rudely means with a reset instead of a goodbye."""
    host, port = shop.door.address.split(":")
    body = msgspec.json.encode(order)
    with socket.create_connection((host, int(port))) as connection:
        if rudely:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.sendall(b"POST /v1/orders HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
        sleep(wait_s)


@pytest.mark.parametrize("rudely", [False, True])
def test_a_client_that_hangs_up_during_the_commit_finds_its_reservation(
    shop: Shop, live_store: "redis.Redis[bytes]", rudely: bool
) -> None:
    """Never cancelled between commit and reply: the store is held up so that the hang-up falls between the two."""
    warehouse = shop.warehouse()
    sku = shop.sku(on_hand={warehouse: 1})
    order = shop.order((sku, 1))
    live_store.execute_command("CLIENT", "PAUSE", STORE_PAUSE_MS, "WRITE")
    send_and_hang_up(shop, order, rudely=rudely, wait_s=STORE_PAUSE_MS / 3000)
    again: Answer = shop.post(order)
    assert (again.status, again.headers["Idempotent-Replayed"]) == (200, "true")
    assert shop.cell(sku, warehouse)["reserved"] == 1


@pytest.mark.parametrize("rudely", [False, True])
def test_a_client_that_hangs_up_at_once_buys_at_most_once(shop: Shop, rudely: bool) -> None:
    """Whether the service had begun or not, the retry is answered with the one reservation that there is."""
    warehouse = shop.warehouse()
    sku = shop.sku(on_hand={warehouse: 20})
    for _ in range(20):
        order = shop.order((sku, 1))
        send_and_hang_up(shop, order, rudely=rudely)
        assert shop.post(order).status in (200, 201)
    assert shop.cell(sku, warehouse)["reserved"] == 20
