"""How capacity is shown: a line for each step while it is measured, tables of what came of it."""

import math

from api.cli.console import counted, err, out
from api.cli.table import print_table
from loadtest.capacity.answer import Answer
from loadtest.capacity.compare import Compared
from loadtest.capacity.knee import by_load
from loadtest.capacity.plan import Plan
from loadtest.capacity.point import Point
from loadtest.capacity.result import CapacityResult, Interval, Knee, Session
from loadtest.capacity.spread import median

SWEEP = ("load", "offered", "accepted", "p50", "p99", "p99.9", "away", "CPU", "store", "")


def show(at_s: float, whole_s: float, words: str) -> None:
    """One line of progress, with what is left of the time."""
    left_s = max(0.0, whole_s - at_s)
    err.print(f"{_clock(at_s)}  (at most {_clock(left_s)} to go)  {words}", markup=False, soft_wrap=True)


def _clock(seconds: float) -> str:
    return f"{int(seconds // 60):2}:{int(seconds % 60):02}"


def print_result(result: CapacityResult) -> None:
    """Sweeps, knees and the law."""
    for session in result.sessions:
        title = f"{counted(session.workers, 'worker')}: orders a second, milliseconds, processors"
        rows = [_load(share, points) for share, points in _loads(session)]
        print_table(SWEEP, rows, title=title, numbers=SWEEP[:-1], under=("",))
        out.print()
    print_table(("workers", "peak", "95 %", "knee", "95 %"), [_summary(one) for one in result.sessions])
    out.print()
    if result.fit is not None:
        fit = result.fit
        out.print(
            f"By the Universal Scalability Law one worker does {fit.rate_per_s:,.0f}{_span(fit.rate_interval)} orders a"
            f" second; sigma {fit.sigma:.4f}{_span(fit.sigma_interval, 4)},"
            f" kappa {fit.kappa:.5f}{_span(fit.kappa_interval, 5)}."
        )
    for note in (*(result.fit.notes if result.fit is not None else ()), *result.notes):
        out.print(note, markup=False)
    for line in extras_words(result):
        out.print(line, markup=False)
    for session in result.sessions:
        out.print(audit_words(session), markup=False)


def _loads(session: Session) -> list[tuple[float, list[Point]]]:
    """All loads, those too of which no point counts."""
    found: dict[float, list[Point]] = {}
    for point in session.sweep:
        found.setdefault(point.share or 0.0, []).append(point)
    good = by_load(session.sweep)
    return [(share, good.get(share, points)) for share, points in sorted(found.items())]


def _load(share: float, points: list[Point]) -> tuple[object, ...]:
    def middle(name: str) -> float:
        return median([float(getattr(point, name)) for point in points])

    bound = "generator-bound: no result" if all(point.generator_bound for point in points) else ""
    return (
        f"{share:.0%}",
        f"{middle('offered_per_s'):,.0f}",
        f"{middle('goodput_per_s'):,.0f}",
        *(f"{middle(name):,.1f}" for name in ("p50_ms", "p99_ms", "p999_ms")),
        f"{max(point.overloaded_share + point.failed_share for point in points):.1%}",
        cpu_words(points, ("service", "worker")),
        cpu_words(points, ("store",)),
        bound,
    )


def cpu_words(points: list[Point], roles: tuple[str, ...]) -> str:
    """Processors that these took, in the middle of the points."""
    took = [sum(one.cpu_cores for one in point.processes if one.role in roles) for point in points]
    seen = any(one.role in roles for point in points for one in point.processes)
    return f"{median(took):.2f}" if seen else "-"


def _summary(session: Session) -> tuple[object, ...]:
    peak = session.peak
    told = "-" if peak is None else f"{'at least ' if peak.at_least else ''}{peak.orders_per_s:,.0f}"
    return (
        session.workers,
        told,
        _span(peak.interval if peak else None).strip(" ()") or "-",
        knee_words(session.knee),
        _knee_span(session.knee),
    )


def knee_words(knee: Knee | None) -> str:
    """The highest load that meets the objective."""
    if knee is None:
        return "no point counts"
    if knee.per_s is None:
        return f"p99 is above {knee.p99_ms:g} ms at every load that counts"
    return f"{'at least ' if knee.at_least else ''}{knee.per_s:,.0f} with p99 of {knee.p99_ms:g} ms or less"


def _knee_span(knee: Knee | None) -> str:
    if knee is None or knee.interval is None:
        return "-"
    return f"{knee.interval.low:,.0f} {'and more' if knee.interval_open else f'to {knee.interval.high:,.0f}'}"


def _span(span: Interval | None, places: int = 0) -> str:
    return "" if span is None else f" ({span.low:,.{places}f} to {span.high:,.{places}f})"


def extras_words(result: CapacityResult) -> list[str]:
    """What was kept and what a killed store cost, in words."""
    told = []
    growth = result.growth
    if growth is not None and growth.store_bytes_per_order is not None:
        told.append(f"Each order took {growth.store_bytes_per_order:,.0f} bytes of the store's memory.")
    if growth is not None and growth.file_bytes_per_order is not None:
        told.append(f"Each order took {growth.file_bytes_per_order:,.0f} bytes of its append-only files.")
    if growth is not None and (cells := growth.cells) is not None:
        times = 1_000_000 / cells.cells
        parts = [
            f"{size * times / 1e6:,.0f} MB {where}"
            for size, where in (
                (cells.service_bytes, "in each process"),
                (cells.store_bytes, "in the store"),
                (cells.file_bytes, "on disk"),
            )
            if size is not None
        ]
        told.append(
            f"A million cells take {', '.join(parts)} (extrapolated {times:,.0f} times from {cells.cells:,} cells)."
        )
    if result.restart is not None:
        restart = result.restart
        told.append(
            f"The store was killed: after {restart.seconds:.2f} s, with {restart.orders:,} orders, it was back."
        )
    return told


def audit_words(session: Session) -> str:
    """What the audit of a session found, in words."""
    found = session.audit
    workers = counted(session.workers, "worker")
    if found is None or found.broken is not None:
        return f"{workers}: not audited."
    store = {None: "its store was not looked at", True: "its books balance", False: "ITS BOOKS DO NOT BALANCE"}[
        found.store
    ]
    lies = sum(one.count for one in found.lies)
    return (
        f"{workers}: {found.acknowledged:,} orders acknowledged, {found.read:,} looked up afterwards,"
        f" {lies:,} lies; {store}."
    )


def print_plan(found: Plan) -> None:
    """Answers with their marks, and what numbers of processes do."""
    wanted = found.wanted
    title = (
        f"{wanted.peak_per_s:,g} orders a second, p99 {wanted.p99_ms:g} ms, {wanted.headroom:.0%} free:"
        f" {found.needed_per_s:,.0f} a second must be possible"
    )
    rows = [(one.what, value_words(one), mark_words(one.basis, one.beyond), one.how) for one in found.answers]
    print_table(("needs", "", "mark", "how"), rows, title=title, under=("how",))
    out.print()
    rows_by = [
        (
            one.workers,
            f"{'at least ' if one.at_least else ''}{one.per_s:,.0f}",
            mark_words(one.basis, one.beyond),
            "-" if one.here_per_s is None else f"{one.here_per_s:,.0f}",
            "enough" if one.enough else "",
        )
        for one in found.by_workers
    ]
    columns = ("workers", "orders a second at the objective", "mark", "at most on the run's machine", "")
    print_table(columns, rows_by, numbers=("workers",))
    for note in found.notes:
        out.print(note, markup=False)


def mark_words(basis: str, beyond: float | None) -> str:
    """A mark, and how far beyond what was measured it lies."""
    if basis != "extrapolated":
        return basis.replace("-", " ")
    return basis if beyond is None else f"extrapolated {beyond:,.1f} x"


def value_words(answer: Answer) -> str:
    """With its unit, in a size that people read."""
    value, unit = answer.value, answer.unit
    if value is None:
        return "-"
    if not unit:
        return f"{value:,.0f}"
    scale, word = 1.0, unit
    if unit.startswith("bytes"):
        sizes = ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"))
        scale, word = next(((size, word) for size, word in sizes if value >= size), (1.0, "B"))
        word += unit.removeprefix("bytes")
    if answer.basis == "extrapolated":
        return f"about {_two_digits(value / scale)} {word}"
    return f"{value / scale:,.{0 if unit == 'orders' else 1}f} {word}"


def _two_digits(value: float) -> str:
    """Nobody knows more of what was not measured."""
    places = 1 - math.floor(math.log10(value)) if value > 0 else 0
    return f"{round(value, places):,.{max(0, places)}f}"


def print_compared(found: Compared) -> None:
    """Each figure before and now."""
    rows = [
        (
            row.what,
            f"{row.old:,.4g}",
            f"{row.new:,.4g} {row.unit}",
            f"{row.ratio - 1:+.1%}",
            "-" if row.interval is None else f"{row.interval.low - 1:+.1%} to {row.interval.high - 1:+.1%}",
            row.verdict,
        )
        for row in found.rows
    ]
    columns = ("figure", "old", "new", "change", "95 %", "")
    print_table(columns, rows, numbers=("old", "change"))
    for note in found.notes:
        out.print(note, markup=False)
