"""The table as bench/README.md takes it, from what was measured."""

import msgspec

from bench.machine import Machine
from bench.store_commit import SIZES as COMMIT_SIZES
from bench.store_commit import Cost
from bench.table import core, limits, stages
from bench.table.limits import Rate
from bench.table.stages import SIZES, Timed
from bench.written import table

MARK = "micro-benchmarks"
COMMAND = "`make bench-table`"


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """One run."""

    machine: Machine
    stages: dict[str, Timed]
    core: dict[str, tuple[float, float]] | None
    """None: left out."""
    http: dict[str, Rate]
    http_rounds: int
    store: list[Cost]

    def flaws(self) -> list[str]:
        """Why this is no result; none: it is one."""
        wanted = [name.format(size) for _, name in stages.ROWS for size in SIZES]
        wanted += [stages.OPTIMISER.format(lines) for lines in stages.OPTIMISER_LINES]
        wrong = [f"{name} was not measured" for name in wanted if name not in self.stages]
        if self.core is not None:
            wrong += [f"{name} of the core was not measured" for _, name in core.ROWS if name not in self.core]
        wrong += [
            f"{name}: {rate.others} requests were answered otherwise" for name, rate in self.http.items() if rate.others
        ]
        return wrong


def text(done: Measured) -> str:
    """All tables. KeyError where something was not measured: see `flaws`."""
    parts = [f"{COMMAND}, {done.machine}. The fastest round of each, and in brackets the median."]
    parts += [_stages(done.stages), _optimiser(done.stages)]
    if done.core is not None:
        rows = [(label, _fastest_and_median(*done.core[name])) for label, name in core.ROWS]
        parts.append(table(("in Rust alone (divan)", "µs"), rows))
    parts += [_http(done), _store(done.store)]
    return "\n\n".join(parts)


def _stages(found: dict[str, Timed]) -> str:
    rows = []
    for label, name in stages.ROWS:
        each = [found[name.format(size)] for size in SIZES]
        cells = [
            _fastest_and_median(one.fastest_s / size, one.median_s / size)
            for one, size in zip(each, SIZES, strict=True)
        ]
        times = each[-1].fastest_s / found[stages.DECODE.format(SIZES[-1])].fastest_s
        rows.append((label, *cells, f"{times:.2f}"))
    head = ("µs an order, of so many at once", *(f"{size:,}" for size in SIZES))
    return table((*head, "times decoding the JSON alone"), rows)


def _optimiser(found: dict[str, Timed]) -> str:
    rows = []
    for lines in stages.OPTIMISER_LINES:
        one = found[stages.OPTIMISER.format(lines)]
        micros = _fastest_and_median(one.fastest_s / lines, one.median_s / lines)
        rows.append((f"about {lines:,} lines", f"{one.fastest_s:.2f}", micros, f"{one.extra.get('gap', 0.0):.3%}"))
    return table(("batch optimiser, one thread", "s", "µs a line", "certified gap"), rows)


def _http(done: Measured) -> str:
    rows = []
    for way in limits.WAYS:
        rate = done.http[way.name]
        ratio = "" if way.limit == way.name else f"{rate.per_s / done.http[way.limit].per_s:.2f} times its rate"
        rows.append((way.name, f"{rate.per_s:,.0f}", ratio, f"{rate.service_cpu_us:.2f}", f"{rate.store_cpu_us:.2f}"))
    head = ("over HTTP, by turns", "a second", "against its limit above", "service CPU, µs an order", "store CPU")
    method = (
        f"{limits.CONNECTIONS} connections, or {limits.BULK_CONNECTIONS} with bodies of {limits.BULK_LINES} lines, each"
        f" sends when it has its answer; one core for the service, one for store and load generator; medians of"
        f" {done.http_rounds} rounds."
    )
    return f"{table(head, rows)}\n\n{method}"


def _store(costs: list[Cost]) -> str:
    rows = []
    for size in COMMIT_SIZES:
        bare, commit = (
            next(one for one in costs if (one.kind, one.size) == (kind, size)) for kind in ("limit", "commit")
        )
        ratio = commit.store_cpu_us / bare.store_cpu_us
        rows.append((f"{size:,}", f"{bare.store_cpu_us:.2f}", f"{commit.store_cpu_us:.2f}", f"{ratio:.2f}"))
    head = (
        "orders a commit, append-only file off; medians",
        "bare script, µs of the store an order",
        "commit",
        "ratio",
    )
    return table(head, rows)


def _fastest_and_median(fastest_s: float, median_s: float) -> str:
    return f"{_digits(fastest_s * 1e6)} ({_digits(median_s * 1e6)})"


def _digits(micros: float) -> str:
    return f"{micros:,.0f}" if micros >= 100 else f"{micros:.1f}" if micros >= 10 else f"{micros:.2f}"
