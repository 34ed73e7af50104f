"""`stockade capacity`: measures what a service can do, plans with it, and tells what became worse."""

import asyncio
import contextlib
import shlex
from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import App, Parameter
from cyclopts.validators import Number

from api.cli.capacity_options import Measure, Target, percents, whole_numbers
from api.cli.capacity_plan import plan
from api.cli.capacity_site import own_site, site_at
from api.cli.capacity_table import print_compared, print_result, show
from api.cli.console import EXIT_FINDING, err, out, print_json
from api.cli.load_job import new_prefix, secret_of
from api.cli.load_options import url_of
from engine.errors import FieldError, InvalidInput, StockadeError
from loadtest.capacity.campaign import BROKEN, Campaign, Terms, begun
from loadtest.capacity.compare import TOLERANCE, Compared, check_comparable, compared
from loadtest.capacity.findings import findings
from loadtest.capacity.machine import cores, cpu_model
from loadtest.capacity.read import read_result
from loadtest.capacity.report import write_capacity_report
from loadtest.capacity.result import POINTS_MAX, Asked, CapacityResult
from loadtest.capacity.schedule import POINT_S_MIN, needed_s
from loadtest.capacity.session import INTERRUPTED
from loadtest.capacity.workload import ample
from loadtest.scenarios import read_scenario

EXIT_INTERRUPTED = 130
FOLDER = Path("stockade-capacity")
RESULT, REPORT = "result.json", "index.html"

app = App(name="capacity", help="Measure what a service can do, plan for a peak, and compare two measurements.")
app.command(plan)

Tolerance = Annotated[
    float, Parameter(help="A figure may be worse by so much, in per cent.", validator=Number(gte=0, lte=100))
]


@app.command
async def run(
    *,
    measure: Measure = Measure(),  # noqa: B008 - frozen
    target: Target = Target(),  # noqa: B008 - frozen
    out_dir: Annotated[
        Path, Parameter(name=("--out", "-o"), help="Folder for result.json and the report, index.html.")
    ] = FOLDER,
    compare: Annotated[
        Path | None, Parameter(help="Exit 1 if anything is worse than in this result.json, beyond noise.")
    ] = None,
    tolerance: Tolerance = TOLERANCE * 100,
    json: bool = False,
) -> int:
    """Measure the peak, latency against load, the knee, and what more workers bring; then audit what was told.

    Starts services of its own, each on a store in a temporary folder that goes with it, unless --url names one: there
    the orders are real. Ctrl-C ends it with what was measured so far. Exit 1 if the service lied, became worse, was
    never what limited the load, or met the objective at no load.
    """
    scenario = ample(read_scenario(measure.scenario))
    asked, url = _asked(measure, target), None if target.url is None else url_of(target.url)
    old = None if compare is None else read_result(compare)
    if old is not None and compare is not None:
        check_comparable(compare, old, asked, asked.workers, cpu_model=cpu_model(), cores=cores())
    _make(out_dir)
    key, signing_secret = secret_of(target.key, "--key"), secret_of(target.signing_secret, "--signing-secret")
    terms = Terms(
        asked=asked,
        scenario=scenario,
        command=_command(asked, remote=target.url is not None),
        new_prefix=new_prefix,
        key=key,
        signing_secret=signing_secret,
        country=target.country,
    )
    clock = begun()
    many = f"{' and '.join(map(str, asked.workers))} {'worker' if asked.workers == [1] else 'workers'}"
    err.print(
        f"Measuring for {asked.minutes:g} minutes at the most: {len(asked.loads)} loads, {asked.repeats} times each,"
        f" with {many}. Nothing else should run here meanwhile."
    )
    open_site = own_site() if url is None else site_at(url, key, signing_secret)
    campaign = Campaign(terms, open_site, lambda words: show(clock.at_s, asked.minutes * 60, words), clock)
    try:
        result = await campaign.run()
    except StockadeError:
        raise
    except BROKEN as error:
        told = f"could not be measured: {str(error) or type(error).__name__}"
        raise InvalidInput((FieldError("the service" if target.url is None else "--url", told),)) from None
    if result is None and not campaign.interrupted:
        raise InvalidInput((FieldError("capacity", f"nothing was measured: {campaign.why_stopped}"),))
    if result is None:
        err.print("Nothing was measured before it was interrupted.")
        return EXIT_INTERRUPTED
    await asyncio.to_thread(_write, out_dir, result)
    became = None if old is None else compared(old, result, tolerance=tolerance / 100)
    if json:
        print_json(result)
    else:
        print_result(result)
        out.print(f"Result: {out_dir / RESULT}; report: {out_dir / REPORT}", soft_wrap=True, markup=False)
    if became is not None:
        _tell_compared(became, to_stderr=json)
    return _exit_code(result, became)


@app.command(name="compare")
def compare_files(
    old: Annotated[Path, Parameter(help="result.json of an earlier run.")],
    new: Annotated[Path, Parameter(help="That of a later one.")],
    /,
    *,
    tolerance: Tolerance = TOLERANCE * 100,
    json: bool = False,
) -> int:
    """Tell what became worse between two runs, beyond noise; exit 1 if anything did, or if half could not be judged."""
    before, after = read_result(old), read_result(new)
    workers = [session.workers for session in after.sessions]
    machine = after.machine
    check_comparable(old, before, after.asked, workers, cpu_model=machine.cpu_model, cores=machine.cores)
    became = compared(before, after, tolerance=tolerance / 100)
    if json:
        print_json(became)
    else:
        _tell_compared(became, to_stderr=False)
    return EXIT_FINDING if became.worse or became.unjudged else 0


@app.command
def report(
    result: Annotated[Path, Parameter(help="A result.json.")],
    /,
    *,
    out_file: Annotated[Path | None, Parameter(name=("--out", "-o"), help="Else index.html beside it.")] = None,
) -> int:
    """Write the report of a run once more."""
    told = read_result(result)
    file = out_file or result.with_name(REPORT)
    try:
        write_capacity_report(told, file)
    except OSError as error:
        raise InvalidInput((FieldError(str(file), f"cannot be written: {error.strerror}"),)) from None
    out.print(f"Report: {file}", soft_wrap=True, markup=False)
    return 0


def _asked(measure: Measure, target: Target) -> Asked:
    """Raises InvalidInput where the time is not enough."""
    loads = [percent / 100 for percent in percents(measure.loads)]
    workers = whole_numbers(measure.workers) if measure.workers is not None else _workers(remote=target.url is not None)
    if target.url is not None and len(workers) > 1:
        raise InvalidInput((FieldError("--workers", "says how many the service of --url has: one number"),))
    if len(loads) * measure.repeats > POINTS_MAX:
        told = f"and --repeats lead to {len(loads) * measure.repeats:,} points; {POINTS_MAX:,} are the most"
        raise InvalidInput((FieldError("--loads", told),))
    needs = needed_s(len(workers), len(loads), measure.repeats, measure.seconds or POINT_S_MIN)
    if needs > measure.minutes * 60:
        told = (
            f"is too short for {len(loads)} loads, {measure.repeats} times each, with {len(workers)} numbers of"
            f" workers: give {needs / 60 + 0.05:.1f} or more, or fewer --loads, --repeats or --workers"
        )
        raise InvalidInput((FieldError("--minutes", told),))
    return Asked(
        minutes=measure.minutes,
        workers=workers,
        loads=loads,
        repeats=measure.repeats,
        point_s=measure.seconds,
        p99_ms=measure.p99_ms,
        connections=measure.connections,
        threads=measure.threads,
        scenario=measure.scenario if "/" not in measure.scenario else Path(measure.scenario).name,
        seed=measure.seed,
    )


def _workers(*, remote: bool) -> list[int]:
    """1, and twice as many as long as there are processors for them; of a service elsewhere, 1."""
    return [1] if remote else [many for many in (1, 2, 4, 8) if many <= max(2, cores())]


def _command(asked: Asked, *, remote: bool) -> str:
    """That does it again; neither addresses nor folders are in it."""
    options = [
        *(("--url", "URL") if remote else ()),
        *("--minutes", f"{asked.minutes:g}", "--workers", ",".join(map(str, asked.workers))),
        *("--loads", ",".join(f"{100 * share:g}" for share in asked.loads), "--repeats", str(asked.repeats)),
        *(("--seconds", f"{asked.point_s:g}") if asked.point_s is not None else ()),
        *("--p99-ms", f"{asked.p99_ms:g}", "--connections", str(asked.connections), "--threads", str(asked.threads)),
        *("--scenario", asked.scenario, "--seed", str(asked.seed)),
    ]
    return f"stockade capacity run {shlex.join(options)}"


def _make(folder: Path) -> None:
    """Before anything is measured that could not be kept."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".{RESULT}"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise InvalidInput((FieldError("--out", f"{folder} cannot be written: {error.strerror}"),)) from None


def _write(folder: Path, result: CapacityResult) -> None:
    """Whole or not at all."""
    part = folder / f".{RESULT}"
    part.write_bytes(msgspec.json.format(msgspec.json.encode(result), indent=1) + b"\n")
    part.replace(folder / RESULT)
    with contextlib.suppress(OSError):
        write_capacity_report(result, folder / REPORT)


def _tell_compared(became: Compared, *, to_stderr: bool) -> None:
    if not to_stderr:
        print_compared(became)
    elif became.unjudged:
        for note in became.notes:
            err.print(note, markup=False)
    for one in became.worse:
        err.print(one, style="red", markup=False)


def _exit_code(result: CapacityResult, became: Compared | None) -> int:
    told = findings(result)
    for line in told:
        err.print(line, style="red", markup=False)
    if result.incomplete is not None:
        err.print(f"Incomplete: {result.incomplete}", style="yellow", markup=False)
    if INTERRUPTED in (result.incomplete or ""):
        return EXIT_INTERRUPTED
    if became is not None and (became.worse or became.unjudged):
        return EXIT_FINDING
    return EXIT_FINDING if told or result.incomplete is not None else 0
