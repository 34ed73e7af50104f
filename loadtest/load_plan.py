"""What a load test is to do, as plain data. `loadtest.load.run_load` does it, and says what cannot be done."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

Rate = Annotated[float, Meta(ge=0, le=10_000_000)]
Share = Annotated[float, Meta(ge=0)]


class Closed(Struct, frozen=True, tag="closed", tag_field="type"):
    """Each connection sends when it has its answer: the service sets the rate, and a stall hides whom it keeps."""


class Constant(Struct, frozen=True, tag="constant", tag_field="type"):
    """Requests a second, evenly."""

    rate: Rate


class Poisson(Struct, frozen=True, tag="poisson", tag_field="type"):
    """Requests a second, at random, as independent buyers come."""

    rate: Rate


class Ramp(Struct, frozen=True, tag="ramp", tag_field="type", rename={"from_": "from"}):
    """From one rate to another over the run."""

    from_: Rate
    to: Rate
    poisson: bool = True


class Spike(Struct, frozen=True, tag="spike", tag_field="type"):
    """A rate, and from `at_s` on for `for_s` another one."""

    base: Rate
    peak: Rate
    at_s: Share
    for_s: Share
    poisson: bool = True


class Trace(Struct, frozen=True, tag="trace", tag_field="type"):
    """At listed times, in seconds after the start, so many times as fast."""

    at_s: list[float]
    speed: Annotated[float, Meta(gt=0)] = 1.0


Arrivals = Closed | Constant | Poisson | Ramp | Spike | Trace


class Table(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Values that `${name}` draws from: all alike, by Zipf's law over their order, or by weights."""

    values: list[str]
    zipf: float | None = None
    weights: list[float] | None = None
    raw: bool = False
    """Values are JSON, put in as they are; else text, put in escaped, without quotes."""
    distinct: bool = False
    """No value comes twice in one order."""


class Lines(Struct, frozen=True, forbid_unknown_fields=True):
    """What `${lines}`, or `${lines:NAME}` of a basket, draws: weights of 1, 2, 3... lines, and of 1, 2, 3... units."""

    table: str
    count: list[float]
    quantity: list[float]


class Kind(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A kind of requests. In `path` and `body`, `${id}` is the order's id.

    In `body` there may also be `${lines}`, `${lines:NAME}`, `${number:N}` (0 to less than N) and `${table}`; `$$` is a
    dollar.
    """

    name: str
    path: str
    paths: list[str] = []
    """Instead of `path`: asked in their order, over again when all were."""
    weight: Share = 1.0
    method: str = "POST"
    body: str | None = None
    bodies: list[str] | None = None
    """Instead of a template: bodies that are sent in their order, over again when all were."""
    replays: str | None = None
    """Sends again the very requests that the kind of this name has sent."""
    accepted: str | None = None
    """`${id}` is that of a request of the kind of this name that was answered with 2xx; once each, oldest first."""
    bulk_lines: Annotated[int, Meta(ge=1, le=10_000)] | None = None
    """The body has so many lines, each by the template."""
    content_type: str = "application/json"


class Retries(Struct, frozen=True, forbid_unknown_fields=True):
    """429 and 503 are sent again under the same id after their Retry-After, but `wait_s_max` at the most."""

    times_max: Annotated[int, Meta(ge=0, le=255)] = 3
    wait_s_max: float = 5.0


class Record(Struct, frozen=True, forbid_unknown_fields=True):
    """A file of JSON lines, one a send: id, kind, number, times, status, and bodies as chosen."""

    path: str
    answers: Literal["none", "refusals", "all"] = "refusals"
    """`refusals`: those other than 2xx, and all of bulk requests."""
    requests: bool = False


class LoadPlan(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A run. The same plan with the same seed and threads has the same requests due at the same times."""

    url: str
    """`http://host:port`"""
    arrivals: Arrivals
    seconds: Annotated[float, Meta(gt=0, le=86_400)]
    kinds: list[Kind]
    id_prefix: str
    """Begins every id: choose one that the service has not seen."""
    connections: Annotated[int, Meta(ge=1, le=10_000)] = 256
    threads: Annotated[int, Meta(ge=1, le=16)] = 1
    warmup_s: Annotated[float, Meta(ge=0)] = 0.0
    """What is due before is sent, but not counted."""
    seed: Annotated[int, Meta(ge=0)] = 0
    timeout_s: Annotated[float, Meta(gt=0, le=3_600)] = 30.0
    backlog_max: Annotated[int, Meta(ge=0, le=1_000_000)] = 10_000
    """Requests that may wait for a connection; more are dropped, and counted."""
    key: str | None = None
    signing_secret: str | None = None
    headers: list[tuple[str, str]] = []
    tables: dict[str, Table] = {}
    lines: Lines | None = None
    baskets: dict[str, Lines] = {}
    retries: Retries | None = None
    record: Record | None = None
    ledger: Literal["told", "held"] | None = None
    """Keeps what each order was told, for an audit; `held`: and adds up the units that they hold. 16 bytes an order."""
