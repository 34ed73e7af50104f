"""Many orders over shared stock: assigned near the least cost, or stock priced for them. Columns only; no store."""

import os
from collections.abc import Callable
from math import isfinite
from time import perf_counter
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from engine.arrays import count, invalid
from engine.batch_problem import BatchProblem
from engine.errors import FieldError, InvalidInput
from engine.frames import pieces
from engine.frames.names import BatchNames
from engine.planner import BATCH_THREADS_MAX, price_batch
from engine.planner import assign_batch as assign_in_core

Phase = Literal["price", "build", "improve"]
Ended = Literal["complete", "time_limit", "cancelled"]

_SEED_MAX = 2**64 - 1


class BatchProgress(Struct, frozen=True):
    """How far a run is."""

    phase: Phase
    """`price`: the bound rises. `build`: orders are placed. `improve`: the cost falls."""
    elapsed_s: float
    cost: int | None
    """Of the best assignment so far; None while there is none."""
    bound: int
    """No assignment costs less."""

    @property
    def gap(self) -> float | None:
        """The share of the cost that is not proven to be needed; None while there is no cost."""
        return None if self.cost is None else gap(self.cost, self.bound)


Watch = Callable[[BatchProgress], object]


class BatchAssignment(Struct, frozen=True, eq=False):
    """A warehouse for every unit, or none; what that costs, and how much less it might cost."""

    line: npt.NDArray[np.int64]
    """[P] the line of each piece, in order: one for each warehouse that serves it, one for what is not served."""
    warehouse: npt.NDArray[np.int32]
    """[P] -1: not served."""
    quantity: npt.NDArray[np.int32]
    """[P] units, from 1 on; those of a line's pieces are its quantity."""
    cost: int
    bound: int
    """A proven lower bound: no assignment costs less."""
    ended: Ended
    """`complete`: all was done that there is to do; only then the same input gives the same answer each time."""
    passes: int
    """How often all orders were solved to raise the bound."""
    rounds: int
    """How often orders were looked at anew to lower the cost."""
    elapsed_s: float
    names: BatchNames | None = None
    """Of a problem that came from frames: columns and frames are told by them."""

    @property
    def gap(self) -> float:
        """The share of the cost that is not proven to be needed: (cost - bound) / cost."""
        return gap(self.cost, self.bound)

    def to_columns(self) -> dict[str, npt.NDArray[Any]]:
        """The pieces as arrays: row of the frame of lines, order_id, sku, warehouse (None: not served), quantity.

        Of a problem that came from no frames: line, warehouse (-1: not served), quantity.
        """
        return pieces.to_columns(self)

    def to_arrow(self) -> Any:
        """The same as a pyarrow.Table: numbers not copied, ids as dictionaries. Needs pyarrow (`stockade[frames]`)."""
        return pieces.to_arrow(self)

    def to_pandas(self) -> Any:
        """The same as a pandas.DataFrame, ids as categories. Needs pandas."""
        return pieces.to_pandas(self)

    def to_polars(self) -> Any:
        """The same as a polars.DataFrame. Needs polars."""
        return pieces.to_polars(self)

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """By the Arrow PyCapsule protocol: whatever reads that takes an assignment as it is. Needs pyarrow."""
        return self.to_arrow().__arrow_c_stream__(requested_schema)


def gap(cost: int, bound: int) -> float:
    """(cost - bound) / cost, 0 where all is for free."""
    return (cost - bound) / cost if cost else 0.0


def assign_batch(
    problem: BatchProblem,
    *,
    time_limit_s: float = 60.0,
    threads: int | None = None,
    seed: int = 0,
    progress: Watch | None = None,
    exact: bool = False,
) -> BatchAssignment:
    """Assign every unit of a batch to a warehouse, near the least cost, with a proven lower bound.

    Stock is relaxed to prices, under which each order is solved exactly; that gives the bound. Orders are then placed
    by the prices, and looked at again, with chains of others that make room. It ends when that saves next to nothing,
    at `time_limit_s`, or when `progress` says so, always with an assignment that keeps every rule. Given the time,
    the same input and `seed` (0 to 2**64 - 1) give the same answer on any number of threads (None: as many as there
    are processors).

    `progress` is called with a BatchProgress from the calling thread, up to 4 times a second; False ends the run. An
    exception in it, or Ctrl-C, ends the run and is raised. Other threads of Python run meanwhile.

    Memory, beside the problem: some 80 bytes a line, 80 an order, and 50 (8 more for each thread) a cell that has
    stock of a wanted SKU.

    `exact` solves by HiGHS (`pip install 'stockade[exact]'`) to the optimum, for small batches: up to 20,000 lines
    and cells together, on one thread; then `progress` is not called.

    Raises InvalidInput for what breaks a rule.
    """
    start = perf_counter()
    _check(problem, progress)
    limit_s, team, seed = _limit(time_limit_s), _threads(threads), _seed(seed)
    if exact:
        from engine.batch_exact import solve_exactly

        line, warehouse, quantity, cost, bound, ended = solve_exactly(problem, time_limit_s=limit_s)
        elapsed_s = perf_counter() - start
        return BatchAssignment(line, warehouse, quantity, cost, bound, ended, 0, 0, elapsed_s, problem.names)
    word, payload = assign_in_core(problem, limit_s, team, seed, _told(progress))
    if word == "invalid":
        raise _invalid(payload)
    line, warehouse, quantity, cost, bound, ended, passes, rounds = payload
    elapsed_s = perf_counter() - start
    return BatchAssignment(line, warehouse, quantity, cost, bound, ended, passes, rounds, elapsed_s, problem.names)


def price_stock(
    problem: BatchProblem,
    weight: npt.ArrayLike,
    *,
    time_limit_s: float = 60.0,
    threads: int | None = None,
    progress: Watch | None = None,
) -> npt.NDArray[np.int64]:
    """What a unit of each cell is worth to open and expected orders: int64 [K, W], from 0 on.

    `weight` [O] says how often each order is expected, 0 to 10**9; open orders have 1. Prices are those under which
    the orders, each at its cheapest, want no more than there is; a cell without stock, or with as much as anybody
    might want, has none. The rest is as for `assign_batch`; `frozen` lines take their stock once, whatever their
    weight.

    Raises InvalidInput for what breaks a rule.
    """
    _check(problem, progress)
    try:
        weights = np.ascontiguousarray(weight, np.float64)
    except (ValueError, TypeError) as error:
        raise invalid("weight", f"must be an array of numbers: {error}") from None
    if weights.ndim != 1:
        raise invalid("weight", f"must have 1 dimensions, not {weights.ndim}")
    word, payload = price_batch(problem, weights, _limit(time_limit_s), _threads(threads), _told(progress))
    if word == "invalid":
        raise _invalid(payload)
    prices: npt.NDArray[np.int64] = payload.reshape(problem.stock.shape)
    return prices


def _check(problem: object, progress: object) -> None:
    if not isinstance(problem, BatchProblem):
        raise invalid("problem", f"must be a BatchProblem, not {type(problem).__name__}")
    if progress is not None and not callable(progress):
        raise invalid("progress", f"must be a function of a BatchProgress, or None, not {type(progress).__name__}")


def _told(progress: Watch | None) -> Callable[[str, float, int | None, int], bool] | None:
    if progress is None:
        return None

    def tell(phase: Any, elapsed_s: float, cost: int | None, bound: int) -> bool:
        return progress(BatchProgress(phase, elapsed_s, cost, bound)) is not False

    return tell


def _limit(time_limit_s: float) -> float:
    if isinstance(time_limit_s, bool) or not isinstance(time_limit_s, (int, float, np.number)):
        raise invalid("time_limit_s", f"must be a number of seconds, not {time_limit_s!r}")
    if not isfinite(time_limit_s) or time_limit_s < 0:
        raise invalid("time_limit_s", f"must be a finite number of seconds from 0 on, not {time_limit_s!r}")
    return float(time_limit_s)


def _threads(threads: int | None) -> int:
    if threads is None:
        return min(len(os.sched_getaffinity(0)), BATCH_THREADS_MAX)
    return count("threads", threads, 1, BATCH_THREADS_MAX)


def _seed(seed: int) -> int:
    number = count("seed", seed, 0, _SEED_MAX + 1)
    if number > _SEED_MAX:
        raise invalid("seed", f"must be 0 to 2**64 - 1, not {seed!r}")
    return number


def _invalid(flaws: list[tuple[str, str]]) -> InvalidInput:
    return InvalidInput(tuple(FieldError(pointer, message) for pointer, message in flaws))
