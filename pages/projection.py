"""Degrees to pixels: equirectangular, true to shape at the mean latitude. Not for places across the 180th meridian."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from pages.scale import ticks

MARGIN_SHARE = 0.04
MARGIN_DEGREES_MIN = 0.25
COSINE_MIN = 0.1
"""Keeps a map of the far north from growing without end in width."""

HEIGHT_SHARE_MIN, HEIGHT_SHARE_MAX = 0.5, 0.8
"""Height of the map over its width; bounds outside are widened until the map has a readable shape."""

GRATICULE_STEPS_DEGREES = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0)
GRATICULE_GAP_PX = 50


class Located(Protocol):
    """What has a place on the map, in degrees."""

    @property
    def lat(self) -> float:
        """North of the equator."""

    @property
    def lon(self) -> float:
        """East of Greenwich."""


@dataclass(frozen=True, slots=True)
class Projection:
    """Pixels of a map whose north-west corner lies at (`left`, `top`). Bounds in degrees, scale in px per degree."""

    west: float
    north: float
    px_per_lon: float
    px_per_lat: float
    left: float
    top: float
    width: float
    height: float

    def at(self, place: Located) -> tuple[float, float]:
        """The pixel (x, y) of a place."""
        return self.x(place.lon), self.y(place.lat)

    def x(self, lon: float) -> float:
        """The column of a meridian."""
        return self.left + (lon - self.west) * self.px_per_lon

    def y(self, lat: float) -> float:
        """The row of a parallel."""
        return self.top + (self.north - lat) * self.px_per_lat

    def graticule(self) -> tuple[list[float], list[float]]:
        """The parallels and the meridians to draw, in degrees."""
        step = next(
            (step for step in GRATICULE_STEPS_DEGREES if step * self.px_per_lon >= GRATICULE_GAP_PX),
            GRATICULE_STEPS_DEGREES[-1],
        )
        south, east = self.north - self.height / self.px_per_lat, self.west + self.width / self.px_per_lon
        parallels = [round(lat, 1) for lat in ticks(south, self.north, step) if abs(lat) <= 90]
        return parallels, [round(lon, 1) for lon in ticks(self.west, east, step)]


def fit(places: Sequence[Located], *, left: float, top: float, width: float) -> Projection:
    """The projection that shows all `places` (at least one) in a map of `width` pixels; its height follows."""
    cosine = max(COSINE_MIN, math.cos(math.radians(sum(place.lat for place in places) / len(places))))
    west, east = _spread([place.lon for place in places])
    south, north = _spread([place.lat for place in places])
    across, up = (east - west) * cosine, north - south
    shape = min(HEIGHT_SHARE_MAX, max(HEIGHT_SHARE_MIN, up / across))
    # Whichever side is too short for that shape grows, evenly on both of its ends.
    wider, taller = max(across, up / shape), max(up, across * shape)
    px_per_lat = width / wider
    return Projection(
        west=west - (wider - across) / cosine / 2,
        north=north + (taller - up) / 2,
        px_per_lon=px_per_lat * cosine,
        px_per_lat=px_per_lat,
        left=left,
        top=top,
        width=width,
        height=width * shape,
    )


def _spread(degrees: list[float]) -> tuple[float, float]:
    low, high = min(degrees), max(degrees)
    margin = max(MARGIN_DEGREES_MIN, (high - low) * MARGIN_SHARE)
    return low - margin, high + margin
