"""An `Idempotency-Key` has one effect, beside an id or in its place, on every call that changes something."""

from typing import Any

import pytest

from engine.access import NewKey
from tests.api.conftest import Answer, Door, Shop
from tests.api.guarded import Keyed, operator_of, seconds_until
from tests.conftest import Service

TWINS = 8


def post(shop: Shop, body: Any, key: str, path: str = "/v1/orders") -> Answer:
    """A POST under a key."""
    return shop.door.call("POST", path, body, {"Idempotency-Key": key})


def without_id(order: dict[str, Any]) -> dict[str, Any]:
    """As those send it who only know keys."""
    return {name: value for name, value in order.items() if name != "order_id"}


def test_a_key_is_the_id_of_an_order_that_has_none(shop: Shop) -> None:
    """In quotes as the draft says, or bare as many send it: both are the same key."""
    warehouse = shop.warehouse()
    sku = shop.sku(on_hand={warehouse: 9})
    order = without_id(shop.order((sku, 2)))
    first = post(shop, order, f'"{shop.name}-k"')
    assert (first.status, first.json["order_id"]) == (201, f"{shop.name}-k")
    assert first.headers["Location"] == f"/v1/orders/{shop.name}-k"
    for again in (post(shop, order, f"{shop.name}-k"), shop.post(order | {"order_id": f"{shop.name}-k"})):
        assert (again.status, again.headers["Idempotent-Replayed"], again.body) == (200, "true", first.body)
    assert shop.cell(sku, warehouse)["reserved"] == 2


def test_a_key_that_is_the_id_is_not_for_another_order(shop: Shop) -> None:
    """Somebody's error, and it must not be taken for a retry."""
    warehouse = shop.warehouse()
    sku = shop.sku(on_hand={warehouse: 9})
    assert post(shop, without_id(shop.order((sku, 2))), f"{shop.name}-k").status == 201
    other = post(shop, without_id(shop.order((sku, 3))), f"{shop.name}-k")
    other.problem(422, "idempotency-key-reused")
    assert shop.cell(sku, warehouse)["reserved"] == 2


def test_a_key_beside_an_id_is_not_for_another_order(shop: Shop) -> None:
    """The second has an id of its own, so the id alone would let it pass."""
    warehouse = shop.warehouse()
    sku = shop.sku(on_hand={warehouse: 9})
    order, other = shop.order((sku, 1)), shop.order((sku, 1))
    assert [post(shop, order, f"{shop.name}-k").status for _ in range(2)] == [201, 200]
    post(shop, other, f"{shop.name}-k").problem(422, "idempotency-key-reused")
    assert shop.cell(sku, warehouse)["reserved"] == 1
    # By its own id it is the same order, whatever key it comes with.
    assert post(shop, order, f"{shop.name}-another").headers["Idempotent-Replayed"] == "true"


def test_a_refused_order_has_not_used_its_key_up(shop: Shop) -> None:
    """Nothing was held: the client may send something else, with the key beside an id or in its place."""
    sku = shop.sku(on_hand={shop.warehouse(): 2})
    for with_id in (True, False):
        much, little = shop.order((sku, 9)), shop.order((sku, 1))
        if not with_id:
            much, little = without_id(much), without_id(little)
        post(shop, much, f"{shop.name}-{with_id}").problem(409, "insufficient-stock")
        assert post(shop, little, f"{shop.name}-{with_id}").status == 201


@pytest.mark.parametrize("with_id", [True, False])
def test_twins_under_a_key_are_one_order(shop: Shop, with_id: bool) -> None:
    """The second waits for the first, and is answered with what became of it."""
    warehouse = shop.warehouse()
    sku = shop.sku(on_hand={warehouse: TWINS})
    order = shop.order((sku, 1)) if with_id else without_id(shop.order((sku, 1)))
    headers = {"Idempotency-Key": f"{shop.name}-twins"}
    answers = shop.door.call_at_once([("POST", "/v1/orders", order, headers)] * TWINS)
    assert sorted(answer.status for answer in answers) == [200] * (TWINS - 1) + [201]
    assert len({answer.body for answer in answers}) == 1
    assert shop.cell(sku, warehouse)["reserved"] == 1


@pytest.mark.parametrize("with_id", [True, False])
def test_of_rivals_under_a_key_one_wins(shop: Shop, with_id: bool) -> None:
    """Two contents at once under one key are never both done."""
    warehouse = shop.warehouse()
    sku = shop.sku(on_hand={warehouse: 99})
    orders = [shop.order((sku, 1 + index % 2)) for index in range(2)] * (TWINS // 2)
    if not with_id:
        orders = [without_id(order) for order in orders]
    headers = {"Idempotency-Key": f"{shop.name}-rivals"}
    answers = shop.door.call_at_once([("POST", "/v1/orders", order, headers) for order in orders])
    won = [answer for answer in answers if answer.status in (200, 201)]
    assert len({answer.body for answer in won}) == 1
    assert sum(answer.status == 201 for answer in won) == 1
    for answer in answers:
        if answer not in won:
            answer.problem(422, "idempotency-key-reused")


def test_a_key_is_known_after_a_restart(service: Service) -> None:
    """It is in the store, so every process on it knows it, and the next one, too."""
    shop = Shop(Door(service.start()), "KEPT")
    sku = shop.sku(on_hand={shop.warehouse(): 9})
    first, second = shop.order((sku, 1)), shop.order((sku, 1))
    assert post(shop, first, "kept").status == 201
    service.kill()
    after = Shop(Door(service.start()), "KEPT")
    assert post(after, first, "kept").headers["Idempotent-Replayed"] == "true"
    post(after, second, "kept").problem(422, "idempotency-key-reused")


def test_a_key_names_a_change_of_an_order(shop: Shop) -> None:
    """As its transition_id where there is none; keys of one order's changes are not those of another's."""
    sku = shop.sku(on_hand={shop.warehouse(): 9})
    order_id, other_id = (shop.reserve((sku, 2))["order_id"] for _ in range(2))
    path = f"/v1/orders/{order_id}/ship"
    one = {"lines": [{"sku": sku, "quantity": 1}]}
    first = post(shop, one, "parcel", path)
    again = post(shop, one, "parcel", path)
    assert (first.status, again.headers["Idempotent-Replayed"], again.body) == (200, "true", first.body)
    post(shop, {}, "parcel", path).problem(422, "idempotency-key-reused")
    beside = {**one, "transition_id": "second"}
    assert [post(shop, beside, "beside", path).status for _ in range(2)] == [200, 200]
    post(shop, {**one, "transition_id": "third"}, "beside", path).problem(422, "idempotency-key-reused")
    assert post(shop, {}, "parcel", f"/v1/orders/{other_id}/ship").json["status"] == "shipped"


def test_a_key_names_a_movement(shop: Shop) -> None:
    """As its movement_id where there is none."""
    warehouse = shop.warehouse()
    sku = shop.sku(on_hand={warehouse: 1})
    path = "/v1/stock/movements"
    body = {"type": "receive", "rows": [{"sku": sku, "warehouse": warehouse, "quantity": 5}]}
    first, again = (post(shop, body, f"{shop.name}-in", path) for _ in range(2))
    assert (first.json["movement_id"], first.json["replayed"]) == (f"{shop.name}-in", False)
    assert again.headers["Idempotent-Replayed"] == "true"
    post(shop, body | {"reason": "other"}, f"{shop.name}-in", path).problem(422, "idempotency-key-reused")
    named = body | {"movement_id": f"{shop.name}-own"}
    assert [post(shop, named, f"{shop.name}-m", path).json["replayed"] for _ in range(2)] == [False, True]
    other = body | {"movement_id": f"{shop.name}-own-2"}
    post(shop, other, f"{shop.name}-m", path).problem(422, "idempotency-key-reused")
    assert shop.cell(sku, warehouse)["on_hand"] == 11


@pytest.mark.parametrize("key", ["", '""', '"', '"a', "a b", "a,b", "a;b", '"a\\"b"', "x" * 129, "\xfc", '"a";p=1'])
@pytest.mark.usefixtures("unchanged")
def test_a_malformed_key_is_refused(shop: Shop, key: str) -> None:
    """Taken as something else than was meant, it would protect nobody."""
    problem = post(shop, shop.order(("any", 1)), key).problem(400, "invalid-idempotency-key")
    assert "visible ASCII" in problem["detail"]


def test_an_order_without_id_and_key_is_told_what_it_lacks(shop: Shop) -> None:
    """The key is a way to name it, not a way around a name."""
    shop.post(without_id(shop.order(("any", 1)))).problem(422, "invalid-order")
    problem = post(shop, {}, "k").problem(422, "invalid-order")
    assert problem["errors"][0]["pointer"] == "/ship_to"
    post(shop, b" [1]", "k").problem(422, "invalid-order")
    post(shop, b"{", "k").problem(400, "broken-json")


def test_keys_of_two_clients_are_not_the_same(service: Service) -> None:
    """Each counts from 1, and neither knows of the other; one that got another secret is the same client."""
    plain = Door(service.start())
    shop = Shop(plain, "TWO")
    sku = shop.sku(on_hand={shop.warehouse(): 9})
    orders = [shop.order((sku, 1)) for _ in range(3)]
    rows = [{"sku": sku, "warehouse": "TWO-W", "quantity": 1}]
    moves = [{"movement_id": f"m{number}", "type": "receive", "rows": rows} for number in range(3)]
    operator = operator_of(service.data_dir)
    first, other = (operator.create("orders", "stock") for _ in range(2))

    def statuses(key: NewKey, place: int) -> tuple[int, int]:
        """Of an order and a movement, each with the same key as all the others of its kind."""
        keyed = Shop(Keyed(service.url, key), "TWO")
        seconds_until(lambda: plain.call("GET", "/v1/orders/x").status == 401)
        seconds_until(lambda: keyed.door.call("GET", "/v1/orders/x").status == 404)
        return post(keyed, orders[place], "1").status, post(keyed, moves[place], "1", "/v1/stock/movements").status

    assert statuses(first, 0) == (201, 200)
    assert statuses(other, 1) == (201, 200)
    assert statuses(operator.rotate(first), 2) == (422, 422)
