"""How a SKU's units spread over warehouses: who is near the customers, and whole units by share. Does no I/O."""

from collections.abc import Sequence
from math import fsum
from random import Random

from engine.model.catalogue import Warehouse
from engine.sample.city import City, great_circle_km
from engine.sample.weighted import WeightedDraw

NEAR_KM = 100
"""Below about this distance a warehouse gains little from being nearer."""


def nearby_population(warehouses: Sequence[Warehouse], cities: Sequence[City]) -> list[float]:
    """Inhabitants that each warehouse draws, by the gravity law: a city is shared out by 1 / (NEAR_KM + km) squared."""
    drawn = [0.0] * len(warehouses)
    for city in cities:
        # Whole kilometres: the last digit of sin and cos differs between machines, the stock must not.
        pulls = [
            1
            / (NEAR_KM + round(great_circle_km(from_lat=at.lat, from_lon=at.lon, to_lat=city.lat, to_lon=city.lon)))
            ** 2
            for at in warehouses
        ]
        share = city.population / fsum(pulls)
        for place, pull in enumerate(pulls):
            drawn[place] += share * pull
    return drawn


def pick_distinct(weights: Sequence[float], count: int, random: Random) -> list[int]:
    """`count` distinct positions, drawn by weight one after the other, ascending."""
    places = list(range(len(weights)))
    chosen = []
    for _ in range(count):
        draw = WeightedDraw(range(len(places)), [weights[place] for place in places])
        chosen.append(places.pop(draw.draw(random)))
    return sorted(chosen)


def split_units(units: int, weights: Sequence[float]) -> list[int]:
    """Whole numbers that add up to `units`, in proportion to `weights` (largest remainder; ties to the first)."""
    total = fsum(weights)
    exact = [units * weight / total for weight in weights]
    whole = [int(share) for share in exact]
    by_remainder = sorted(range(len(weights)), key=lambda place: whole[place] - exact[place])
    for place in by_remainder[: units - sum(whole)]:
        whole[place] += 1
    return whole
