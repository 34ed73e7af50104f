"""Says why a load test is no result, or not the one that was wanted."""

from collections.abc import Iterator

from loadtest.audit.finding import RunAudit
from loadtest.load_result import LoadResult

OVERLOADED_MAX = 0.01
"""The share of orders that may be turned away with 429 or 503, where nobody says another."""
WAITING_MAX = 0.01
"""The share of requests that may wait for a connection when the last one becomes due, and one a connection."""


def findings(
    result: LoadResult,
    *,
    p99_ms: float | None = None,
    overloaded_max: float = OVERLOADED_MAX,
    failed_max: float = 0.0,
) -> list[str]:
    """What is not as it should be, in words, lies first.

    `p99_ms`: the target for what was answered with 2xx, from when it was due: refusals are quick. `overloaded_max`: the
    share of orders that may have been turned away in the end. `failed_max`: the share that may have had no answer, or
    one that is neither success nor refusal, or may never have been sent, where a scenario breaks something.
    """
    found = lies(result.audit) if result.audit is not None else []
    found += [f"At {one.at_s:.1f} s: {one.do} could not be done: {one.failed}" for one in result.actions if one.failed]
    found += _of_generator(result)
    if failed_share(result) > failed_max:
        found += _failures(result)
    found += [*_of_service(result), *_turned_away(result, overloaded_max)]
    if result.cancelled:
        found.append("The run was stopped before its end.")
    if not result.orders["ok"]:
        found.append("Nothing was accepted.")
    reached_ms = result.classes["ok"].from_intended.p99_ms
    if p99_ms is not None and reached_ms > p99_ms:
        found.append(f"p99 of what was accepted is {reached_ms:,.1f} ms; the target is {p99_ms:g} ms.")
    return found


def lies(audit: RunAudit) -> list[str]:
    """What the audit found, in words."""
    found = [f"{one.count:,} {one.detail}: {', '.join(one.examples)}." for one in audit.lies]
    if audit.broken is not None:
        found.append(f"There was no audit: {audit.broken}")
    if audit.unread:
        found.append(f"The service told nothing of {audit.unread:,} orders that it was asked for after the run.")
    return found


def orders_due(result: LoadResult) -> int:
    """Orders that became due, each of a bulk body; a body that was never sent counts as one."""
    return result.dropped + sum(result.orders.values())


def failed_share(result: LoadResult) -> float:
    """Of orders or of requests, whichever is more: a confirmation is no order, and a body of a thousand one request."""
    orders = result.dropped + result.orders["failed"] + result.orders["other"]
    requests = result.dropped + result.classes["failed"].count + result.classes["other"].count
    return min(1.0, max(orders / max(1, orders_due(result)), requests / max(1, result.offered)))


def _of_generator(result: LoadResult) -> Iterator[str]:
    generator = result.generator
    if "cpu" in generator.bound_by:
        yield (
            f"The generator took {generator.cpu_share_peak:.0%} of a processor in its busiest second"
            f" ({generator.cpu_share:.0%} of the time): what was measured is the generator."
            " Use more threads, or fewer requests a second."
        )
    if "record" in generator.bound_by:
        yield (
            f"The generator stood still for its record for {generator.record_share:.0%} of the time:"
            " what was measured is where that is written. Write it to something faster, or record less."
        )
    if "lateness" in generator.bound_by:
        yield (
            f"The generator was {generator.lateness.p99_ms:.1f} ms late (p99) although connections were free,"
            f" more than a tenth of what answers took (p99 {result.from_sent.p99_ms:.1f} ms):"
            " what was measured is the generator. Give it a processor of its own."
        )


def _failures(result: LoadResult) -> Iterator[str]:
    if result.dropped:
        yield f"{result.dropped:,} requests were never sent: too many waited for a connection. Use more of them."
    if failed := result.classes["failed"].count:
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in result.failures.items())
        yield f"{failed:,} requests had no answer: {reasons}."
    if other := result.classes["other"].count:
        statuses = ", ".join(
            f"{count:,} with {status}"
            for status, count in result.statuses.items()
            if not (200 <= status < 300 or status in (409, 429, 503))
        )
        yield f"{other:,} answers are neither success nor refusal: {statuses}."
    elif broken := result.orders["other"]:
        yield f"{broken:,} lines of bulk answers are neither success nor refusal."
    if result.lines_missing:
        yield f"Bulk answers left out {result.lines_missing:,} of the orders that were sent."


def _of_service(result: LoadResult) -> Iterator[str]:
    if result.lines_surplus:
        yield f"Bulk answers told {result.lines_surplus:,} lines beyond the orders that were sent."
    if result.waiting_at_end > max(WAITING_MAX * result.offered, result.connections):
        yield (
            f"The service did not follow: {result.waiting_at_end:,} requests still waited for a connection when the"
            f" last became due. It accepted {result.goodput_per_s:,.0f} orders a second."
        )


def _turned_away(result: LoadResult, overloaded_max: float) -> Iterator[str]:
    overloaded, orders = result.orders["overloaded"], sum(result.orders.values())
    if overloaded > overloaded_max * orders:
        yield (
            f"{overloaded:,} of {orders:,} orders ({overloaded / orders:.1%}) were turned away with 429 or 503;"
            f" {overloaded_max:.3g} of them may be."
        )
