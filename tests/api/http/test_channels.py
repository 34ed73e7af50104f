"""Keys of one channel, over sockets: other channels' orders are not there for them."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec
import pytest

from api.http.routes import ROUTES, Route
from tests.api.conftest import Door, Shop
from tests.api.guarded import Keyed, operator_of, seconds_until
from tests.conftest import Service

BODIES: dict[str, Any] = {
    "confirm": {},
    "cancel": {},
    "extend": {"hold_seconds": 60, "transition_id": "t"},
    "ship": {"transition_id": "t"},
    "split": {"into": "{id}/x", "lines": [{"sku": "CH-A", "quantity": 1}], "transition_id": "t"},
    "amend": {"lines": [{"sku": "CH-A", "quantity": 1}], "transition_id": "t"},
}


class Channels(NamedTuple):
    """One shop, seen by the holders of several keys."""

    all: Shop
    web: Shop
    app: Shop
    events: Door


@pytest.fixture(scope="module")
def channels(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Channels]:
    """A service with a key for everything, and two of one channel each."""
    service = Service(tmp_path_factory.mktemp("channels") / "store")
    operator = operator_of(service.data_dir)
    service.start()
    try:
        keys = [
            operator.create("orders", "stock", "admin", "read"),
            operator.create("orders", "read", channel="web"),
            operator.create("orders", channel="app"),
        ]
        everything, web, app = (Keyed(service.url, key) for key in keys)
        seconds_until(lambda: Door(service.url).call("GET", "/v1/orders/none").status == 401)
        seconds_until(lambda: app.call("GET", "/v1/orders/none").status == 404)
        shop = Shop(everything, "CH")
        shop.warehouse()
        shop.sku(on_hand={"CH-W": 1_000})
        yield Channels(shop, Shop(web, "CHW"), Shop(app, "CHA"), web)
    finally:
        service.stop()


def test_an_order_that_names_no_channel_is_of_the_keys(channels: Channels) -> None:
    """The storefront need not know what the operator calls it."""
    order = channels.web.order(("CH-A", 1))
    assert channels.web.post(order).status == 201
    # The same order, whoever names its channel.
    again = channels.all.post({**order, "channel": "web"})
    assert (again.status, again.headers["Idempotent-Replayed"]) == (200, "true")
    assert channels.web.post({**order, "channel": "web"}).status == 200
    # Without a channel it is another one.
    channels.all.post(order).problem(422, "order-conflict")


def test_keys_of_requests_are_no_space_that_channels_share(channels: Channels) -> None:
    """Each storefront thinks up its own, as `cart-1`: neither meets the other's, nor learns of them."""
    made = []
    for shop in (channels.web, channels.app, channels.all):
        order = shop.order(("CH-A", 1), order_id=None)
        answers = [shop.door.call("POST", "/v1/orders", order, {"Idempotency-Key": "cart-1"}) for _ in range(2)]
        assert [answer.status for answer in answers] == [201, 200]
        made.append(answers[0].json["order_id"])
        shop.door.call(
            "POST", "/v1/orders", shop.order(("CH-A", 2), order_id=None), {"Idempotency-Key": "cart-1"}
        ).problem(422, "idempotency-key-reused")
    assert made == ["web:cart-1", "app:cart-1", "cart-1"]
    # Beside an id they are not one either.
    for shop in (channels.web, channels.app):
        answer = shop.door.call("POST", "/v1/orders", shop.order(("CH-A", 1)), {"Idempotency-Key": "beside"})
        assert answer.status == 201


def test_an_order_of_another_channel_is_refused(channels: Channels) -> None:
    """It would be told in the wrong books, and take from another's pool."""
    order = channels.web.order(("CH-A", 1), channel="app")
    channels.web.post(order).problem(403, "forbidden")
    channels.web.door.call("POST", "/v1/quotes", order).problem(403, "forbidden")
    channels.all.door.call("GET", f"/v1/orders/{order['order_id']}").problem(404, "not-found")


def test_orders_in_bulk_are_of_the_keys_channel(channels: Channels) -> None:
    """Line by line: one that names another channel spoils itself alone."""
    orders = [channels.web.order(("CH-A", 1), channel=channel) for channel in (None, "web", "app")]
    lines = b"".join(msgspec.json.encode(order) + b"\n" for order in orders)
    answer = channels.web.door.call("POST", "/v1/orders:bulk", lines, {"Content-Type": "application/x-ndjson"})
    told = [msgspec.json.decode(line) for line in answer.body.splitlines()]
    assert [(line["outcome"], line["order_id"]) for line in told] == [
        ("reserved", orders[0]["order_id"]),
        ("reserved", orders[1]["order_id"]),
        ("rejected", orders[2]["order_id"]),
    ]
    assert told[2]["type"] == "forbidden"
    again = channels.all.post({**orders[0], "channel": "web"})
    assert (again.status, again.headers["Idempotent-Replayed"]) == (200, "true")


def test_a_quote_is_of_the_keys_channel(channels: Channels) -> None:
    """As the order would be."""
    assert channels.web.door.call("POST", "/v1/quotes", channels.web.order(("CH-A", 1))).status == 200


BY_ID = [route for route in ROUTES if "{order_id}" in route.path]


@pytest.mark.parametrize("route", BY_ID, ids=lambda route: f"{route.method} {route.path}")
def test_an_order_of_another_channel_is_not_there(channels: Channels, route: Route) -> None:
    """Nor does the answer differ from that for an id that nobody has: who guesses ids learns nothing."""
    order = channels.all.reserve(("CH-A", 2), channel="app", payment="pending")
    unnamed = channels.all.reserve(("CH-A", 2), payment="pending")
    word = route.path.rpartition("/")[2]
    told = set()
    for order_id in (order["order_id"], unnamed["order_id"], "CH-NONE"):
        body = BODIES.get(word)
        if word == "split":
            body = {**BODIES["split"], "into": f"{order_id}/x"}
        answer = channels.web.door.call(route.method, route.path.replace("{order_id}", order_id), body)
        found = answer.problem(404, "not-found")
        told.add((found["detail"].replace(order_id, "ID"), found["title"], tuple(found)))
    assert len(told) == 1
    for each in (order, unnamed):
        assert channels.all.door.call("GET", f"/v1/orders/{each['order_id']}").json == each
    assert channels.app.door.call("GET", f"/v1/orders/{order['order_id']}").json == order


def test_its_own_orders_are_changed_as_ever(channels: Channels) -> None:
    """Whatever an order goes through, it stays of its channel, and so does what is split off."""
    door = channels.app.door
    order_id = channels.app.reserve(("CH-A", 4), payment="pending")["order_id"]
    calls = (
        ("confirm", {}),
        ("amend", {"lines": [{"sku": "CH-A", "quantity": 3}], "transition_id": "a"}),
        ("split", {"into": f"{order_id}/x", "lines": [{"sku": "CH-A", "quantity": 1}], "transition_id": "s"}),
        ("ship", {"transition_id": "p"}),
    )
    for word, body in calls:
        assert door.call("POST", f"/v1/orders/{order_id}/{word}", body).status == 200, word
    child = f"/v1/orders/{order_id}%2Fx"
    assert door.call("GET", child).status == 200
    channels.web.door.call("GET", child).problem(404, "not-found")
    assert door.call("POST", f"{child}/cancel").status == 200


@pytest.mark.parametrize("route", [route for route in ROUTES if route.all_channels], ids=lambda route: route.path)
def test_what_tells_of_all_channels_is_not_for_one(channels: Channels, route: Route) -> None:
    """The feed names the orders of everybody, and so do runs that move them."""
    path = route.path.replace("{run_id}", "none")
    channels.web.door.call(route.method, path).problem(403, "forbidden")
    assert channels.all.door.call(route.method, path).status == (200 if path == route.path else 404)


def test_the_feed_tells_of_all_channels() -> None:
    """So that it is among those above."""
    assert any(route.path == "/v1/events" and route.all_channels for route in ROUTES)
