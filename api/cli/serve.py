"""`stockade serve`: the HTTP service."""

import shlex
from typing import Annotated

import msgspec
from cyclopts import Parameter

from api.cli.console import EXIT_WRONG, StoreOptions, counted, err, out
from api.cli.opening import tell_if_made
from api.http import serve as serve_http
from api.http.access.start import access_of
from api.logs import log_to_standard_error
from api.workers.supervisor import serve_with_workers
from engine import Engine
from engine.sample import OrderSource, load_network, starting_stock

SAMPLE_ORDERS = 20_000
"""Orders that the sample's stock is sized for."""
SAMPLE_SEED = 1

READY_LINE = "Stockade listens on "
"""Begins the line that says the service is ready; the URL follows."""


async def serve(
    *,
    host: str | None = None,
    port: int | None = None,
    workers: Annotated[int | None, Parameter(help="Processes that serve the port together.")] = None,
    sample: Annotated[bool, Parameter(help="Fill an empty store with the sample network.")] = False,
    stream_intake: Annotated[bool | None, Parameter(help="Take orders from the store's stream, too.")] = None,
    stop_with_stdin: Annotated[bool, Parameter(help="Stop, too, when standard input ends.")] = False,
    store: StoreOptions = StoreOptions(),  # noqa: B008 - frozen
) -> int:
    """Serve orders over HTTP until Ctrl-C or SIGTERM."""
    settings = store.settings(host=host, port=port, workers=workers, stream_intake=stream_intake)
    log_to_standard_error(settings.log_format)

    async def opened(engine: Engine) -> None:
        for advice in (await engine.describe_store()).advice:
            err.print(f"[yellow]Durability:[/] {advice}")
        if engine.policies.error:
            err.print("Policies:", engine.policies.error, style="yellow", markup=False, soft_wrap=True)
        if sample and not engine.planner.skus:
            await fill_with_sample(engine)

    async def ready(engine: Engine, url: str) -> None:
        description = await engine.describe_store()
        counts = f"{counted(len(engine.planner.skus), 'SKU')}, {counted(len(engine.planner.warehouses), 'warehouse')}"
        out.print(f"Store: {description.product} {description.version}, fsync {description.durable}; {counts}.")
        out.print(f"Served: {access_of(settings, closed=engine.access.keyring.closed)}.", markup=False, soft_wrap=True)
        if sample_is_sold_by(engine):
            closed = settings.access == "auto" and engine.access.keyring.closed
            keyed = closed or settings.access == "required"
            out.print("Try:", sample_curl(url, keyed=keyed), soft_wrap=True, markup=False)
        # Last, and flushed, as others wait for it.
        out.print(f"{READY_LINE}{url} (Ctrl-C stops it)", soft_wrap=True)
        out.file.flush()

    tell_if_made(settings)
    place = "at its address" if settings.redis_url else f"in {settings.data_dir}"
    err.print(f"Opening the store {place} ...", markup=False, soft_wrap=True)
    try:
        if settings.workers > 1:
            await serve_with_workers(settings, on_open=opened, on_ready=ready, stop_with_stdin=stop_with_stdin)
        else:

            async def opened_and_ready(engine: Engine, url: str) -> None:
                await opened(engine)
                await ready(engine, url)

            await serve_http(settings, on_ready=opened_and_ready, stop_with_stdin=stop_with_stdin)
    except OSError as error:
        err.print(f"Cannot listen on {settings.host}:{settings.port}: {error.strerror}. Choose another with --port.")
        return EXIT_WRONG
    err.print("Stopped. What was acknowledged is in the store.")
    return 0


async def fill_with_sample(engine: Engine) -> None:
    """Put the sample network and its starting stock into the store."""
    network = load_network()
    await engine.put_warehouses(network.warehouses)
    await engine.put_skus(network.skus)
    await engine.put_tariff(network.tariff)
    await engine.set_stock(starting_stock(network, SAMPLE_ORDERS, SAMPLE_SEED))


def sample_is_sold_by(engine: Engine) -> bool:
    """Whether the store holds the sample network, so that a sample order makes sense."""
    return all(sku.sku in engine.planner.skus for sku in load_network().skus)


def sample_curl(url: str, *, keyed: bool) -> str:
    """A command that reserves an order of the sample network; `keyed` where only keys are let in."""
    network = load_network()
    order = next(offer.order for offer in OrderSource(network, SAMPLE_SEED, id_prefix="TRY").offers(100))
    body = msgspec.json.encode(order).decode()
    key = " -H 'Authorization: Bearer KEY'" if keyed else ""
    return f"curl -s -X POST {url}/v1/orders -H 'Content-Type: application/json'{key} -d {shlex.quote(body)}"
