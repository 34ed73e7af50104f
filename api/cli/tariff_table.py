"""A tariff for people to read: for each carrier what it does to weights and whom it serves, and its zones."""

from collections.abc import Sequence

from rich.text import Text

from api.cli.console import out
from api.cli.table import print_table
from engine.model import Carrier, Tariff, TariffZone, Zone

NAMES_SHOWN_MAX = 12
"""Countries, regions and beginnings of postcodes of a zone; of more, how many there are."""

_COLUMNS = ("zone", "where", "up to km", "base", "per kg", "steps: up to g, amount", "minimum", "days")
_NUMBERS = ("up to km", "base", "per kg", "minimum", "days")


def print_tariff(tariff: Tariff) -> None:
    """Print it to standard output, amounts in minor units."""
    if tariff.zones:
        out.print("One carrier, by distance; the last zone serves what lies beyond it, too. Amounts in minor units.")
        _print_zones(tariff.zones)
    for number, carrier in enumerate(tariff.carriers):
        if number:
            out.print()
        out.print(Text(f"{carrier.carrier}: {', '.join(_terms(carrier))}. Amounts in minor units."))
        _print_zones(carrier.zones)


def _terms(carrier: Carrier) -> list[str]:
    levels = carrier.service_levels
    terms = ["all orders" if levels is None else f"orders of service level {' or '.join(levels)}"]
    if carrier.volumetric_cm3_per_kg is not None:
        terms.append(f"{carrier.volumetric_cm3_per_kg:,} cm3 charged as a kilogram at the least")
    if carrier.weight_step_g is not None:
        terms.append(f"weight rounded up to {carrier.weight_step_g:,} g")
    return terms


def _print_zones(zones: Sequence[TariffZone | Zone]) -> None:
    rows = [_row(zone) for zone in zones]
    # What no zone says takes no room.
    shown = [place for place in range(len(_COLUMNS)) if any(row[place] != "" for row in rows)]
    columns = [_COLUMNS[place] for place in shown]
    print_table(columns, [[row[place] for place in shown] for row in rows], numbers=_NUMBERS)


def _row(zone: TariffZone | Zone) -> tuple[str | int, ...]:
    days = "" if zone.transit_days is None else zone.transit_days
    if isinstance(zone, TariffZone):
        return (zone.zone, "", zone.max_km, zone.base, zone.per_kg, "", "", days)
    steps = "; ".join(f"{step.up_to_g:,} {step.amount:,}" for step in zone.steps)
    return (
        zone.zone,
        "; ".join(_where(zone)) or "anywhere",
        "" if zone.max_km is None else zone.max_km,
        zone.base,
        zone.per_kg,
        steps,
        zone.minimum or "",
        days,
    )


def _where(zone: Zone) -> list[str]:
    """What a place must be in, all of it."""
    posts = None if zone.postcodes is None else tuple(f"{post}..." for post in zone.postcodes)
    return [_list(names) for names in (zone.countries, zone.regions, posts) if names]


def _list(names: Sequence[str]) -> str:
    shown = ", ".join(names[:NAMES_SHOWN_MAX])
    return f"{shown} and {len(names) - NAMES_SHOWN_MAX} more" if len(names) > NAMES_SHOWN_MAX else shown
