"""Makes the run that `stockade loadtest` was asked for: of its options, or of a scenario."""

import secrets
from collections.abc import Collection, Sequence
from pathlib import Path

import aiohttp
import msgspec
from msgspec import Struct

from api.cli.console import err
from api.cli.files import json_rows, read_file
from api.cli.load_options import How, What, When
from engine.errors import FieldError, InvalidInput
from engine.model import ShipTo
from loadtest.audit.stock import read_stock
from loadtest.client import Client, UnexpectedAnswer
from loadtest.load_plan import (
    Arrivals,
    Closed,
    Constant,
    Kind,
    Lines,
    LoadPlan,
    Poisson,
    Ramp,
    Record,
    Retries,
    Spike,
    Table,
    Trace,
)
from loadtest.market import Market, read_market
from loadtest.orders_mix import order_kinds, order_tables
from loadtest.scenarios import Scenario
from loadtest.scenarios.check import with_changes
from loadtest.scenarios.goods import Goods, put_goods
from loadtest.scenarios.kinds import plan_of
from loadtest.trace import RecordedTrace, TraceError, read_trace

CONNECTIONS, TIMEOUT_S = 256, 30.0
UNPROCESSABLE = 422


class Job(Struct, frozen=True):
    """A run that can begin."""

    plan: LoadPlan
    words: str
    """When requests are sent."""
    skus: Collection[str] | None = None
    """What is ordered, where that is known."""
    scenario: Scenario | None = None
    goods: Goods | None = None


async def plain_job(url: str, when: When, what: What, how: How) -> Job:
    """By options alone. Raises InvalidInput."""
    key, signing_secret = secret_of(how.key, "--key"), secret_of(how.signing_secret, "--signing-secret")
    trace = _trace(when.trace) if when.trace is not None else None
    shape: Arrivals = when.shape() if trace is None else Trace(trace.at_s, when.speed or 1.0)
    tables: dict[str, Table] = {}
    lines: Lines | None = None
    skus: Sequence[str] | None = None
    if trace is not None and trace.bodies is not None:
        kinds = [Kind(name="recorded", path="/v1/orders", bodies=trace.bodies)]
    else:
        market = await _market(url, what, key, signing_secret)
        kinds = order_kinds(what.mix())
        tables, lines = order_tables(what.mix(), market.skus, market.places)
        skus = market.skus
        err.print(f"Ordering from {len(market.skus):,} SKUs to {len(market.places):,} places.")
    plan = LoadPlan(
        url=url,
        arrivals=shape,
        seconds=when.lasts_s if trace is None else trace.at_s[-1] / (when.speed or 1.0) + 0.001,
        warmup_s=when.warmup_s,
        kinds=kinds,
        tables=tables,
        lines=lines,
        id_prefix=new_prefix(),
        connections=how.connections or CONNECTIONS,
        threads=how.threads,
        seed=when.seed,
        timeout_s=how.timeout_s or TIMEOUT_S,
        key=key,
        signing_secret=signing_secret,
        retries=Retries(times_max=how.retries) if how.retries else None,
        record=Record(str(how.record)) if how.record is not None else None,
    )
    return Job(plan, words_of(shape), skus)


async def scenario_job(url: str, scenario: Scenario, when: When, what: What, how: How) -> Job:
    """By a scenario, of which rate, length and seed may be others. Raises InvalidInput."""
    if what != What(country=what.country) or when != When(rate=when.rate, seconds=when.seconds, seed=when.seed):
        told = "says what is ordered and when: beside it only --rate, --seconds, --seed and --country are for that"
        raise InvalidInput((FieldError("--scenario", told),))
    key, signing_secret = secret_of(how.key, "--key"), secret_of(how.signing_secret, "--signing-secret")
    scenario = with_changes(scenario, rate=when.rate, seconds=when.seconds)
    document, load, prefix = scenario.document, scenario.document.load, new_prefix()
    err.print(f"{scenario.name}: {document.about}", markup=False, soft_wrap=True)
    trace = _trace(scenario.folder / load.trace) if load.trace is not None else None
    goods = await _goods(url, scenario, prefix, what, key, signing_secret)
    plan = plan_of(
        document,
        goods,
        url=url,
        id_prefix=prefix,
        seed=when.seed,
        key=key,
        signing_secret=signing_secret,
        trace_s=() if trace is None else trace.at_s,
    )
    plan = msgspec.structs.replace(
        plan,
        connections=how.connections or plan.connections,
        threads=how.threads,
        timeout_s=how.timeout_s or plan.timeout_s,
        retries=plan.retries if how.retries is None else Retries(times_max=how.retries) if how.retries else None,
        record=Record(str(how.record)) if how.record is not None else None,
    )
    return Job(plan, words_of(plan.arrivals), set(goods.skus), scenario, goods)


async def _goods(
    url: str, scenario: Scenario, prefix: str, what: What, key: str | None, signing_secret: str | None
) -> Goods:
    catalogue = scenario.document.catalogue
    if catalogue is None:
        market = await _market(url, what, key, signing_secret)
        return Goods(skus=market.skus, hot=0, places=market.places)
    err.print(f"Putting {catalogue.skus:,} SKUs and {catalogue.warehouses:,} warehouses there ...")
    try:
        async with Client(url, connections=8, key=key, signing_secret=signing_secret) as client:
            return await put_goods(client, catalogue, prefix=prefix, country=what.country)
    except (aiohttp.ClientError, UnexpectedAnswer, TimeoutError) as error:
        told = f"does not take the scenario's catalogue: {str(error) or type(error).__name__}"
        raise InvalidInput((FieldError("the service", told),)) from None


def new_prefix() -> str:
    """Begins the ids of a run."""
    return f"load-{secrets.token_hex(4)}"


def secret_of(value: str | None, option: str) -> str | None:
    """A secret that is given, or that of `@FILE`. Raises InvalidInput."""
    if value is None or not value.startswith("@"):
        return value
    text = read_file(Path(value[1:])).decode(errors="replace").strip()
    if not text:
        raise InvalidInput((FieldError(option, "its file is empty"),))
    return text


def _trace(file: Path) -> RecordedTrace:
    try:
        return read_trace(read_file(file).splitlines())
    except TraceError as error:
        raise InvalidInput((FieldError(str(file), str(error)),)) from None


async def _market(url: str, what: What, key: str | None, secret: str | None) -> Market:
    skus: Sequence[str] = what.sku or []
    if what.skus is not None:
        skus = json_rows(what.skus, read_file(what.skus), str)[0]
    places = json_rows(what.places, read_file(what.places), ShipTo)[0] if what.places is not None else []
    if what.sku:
        await _check_skus(url, what.sku, key, secret)
    if not skus or not places:
        err.print(f"Asking {url} what there is ...")
        found = await _asked(url, what.country, key, secret)
        skus, places = skus or found.skus, places or found.places
    if not skus or not places:
        raise InvalidInput((FieldError("loadtest", "The service has no stock to order, or no warehouses."),))
    return Market(list(skus), list(places))


async def _asked(url: str, country: str | None, key: str | None, secret: str | None) -> Market:
    try:
        async with Client(url, connections=1, key=key, signing_secret=secret) as client:
            return await read_market(client, country=country)
    except (aiohttp.ClientError, UnexpectedAnswer, TimeoutError, msgspec.ValidationError, ValueError) as error:
        reason = str(error) or type(error).__name__
        raise InvalidInput((FieldError("--url", f"cannot be asked for its stock: {reason}"),)) from None


async def _check_skus(url: str, skus: Sequence[str], key: str | None, secret: str | None) -> None:
    """Raises InvalidInput where the service knows one of them not."""
    try:
        async with Client(url, connections=1, key=key, signing_secret=secret) as client:
            await read_stock(client, skus)
    except UnexpectedAnswer as error:
        # Whoever may not read the stock hears of that when it is audited.
        if error.status == UNPROCESSABLE:
            raise InvalidInput((FieldError("--sku", error.detail.removeprefix("/sku: ")),)) from None
    except (aiohttp.ClientError, TimeoutError, msgspec.ValidationError, ValueError) as error:
        reason = str(error) or type(error).__name__
        raise InvalidInput((FieldError("--url", f"cannot be asked for its stock: {reason}"),)) from None


def words_of(shape: Arrivals) -> str:
    """When requests are sent, in words."""
    match shape:
        case Closed():
            return "closed loop"
        case Constant(rate):
            return f"{rate:,g} requests a second, evenly"
        case Poisson(rate):
            return f"{rate:,g} requests a second, at random"
        case Ramp(from_, to):
            return f"{from_:,g} to {to:,g} requests a second"
        case Spike(base, peak, at_s, for_s):
            return f"{base:,g} requests a second, and {peak:,g} for {for_s:g} s from second {at_s:g} on"
        case Trace(at_s, speed):
            return f"{len(at_s):,} requests as recorded, {speed:g} times as fast"
