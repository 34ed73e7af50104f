"""Spells numbers for people: counts, money, times, shares, degrees.

A number that is not finite reads "n/a", and a mean of nothing, None, is a dash.
"""

import math

NOT_A_NUMBER = "n/a"
NOTHING = "–"
MINOR_PER_MAJOR = 100


def count(value: float) -> str:
    """A whole number with its thousands apart."""
    return f"{value:,.0f}" if math.isfinite(value) else NOT_A_NUMBER


def counted(value: int, one: str, many: str) -> str:
    """A number with its noun: `1 order`, `2 orders`."""
    return f"{count(value)} {one if value == 1 else many}"


def decimal(value: float | None, places: int) -> str:
    """A number with a fixed count of decimals."""
    if value is None:
        return NOTHING
    return f"{value:,.{places}f}" if math.isfinite(value) else NOT_A_NUMBER


def kilometres(value: float | None) -> str:
    """A distance in whole kilometres."""
    return NOTHING if value is None else f"{count(value)} km"


def money(minor: float | None, currency: str) -> str:
    """An amount given in minor units, written in major ones: 1234.5 and CNY read `CNY 12.35`."""
    if minor is None:
        return NOTHING
    if not math.isfinite(minor):
        return NOT_A_NUMBER
    return f"{currency} {minor / MINOR_PER_MAJOR:,.2f}"


def percent(share: float) -> str:
    """A share of one, as percent with one decimal. A share that would read 0.0 and is not zero says so."""
    if not math.isfinite(share):
        return NOT_A_NUMBER
    if 0 < share < 0.0005:
        return "<0.1 %"
    return f"{share * 100:,.1f} %"


def seconds(value: float) -> str:
    """A time span: finer below a second, in minutes from two of them on."""
    if not math.isfinite(value):
        return NOT_A_NUMBER
    if value >= 120:
        return f"{int(value // 60)} min {value % 60:.0f} s"
    return f"{value:.2f} s" if value < 1 else f"{value:.1f} s"


def milliseconds(value: float) -> str:
    """A latency with about three digits."""
    if not math.isfinite(value):
        return NOT_A_NUMBER
    places = 2 if value < 10 else 1 if value < 100 else 0
    return f"{value:,.{places}f} ms"


def share(part: float, whole: float) -> float:
    """`part` of `whole` as a share of one; 0.0 of nothing."""
    return part / whole if whole > 0 else 0.0


def latitude(degrees: float) -> str:
    """A parallel: 30°N, 0°, 12.5°S."""
    return f"{abs(degrees):g}°{'N' if degrees > 0 else 'S' if degrees < 0 else ''}"


def longitude(degrees: float) -> str:
    """A meridian: 110°E, 0°, 70°W."""
    return f"{abs(degrees):g}°{'E' if degrees > 0 else 'W' if degrees < 0 else ''}"
