"""Opportunity prices by names made into rows for the core. Checks them; does no I/O."""

from collections.abc import Callable, Mapping

import msgspec

from engine.errors import FieldError, InvalidInput
from engine.model import limits

PRICES_MAX = 10_000_000
"""Prices of cells that are taken: some 200 MB in the core."""


class Prices(msgspec.Struct, frozen=True):
    """What stock is held to be worth to orders that are yet to come, in minor units; 0 where nothing is said."""

    cells: Mapping[tuple[str, str], int] = {}
    """Of a unit, by SKU and warehouse."""
    warehouses: Mapping[str, int] = {}
    """Of a shipment, by warehouse."""


def price_rows(
    prices: Prices, *, sku: Callable[[str], int | None], warehouse: Callable[[str], int | None]
) -> tuple[list[tuple[int, int, int]], list[tuple[int, int]]]:
    """The core's rows. Raises InvalidInput, which names every price that is out of range or of nothing known."""
    errors = [
        FieldError(f"/{field}", f"must be a mapping of prices, not {type(value).__name__}")
        for field, value in (("cells", prices.cells), ("warehouses", prices.warehouses))
        if not isinstance(value, Mapping)
    ]
    if errors:
        raise InvalidInput(tuple(errors))
    if len(prices.cells) > PRICES_MAX:
        raise InvalidInput((FieldError("/cells", f"must be {PRICES_MAX} prices at the most, not {len(prices.cells)}"),))
    cells, warehouses = [], []
    for cell, price in prices.cells.items():
        if not (isinstance(cell, tuple) and len(cell) == 2 and all(isinstance(name, str) for name in cell)):
            errors.append(FieldError(f"/cells/{cell}", 'must be of a SKU and a warehouse: {("lamp", "SHA"): 300}'))
            continue
        sku_name, warehouse_name = cell
        pointer = f"/cells/{sku_name}/{warehouse_name}"
        numbers = sku(sku_name), warehouse(warehouse_name)
        if numbers[0] is None:
            errors.append(FieldError(pointer, f'unknown SKU "{sku_name}"'))
        elif numbers[1] is None:
            errors.append(FieldError(pointer, f'unknown warehouse "{warehouse_name}"'))
        elif _fits(pointer, price, errors):
            cells.append((numbers[0], numbers[1], int(price)))
    for name, price in prices.warehouses.items():
        number = warehouse(name)
        if number is None:
            errors.append(FieldError(f"/warehouses/{name}", f'unknown warehouse "{name}"'))
        elif _fits(f"/warehouses/{name}", price, errors):
            warehouses.append((number, int(price)))
    if errors:
        raise InvalidInput(tuple(errors))
    return cells, warehouses


def _fits(pointer: str, price: int, errors: list[FieldError]) -> bool:
    # NumPy's integers are welcome, halves of a minor unit are not.
    whole = hasattr(price, "__index__") and not isinstance(price, bool)
    if whole and 0 <= price <= limits.MONEY_MAX:
        return True
    errors.append(FieldError(pointer, f"must be a whole number of minor units, 0 to {limits.MONEY_MAX}, not {price!r}"))
    return False
