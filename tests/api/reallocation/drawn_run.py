"""A run as one over the sample network might be: every warehouse, many regions, moves off one that is down."""

import random

from engine.reallocation.model import (
    ReallocationPlan,
    ReallocationRequest,
    ReallocationStatus,
    RegionChange,
    Told,
    WarehouseChange,
)
from engine.reallocation.moves import Moves
from engine.sample import load_network


def drawn_run(seed: int = 1, *, state: str = "planned", orders: int = 900) -> tuple[ReallocationStatus, Moves]:
    """The run and its moves; the numbers agree with each other."""
    dice = random.Random(seed)
    network = load_network()
    ids = [warehouse.id for warehouse in network.warehouses]
    down = ids[7]
    held = {name: dice.randint(20, 900) for name in ids}
    rows = []
    left = held[down]
    number = 0
    while left > 0:
        units = min(left, dice.randint(1, 4))
        target = dice.choices([name for name in ids if name != down], [1 / (at + 1) for at in range(len(ids) - 1)])[0]
        rows.append((f"O-{number}", f"S{number % 40}", units, down, target, 1_000, 1_000 + dice.randint(10, 900)))
        left -= units
        number += 1
    stay = held[down] // 50
    moves = Moves(**{name: [row[at] for row in rows] for at, name in enumerate(Moves.__struct_fields__)})
    come = {name: sum(row[2] for row in rows if row[4] == name) for name in ids}
    by_warehouse = tuple(
        WarehouseChange(
            warehouse=one.id,
            lat=one.lat,
            lon=one.lon,
            down=one.id == down,
            units_before=held[one.id] + (stay if one.id == down else 0),
            units_after=stay if one.id == down else held[one.id] + come[one.id],
            shipments_before=held[one.id] // 2,
            shipments_after=stay if one.id == down else (held[one.id] + come[one.id]) // 2,
            units_out=held[down] if one.id == down else 0,
            units_in=come[one.id],
        )
        for one in network.warehouses
    )
    places = dice.sample(list(network.cities), 60)
    before, after = sum(row[5] for row in rows), sum(row[6] for row in rows)
    shares = [dice.random() for _ in places]
    by_region = tuple(
        RegionChange(
            country="CN",
            region=place.name,
            lat=place.lat,
            lon=place.lon,
            orders=max(1, int(orders * share / sum(shares))),
            moved=int(len(rows) * share / sum(shares)),
            cost_before=int(before * share / sum(shares)),
            cost_after=int(after * share / sum(shares)),
            unserved=2 if at < 3 else 0,
        )
        for at, (place, share) in enumerate(zip(places, shares, strict=True))
    )
    plan = ReallocationPlan(
        planned_at_ms=1_762_819_201_000,
        planned_in_s=1.42,
        currency=network.currency,
        orders_seen=orders * 4,
        orders_chosen=orders,
        left_out=(Told(why="partially_shipped", orders=3),),
        orders_moved=len(rows),
        moves=len(rows),
        units_moved=held[down],
        not_moved=(Told(why="no_gain", orders=12),),
        cost_before=before,
        cost_after=after,
        filled_cost=0,
        assignment_cost=after,
        assignment_bound=int(after * 0.997),
        shipments_before=orders,
        shipments_after=orders + 17,
        unserved=(Told(why="no_stock", orders=5), Told(why="stock_went_to_others", orders=1)),
        by_warehouse=by_warehouse,
        by_region=by_region,
    )
    status = ReallocationStatus(
        id="flood-7",
        state=state,  # type: ignore[arg-type]
        request=ReallocationRequest(id="flood-7", warehouse_down=down, reason="flood"),
        created_at_ms=1_762_819_200_000,
        plan=plan,
        chunks=3,
    )
    return status, moves
