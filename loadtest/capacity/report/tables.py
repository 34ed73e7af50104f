"""The tables beside the plots: every figure that is drawn, in rows."""

from collections.abc import Sequence

from loadtest.capacity.point import Point
from loadtest.capacity.report.plot_cpu import taken
from loadtest.capacity.report.words import knee_words, peak_words, span_words, workers_words
from loadtest.capacity.result import CapacityResult, Session
from loadtest.capacity.scaling import law
from loadtest.capacity.spread import median
from pages import amounts
from pages.markup import Markup, text
from pages.tables import Column, Row, table

THIN_REQUESTS = 10_000
"""Of fewer accepted requests fewer than ten lie above p99.9: it is one bad moment, and marked."""
WAITS = ("p50_ms", "p90_ms", "p99_ms", "p999_ms")


def load_table(session: Session) -> Markup:
    """A row a load: medians of the repeats that count; of a load without any, of those that do not."""
    headings = ("Load", "Offered/s", "Accepted/s", "p50", "p90", "p99", "p99.9", "Refused", "Turned away", "Waiting",
                "In a batch", "Commit", "Repeats")  # fmt: skip
    groups: dict[float, list[Point]] = {}
    for point in session.sweep:
        groups.setdefault(point.share or 0.0, []).append(point)
    rows = [_load_row(share, points) for share, points in sorted(groups.items())]
    columns = [Column(heading, numeric=bool(place)) for place, heading in enumerate(headings)]
    return table(
        "Loads as shares of the peak: medians of the repeats, milliseconds; * p99.9 of few requests", columns, rows
    )


def _load_row(share: float, points: Sequence[Point]) -> Row:
    good = [point for point in points if not point.generator_bound]
    told = good or points

    def middle(name: str) -> float | None:
        values = [value for point in told if (value := getattr(point, name)) is not None]
        return median(values) if values else None

    waits = [amounts.decimal(middle(name), 1) for name in WAITS]
    if min(point.requests for point in told) < THIN_REQUESTS:
        waits[-1] += "*"
    away = max(point.overloaded_share + point.failed_share for point in told)
    cells = (
        f"{share:.0%}" + ("" if good else " (generator-bound)"),
        amounts.count(middle("offered_per_s") or 0),
        amounts.count(middle("goodput_per_s") or 0),
        *waits,
        amounts.percent(max(point.refused_share for point in told)),
        amounts.percent(away),
        amounts.decimal(middle("queue_mean"), 0),
        amounts.decimal(middle("batch_orders"), 1),
        amounts.decimal(middle("commit_ms"), 2),
        f"{len(good)} of {len(points)}",
    )
    return Row(tuple(map(text, cells)))


def cpu_table(session: Session) -> Markup:
    """A row a load."""
    groups: dict[float, list[Point]] = {}
    for point in session.sweep:
        groups.setdefault(point.share or 0.0, []).append(point)
    rows = []
    for share, points in sorted(groups.items()):
        parts = taken(points)
        cells = [f"{share:.0%}"]
        cells += [amounts.decimal(parts.get(key), 2) for key in ("service", "store", "generator", "others")]
        cells.append("; ".join(f"{one.name} {one.cpu_cores:.2f}" for one in points[-1].processes))
        rows.append(Row(tuple(map(text, cells))))
    columns = [Column("Load"), *(Column(name, numeric=True) for name in ("Service", "Store", "Generator", "All else"))]
    return table(
        "Loads as shares of the peak: processors that each took", [*columns, Column("One repeat, by process")], rows
    )


def workers_table(result: CapacityResult) -> Markup:
    """A row a number of workers, measured ones and what the law says of others."""
    fit = result.fit
    rows = []
    for session in result.sessions:
        peak, knee = session.peak, session.knee
        by_law = (
            amounts.NOTHING
            if fit is None
            else amounts.count(law((fit.rate_per_s, fit.sigma, fit.kappa), session.workers))
        )
        cells = (
            workers_words(session.workers),
            peak_words(session),
            span_words(peak.interval if peak is not None else None),
            by_law,
            knee_words(knee),
            span_words(knee.interval, is_open=knee.interval_open) if knee is not None else amounts.NOTHING,
        )
        rows.append(Row(tuple(map(text, cells))))
    columns = (
        Column("Workers"),
        Column("Peak/s", numeric=True),
        Column("95 %", numeric=True),
        Column("By the law", numeric=True),
        Column("Knee"),
        Column("95 %", numeric=True),
    )
    return table("Peaks in closed loop, knees of the sweep", columns, rows)


def order_table(result: CapacityResult) -> Markup:
    """Every point in the order in which it was measured."""
    points = sorted(
        ((session.workers, point) for session in result.sessions for point in (*session.ramp, *session.sweep)),
        key=lambda row: row[1].number,
    )
    rows = [
        Row(
            tuple(
                map(
                    text,
                    (
                        amounts.seconds(point.at_s),
                        str(workers),
                        f"{point.connections} connections" if point.share is None else f"{point.share:.0%} of the peak",
                        amounts.count(point.offered_per_s),
                        amounts.count(point.goodput_per_s),
                        amounts.decimal(point.p99_ms, 1),
                        ", ".join(point.generator_bound) or amounts.NOTHING,
                    ),
                )
            )
        )
        for workers, point in points
    ]
    columns = (
        Column("At"),
        Column("Workers", numeric=True),
        Column("Point"),
        Column("Offered/s", numeric=True),
        Column("Accepted/s", numeric=True),
        Column("p99 ms", numeric=True),
        Column("Generator-bound"),
    )
    return table("Every point, in its order", columns, rows)
