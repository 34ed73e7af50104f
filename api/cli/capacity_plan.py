"""`stockade capacity plan`: what a peak needs, by what was measured, with a mark beside each answer."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from api.cli.capacity_table import print_plan
from api.cli.console import EXIT_FINDING, err, print_json
from engine.errors import FieldError, InvalidInput
from loadtest.capacity.answer import Wanted
from loadtest.capacity.needs import MILLION
from loadtest.capacity.plan import plan_for, why_none
from loadtest.capacity.read import read_result

HOUR_S = 3_600


def plan(
    *,
    from_: Annotated[Path, Parameter(name="--from", help="result.json of `stockade capacity run`.")],
    peak: Annotated[float, Parameter(help="Orders a second.", validator=Number(gt=0, lte=100_000_000))],
    p99_ms: Annotated[
        float | None, Parameter(help="The objective; else that of the run.", validator=Number(gt=0, lte=3_600_000))
    ] = None,
    headroom: Annotated[
        float,
        Parameter(help="Per cent of what can be done that the peak leaves free.", validator=Number(gte=0, lt=100)),
    ] = 30.0,
    orders: Annotated[
        float | None, Parameter(help="Kept in the store; else those of an hour of the peak.", validator=Number(gte=0))
    ] = None,
    million_cells: Annotated[
        float | None, Parameter(help="Cells of stock, in millions; else those of the run.", validator=Number(gte=0))
    ] = None,
    json: bool = False,
) -> int:
    """Say what a peak needs: processes, partitions, memory, disk; and what a fail-over may cost.

    Each answer is marked: measured, extrapolated and how far beyond, or not measured. Exit 1 where what was measured
    leads to the peak with no number of processes.
    """
    result = read_result(from_)
    wanted = Wanted(
        peak_per_s=peak,
        p99_ms=result.asked.p99_ms if p99_ms is None else p99_ms,
        headroom=headroom / 100,
        orders_kept=peak * HOUR_S if orders is None else orders,
        cells=None if million_cells is None else million_cells * MILLION,
    )
    found = plan_for(result, wanted)
    if found is None:
        raise InvalidInput((FieldError(str(from_), why_none(result, wanted.p99_ms)),))
    if json:
        print_json(found)
    else:
        print_plan(found)
    if not found.reached:
        err.print("What was measured leads to this peak with no number of processes.", style="red")
        return EXIT_FINDING
    return 0
