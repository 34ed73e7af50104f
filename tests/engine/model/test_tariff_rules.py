"""engine.model.tariff_rules: every mistake of a tariff, a matrix or a calendar is found, with field and rule."""

import zoneinfo
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from engine.errors import InvalidInput
from engine.model import CostMatrix, DistanceMatrix, Tariff, Warehouse, limits
from engine.model.tariff_rules import check_matrix, check_tariff, check_warehouse

ANYWHERE = {"zone": "all", "base": 500}


def tariff(*zones: dict[str, Any], **fields: Any) -> Tariff:
    """A tariff of one carrier."""
    carrier = {"carrier": "post", "zones": zones or (ANYWHERE,)} | fields
    return msgspec.convert({"carriers": (carrier,)}, Tariff)


def pointers(of: Tariff) -> list[str]:
    """Where a tariff breaks rules."""
    with pytest.raises(InvalidInput) as raised:
        check_tariff(of)
    assert all(error.message for error in raised.value.errors)
    return [error.pointer for error in raised.value.errors]


def test_a_tariff_has_zones_or_carriers() -> None:
    """One of both, so that nobody wonders which holds."""
    zones = ({"zone": "near", "max_km": 10, "base": 1, "per_kg": 1},)
    check_tariff(msgspec.convert({"zones": zones}, Tariff))
    check_tariff(tariff())
    assert pointers(Tariff()) == [""]
    assert pointers(msgspec.convert({"zones": zones, "carriers": msgspec.to_builtins(tariff().carriers)}, Tariff)) == [
        ""
    ]


def test_a_zone_behind_one_that_takes_everything_is_never_reached() -> None:
    """A wrong order of rows is the commonest mistake in a tariff."""
    near = {"zone": "near", "max_km": 50}
    check_tariff(tariff(near, ANYWHERE))
    assert pointers(tariff(ANYWHERE, near)) == ["/carriers/0/zones/1"]
    assert pointers(tariff(near, {"zone": "nearer", "max_km": 20})) == ["/carriers/0/zones"]
    # By place, a shorter reach behind a longer one may still be met.
    check_tariff(tariff(near | {"countries": ("CN",)}, {"zone": "nearer", "max_km": 20}))


def test_steps_grow_and_never_cost_less() -> None:
    """Nothing that is heavier costs less: the bounds that planning rests on need it."""

    def steps(*pairs: tuple[int, int]) -> Tariff:
        return tariff(ANYWHERE | {"steps": [{"up_to_g": grams, "amount": amount} for grams, amount in pairs]})

    check_tariff(steps((500, 100), (1000, 100), (1001, 900)))
    assert pointers(steps((500, 100), (500, 200))) == ["/carriers/0/zones/0/steps/1/up_to_g"]
    assert pointers(steps((500, 100), (600, 90))) == ["/carriers/0/zones/0/steps/1/amount"]


def test_names_are_printable_single_and_not_blank() -> None:
    """A blank country would take every order that names none."""
    two = msgspec.convert({"carriers": [{"carrier": name, "zones": [ANYWHERE]} for name in ("a", "b ", "a")]}, Tariff)
    assert pointers(two) == ["/carriers/1/carrier", "/carriers/2/carrier"]
    assert pointers(tariff(ANYWHERE | {"countries": ("CN", " ")})) == ["/carriers/0/zones/0/countries/1"]
    assert pointers(tariff(ANYWHERE, service_levels=("\t",))) == ["/carriers/0/service_levels/0"]


def matrix_errors(matrix: DistanceMatrix | CostMatrix) -> list[tuple[str, str]]:
    """Where a matrix breaks rules, in a network of W1 and W2."""
    with pytest.raises(InvalidInput) as raised:
        check_matrix(matrix, is_warehouse={"W1", "W2"}.__contains__)
    return [(error.pointer, error.message) for error in raised.value.errors]


def test_a_matrix_names_known_warehouses_once_and_has_a_value_for_each() -> None:
    """Whoever writes 40,000 rows wants to hear which one is wrong."""
    good = DistanceMatrix(by="region", warehouses=("W1", "W2"), rows={"north": (1.5, None), "south": (0, 7)})
    check_matrix(good, is_warehouse={"W1", "W2"}.__contains__)
    strange = msgspec.structs.replace(good, warehouses=("W1", "W9"))
    assert matrix_errors(strange) == [("/warehouses/1", 'unknown warehouse "W9"')]
    assert matrix_errors(msgspec.structs.replace(good, warehouses=("W1", "W1")))[0][0] == "/warehouses"
    short = msgspec.structs.replace(good, rows={"north": (1.5,)})
    assert matrix_errors(short) == [("/rows", 'row "north" has 1 values for 2 warehouses')]
    alike = msgspec.structs.replace(good, rows={"sw 1": (1, 2), "SW1": (1, 2)})
    assert matrix_errors(alike) == [("/rows", 'rows "sw 1" and "SW1" name the same destination')]
    assert matrix_errors(msgspec.structs.replace(good, rows={" ": (1, 2)})) == [("/rows", "has a row of a blank name")]
    half = msgspec.structs.replace(good, rows={"CN: ": (1, 2), ":north": (1, 2), "CN:north": (1, 2)})
    assert [message.split('"')[1] for _, message in matrix_errors(half)] == ["CN: ", ":north"]
    check_matrix(msgspec.structs.replace(half, by="country"), is_warehouse={"W1", "W2"}.__contains__)
    assert matrix_errors(msgspec.structs.replace(good, rows={}))[0][0] == "/rows"
    large = {str(row): (1, 2) for row in range(limits.MATRIX_VALUES_MAX // 2 + 1)}
    assert matrix_errors(msgspec.structs.replace(good, rows=large))[0][0] == "/rows"


def test_a_time_zone_is_one_that_is_known() -> None:
    """Or no promise could be kept."""
    check_warehouse(Warehouse(id="w", lat=0, lon=0, timezone="Europe/Berlin"))
    for name in ("Mars/Olympus", "../etc/passwd", "Europe/"):
        with pytest.raises(InvalidInput) as raised:
            check_warehouse(Warehouse(id="w", lat=0, lon=0, timezone=name), "/3")
        assert raised.value.errors[0].pointer == "/3/timezone"


def test_a_cut_off_needs_the_clock_that_it_is_on() -> None:
    """Left to be guessed it would be UTC, and the promise of a warehouse in Shanghai eight hours wrong."""
    with pytest.raises(InvalidInput) as raised:
        check_warehouse(Warehouse(id="w", lat=0, lon=0, cutoff="14:00"), "/3")
    assert raised.value.errors[0].pointer == "/3/timezone"
    check_warehouse(Warehouse(id="w", lat=0, lon=0, cutoff="14:00", timezone="UTC"))


def test_time_zones_are_known_where_the_system_has_none() -> None:
    """Slim images come without; the tzdata package has them."""
    ZoneInfo.clear_cache()
    zoneinfo.reset_tzpath(())
    try:
        check_warehouse(Warehouse(id="w", lat=0, lon=0, timezone="Asia/Shanghai"))
    finally:
        zoneinfo.reset_tzpath()
        ZoneInfo.clear_cache()
