"""The boundary to Rust: whatever bytes come, the answer is an outcome or ValueError, never a panic, never half done."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.model import Sku, limits
from engine.planner import ATTEMPTS_MAX, Batch, Planner, Record, canonical_bytes, cell_number
from tests.engine.planner.two_warehouses import EVENT, NEAR, order, small_planner

pack = msgspec.msgpack.encode
NOW_MS = 1_700_000_000_000
BEYOND = (limits.CHANNELS_MAX + 1) * limits.SKUS_MAX * limits.WAREHOUSES_MAX
"""The first number that is no cell."""

messagepack = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats()
    | st.text(max_size=8)
    | st.binary(max_size=8),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=8), inner, max_size=5),
    max_leaves=20,
).map(pack)
"""Well-formed, and most likely nothing that anybody asked for."""
hostile = st.binary(max_size=100) | messagepack


def free(planner: Planner) -> dict[str, int]:
    """Units that can still be had of SKU a, by warehouse, as quotes see them."""
    levels: dict[str, int] = {}
    # A purchase limit would end the quote before it looks at stock.
    planner.put_skus([(0, Sku(sku="a", weight_g=500))])
    for warehouse in ("near", "far"):
        word, payload = planner.core.quote(
            canonical_bytes(order(quantity=limits.QUANTITY_MAX, warehouses=(warehouse,)))
        )
        assert word == "short"
        json, told = payload
        (shortage,) = msgspec.json.decode(json)["shortages"]
        assert told == ([("a", shortage["requested"], shortage["available"], None)], None)
        levels[warehouse] = shortage["available"]
    return levels


def plan(planner: Planner, *canonical: bytes) -> tuple[Batch, list[tuple[int, Any]]]:
    """Plan orders that come for the first time."""
    return planner.core.plan([(one, 0, 0, False) for one in canonical])


def settle(planner: Planner, batch: Batch, **parts: Any) -> list[tuple[int, Any]]:
    """Settle with a reply that everything was taken, but for these parts of it."""
    reply = {"event": EVENT, "outcomes": b"", "levels": b"", "records": []} | parts
    settled, _ = planner.core.settle(
        batch, [(0, NOW_MS, reply["event"], reply["outcomes"], reply["levels"], reply["records"])]
    )
    return settled


def error_of(call: Callable[[], object]) -> str | None:
    """What a call's ValueError says; None when it raises none. Any other exception goes through, as a panic would."""
    try:
        call()
    except ValueError as error:
        return str(error)
    return None


@given(hostile)
def test_bytes_that_are_no_order_are_invalid(canonical: bytes) -> None:
    """For a batch and for a quote, with a reason in words."""
    planner = small_planner()
    batch, decided = plan(planner, canonical, canonical_bytes(order()))
    assert (len(batch), [place for place, _ in decided]) == (1, [0])
    for word, flaws in (decided[0][1], planner.core.quote(canonical)):
        assert word == "invalid"
        assert all(message for _, message in flaws)


@given(st.data())
def test_a_flipped_byte_of_an_order_is_no_panic(data: st.DataObject) -> None:
    """Planned, put off or refused: in any case one outcome, and never more taken than there is."""
    planner = small_planner(purchase_limit=4)
    canonical = bytearray(canonical_bytes(order(quantity=3, customer="ann", warehouses=("near", "far"))))
    canonical[data.draw(st.integers(0, len(canonical) - 1))] = data.draw(st.integers(0, 255))
    batch, decided = plan(planner, bytes(canonical))
    assert (not batch.empty) + len(decided) == 1
    assert all(0 <= units <= 5 for units in free(planner).values())
    planner.core.abandon(batch)
    assert free(planner) == {"near": 5, "far": 5}


@pytest.mark.parametrize("quantity", [0, -1, limits.QUANTITY_MAX + 1, 2**63 - 1, -(2**63)])
def test_quantities_beyond_the_models_limits_are_invalid(quantity: int) -> None:
    """Struct constructors check nothing: an order built in Python can carry any number up to here."""
    _, decided = plan(small_planner(), canonical_bytes(order(quantity=quantity)))
    assert decided == [(0, ("invalid", [("/lines/0/quantity", f"must be 1 to {limits.QUANTITY_MAX}")]))]


def test_deep_nesting_does_not_reach_the_stacks_end() -> None:
    """A tower of arrays in a field that nobody reads."""
    word, _ = small_planner().core.quote(b"\x81\xa1x" + b"\x91" * 1_000_000)
    assert word == "invalid"


@given(st.sampled_from(["event", "outcomes", "levels", "records"]), hostile)
def test_a_reply_that_does_not_fit_is_refused_and_gives_everything_back(part: str, noise: bytes) -> None:
    """The store's reply comes from another process, of another version perhaps."""
    planner = small_planner()
    batch, _ = plan(planner, canonical_bytes(order(quantity=2)))
    parts = {"outcomes": b"A", "levels": pack([3])} | {part: [noise] if part == "records" else noise}
    error = error_of(lambda: settle(planner, batch, **parts))
    if error:
        assert error.startswith("commit reply: ")
        assert free(planner) == {"near": 5, "far": 5}
    else:
        assert part != "records"


@pytest.mark.parametrize(
    ("message", "parts"),
    [
        ("2 outcomes for 1 orders", {"outcomes": b"AA"}),
        ("no levels", {"outcomes": b"S"}),
        ("2 levels for 1 cells", {"levels": pack([1, 2])}),
        ("levels without an event id", {"levels": pack([1]), "event": b"newest"}),
        ("0 records for 1 known orders", {"outcomes": b"R", "levels": pack([1])}),
        ("outcome 'Z'", {"outcomes": b"Z", "levels": pack([1])}),
        ("outcome 'L'", {"outcomes": b"L", "levels": pack([1])}),
    ],
)
def test_each_part_of_a_reply_is_checked(message: str, parts: dict[str, Any]) -> None:
    """The message says what did not fit, for whoever reads the log."""
    planner = small_planner()
    batch, _ = plan(planner, canonical_bytes(order()))
    with pytest.raises(ValueError, match=message):
        settle(planner, batch, **parts)
    assert free(planner) == {"near": 5, "far": 5}


def test_a_refused_order_is_planned_anew_until_the_attempts_are_used_up() -> None:
    """A store that refuses time after time what the view has must not keep an order for ever."""
    planner = small_planner()
    for attempts, word in ((0, "again"), (ATTEMPTS_MAX - 1, "again"), (ATTEMPTS_MAX, "contended")):
        batch, decided = planner.core.plan([(canonical_bytes(order()), 0, attempts, False)])
        assert decided == []
        ((_, outcome),) = settle(planner, batch, outcomes=b"S", levels=pack([5]))
        assert outcome[0] == word


def load_levels(planner: Planner, cells: list[int], event: bytes) -> None:
    """As a page of the store."""
    planner.core.load_levels(pack([str(number) for cell in cells for number in (cell, 9)]), event)


def set_levels(planner: Planner, cells: list[int], event: bytes) -> None:
    """As read by the numbers."""
    planner.core.set_levels(cells, [9] * len(cells), event)


def apply_event(planner: Planner, cells: list[int], event: bytes) -> None:
    """As another process's sale."""
    planner.core.apply_event(event, pack([str(cell) for cell in cells]), pack([9] * len(cells)))


feeds = pytest.mark.parametrize("feed", [load_levels, set_levels, apply_event])
Feed = Callable[[Planner, list[int], bytes], None]


@feeds
@pytest.mark.parametrize("beyond", [BEYOND, 2**64 - 1])
def test_cells_out_of_range_change_nothing(feed: Feed, beyond: int) -> None:
    """A level takes memory up to its SKU's number: one wild number must not ask for all there is."""
    planner = small_planner()
    with pytest.raises(ValueError, match=f"cell number {beyond} is out of range"):
        feed(planner, [cell_number(sku=0, warehouse=NEAR), beyond], b"1800000000000-0")
    assert free(planner) == {"near": 5, "far": 5}
    assert planner.core.cell_count == 4


@feeds
@pytest.mark.parametrize("event", [b"", b"5", b"a-b", b"-1-0", b"\xff-1", b"99999999999999999999-0", b"1-2-3"])
def test_an_event_must_be_a_stream_id(feed: Feed, event: bytes) -> None:
    """Levels are placed among events by it; without it they could undo a sale."""
    planner = small_planner()
    with pytest.raises(ValueError, match="not a stream id"):
        feed(planner, [cell_number(sku=0, warehouse=NEAR)], event)
    assert free(planner) == {"near": 5, "far": 5}


@pytest.mark.parametrize(
    ("cells", "units"),
    [
        (pack(["0", "1"]), pack([1])),
        (pack(["-1"]), pack([1])),
        (pack(["x"]), pack([1])),
        (pack([0]), pack([1])),
        (pack(["0"]), pack(["1"])),
        (pack(["0"]), pack([2**64 - 1])),
        (pack(["0", str(BEYOND)]), pack([1, 1])),
        (b"", b""),
    ],
)
def test_an_event_that_does_not_fit_changes_nothing(cells: bytes, units: bytes) -> None:
    """Not even the cells before the bad one."""
    planner = small_planner()
    with pytest.raises(ValueError):  # noqa: PT011 - each says it in its own words
        planner.core.apply_event(b"1800000000000-0", cells, units)
    assert free(planner) == {"near": 5, "far": 5}


@given(hostile, hostile)
def test_random_events_and_pages_never_panic(first: bytes, second: bytes) -> None:
    """ValueError, or by chance something that can be read."""
    core = small_planner().core
    for call in (
        lambda: core.apply_event(EVENT, first, second),
        lambda: core.apply_event(first, pack(["0"]), pack([1])),
        lambda: core.load_levels(first, EVENT),
        lambda: core.load_levels(pack(["0", "1"]), first),
        lambda: Record(first),
        lambda: core.allocation_json("o", first),
    ):
        assert error_of(call) != ""


def test_levels_at_the_ends_of_their_range_do_not_wrap() -> None:
    """Sums and differences stop at the largest number instead of turning into its opposite."""
    planner = small_planner()
    planner.set_levels([(0, 2**63 - 1), (1, 2**63 - 1)], EVENT)
    planner.core.apply_event(b"1800000000000-0", pack(["0"]), pack([-(2**63)]))
    word, _ = planner.core.quote(canonical_bytes(order(quantity=limits.QUANTITY_MAX)))
    assert word == "quoted"
    planner.set_levels([(0, -(2**63)), (1, 0)], EVENT)
    planner.core.apply_event(b"1800000000001-0", pack(["0"]), pack([2**63 - 1]))
    assert free(planner) == {"near": 0, "far": 0}


def test_lengths_must_agree() -> None:
    """A level without its cell belongs to no cell."""
    core = small_planner().core
    with pytest.raises(ValueError, match="differ in length"):
        core.set_levels([0, 1], [5], EVENT)
    with pytest.raises(ValueError, match="ends with a cell that has none"):
        core.load_levels(pack(["0", "7", "1"]), EVENT)
    assert core.load_levels(pack([]), EVENT) == 0


def test_numbers_of_definitions_have_their_bounds() -> None:
    """The model's limits and the core's are the same."""
    core = small_planner().core
    with pytest.raises(ValueError, match="SKU number 16777216 is out of range"):
        core.put_skus([(limits.SKUS_MAX, "beyond", 0, 0, 0)])
    with pytest.raises(ValueError, match="warehouse number 4096 is out of range"):
        core.put_warehouses([(limits.WAREHOUSES_MAX, "beyond", 0.0, 0.0, True, 1, 0, 0, 0.0, None)])
    with pytest.raises(ValueError, match="warehouse number 4096 is out of range"):
        core.set_dispatches([(limits.WAREHOUSES_MAX, None)])
    assert core.sku_number("beyond") is core.warehouse_number("beyond") is None
