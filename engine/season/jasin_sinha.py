"""Seasons as Jasin and Sinha have them (Operations Research 63, 2015), drawn from a seed: one seed, one season.

Five centres and the ten greatest urban areas of the United States. A shipment costs 8.759, a unit 0.423 and 0.000541 a
mile; what is not served costs twice the most. Of each size, none to five different items, there are some kinds of
orders; both sizes and kinds have shares by chance, and regions by how many live there. Each centre keeps an item with
probability 3/4, and then what the regions to which it is the nearest that does are expected to want, and half a
standard deviation.
"""

import numpy as np
import numpy.typing as npt

from engine.arrays import count
from engine.batch_problem import BatchProblem
from engine.forecast import Baskets
from engine.season.season import Season

ARRIVALS = 10_000
ARRIVALS_MAX = 1_000_000

PER_MAJOR = 1000
"""Costs are thousandths."""

ITEMS = 20
SIZE_MAX = 5
KINDS_A_SIZE = 5
KEPT = 0.75
SLACK_SD = 0.5

FIXED, UNIT, PER_MILE = 8.759, 0.423, 0.000541

CENTRES = ((37.6, -121.3), (40.05, -86.47), (41.2, -75.6), (33.95, -81.1), (32.97, -97.35))
"""California, Indiana, Pennsylvania, South Carolina, Texas: degrees of latitude and longitude."""

REGIONS = (
    (40.71, -74.01, 19.43),
    (34.05, -118.24, 12.24),
    (41.88, -87.63, 8.67),
    (25.77, -80.19, 6.08),
    (32.78, -96.80, 5.73),
    (29.76, -95.37, 5.85),
    (39.95, -75.17, 5.70),
    (33.75, -84.39, 5.10),
    (38.91, -77.04, 5.17),
    (42.36, -71.06, 4.38),
)
"""New York, Los Angeles, Chicago, Miami, Dallas, Houston, Philadelphia, Atlanta, Washington, Boston: degrees, and
millions of inhabitants (census of 2020, urban areas)."""

EARTH_RADIUS_MILES = 3958.8


def draw_season(seed: int, *, arrivals: int = ARRIVALS) -> Season:
    """A season of so many customers, of whom some want nothing. Raises InvalidInput for numbers out of range."""
    arrivals = count("arrivals", arrivals, 1, ARRIVALS_MAX)
    random = np.random.default_rng(count("seed", seed, 0))
    kinds = [np.zeros(0, np.int64)]
    kinds += [random.permutation(ITEMS)[:size] for size in range(1, SIZE_MAX + 1) for _ in range(KINDS_A_SIZE)]
    of_size = _shares(random, SIZE_MAX + 1)
    of_kind = np.concatenate([of_size[:1], *(share * _shares(random, KINDS_A_SIZE) for share in of_size[1:])])
    people = np.array([region[2] for region in REGIONS])
    chance = np.outer(of_kind, people / people.sum())
    unit = _unit_costs()
    stock = _stock(random, unit, _wanted(kinds, chance * arrivals))
    drawn = random.choice(chance.size, arrivals, p=chance.ravel() / chance.sum())
    return season_of(
        f"generated, seed {seed}", kinds, chance, np.divmod(drawn, len(REGIONS)), unit=unit, fixed=FIXED, stock=stock
    )


def season_of(
    name: str,
    kinds: list[npt.NDArray[np.int64]],
    chance: npt.NDArray[np.float64],
    arrivals: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]],
    *,
    unit: npt.NDArray[np.float64],
    fixed: float,
    stock: npt.NDArray[np.int64],
) -> Season:
    """A season from kinds of orders (items, one of each), the probability [Q, R] of each in a period, and what came.

    `arrivals`: kind and region, a period each, which lasts a second. `unit` [W + 1, R]: the last row is what a unit not
    served costs, beside twice `fixed` for its order. `stock` [K, W]. Raises InvalidInput.
    """
    kind, region = arrivals
    sizes = np.array([len(items) for items in kinds])
    some = sizes[kind] > 0
    kind, region = kind[some], region[some]
    cost = np.rint(unit * PER_MAJOR).astype(np.int64)
    orders = BatchProblem(
        line_start=np.concatenate([[0], np.cumsum(sizes[kind])]),
        sku=_flat([kinds[one] for one in kind]),
        quantity=np.ones(int(sizes[kind].sum()), np.int64),
        region=region,
        fixed=np.full(len(unit) - 1, round(fixed * PER_MAJOR), np.int64),
        unit_cost=cost[:-1].T,
        stock=stock,
        unserved_fixed=round(2 * fixed * PER_MAJOR),
        unserved_unit=cost[-1],
    )
    periods, regions = len(some), chance.shape[1]
    pairs = [(q, j) for q in range(len(kinds)) for j in range(regions) if sizes[q] and chance[q, j] > 0]
    known = Baskets(
        line_start=np.concatenate([[0], np.cumsum([sizes[q] for q, _ in pairs])]).astype(np.int64),
        sku=_flat([kinds[q] for q, _ in pairs]),
        quantity=np.ones(sum(int(sizes[q]) for q, _ in pairs), np.int64),
        region=np.array([j for _, j in pairs], np.int64),
        weight=np.array([chance[q, j] * periods for q, j in pairs]),
    )
    return Season(name, orders, np.flatnonzero(some).astype(np.float64), float(periods), known, PER_MAJOR)


def _flat(parts: list[npt.NDArray[np.int64]]) -> npt.NDArray[np.int64]:
    return np.concatenate([np.zeros(0, np.int64), *parts])


def _shares(random: np.random.Generator, number: int) -> npt.NDArray[np.float64]:
    drawn = random.random(number)
    shares: npt.NDArray[np.float64] = drawn / drawn.sum()
    return shares


def _unit_costs() -> npt.NDArray[np.float64]:
    """[W + 1, R]: along the great circle; last what is not served."""
    from_, to = np.radians(np.array(CENTRES))[:, None], np.radians(np.array(REGIONS)[:, :2])
    north, east = np.moveaxis(to - from_, 2, 0)
    half = np.sin(north / 2) ** 2 + np.cos(from_[..., 0]) * np.cos(to[:, 0]) * np.sin(east / 2) ** 2
    cost = UNIT + PER_MILE * EARTH_RADIUS_MILES * 2 * np.arcsin(np.sqrt(half))
    return np.vstack([cost, 2 * cost.max(axis=0)])


def _wanted(kinds: list[npt.NDArray[np.int64]], often: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """[K, R] units."""
    wanted = np.zeros((ITEMS, often.shape[1]))
    for items, row in zip(kinds, often, strict=True):
        wanted[items] += row
    return wanted


def _stock(
    random: np.random.Generator, unit: npt.NDArray[np.float64], wanted: npt.NDArray[np.float64]
) -> npt.NDArray[np.int64]:
    """[K, W]."""
    centres = len(CENTRES)
    kept = random.random((ITEMS, centres)) < KEPT
    # One that no centre would keep is kept by one.
    kept[np.arange(ITEMS), random.integers(0, centres, ITEMS)] |= ~kept.any(axis=1)
    nearest = np.where(kept[:, :, None], unit[None, :-1], np.inf).argmin(axis=1)
    at = np.zeros((ITEMS, centres))
    np.add.at(at, (np.arange(ITEMS)[:, None], nearest), wanted)
    return np.rint(at + SLACK_SD * np.sqrt(at)).astype(np.int64)
