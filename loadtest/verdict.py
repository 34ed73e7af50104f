"""Says why a load test is no result, or not the one that was wanted."""

from loadtest.load_result import LoadResult


def findings(result: LoadResult, *, p99_ms: float | None = None) -> list[str]:
    """What is not as it should be, in words. `p99_ms`: the target, from when requests were due."""
    found = []
    generator = result.generator
    if "cpu" in generator.bound_by:
        found.append(
            f"The generator took {generator.cpu_share:.0%} of a processor: what was measured is the generator."
            " Use more threads, or fewer requests a second."
        )
    if "lateness" in generator.bound_by:
        found.append(
            f"The generator was {generator.lateness.p99_ms:.1f} ms late (p99) although connections were free:"
            " what was measured is the generator. Give it a processor of its own."
        )
    if result.dropped:
        found.append(
            f"{result.dropped:,} requests were never sent: too many waited for a connection. Use more of them."
        )
    if failed := result.classes["failed"].count:
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in result.failures.items())
        found.append(f"{failed:,} requests had no answer: {reasons}.")
    if other := result.classes["other"].count:
        statuses = ", ".join(
            f"{count:,} with {status}"
            for status, count in result.statuses.items()
            if not (200 <= status < 300 or status in (409, 429, 503))
        )
        found.append(f"{other:,} answers are neither success nor refusal: {statuses}.")
    if broken := sum(count for word, count in result.bulk_lines.items() if word not in _LINE_OUTCOMES):
        found.append(f"{broken:,} lines of bulk answers are neither success nor refusal.")
    if result.cancelled:
        found.append("The run was stopped before its end.")
    if not result.classes["ok"].count:
        found.append("Nothing was accepted.")
    if p99_ms is not None and result.from_intended.p99_ms > p99_ms:
        found.append(f"p99 is {result.from_intended.p99_ms:,.1f} ms; the target is {p99_ms:g} ms.")
    return found


_LINE_OUTCOMES = ("reserved", "replayed", "rejected")
