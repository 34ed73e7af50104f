"""What a load test found, as plain data. Counts are of requests due after the warm-up; the timeline has all."""

from typing import Literal

from msgspec import Struct

from loadtest.audit.finding import RunAudit


class Waits(Struct, frozen=True, kw_only=True):
    """A distribution of waits in milliseconds, to three significant digits; all 0 where `count` is."""

    count: int
    mean_ms: float
    p50_ms: float
    p90_ms: float
    p99_ms: float
    p999_ms: float
    max_ms: float


class ClassResult(Struct, frozen=True):
    """Requests that ended alike."""

    count: int
    from_intended: Waits
    """From the moment they were due: what had to wait before it was sent has waited."""
    from_sent: Waits
    """From the send that was answered."""


class KindResult(Struct, frozen=True):
    """One kind of requests, and how many ended as what."""

    name: str
    offered: int
    done: dict[str, int]


class RetryResult(Struct, frozen=True):
    """What was sent again: sends, requests that ended well, those too many to wait, and waits from first to last."""

    sent: int
    recovered: int
    dropped: int
    from_intended: Waits


class Generator(Struct, frozen=True):
    """What the generator itself took while requests became due, and how late it was.

    Shares are of one processor, of its busiest thread; `record_share` is the time for which it stood still because its
    record could not be written as fast.
    """

    cpu_s: float
    cpu_share: float
    cpu_share_peak: float
    record_share: float
    cpu_us_per_request: float
    lateness: Waits
    bound_by: list[str]


class Second(Struct, frozen=True, kw_only=True):
    """One second: what became due, was sent and ended in it; waits of what ended in it, from the intended send time."""

    second: int
    offered: int
    sent: int
    ok: int
    refused: int
    overloaded: int
    other: int
    failed: int
    dropped: int
    p50_ms: float
    p99_ms: float
    backlog: int
    cpu_share: float


class ActionDone(Struct, frozen=True, kw_only=True):
    """What happened in mid-run, as its scenario wants it."""

    at_s: float
    """When it was done, after the start."""
    do: str
    told: str
    failed: str | None = None
    """Why it could not be done."""


class LoadResult(Struct, frozen=True, kw_only=True):
    """A run. Classes: `ok` 2xx, `refused` 409, `overloaded` 429 and 503, `other` answers, `failed` without any."""

    loop: Literal["open", "closed"]
    seconds: float
    wall_s: float
    """Until the last answer."""
    warmup_s: float
    warmup_requests: int
    connections: int
    threads: int
    seed: int
    cancelled: bool
    generator_bound: bool
    """The run tells of the generator, not of the service: see `generator.bound_by`."""
    offered: int
    sent: int
    dropped: int
    """Never sent: the backlog was full, or the run ended."""
    late_generator: int
    """Sent more than 1 ms late although a connection was free."""
    late_connection: int
    """Sent more than 1 ms late because none was."""
    goodput_per_s: float
    """Orders accepted in the measured time, a second of it, whenever they were due."""
    accepted_after_end: int
    """Orders accepted after it: of a service that does not follow, those of its backlog."""
    waiting_at_end: int
    """Requests that waited for a connection at its end."""
    from_intended: Waits
    from_sent: Waits
    classes: dict[str, ClassResult]
    orders: dict[str, int]
    """By class, orders: as requests, but without confirmations and cancellations, and of a bulk body each line,
    `failed` if the answer does not tell of it."""
    kinds: list[KindResult]
    statuses: dict[int, int]
    problems: dict[str, int]
    """Answers other than 2xx, and such lines of bulk answers, by the type of their problem."""
    failures: dict[str, int]
    """Requests without an answer: `closed`, `truncated`, `reset`, `malformed`, `timeout`, `unfinished`."""
    bulk_lines: dict[str, int]
    """Lines of bulk answers by outcome."""
    lines_missing: int
    """Orders of bulk bodies of which a 2xx answer did not tell."""
    lines_surplus: int
    """Lines that such answers told beyond the orders."""
    replayed: int
    retries: RetryResult
    reconnects: int
    connect_failures: int
    surplus_answers: int
    """Answers with bytes beyond their end."""
    bytes_sent: int
    bytes_received: int
    generator: Generator
    curve: list[tuple[float, float]]
    """(share, milliseconds from the intended send time) of all requests that ended."""
    timeline: list[Second]
    unrecorded: int = 0
    """Notes of what orders were told for which the ledger had no room."""
    scenario: str | None = None
    """The scenario's name, where it was one."""
    actions: list[ActionDone] = []
    """What that scenario had happen."""
    audit: RunAudit | None = None
    """What the audit after the run found; None where there was none."""
    findings: list[str] = []
    """Why the run is no good, in words; none where it is."""
