"""A city that orders come from, and how far two points are apart. Does no I/O."""

from math import asin, cos, radians, sin, sqrt
from typing import Annotated

from msgspec import Meta, Struct

from engine.model.order import ShortText

EARTH_RADIUS_KM = 6371.0088
"""Mean radius (IUGG)."""


class City(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A city in WGS 84 degrees, with the inhabitants that GeoNames gives it. Names are unique in the sample."""

    name: ShortText
    province: ShortText
    lat: Annotated[float, Meta(ge=-90, le=90)]
    lon: Annotated[float, Meta(ge=-180, le=180)]
    population: Annotated[int, Meta(ge=1)]


def great_circle_km(*, from_lat: float, from_lon: float, to_lat: float, to_lon: float) -> float:
    """Haversine distance in km between two points in degrees."""
    half_lat = radians(to_lat - from_lat) / 2
    half_lon = radians(to_lon - from_lon) / 2
    chord = sin(half_lat) ** 2 + cos(radians(from_lat)) * cos(radians(to_lat)) * sin(half_lon) ** 2
    return 2 * EARTH_RADIUS_KM * asin(min(1.0, sqrt(chord)))
