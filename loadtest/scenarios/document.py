"""What a file of a scenario may say. Shape and limits only; rules.py says what a shape cannot."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from engine.model import limits
from engine.model.order import PolicyName
from loadtest.verdict import OVERLOADED_MAX

FILE_BYTES_MAX = 1024 * 1024
BUYERS_MAX = 16
ACTIONS_MAX = 100


def above_0(most: int) -> Meta:
    """A number above 0; the words are said for it, as those of other limits are of both ends."""
    return Meta(gt=0, le=most, extra={"rule": f"a number above 0, up to {most:,}"})


Share = Annotated[float, Meta(ge=0, le=1)]
Rate = Annotated[float, above_0(1_000_000)]
Seconds = Annotated[float, Meta(ge=0, le=86_400)]
Ms = Annotated[float, above_0(3_600_000)]
Units = Annotated[int, Meta(ge=0, le=limits.ON_HAND_MAX)]
FromTo = tuple[Annotated[int, Meta(ge=1, le=10_000)], Annotated[int, Meta(ge=1, le=10_000)]]
Sold = Literal["all", "hot", "rest"]


class Catalogue(Struct, frozen=True, kw_only=True):
    """Warehouses, SKUs and counts that are put there before the run; without it, what the service sells is ordered."""

    warehouses: Annotated[int, Meta(ge=1, le=500)] = 6
    skus: Annotated[int, Meta(ge=1, le=20_000)] = 200
    on_hand: Units = 1_000
    """Units of each SKU at each warehouse that has it."""
    warehouses_per_sku: Annotated[int, Meta(ge=1, le=500)] = 3
    hot_skus: Annotated[int, Meta(ge=0, le=20_000)] = 0
    """So many of the SKUs are hot."""
    hot_on_hand: Units | None = None
    """Units of each of those, likewise; by default as of all others."""
    purchase_limit: Annotated[int, Meta(ge=1, le=limits.QUANTITY_MAX)] | None = None
    """Of the hot SKUs, units for each customer; of all, where none is hot."""


class Load(Struct, frozen=True, kw_only=True):
    """When requests become due, and how they are sent."""

    shape: Literal["poisson", "constant", "ramp", "spike", "closed", "trace"] = "poisson"
    rate: Rate = 200.0
    """Requests a second; of a ramp at its start, of a spike around it."""
    seconds: Annotated[float, above_0(86_400)] = 20.0
    warmup_s: Seconds = 0.0
    """What is due in the first so many seconds is not counted; it is audited."""
    to: Rate | None = None
    """A ramp's rate at its end."""
    peak: Rate | None = None
    """A spike's rate."""
    peak_at_s: Seconds | None = None
    peak_for_s: Seconds | None = None
    trace: str | None = None
    """A file of recorded times, from this file's folder."""
    speed: Annotated[float, above_0(10_000)] = 1.0
    """The trace is played so many times as fast."""
    connections: Annotated[int, Meta(ge=1, le=10_000)] = 64
    timeout_s: Annotated[float, above_0(3_600)] = 10.0
    retries: Annotated[int, Meta(ge=0, le=255)] = 0
    """How often what an overloaded service turned away is sent again."""
    retry_wait_s_max: Seconds = 5.0


class Buyers(Struct, frozen=True, kw_only=True):
    """Those who buy alike."""

    name: PolicyName
    share: Annotated[float, above_0(1_000)] = 1.0
    """Of all requests, among the shares of the others."""
    want: Sold = "all"
    lines: FromTo = (1, 2)
    """SKUs of an order, each number alike."""
    units: FromTo = (1, 2)
    """Units of each, likewise."""
    zipf: Annotated[float, Meta(ge=0, le=10)] = 1.0
    """The n-th SKU is wanted 1 / n to this power as much as the first; 0: all alike."""
    customers: Annotated[int, Meta(ge=1, le=1_000_000_000)] = 1_000_000
    """So many different ones."""
    pays: Literal["at_once", "later", "never"] = "at_once"
    """Orders are paid; or held, and for each one a confirmation comes later; or held, and none comes."""
    hold_s: Annotated[int, Meta(ge=1, le=limits.HOLD_SECONDS_MAX)] = 900
    cancels: Share = 0.0
    """Of orders that are paid later, those that are cancelled instead."""
    replays: Annotated[float, Meta(ge=0, le=0.9)] = 0.0
    """Of these buyers' requests, those that send an earlier order of theirs again."""
    bulk_lines: Annotated[int, Meta(ge=1, le=10_000)] | None = None
    """Orders come in bodies of so many; then they are paid at once, and not replayed."""


class Action(Struct, frozen=True, kw_only=True):
    """Something that happens in mid-run."""

    at_s: Seconds
    do: Literal["restock", "warehouse_down", "kill_worker", "kill_store", "slow_store", "fail_over"]
    want: Sold = "all"
    """What is restocked."""
    units: Annotated[int, Meta(ge=1, le=limits.ON_HAND_MAX)] | None = None
    """Of a restock, at each warehouse that has the SKU."""
    for_s: Seconds | None = None
    """How long the store is slow."""
    stopped_ms: Ms | None = None
    """For so long it does nothing at all,"""
    every_ms: Ms | None = None
    """each time that so long has passed."""


class Service(Struct, frozen=True, kw_only=True):
    """What a service is started with by `--serve`; one that runs already is taken as it is."""

    workers: Annotated[int, Meta(ge=1, le=64)] = 1
    settings: dict[str, str | int | float | bool] = {}
    """Settings by their names in a file of settings."""


class Targets(Struct, frozen=True, kw_only=True):
    """What must come of it; what is not said is not asked, but for overload, failures and the audit."""

    p99_ms_max: Ms | None = None
    """Of what was accepted, from when it was due."""
    accepted_share_min: Share | None = None
    """2xx, of the orders that were due; so the other shares."""
    accepted_per_s_min: Rate | None = None
    refused_share_min: Share | None = None
    refused_share_max: Share | None = None
    overloaded_share_max: Share = OVERLOADED_MAX
    """Turned away with 429 or 503 in the end, of the orders that were sent."""
    failed_share_max: Share = 0.0
    """Orders without an answer, with one that is neither success nor refusal, or never sent."""
    sold_out: bool = False
    """Nothing of the hot SKUs may be left."""
    audit: bool = True
    """The audit must find nothing."""


class ScenarioDocument(Struct, frozen=True, kw_only=True):
    """A file of a scenario."""

    about: Annotated[str, Meta(min_length=1, max_length=200)]
    """In a line."""
    buyers: Annotated[tuple[Buyers, ...], Meta(min_length=1, max_length=BUYERS_MAX)]
    needs: Annotated[str, Meta(max_length=500)] | None = None
    """What must be there for it that the run cannot make itself, in words."""
    catalogue: Catalogue | None = None
    load: Load = Load()
    actions: Annotated[tuple[Action, ...], Meta(max_length=ACTIONS_MAX)] = ()
    service: Service = Service()
    targets: Targets = Targets()
