"""Destinations grouped into regions: squares of a degree, as far as there is room; then the nearest that there is."""

from math import cos, floor, radians

from engine.model import ShipTo

REGIONS_MAX = 200
SQUARE_DEGREES = 1.0


class Regions:
    """Numbers regions from 0 as they are first seen. A region is where the first order to it went."""

    def __init__(self) -> None:
        """None yet."""
        self.places: list[ShipTo] = []
        self._numbers: dict[tuple[int, int, str | None], int] = {}

    def number(self, to: ShipTo) -> int:
        """The region of a destination."""
        key = floor(to.lat / SQUARE_DEGREES), floor(to.lon / SQUARE_DEGREES), to.country
        found = self._numbers.get(key)
        if found is not None:
            return found
        if len(self.places) < REGIONS_MAX:
            self._numbers[key] = len(self.places)
            self.places.append(to)
            return self._numbers[key]
        return min(range(len(self.places)), key=lambda place: _apart(self.places[place], to))


def _apart(one: ShipTo, other: ShipTo) -> float:
    """Grows with the distance; abroad is further than anywhere else."""
    east = abs(one.lon - other.lon)
    east = min(east, 360 - east) * cos(radians((one.lat + other.lat) / 2))
    return (one.lat - other.lat) ** 2 + east**2 + (1e6 if one.country != other.country else 0.0)
