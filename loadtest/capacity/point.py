"""One measurement of a run, as plain data; and the limits of all numbers in a result."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

WORKERS_MAX = 64
SECONDS_MAX = 4_000
TEXT_LETTERS_MAX = 2_000
NUMBER_MAX = 1_000_000_000_000_000

Number = Annotated[float, Meta(ge=0, le=NUMBER_MAX)]
Count = Annotated[int, Meta(ge=0, le=NUMBER_MAX)]
Share = Annotated[float, Meta(ge=0, le=1)]
Text = Annotated[str, Meta(max_length=TEXT_LETTERS_MAX)]
Role = Literal["service", "worker", "store", "generator"]


class ProcessUse(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A process while a point was measured. Of a service seen from outside one row stands for all its processes."""

    role: Role
    name: Text
    cpu_cores: Number
    rss_bytes: Count


class Disk(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The store's disk while a point was measured."""

    file_bytes_before: Count
    file_bytes_after: Count
    """Of its append-only files; less than before where they were rewritten."""
    written_bytes: Count | None
    """What it had the disk write, whole pages; None where the system does not tell."""
    seconds: Number | None = None
    """Between the two looks; None of a result from before this was kept: those of the point."""


class SecondSeen(Struct, frozen=True, array_like=True):
    """A second of the run: since its begin, orders due, accepted, and p99 of what was accepted, all requests alike."""

    at_s: Number
    due: Number
    ok: Number
    p99_ms: Number


class Point(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One measurement, after its warm-up. Orders: requests, but of a bulk body each line; latency of what was accepted,
    from when it was due (`closed`: from the send)."""

    number: Count
    """In which order points were measured."""
    at_s: Number
    loop: Literal["open", "closed"]
    repeat: Count
    share: Number | None
    """Of the peak, as it was asked for; None of the ramp."""
    connections: Count
    seconds: Number
    requests: Count
    """Accepted ones, whose latency this is."""
    orders: Count
    """Accepted from the beginning, warm-up included; one that is sent again is the same."""
    new_share: Share = 1.0
    """Of what was accepted: the rest was known before, and left nothing more in the store."""
    requests_per_s: Number
    """Accepted."""
    offered_per_s: Number
    """Orders due, a second."""
    goodput_per_s: Number
    """Orders accepted, a second."""
    p50_ms: Number
    p90_ms: Number
    p99_ms: Number
    p999_ms: Number
    max_ms: Number
    refused_share: Share
    """409."""
    overloaded_share: Share
    """429 and 503."""
    failed_share: Share
    """Without an answer, with another one, or never sent."""
    behind: bool
    """Too many requests still waited for a connection when the last one became due."""
    generator_bound: Annotated[list[Text], Meta(max_length=8)]
    """Why it tells of the generator and is no result; empty where it does not."""
    processes: Annotated[list[ProcessUse], Meta(max_length=WORKERS_MAX + 3)] = []
    others_cores: Number | None = None
    """Processors that all else on the machine took."""
    queue_mean: Number | None = None
    """Orders that waited for their batch, as looked at twice a second."""
    queue_max: Number | None = None
    batch_orders: Number | None = None
    """Of a batch, on average."""
    commit_ms: Number | None = None
    """From a batch's plan to its answers, on average."""
    disk: Disk | None = None
    timeline: Annotated[list[SecondSeen], Meta(max_length=SECONDS_MAX)] = []

    @property
    def orders_on_disk(self) -> float:
        """New orders between the two looks at the disk."""
        seconds = self.seconds if self.disk is None or self.disk.seconds is None else self.disk.seconds
        return self.goodput_per_s * self.new_share * seconds
