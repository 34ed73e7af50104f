"""A capacity result, as plain data: what `stockade capacity run` measured. The file's format; its rules are here."""

from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from loadtest.audit.finding import RunAudit
from loadtest.capacity.point import NUMBER_MAX, WORKERS_MAX, Count, Number, Point, Text

FORMAT: Final = "stockade-capacity"
VERSION = 1
"""Raised when a field changes its meaning: other versions are not read."""

SESSIONS_MAX, POINTS_MAX = 16, 2_000

Workers = Annotated[int, Meta(ge=1, le=WORKERS_MAX)]


class Interval(Struct, frozen=True, forbid_unknown_fields=True):
    """95 % of the resamples of the repeats lie in it."""

    low: Number
    high: Number


class Peak(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The most that was accepted with every connection waiting for its answer."""

    connections: Count
    requests_per_s: Number
    orders_per_s: Number
    """The median of `measured`."""
    measured: Annotated[list[Number], Meta(min_length=1, max_length=1_000)]
    interval: Interval | None
    at_least: bool
    """The generator limited all that was measured: the service may do more."""


class Knee(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The highest load that meets the objective, in orders a second."""

    p99_ms: Number
    """The objective."""
    per_s: Number | None
    """None where not even the least load met it."""
    interval: Interval | None
    at_least: bool
    """Every load that was measured met it."""
    interval_open: bool
    """The same of more than a fortieth of the resamples: the interval has no upper end."""
    met_per_s: Number | None
    """The highest load of which the median of the repeats met it, with all below."""
    missed_per_s: Number | None
    """The least that missed it."""
    repeats: Count
    """The fewest at a load that count."""


class Session(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A service of so many workers, from its start to its end."""

    workers: Workers
    ramp: Annotated[list[Point], Meta(max_length=POINTS_MAX)]
    sweep: Annotated[list[Point], Meta(max_length=POINTS_MAX)]
    peak: Peak | None
    knee: Knee | None
    audit: RunAudit | None


class Fit(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Universal Scalability Law: n workers do rate * n / (1 + sigma (n - 1) + kappa n (n - 1)) orders a second."""

    workers: Annotated[list[Workers], Meta(min_length=1, max_length=SESSIONS_MAX)]
    """Of which it was made."""
    rate_per_s: Number
    sigma: Number
    """What all wait for each other."""
    kappa: Number
    """What each pair costs."""
    rate_interval: Interval | None
    sigma_interval: Interval | None
    kappa_interval: Interval | None
    workers_best: Number | None
    """Beyond it more workers do less; None without such an end."""
    residual_max: Number
    """The farthest measured median from the curve, as a share of it."""
    notes: list[Text]
    """What it cannot tell."""


class CellsCost(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What so many cells took more, after they were put there."""

    cells: Annotated[int, Meta(ge=1, le=NUMBER_MAX)]
    service_bytes: Count | None
    """Of one process."""
    store_bytes: Count | None
    file_bytes: Count | None


class Growth(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was kept of orders and of cells; None where it was not seen."""

    orders: Count
    store_bytes_per_order: Number | None = None
    """Resident memory, by a straight line over the second half of the run."""
    file_bytes_per_order: Number | None = None
    """Of the append-only files, where these were not rewritten meanwhile."""
    service_bytes: Count | None = None
    """Of one process at the end."""
    store_bytes: Count | None = None
    """At the end."""
    cells: CellsCost | None = None


class Restart(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The store was killed: how long until an order was accepted again."""

    seconds: Number
    orders: Count
    """That it had to load."""
    file_bytes: Count | None


class Machine(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where it was measured. Neither names of hosts nor paths."""

    cpu_model: Text
    cores: Annotated[int, Meta(ge=1, le=100_000)]
    memory_bytes: Count | None
    kernel: Text
    python: Text
    stockade: Text
    store: Text
    durable: Text
    service: Literal["own", "remote"]
    """Remote: seen from outside, and the machine is the generator's."""


class Asked(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was to be measured."""

    minutes: Number
    workers: Annotated[list[Workers], Meta(min_length=1, max_length=SESSIONS_MAX)]
    loads: Annotated[list[Number], Meta(min_length=1, max_length=100)]
    """Shares of the peak."""
    repeats: Annotated[int, Meta(ge=1, le=100)]
    point_s: Number | None = None
    """How long each takes, warm-up included; None: as the time allows."""
    p99_ms: Annotated[float, Meta(gt=0, le=3_600_000)]
    connections: Annotated[int, Meta(ge=1, le=10_000)]
    threads: Annotated[int, Meta(ge=1, le=16)]
    scenario: Text
    seed: Count


class CapacityResult(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A run."""

    format: Literal["stockade-capacity"]
    version: Annotated[int, Meta(ge=1, le=1_000_000)]
    started_at: Text
    seconds: Number
    command: Text
    """That does it again."""
    asked: Asked
    machine: Machine
    load: Text
    """What was ordered, in words."""
    incomplete: Text | None
    """Why not all of it was measured."""
    sessions: Annotated[list[Session], Meta(min_length=1, max_length=SESSIONS_MAX)]
    fit: Fit | None
    growth: Growth | None
    restart: Restart | None
    notes: list[Text]
