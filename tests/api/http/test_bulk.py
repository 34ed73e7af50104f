"""Orders in bulk: each line an order by itself, whatever its neighbours, the cut of the bytes, or the client do."""

import contextlib
import json
import random
from collections.abc import Iterator

import pytest

from engine.model import limits
from tests.api.conftest import Door, Shop
from tests.api.http.bulk_case import NDJSON, Raw, available, iter_lines, order, post, results
from tests.conftest import Service


@pytest.fixture
def sku(shop: Shop) -> str:
    """A SKU of the test's own with 1,000 units."""
    return shop.sku(on_hand={shop.warehouse(): 1_000})


def test_every_line_has_its_result_in_the_order_of_the_lines(door: Door, shop: Shop, sku: str) -> None:
    """A common order, one that is only unusual, a twin, another order of its id, and each way of being refused."""
    name = shop.name
    lines = [
        order(f"{name}-1", sku, 2),
        order(f"{name}-2", sku, metadata={"a": "b"}, customer="\u00e9va"),
        order(f"{name}-1", sku, 2),
        order(f"{name}-1", sku, 3),
        order(f"{name}-3", sku, 100_000),
        b"{",
        order(f"{name}-4", "no such sku"),
        order(f"{name}-5", sku, 0),
        b"\xff\xfe",
        b"[]",
        order(f"{name} ", sku),
        order(f"{name}-6", sku, payment="pending"),
    ]
    found = results(post(door, b"\n".join(lines) + b"\n"))
    assert [row["outcome"] for row in found] == [
        *("reserved", "reserved", "replayed", "rejected", "rejected", "invalid"),
        *("invalid", "invalid", "invalid", "invalid", "invalid", "reserved"),
    ]
    ids = [f"{name}-1", f"{name}-2", f"{name}-1", f"{name}-1", f"{name}-3", None, f"{name}-4", f"{name}-5"]
    assert [row["order_id"] for row in found] == [*ids, None, None, f"{name} ", f"{name}-6"]
    types = {3: "order-conflict", 4: "insufficient-stock", 5: "broken-json", 6: "invalid-order", 7: "invalid-order"}
    assert {place: found[place]["type"] for place in types} == types
    assert found[4]["shortages"] == [{"sku": sku, "requested": 100_000, "available": 996}]
    assert found[7]["errors"][0]["pointer"] == "/lines/0/quantity"
    # What is kept is what a single call would have kept.
    held = {key: value for key, value in found[0].items() if key != "outcome"}
    assert held == door.call("GET", f"/v1/orders/{name}-1").json
    alone = door.call("POST", "/v1/orders", lines[1])
    assert (alone.status, alone.headers["Idempotent-Replayed"]) == (200, "true")
    assert available(door, sku) == 1_000 - 2 - 1 - 1


def test_a_body_sent_again_is_answered_again_and_takes_nothing(door: Door, shop: Shop, sku: str) -> None:
    """Also in another order, and with single orders among the first."""
    lines = [order(f"{shop.name}-{number}", sku) for number in range(500)]
    assert door.call("POST", "/v1/orders", lines[7]).status == 201
    first = results(post(door, b"\n".join(lines)))
    assert [row["outcome"] for row in first] == ["replayed" if place == 7 else "reserved" for place in range(500)]
    second = results(post(door, b"\n".join(reversed(lines))))
    assert {row.pop("outcome") for row in second} == {"replayed"}
    for row in first:
        del row["outcome"]
    assert second == first[::-1]
    assert available(door, sku) == 500


def test_where_the_bytes_are_cut_makes_no_difference(door: Door, shop: Shop, sku: str) -> None:
    """Chunks end in the midst of lines, characters and line ends."""
    cut = random.Random(7)
    lines = [order(f"{shop.name}-{number}", sku, customer=f"c\u00e9-{number}") for number in range(60)]
    body = b"\r\n".join(lines)

    def chunks() -> Iterator[bytes]:
        at = 0
        while at < len(body):
            step = cut.choice((1, 7, 100, 3_000))
            yield body[at : at + step]
            at += step

    found = results(post(door, chunks()))
    assert [row["order_id"] for row in found] == [f"{shop.name}-{number}" for number in range(60)]
    assert {row["outcome"] for row in found} == {"reserved"}


def test_empty_lines_a_byte_order_mark_and_a_missing_last_end_are_no_orders(door: Door, shop: Shop, sku: str) -> None:
    """An empty body has no results."""
    body = b"\xef\xbb\xbf\n  \r\n" + order(f"{shop.name}-1", sku) + b"\n\n\t\n" + order(f"{shop.name}-2", sku)
    assert [row["outcome"] for row in results(post(door, body))] == ["reserved", "reserved"]
    for nothing in (b"", b"\n", b"\n\n \n", b"\xef\xbb\xbf"):
        assert results(post(door, nothing)) == []


@pytest.mark.parametrize("length", [limits.ORDER_BYTES_MAX + 1, 3_000_000])
def test_a_line_that_is_too_long_spoils_only_itself(door: Door, shop: Shop, sku: str, length: int) -> None:
    """One that is just as long as it may be is an order."""
    first, last = order(f"{shop.name}-1", sku), order(f"{shop.name}-2", sku)
    full = order(f"{shop.name}-3", sku).ljust(limits.ORDER_BYTES_MAX)
    long = order(f"{shop.name}-4", sku).ljust(length)
    found = results(post(door, b"\n".join((first, long, full, last))))
    assert [row["outcome"] for row in found] == ["reserved", "invalid", "reserved", "reserved"]
    assert (found[1]["type"], found[1]["order_id"]) == ("too-large", None)
    assert available(door, sku) == 997
    # At the end of the body, too.
    assert results(post(door, long))[0]["type"] == "too-large"


@pytest.mark.usefixtures("unchanged")
def test_another_kind_of_body_is_refused(door: Door) -> None:
    """What curl sends with -d has lost its line ends."""
    for kind in ("application/json", "application/x-www-form-urlencoded", "text/csv"):
        post(door, b"{}", {"Content-Type": kind}).problem(415, "unsupported-media-type")
    post(door, b"{}", {**NDJSON, "Content-Encoding": "gzip"}).problem(415, "unsupported-encoding")
    for kind in ("application/x-ndjson; charset=utf-8", "application/jsonl"):
        assert results(post(door, b"", {"Content-Type": kind})) == []


def test_the_last_units_go_to_the_first_lines(door: Door, shop: Shop) -> None:
    """And everybody else hears the truth."""
    sku = shop.sku("scarce", on_hand={shop.warehouse("S"): 10})
    found = results(post(door, b"\n".join(order(f"{shop.name}-{number}", sku) for number in range(300))))
    outcomes = [row["outcome"] for row in found]
    assert (outcomes.count("reserved"), outcomes.count("rejected")) == (10, 290)
    assert {row["type"] for row in found if row["outcome"] == "rejected"} == {"insufficient-stock"}
    assert available(door, sku) == 0


def test_results_come_while_the_body_is_still_on_its_way(door: Door, shop: Shop, sku: str) -> None:
    """A connector may keep one call open and feed it."""
    raw = Raw(door)
    with contextlib.closing(raw.socket):
        for number in range(3):
            raw.send(order(f"{shop.name}-{number}", sku) + b"\n")
            assert b'"reserved"' in raw.until(f'"order_id":"{shop.name}-{number}"'.encode())
        raw.socket.sendall(b"0\r\n\r\n")
        assert raw.until(b"\r\n0\r\n\r\n").endswith(b"\r\n0\r\n\r\n")


def test_a_client_that_hangs_up_leaves_whole_lines_done_and_half_ones_undone(door: Door, shop: Shop, sku: str) -> None:
    """Its retry hears of both."""
    whole = [order(f"{shop.name}-{number}", sku) for number in range(3)]
    raw = Raw(door)
    # The half line would be an order, if it were one.
    raw.send(b"\n".join(whole))
    assert b'"reserved"' in raw.until(f'"order_id":"{shop.name}-1"'.encode())
    raw.socket.close()
    found = results(post(door, b"\n".join(whole)))
    assert [row["outcome"] for row in found] == ["replayed", "replayed", "reserved"]
    assert available(door, sku) == 997


def test_a_client_that_takes_no_results_is_read_no_further(door: Door, shop: Shop, sku: str) -> None:
    """So memory is bounded by what fits between two ends, however much it sends; others are served meanwhile."""
    raw = Raw(door)
    raw.socket.settimeout(2)
    line = b"x" * 300 + b"\n"
    sent = 0
    with contextlib.closing(raw.socket):
        with contextlib.suppress(TimeoutError):
            while sent < 200_000_000:
                raw.send(line * 200)
                sent += 200 * len(line)
        assert sent < 60_000_000
        assert results(post(door, order(f"{shop.name}-1", sku)))[0]["outcome"] == "reserved"


def test_a_service_killed_in_mid_body_has_kept_what_it_answered(service: Service) -> None:
    """kill -9 while lines come and go: each answered line is in the store, and the body, sent again, is done once."""
    service.start()
    door = Door(service.url)
    shop = Shop(door, "K")
    sku = shop.sku(on_hand={shop.warehouse(): 100_000})
    lines = [order(f"K-{number}", sku) for number in range(20_000)]
    raw = Raw(door)
    raw.send(b"\n".join(lines[:15_000]) + b"\n")
    raw.until(b'"order_id":"K-2000"')
    service.kill()
    with contextlib.suppress(OSError), contextlib.closing(raw.socket):
        raw.until(b"no such text")
    answered = [json.loads(line) for line in raw.read.split(b"\n") if line.endswith(b"}") and line.startswith(b"{")]
    assert len(answered) >= 2_000
    service.start()
    door = Door(service.url)
    found = {row["order_id"]: row for row in results(post(door, iter_lines(lines)))}
    assert {row["outcome"] for row in found.values()} == {"reserved", "replayed"}
    for row in answered:
        again = found[row["order_id"]]
        assert again["outcome"] == "replayed"
        assert {**again, "outcome": "reserved"} == row
    assert available(door, sku) == 80_000
