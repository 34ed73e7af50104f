"""A small batch as tables of text ids, and as the arrays that it must become."""

from typing import Any

LINES: dict[str, list[Any]] = {
    "order_id": ["o1", "o1", "o2", "o3"],
    "sku": ["tea", "pot", "tea", "tea"],
    "quantity": [1, 1, 1, 2],
    "region": ["north", "north", "north", "south"],
}
STOCK: dict[str, list[Any]] = {
    "sku": ["tea", "tea", "pot"],
    "warehouse": ["A", "B", "B"],
    "quantity": [2, 9, 5],
}
COSTS: dict[str, list[Any]] = {
    "region": ["north", "north", "south", "south"],
    "warehouse": ["A", "B", "A", "B"],
    "unit_cost": [120, 150, 90, 400],
}
WAREHOUSES: dict[str, list[Any]] = {"warehouse": ["A", "B"], "fixed_cost": [500, 700]}
POOLS: dict[str, list[Any]] = {
    "channel": ["web", "app"],
    "sku": ["tea", "lid"],
    "warehouse": ["A", "B"],
    "quantity": [3, 8],
}
UNSERVED: dict[str, Any] = {"unserved_fixed": 2000, "unserved_unit": 5000}

ARRAYS: dict[str, Any] = {
    "line_start": [0, 2, 3, 4],
    "sku": [0, 1, 0, 0],
    "quantity": [1, 1, 1, 2],
    "region": [0, 0, 1],
    "fixed": [500, 700],
    "unit_cost": [[120, 150], [90, 400]],
    "stock": [[2, 9], [0, 5]],
    "unserved_unit": [5000, 5000],
}
COST = 2530
"""Of the optimum, as README has it."""
