"""`stockade loadtest`: loads a running service over HTTP, at times that its answers do not change."""

import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import aiohttp
import msgspec
import uvloop
from cyclopts import Parameter
from cyclopts.validators import Number

from api.cli.console import EXIT_FINDING, err, print_json
from api.cli.files import json_rows, read_file
from api.cli.load_options import What, When
from api.cli.load_table import print_load, show_second
from engine.errors import FieldError, InvalidInput
from engine.model import ShipTo
from loadtest.client import Client, UnexpectedAnswer
from loadtest.load import NoRun, run_load
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
from loadtest.trace import RecordedTrace, TraceError, read_trace
from loadtest.verdict import findings


def loadtest(
    *,
    url: Annotated[str, Parameter(help="The service.")] = "http://127.0.0.1:8080",
    when: When = When(),  # noqa: B008 - frozen
    what: What = What(),  # noqa: B008 - frozen
    connections: Annotated[int, Parameter(help="Kept alive.", validator=Number(gte=1, lte=10_000))] = 256,
    threads: Annotated[int, Parameter(help="Of the generator.", validator=Number(gte=1, lte=16))] = 1,
    timeout_s: Annotated[float, Parameter(help="How long an answer is waited for.", validator=Number(gt=0))] = 30.0,
    retries: Annotated[int, Parameter(help="Send again after 429 and 503.", validator=Number(gte=0, lte=255))] = 0,
    key: Annotated[str | None, Parameter(help="API key; @FILE reads it from a file.")] = None,
    signing_secret: Annotated[str | None, Parameter(help="Signs requests; @FILE likewise.")] = None,
    record: Annotated[Path | None, Parameter(help="A file for every request and what became of it.")] = None,
    p99_ms: Annotated[float | None, Parameter(help="Exit 1 if p99, from the intended time, is above this.")] = None,
    json: bool = False,
) -> int:
    """Load a running service over HTTP with orders, and tell how long they took from when they were due.

    The orders are real: what is accepted holds stock. Exit 1 if requests failed or were never sent, the generator was
    what limited the run, or --p99-ms was missed.
    """
    key, signing_secret = _secret(key, "--key"), _secret(signing_secret, "--signing-secret")
    trace = _trace(when.trace) if when.trace is not None else None
    shape: Arrivals = when.shape() if trace is None else Trace(trace.at_s, when.speed)
    tables: dict[str, Table] = {}
    lines: Lines | None = None
    if trace is not None and trace.bodies is not None:
        kinds = [Kind(name="recorded", path="/v1/orders", bodies=trace.bodies)]
    else:
        market = _market(url, what, key, signing_secret)
        kinds = order_kinds(what.mix())
        tables, lines = order_tables(what.mix(), market.skus, market.places)
        err.print(f"Ordering from {len(market.skus):,} SKUs to {len(market.places):,} places.")
    seconds = when.seconds if trace is None else trace.at_s[-1] / when.speed + 0.001
    plan = LoadPlan(
        url=url,
        arrivals=shape,
        seconds=seconds,
        warmup_s=when.warmup_s,
        kinds=kinds,
        tables=tables,
        lines=lines,
        id_prefix=f"load-{secrets.token_hex(4)}",
        connections=connections,
        threads=threads,
        seed=when.seed,
        timeout_s=timeout_s,
        key=key,
        signing_secret=signing_secret,
        retries=Retries(times_max=retries) if retries else None,
        record=Record(str(record)) if record is not None else None,
    )
    words = _words(shape)
    err.print(f"Sending to {url} for {seconds:g} s, {words}, on {connections} connections; ids begin {plan.id_prefix}.")
    try:
        result = run_load(plan, show_second)
    except NoRun as error:
        raise InvalidInput((FieldError("loadtest", str(error)),)) from None
    if json:
        print_json(result)
    else:
        print_load(result)
    found = findings(result, p99_ms=p99_ms)
    for one in found:
        err.print(f"[red]{one}[/]")
    return EXIT_FINDING if found else 0


def _secret(value: str | None, option: str) -> str | None:
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


def _market(url: str, what: What, key: str | None, secret: str | None) -> Market:
    skus: Sequence[str] = what.sku or []
    if what.skus is not None:
        skus = json_rows(what.skus, read_file(what.skus), str)[0]
    places = json_rows(what.places, read_file(what.places), ShipTo)[0] if what.places is not None else []
    if not skus or not places:
        err.print(f"Asking {url} what there is ...")
        found = _asked(url, what.country, key, secret)
        skus, places = skus or found.skus, places or found.places
    if not skus or not places:
        raise InvalidInput((FieldError("loadtest", "The service has no stock to order, or no warehouses."),))
    return Market(list(skus), list(places))


def _asked(url: str, country: str | None, key: str | None, secret: str | None) -> Market:
    async def ask() -> Market:
        async with Client(url, connections=1, key=key, signing_secret=secret) as client:
            return await read_market(client, country=country)

    try:
        return uvloop.run(ask())
    except (aiohttp.ClientError, UnexpectedAnswer, TimeoutError, msgspec.ValidationError, ValueError) as error:
        reason = str(error) or type(error).__name__
        raise InvalidInput((FieldError("--url", f"cannot be asked for its stock: {reason}"),)) from None


def _words(shape: Arrivals) -> str:
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
