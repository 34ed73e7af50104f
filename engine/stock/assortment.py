"""Checks what SKUs are to stand for, against the catalogue and the stock as they are. Two processes that define at once
can still get past it: planning refuses orders for a bundle that came about so."""

from collections.abc import Sequence

from engine.errors import FieldError, InvalidInput
from engine.intake import Replica
from engine.model import Sku, limits
from engine.model.goods_rules import goods_errors
from engine.planner import Planner
from engine.store import Store

LEARN_TRIES = 3
"""Looks at the catalogue's news before a name is unknown: another process may have added it just before."""


class AssortmentRoom:
    """Bundles and substitutes of one store."""

    def __init__(self, planner: Planner, store: Store, replica: Replica) -> None:
        self._planner = planner
        self._store = store
        self._replica = replica

    async def check(self, skus: Sequence[Sku]) -> None:
        """Check the components and substitutes of definitions. Raises InvalidInput, StoreError."""
        if not any(sku.components or sku.substitutes for sku in skus):
            return
        for _ in range(LEARN_TRIES):
            errors = goods_errors(skus, self._planner.skus, self._planner.assortment)
            if not errors:
                break
            await self._replica.read_catalogue(block_ms=1)
        errors = errors or await self._with_stock(skus)
        if errors:
            raise InvalidInput(errors)

    async def _with_stock(self, skus: Sequence[Sku]) -> tuple[FieldError, ...]:
        """Of SKUs that are to be bundles, those that have stock, or have some announced."""
        core, errors = self._planner.core, []
        for index, sku in enumerate(skus):
            number = core.sku_number(sku.sku) if sku.components else None
            if number is None:
                continue
            cells = core.known_cells(sku=number, warehouse=None, start=0, limit=limits.WAREHOUSES_MAX)
            rows = await self._store.read_cells(cells)
            if any(row.on_hand or row.quarantined or row.inbound for row in rows):
                prefix = f"/{index}" if len(skus) > 1 else ""
                message = "it has stock of its own, which a bundle has not: give the bundle another name"
                errors.append(FieldError(f"{prefix}/components", message))
        return tuple(errors)
