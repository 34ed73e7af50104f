"""Random batches over shared scarce stock, as retailers have them: regions on a map, popular SKUs, orders of few lines.

Costs are thousandths. Vectorised, so that a million lines take seconds.
"""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from engine import BatchProblem

WAREHOUSES = 30
REGIONS = 200
SKUS_AN_ORDER = 0.2
MAP_MILES = (2800.0, 1400.0)
FIXED = 8759
UNIT = 423
UNSERVED_FIXED = 17_518
LINES_SHARE = (0.37, 0.26, 0.16, 0.09, 0.05, 0.03, 0.02, 0.02)
"""Of orders with 1, 2, ... lines: two and a half on average."""
POPULARITY = 0.6
"""The demand of the SKU of rank r is as 1 / r to this power."""
CELLS_MAX = 12
"""A SKU is at 1 to so many warehouses, evenly."""


def random_batch(
    lines: int, seed: int, *, slack: float = 1.05, per_mile: float = 0.005, quantity_max: int = 1
) -> BatchProblem:
    """About so many lines. `slack` is stock over demand, of each SKU; `per_mile` what a unit pays for its way."""
    random = np.random.default_rng(seed)
    share = np.array(LINES_SHARE)
    orders = max(1, round(lines / float(share @ np.arange(1, len(share) + 1))))
    skus = max(len(share), round(SKUS_AN_ORDER * orders))
    count = random.choice(len(share), orders, p=share) + 1
    line_start = np.concatenate([[0], np.cumsum(count)])
    sku = _distinct_skus(random, np.repeat(np.arange(orders), count), skus)
    quantity = random.integers(1, quantity_max + 1, len(sku))
    popular = 1.0 / (np.arange(REGIONS) + 20.0)
    region = random.choice(REGIONS, orders, p=popular / popular.sum())
    demand = np.bincount(sku, quantity, skus)
    stock = _spread(random, np.maximum(1, np.ceil(slack * demand)).astype(np.int64))
    places = random.random((WAREHOUSES, 2)) * MAP_MILES
    homes = random.random((REGIONS, 2)) * MAP_MILES
    miles = np.hypot(*np.moveaxis(homes[:, None] - places, 2, 0))
    unit_cost = np.rint(UNIT + 1000 * per_mile * miles).astype(np.int64)
    return BatchProblem(
        line_start=line_start,
        sku=sku.astype(np.int32),
        quantity=quantity.astype(np.int32),
        region=region.astype(np.int32),
        fixed=np.full(WAREHOUSES, FIXED, np.int64),
        unit_cost=unit_cost,
        stock=stock,
        unserved_fixed=UNSERVED_FIXED,
        unserved_unit=2 * unit_cost.max(axis=1),
    )


def _distinct_skus(random: np.random.Generator, order: npt.NDArray[np.int64], skus: int) -> npt.NDArray[np.int64]:
    """Popular ones more often, none twice in an order."""
    popular = np.cumsum(1.0 / np.arange(1, skus + 1) ** POPULARITY)
    sku: npt.NDArray[np.int64] = np.searchsorted(popular, random.random(len(order)) * popular[-1])
    while True:
        key = order * skus + sku
        sequence = np.argsort(key, kind="stable")
        again = sequence[1:][key[sequence][1:] == key[sequence][:-1]]
        if not len(again):
            return sku
        sku[again] = random.integers(0, skus, len(again))


def _spread(random: np.random.Generator, total: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Units of each SKU over a few warehouses: [K, W]."""
    skus = len(total)
    rank = random.random((skus, WAREHOUSES)).argsort(axis=1).argsort(axis=1)
    share = np.where(
        rank < random.integers(1, CELLS_MAX + 1, (skus, 1)), random.exponential(size=(skus, WAREHOUSES)), 0.0
    )
    stock: npt.NDArray[np.int64] = random.multinomial(total, share / share.sum(axis=1, keepdims=True))
    return stock


def read_batch(path: Path) -> BatchProblem:
    """A text file: four counts; an order a row, region and SKUs; rows of stock; rows of unit costs, unserved last."""
    with path.open() as file:
        orders, _, skus, _ = map(int, file.readline().split())
        rows = [list(map(int, file.readline().split())) for _ in range(orders)]
        stock = np.array([file.readline().split() for _ in range(skus)], np.int64)
        costs = np.array([line.split() for line in file if line.strip()], np.float64)
    unit = np.rint(1000 * costs).astype(np.int64)
    return BatchProblem(
        line_start=np.concatenate([[0], np.cumsum([len(row) - 1 for row in rows])]),
        sku=[sku for row in rows for sku in row[1:]],
        quantity=np.ones(sum(len(row) - 1 for row in rows), np.int32),
        region=[row[0] for row in rows],
        fixed=np.full(stock.shape[1], FIXED, np.int64),
        unit_cost=unit[:, :-1],
        stock=stock,
        unserved_fixed=UNSERVED_FIXED,
        unserved_unit=unit[:, -1],
    )
