"""`stockade loadtest` against real services: what it orders is sold, and what it tells is what came."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec
import pytest

from engine import Settings
from loadtest.load_result import LoadResult
from loadtest.verdict import findings
from tests.api.conftest import Door, Finished, run, run_all
from tests.api.guarded import Keyed, Operator
from tests.conftest import Service

UNITS = 1_000_000
SKUS = ["tea", 'say "hi"\\n', "平底锅"]
QUICK = ("--rate", 150, "--seconds", 2, "--connections", 16, "--json")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """A service with a few SKUs of awkward names, and more units than are ever ordered."""
    service = Service(tmp_path_factory.mktemp("loaded") / "store")
    door = Door(service.start())
    stock(door)
    yield door
    service.stop()


def stock(door: Door) -> None:
    """Two warehouses, and the SKUs."""
    for name, lat in (("W1", 30.0), ("W2", 40.0)):
        door.put(f"/v1/warehouses/{name}", {"lat": lat, "lon": 120.0})
    rows = []
    for sku in SKUS:
        door.put(f"/v1/skus/{quote(sku, safe='')}", {})
        rows += [{"sku": sku, "warehouse": name, "on_hand": UNITS} for name in ("W1", "W2")]
    door.put("/v1/stock", rows)


def result_of(finished: Finished, **targets: Any) -> LoadResult:
    """The result that was printed; the exit code must be that of what it tells."""
    assert finished.code in (0, 1), finished.err
    result = msgspec.json.decode(finished.out, type=LoadResult)
    assert (finished.code == 1) == bool(result.findings) == bool(findings(result, **targets)), finished.err
    return result


def test_what_is_ordered_is_sold(shop: Door) -> None:
    """Every order that was due is accepted once, and held by the stock, whatever the SKUs are called."""
    before = sum(cell["reserved"] for cell in shop.stock())
    finished = run("loadtest", "--url", f"http://{shop.address}", *QUICK, "--lines-max", 1, "--units-max", 1)
    result = result_of(finished)
    assert result.offered > 200
    assert result.classes["ok"].count == result.offered
    assert result.statuses == {201: result.offered}
    assert sum(cell["reserved"] for cell in shop.stock()) - before == result.offered
    assert "Ordering from 3 SKUs to 2 places" in finished.err


def test_every_kind_of_order_is_understood(shop: Door, tmp_path: Path) -> None:
    """Replays are replayed, holds confirmed and cancelled, bodies in bulk answered line by line, records replayed."""
    url = f"http://{shop.address}"
    record = tmp_path / "record"
    trace = tmp_path / "trace"
    places = tmp_path / "places"
    body = {"order_id": "loaded-trace", "ship_to": {"lat": 31, "lon": 121}, "lines": [{"sku": "tea", "quantity": 1}]}
    lines = ["0", '{"at_s": 0.5}', '{"at_s": 1.5}']
    trace.write_text("\n".join(lines))
    whole = tmp_path / "whole"
    whole.write_bytes(
        b"\n".join(msgspec.json.encode({"at_s": at, "request": msgspec.json.encode(body).decode()}) for at in (1, 2))
    )
    places.write_text('{"lat": 31.5, "lon": 121.5, "country": "CN"}')
    mixed, bulk, spiked, traced, replayed, shown = run_all(
        [
            ("loadtest", "--url", url, *QUICK, "--replays", 0.2, "--held", 0.2, "--record", record),
            ("loadtest", "--url", url, *QUICK[2:], "--rate", 10, "--bulk", 20, "--sku", "tea", "--places", places),
            ("loadtest", "--url", url, *QUICK, "--arrivals", "spike", "--peak", 300, "--peak-at", 1),
            ("loadtest", "--url", url, "--json", "--trace", trace, "--speed", 5),
            ("loadtest", "--url", url, "--json", "--trace", whole, "--retries", 2),
            ("loadtest", "--url", url, "--seconds", 1, "--arrivals", "closed", "--connections", 2, "--p99-ms", 0.001),
        ]
    )
    kinds = {one.name: one.done["ok"] for one in result_of(mixed).kinds}
    assert all(kinds[name] > 0 for name in ("order", "replay", "held", "confirm", "cancel")), kinds
    assert sum(kinds.values()) == result_of(mixed).offered == len(record.read_text().splitlines())
    assert result_of(mixed).replayed > 0
    assert result_of(bulk).bulk_lines == {"reserved": 20 * result_of(bulk).offered}
    assert result_of(spiked).classes["ok"].count == result_of(spiked).offered > 300
    assert result_of(traced).offered == 3
    assert (result_of(replayed).statuses, result_of(replayed).replayed) == ({200: 1, 201: 1}, 1)
    assert shown.code == 1
    assert "the target is 0.001 ms" in " ".join(shown.err.split())
    for word in ("accepted a second", "generator-bound", "p99.9", "Closed loop"):
        assert word in shown.out


def test_signed_requests_are_taken(tmp_path: Path) -> None:
    """By the real service, with the keys that it gives out; and without them, the reason is told."""
    root = tmp_path / "root"
    root.write_bytes(bytes(range(32)))
    service = Service(tmp_path / "store", STOCKADE_SIGNING_KEY_FILE=str(root))
    try:
        door = Door(service.start())
        stock(door)
        operator = Operator(Settings(data_dir=service.data_dir, signing_key_file=root))
        key = operator.create("orders", "read", signed=True)
        assert key.signing_secret is not None
        (tmp_path / "key").write_text(key.text + "\n")
        (tmp_path / "secret").write_text(key.signing_secret)
        keys = ("--key", f"@{tmp_path / 'key'}", "--signing-secret", f"@{tmp_path / 'secret'}")
        good, bare = run_all(
            [
                ("loadtest", "--url", service.url, *QUICK, "--held", 0.2, *keys),
                ("loadtest", "--url", service.url, *QUICK),
            ]
        )
        assert Keyed(service.url, key).call("GET", "/v1/stock").status == 401, "needs no signature"
    finally:
        service.stop()
    assert result_of(good).classes["ok"].count == result_of(good).offered > 200
    assert bare.code == 2
    assert "401" in bare.err


def test_a_sku_that_the_service_does_not_have_is_told(shop: Door) -> None:
    """By its name, and not as a fault of the audit."""
    finished = run("loadtest", "--url", f"http://{shop.address}", *QUICK, "--sku", "tea", "--sku", "NOPE")
    assert (finished.code, finished.out) == (2, "")
    assert '--sku: unknown SKU "NOPE"' in finished.err


def test_a_run_that_is_terminated_leaves_nothing(tmp_path: Path) -> None:
    """Neither its folder nor its service."""
    words = [sys.executable, "-m", "api.cli", "loadtest", "--serve", "--seconds", "60", "--rate", "50"]
    with subprocess.Popen(
        words, env=os.environ | {"TMPDIR": str(tmp_path)}, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None, "asked for a pipe"
        said = ""
        for line in process.stderr:
            said += line
            if " ok " in line:
                break
        process.terminate()
        assert process.wait(60) == 130
        process.stderr.read()
    assert list(tmp_path.iterdir()) == []
    assert "request_id" not in said, "its service's log is not this command's"


def test_what_cannot_be_run_is_told(tmp_path: Path) -> None:
    """Exit 2 and the option, before anything is sent."""
    empty, trace, broken = tmp_path / "empty", tmp_path / "trace", tmp_path / "broken"
    empty.write_text("\n")
    trace.write_text('{"at_s": 0, "request": "{}"}')
    broken.write_bytes(b'{"at_s": 0, "request": "\xff"}')
    wrong = {
        "--url": ("loadtest", "--url", "http://127.0.0.1:9"),
        "--to": ("loadtest", "--arrivals", "ramp", "--sku", "a"),
        "--speed": ("loadtest", "--trace", trace, "--speed", 0),
        "has no requests": ("loadtest", "--trace", empty),
        "cannot be read": ("loadtest", "--key", f"@{tmp_path / 'none'}"),
        "--rate": ("loadtest", "--rate", "fast"),
        "TLS is a proxy's": ("loadtest", "--url", "https://127.0.0.1"),
        "line 1: ": ("loadtest", "--trace", broken),
        "--peak": ("loadtest", "--peak", 5_000),
        "--peak-at": ("loadtest", "--arrivals", "ramp", "--to", 5, "--peak-at", 1),
        "give --arrivals ramp": ("loadtest", "--to", 5_000),
        "there is none": ("loadtest", "--speed", 2),
        "which says when": ("loadtest", "--trace", trace, "--seconds", 3),
        "--record": ("loadtest", "--record", tmp_path / "none" / "record"),
    }
    for word, finished in zip(wrong, run_all(wrong.values()), strict=True):
        assert (finished.code, finished.out) == (2, ""), (word, finished)
        assert word in finished.err
