"""What random histories are drawn from: few names and small numbers, so that everything meets everything."""

from datetime import UTC, datetime, timedelta
from typing import get_args

import msgspec
from hypothesis import strategies as st

from engine.model import Component, Line, Movement, MovementRow, Order, ShipTo, Sku, StockCount
from engine.model.movement import MovementType
from tests.engine.small_network import SKUS, WAREHOUSES

NAMES = tuple(warehouse.id for warehouse in WAREHOUSES)
SKU_NAMES = tuple(sku.sku for sku in SKUS)
GOODS = (
    Sku(sku="kit", components=(Component("x", 1), Component("few", 2)), purchase_limit=2),
    Sku(sku="z", substitutes=("y", "few")),
)
"""A bundle, and a SKU that others may come for."""
CHANNELS = ("app", "shop")
NOON = datetime(2030, 1, 2, 12, tzinfo=UTC)

skus = st.sampled_from(SKU_NAMES)
names = st.sampled_from(NAMES)
ordered = st.sampled_from((*SKU_NAMES, "z", "kit"))
picks = st.dictionaries(ordered, st.integers(1, 3), min_size=1, max_size=3)
"""Units by SKU."""


def _consistent(order: Order) -> Order:
    if order.pickup_at:
        order = msgspec.structs.replace(order, warehouses=None)
    if order.allow_backorder:
        order = msgspec.structs.replace(order, allow_partial=False)
    return order if order.payment == "pending" else msgspec.structs.replace(order, hold_seconds=None)


orders = st.builds(
    Order,
    order_id=st.integers(0, 19).map("o{}".format),
    ship_to=st.sampled_from([ShipTo(lat=30.0, lon=110.0), ShipTo(lat=32.0, lon=110.0)]),
    lines=st.lists(st.builds(Line, ordered, st.integers(1, 4)), min_size=1, max_size=4).map(tuple),
    channel=st.sampled_from([None, "app", "app", "shop", "web"]),
    customer=st.sampled_from([None, "ann", "bob"]),
    payment=st.sampled_from(["paid", "pending"]),
    hold_seconds=st.sampled_from([None, 3600]),
    policy=st.sampled_from([None, "cheapest", "nearest", "priority"]),
    allow_split=st.booleans(),
    max_shipments=st.sampled_from([None, None, 1, 2, 3]),
    allow_partial=st.booleans(),
    allow_substitutes=st.booleans(),
    allow_backorder=st.sampled_from([False, False, True]),
    warehouses=st.sampled_from([None, None, ("A", "B"), ("C",)]),
    pickup_at=st.sampled_from([None, None, None, None, "A", "B"]),
).map(_consistent)

counts = st.builds(
    StockCount, sku=skus, warehouse=names, on_hand=st.integers(0, 9), safety=st.sampled_from([None, None, 0, 3])
)
count_calls = st.lists(counts, min_size=1, max_size=4, unique_by=lambda row: (row.sku, row.warehouse))

_SIGNED = ("adjust", "allot")


@st.composite
def movements(draw: st.DrawFn, movement_id: str, announced: list[tuple[str, str, str]]) -> Movement:
    """A movement of any type; `announced` are references with SKU and warehouse that it may receive or call off."""
    type_ = draw(st.sampled_from(get_args(MovementType)))
    rows: dict[tuple[str, ...], MovementRow] = {}
    for _ in range(draw(st.integers(1, 3))):
        sku, warehouse, inbound = draw(skus), draw(names), None
        if type_ == "cancel_inbound" or (type_ == "receive" and announced and draw(st.booleans())):
            inbound, sku, warehouse = draw(st.sampled_from([*announced, ("nothing", sku, warehouse)]))
        quantity: int | None = draw(st.integers(1, 4))
        if type_ in _SIGNED and draw(st.booleans()):
            quantity = -(quantity or 0)
        if type_ == "cancel_inbound" and draw(st.booleans()):
            quantity = None
        rows[sku, warehouse] = MovementRow(
            sku=sku,
            warehouse=warehouse,
            quantity=quantity,
            expected_on_hand=draw(st.sampled_from([None, None, None, 2, 3])),
            to_warehouse=draw(st.sampled_from([name for name in NAMES if name != warehouse]))
            if type_ == "transfer"
            else None,
            arrives_at=NOON + timedelta(hours=draw(st.integers(0, 3))) if type_ in ("transfer", "inbound") else None,
            inbound=inbound,
            channel=draw(st.sampled_from(CHANNELS)) if type_ == "allot" else None,
        )
    return Movement(movement_id=movement_id, type=type_, rows=tuple(rows.values()))
