"""A batch of orders over shared stock, as columns. Checks them; solves nothing."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from engine.arrays import integers, invalid
from engine.errors import FieldError, InvalidInput
from engine.frames.names import BatchNames, Id
from engine.planner import check_batch

if TYPE_CHECKING:
    from engine.frames.table import Source

Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]

_INT64_MAX = 2**63 - 1


class BatchProblem:
    """O orders of N lines in all, K SKUs, W warehouses, R regions. Money is integers of any one unit.

    An order pays `fixed` once for each warehouse that it uses, and `unit_cost` of its region for each unit. A unit
    may be left unserved: that costs `unserved_fixed` once for its order, and `unserved_unit` of the region for each
    unit. A line may be shared by warehouses. No cell gives more than its `stock`; a pool, beside that, gives only to
    orders of its channel.

    Arrays may have any integer type and layout; those of the type named below, contiguous, are not copied, and must
    not be changed while a call works on them. Raises InvalidInput, which names the field and the rule, for: other
    shapes; numbers out of range (costs 0 to 10**13, quantities from 1 on); `line_start` that does not begin with 0,
    end with N, and rise; more than 500 lines in an order; a SKU twice in an order (sum such lines first); a line that
    might cost more than 10**13, or all orders more than 2**61.
    """

    __slots__ = (
        "capacity",
        "channel",
        "fixed",
        "frozen",
        "line_start",
        "max_shipments",
        "move_penalty",
        "names",
        "placed",
        "pool",
        "priority",
        "quantity",
        "region",
        "sku",
        "stock",
        "unit_cost",
        "unserved_fixed",
        "unserved_unit",
    )

    def __init__(
        self,
        *,
        line_start: npt.ArrayLike,
        sku: npt.ArrayLike,
        quantity: npt.ArrayLike,
        region: npt.ArrayLike,
        fixed: npt.ArrayLike,
        unit_cost: npt.ArrayLike,
        stock: npt.ArrayLike,
        unserved_fixed: int,
        unserved_unit: npt.ArrayLike,
        max_shipments: npt.ArrayLike | None = None,
        placed: npt.ArrayLike | None = None,
        move_penalty: int = 0,
        frozen: npt.ArrayLike | None = None,
        capacity: npt.ArrayLike | None = None,
        priority: npt.ArrayLike | None = None,
        channel: npt.ArrayLike | None = None,
        pool: npt.ArrayLike | None = None,
        names: BatchNames | None = None,
    ) -> None:
        """Take the columns, and what else there is to keep.

        line_start: int64 [O + 1], where the lines of each order begin, and where the last one's end.
        sku, quantity: int32 [N]. region: int32 [O].
        fixed: int64 [W]. unit_cost: int64 [R, W]. stock: int64 [K, W]. unserved_unit: int64 [R].
        max_shipments: int32 [O], or one for all: warehouses that an order may use, from 1 on.
        placed: int32 [N], the warehouse where a line is now, -1 for none; then every unit that is not served from there
        costs `move_penalty` more, so that moves pay for themselves. `stock` includes what lines hold.
        frozen: int32 [N], the warehouse where a line must stay, -1 for one that is free. `stock` includes its units.
        capacity: int64 [W], orders that may use each warehouse, those with frozen lines included.
        priority: int32 [O], from 1 on: what not serving an order costs is multiplied by this, in the total cost, too.
        channel: int32 [O], the channel of each order, from 0 on, -1 for none. Only with `pool`.
        pool: int64 [C, K, W], units beside `stock` that only orders of each channel may take. They take these first,
        then of `stock`. What lines hold (`placed`, `frozen`) is in the pool of their channel, or in `stock`.
        names: what the numbers stand for, which `from_frames` fills in; results are told by them.
        """
        self.line_start: Int64 = integers("line_start", line_start, 1, np.int64)
        self.sku: Int32 = integers("sku", sku, 1, np.int32)
        self.quantity: Int32 = integers("quantity", quantity, 1, np.int32)
        self.region: Int32 = integers("region", region, 1, np.int32)
        self.fixed: Int64 = integers("fixed", fixed, 1, np.int64)
        self.unit_cost: Int64 = integers("unit_cost", unit_cost, 2, np.int64)
        self.stock: Int64 = integers("stock", stock, 2, np.int64)
        self.unserved_fixed = _whole("unserved_fixed", unserved_fixed)
        self.unserved_unit: Int64 = integers("unserved_unit", unserved_unit, 1, np.int64)
        if max_shipments is not None and np.ndim(max_shipments) == 0:
            max_shipments = np.full(len(self.region), max_shipments)
        self.max_shipments: Int32 | None = _maybe("max_shipments", max_shipments, np.int32)
        self.placed: Int32 | None = _maybe("placed", placed, np.int32)
        self.move_penalty = _whole("move_penalty", move_penalty)
        self.frozen: Int32 | None = _maybe("frozen", frozen, np.int32)
        self.capacity: Int64 | None = _maybe("capacity", capacity, np.int64)
        self.priority: Int32 | None = _maybe("priority", priority, np.int32)
        self.channel: Int32 | None = _maybe("channel", channel, np.int32)
        self.pool: Int64 | None = None if pool is None else integers("pool", pool, 3, np.int64)
        self.names = names
        flaws = check_batch(self)
        if flaws:
            raise InvalidInput(tuple(FieldError(pointer, message) for pointer, message in flaws))

    @classmethod
    def from_frames(
        cls,
        lines: "Source",
        stock: "Source",
        costs: "Source",
        *,
        warehouses: "Source | None" = None,
        pools: "Source | None" = None,
        fixed_cost: int | None = None,
        unserved_fixed: int,
        unserved_unit: int | Mapping[Id, int],
        max_shipments: int | None = None,
        move_penalty: int = 0,
    ) -> "BatchProblem":
        """A batch from tables: frames of pandas, polars or pyarrow, whatever streams Arrow, or columns by name.

        lines: order_id, sku, quantity, region; if wanted placed, frozen (a warehouse, or empty), max_shipments,
        priority and channel. What is an order's is the same in all of its rows; they need not stand together.
        stock: sku, warehouse, quantity; what has no row is not there.
        costs: region, warehouse, unit_cost; a row for every pair.
        warehouses: warehouse, fixed_cost; if wanted capacity (empty: no bound). Or `fixed_cost`, of all in `costs`.
        pools: channel, sku, warehouse, quantity; beside the stock, and only for orders whose `channel` in lines it is.
        A channel without a row here, or an empty one, has no pool.
        unserved_unit: of all regions, or by region.

        Ids are text or whole numbers, the same for the same thing in all tables. Not copied are quantities and ids
        that are int32 without gaps, in one chunk; ids only if they are the numbers 0, 1, 2 ... in the order in which
        `stock` (SKUs), `costs` (regions) and `warehouses` name them first; and neither if the rows of an order do not
        stand together. All else is made into numbers.

        Raises InvalidInput, which names table, row (from 0), column and rule: `/lines/3/quantity`.
        """
        from engine.frames.problem import problem_of

        return problem_of(
            lines,
            stock,
            costs,
            warehouses=warehouses,
            pools=pools,
            fixed_cost=fixed_cost,
            unserved_fixed=unserved_fixed,
            unserved_unit=unserved_unit,
            max_shipments=max_shipments,
            move_penalty=move_penalty,
        )

    @property
    def orders(self) -> int:
        """O."""
        return len(self.region)

    @property
    def lines(self) -> int:
        """N."""
        return len(self.sku)

    def __repr__(self) -> str:
        skus, warehouses = self.stock.shape
        return f"BatchProblem(orders={self.orders}, lines={self.lines}, skus={skus}, warehouses={warehouses})"


def _maybe(name: str, values: npt.ArrayLike | None, dtype: type[np.signedinteger[Any]]) -> npt.NDArray[Any] | None:
    return None if values is None else integers(name, values, 1, dtype)


def _whole(name: str, value: int) -> int:
    if isinstance(value, bool) or not hasattr(value, "__index__") or abs(int(value)) > _INT64_MAX:
        raise invalid(name, f"must be an integer of 64 bits, not {value!r}")
    return int(value)
