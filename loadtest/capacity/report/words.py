"""The verdict of a page, and everything of a result that is told in words. Pure."""

from loadtest.capacity.findings import findings
from loadtest.capacity.result import CapacityResult, Fit, Interval, Knee, Session
from loadtest.report.verdict import Level, Verdict
from pages import amounts


def judge(result: CapacityResult) -> Verdict:
    """Lies alarm; what is incomplete, disturbed, or not audited is to be looked at."""
    alarms = findings(result)
    warnings = [] if result.incomplete is None else [f"Incomplete: {result.incomplete}"]
    warnings += [f"{workers_words(one.workers)}: not audited." for one in result.sessions if one.audit is None]
    warnings += result.notes
    level = Level.ALARM if alarms else Level.WARN if warnings else Level.GOOD
    lied = any(one.audit is not None and one.audit.lies for one in result.sessions)
    return Verdict(level, _sentences(result, lied), tuple(alarms), tuple(warnings))


def _sentences(result: CapacityResult, lied: bool) -> tuple[str, ...]:
    told = [f"{workers_words(one.workers)}: {knee_words(one.knee)}." for one in result.sessions]
    return ("The service did not do what it told.", *told) if lied else tuple(told)


def workers_words(workers: int) -> str:
    """A number of them."""
    return amounts.counted(workers, "worker", "workers")


def knee_words(knee: Knee | None) -> str:
    """A session's answer."""
    if knee is None:
        return "the generator limited every load"
    if knee.per_s is None:
        return f"p99 above {knee.p99_ms:g} ms at every load that counts"
    at_least = "at least " if knee.at_least else ""
    return f"{at_least}{amounts.count(knee.per_s)} orders a second with p99 within {knee.p99_ms:g} ms"


def span_words(span: Interval | None, *, is_open: bool = False) -> str:
    """An interval."""
    if span is None:
        return amounts.NOTHING
    return f"{amounts.count(span.low)} {'and more' if is_open else f'to {amounts.count(span.high)}'}"


def peak_words(session: Session) -> str:
    """The most that was accepted."""
    if session.peak is None:
        return amounts.NOTHING
    return f"{'≥ ' if session.peak.at_least else ''}{amounts.count(session.peak.orders_per_s)}"


def law_words(fit: Fit) -> str:
    """The law in numbers."""
    best = "" if fit.workers_best is None else f" It is at its most with {fit.workers_best:,.1f} workers."
    sigma = "" if fit.sigma_interval is None else f" ({fit.sigma_interval.low:.4f} to {fit.sigma_interval.high:.4f})"
    kappa = "" if fit.kappa_interval is None else f" ({fit.kappa_interval.low:.5f} to {fit.kappa_interval.high:.5f})"
    return (
        f"One worker does {amounts.count(fit.rate_per_s)} orders a second; sigma, what they wait for each other, is"
        f" {fit.sigma:.4f}{sigma}; kappa, what each pair costs, {fit.kappa:.5f}{kappa}.{best} The medians lie within"
        f" {amounts.percent(fit.residual_max)} of it."
    )


def kept_words(result: CapacityResult) -> list[tuple[str, str]]:
    """Memory, disk and the restart: name and value, marked where it was not measured as such."""
    found: list[tuple[str, str]] = []
    if (growth := result.growth) is not None:
        if growth.store_bytes_per_order is not None:
            found.append(("Store memory of an order", f"{amounts.count(growth.store_bytes_per_order)} bytes"))
        if growth.file_bytes_per_order is not None:
            found.append(("Append-only file of an order", f"{amounts.count(growth.file_bytes_per_order)} bytes"))
        if growth.service_bytes is not None:
            found.append(("Memory of a process at the end", megabytes(growth.service_bytes)))
        if growth.store_bytes is not None:
            kept = f"with {amounts.count(growth.orders)} orders"
            found.append(("Memory of the store at the end", f"{megabytes(growth.store_bytes)}, {kept}"))
        if (cells := growth.cells) is not None:
            times = 1_000_000 / cells.cells
            mark = f" (extrapolated {amounts.count(times)} times)"
            for name, size in (
                ("A million cells in a process", cells.service_bytes),
                ("A million cells in the store", cells.store_bytes),
                ("A million cells on disk", cells.file_bytes),
            ):
                if size is not None:
                    found.append((name, megabytes(size * times) + mark))
    if result.restart is not None:
        kept = f"with {amounts.count(result.restart.orders)} orders to load"
        found.append(("Killed store, until orders again", f"{amounts.seconds(result.restart.seconds)}, {kept}"))
    return found


def megabytes(size: float) -> str:
    """A size."""
    return f"{size / 1e6:,.0f} MB"
