"""Tariffs and matrices as the core takes them: tuples and flat numbers. Does no I/O."""

from collections.abc import Mapping
from typing import Any

from engine.model import Carrier, CostMatrix, DistanceMatrix, Tariff, TariffZone, Zone

CarrierRow = tuple[str | None, tuple[str, ...], list[tuple[Any, ...]], int, int]
MatrixRows = tuple[str, list[str], list[int], list[int]]

SILENT = -1
"""Stands for a pair of which a matrix says nothing."""


def carrier_rows(tariff: Tariff | None) -> list[CarrierRow]:
    """The carriers of a tariff; one without a name for zones alone."""
    if tariff is None:
        return []
    if tariff.zones:
        return [(None, (), [_distance_row(zone) for zone in tariff.zones], 0, 0)]
    return [_carrier_row(carrier) for carrier in tariff.carriers]


def matrix_rows(matrix: DistanceMatrix | CostMatrix, numbers: Mapping[str, int]) -> MatrixRows:
    """A matrix by warehouses' numbers, distances in metres; a warehouse that is not known is left out."""
    columns = [column for column, name in enumerate(matrix.warehouses) if name in numbers]
    factor = 1000 if isinstance(matrix, DistanceMatrix) else 1
    values: list[int] = []
    for row in matrix.rows.values():
        values += [SILENT if (value := row[column]) is None else round(value * factor) for column in columns]
    return (matrix.by, list(matrix.rows), [numbers[matrix.warehouses[column]] for column in columns], values)


def _carrier_row(carrier: Carrier) -> CarrierRow:
    return (
        carrier.carrier,
        carrier.service_levels or (),
        [_zone_row(zone) for zone in carrier.zones],
        carrier.volumetric_cm3_per_kg or 0,
        carrier.weight_step_g or 0,
    )


def _zone_row(zone: Zone) -> tuple[Any, ...]:
    steps = [(step.up_to_g, step.amount) for step in zone.steps]
    places = (zone.countries or (), zone.regions or (), zone.postcodes or ())
    return (zone.zone, zone.max_km, *places, zone.base, zone.per_kg, zone.minimum, steps, zone.transit_days)


def _distance_row(zone: TariffZone) -> tuple[Any, ...]:
    return (zone.zone, zone.max_km, (), (), (), zone.base, zone.per_kg, 0, [], zone.transit_days)
