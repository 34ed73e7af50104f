"""`stockade demo`: a flash sale, end to end: a real service, a real store, real sockets, and the books afterwards."""

import os
import platform
import tempfile
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import Parameter
from cyclopts.validators import Number
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from api.cli.console import EXIT_FINDING, counted, err, mean, out, print_json
from api.cli.service import running_service
from api.cli.table import print_table
from engine import Settings, __version__, load_settings, open_engine
from engine.comparison import PolicyTotals, compare_policies
from engine.model import Order, PolicyName, StockCount
from engine.planner import CostDefaults
from engine.sample import Offer, OrderSource, SampleNetwork, load_network, starting_stock
from loadtest.client import Client
from loadtest.report import write_report
from loadtest.result import Place, PolicyCost, SaleResult
from loadtest.sale import SaleLog, SentOrder, run_sale
from loadtest.summary import flows, sku_sales, timeline, with_units

ORDERS_MAX = 200_000
CONNECTIONS_MAX = 1_024
STOCK_ROWS_A_CALL = 5_000
NAME_LENGTH_MAX = 28
POLICIES: tuple[PolicyName, ...] = ("cheapest", "nearest", "priority")
POLICY_NAMES = {"cheapest": "cheapest (ours)", "nearest": "nearest", "priority": "first with stock"}


async def demo(
    *,
    orders: Annotated[
        int, Parameter(help="Orders to offer, retries included.", validator=Number(gte=1, lte=ORDERS_MAX))
    ] = 20_000,
    connections: Annotated[int, Parameter(help="Buyers at once.", validator=Number(gte=1, lte=CONNECTIONS_MAX))] = 64,
    seed: Annotated[int, Parameter(help="Draws stock and orders.")] = 1,
    report: Annotated[Path, Parameter(help="Where the HTML report goes.")] = Path("stockade-report/index.html"),
    json: bool = False,
) -> int:
    """Run a flash sale on a fresh embedded store and show what happened; exit 1 if anything is not as it must be."""
    network = load_network()
    offers = list(OrderSource(network, seed).offers(orders))
    stock = starting_stock(network, len({offer.order.order_id for offer in offers}), seed)
    with tempfile.TemporaryDirectory(prefix="stockade-demo-") as home:
        data_dir = Path(home) / "store"
        settings = load_settings({}, data_dir=data_dir)
        err.print("Starting the service on an embedded store ...")
        async with running_service(data_dir) as url, Client(url, connections=connections) as client:
            err.print(f"The service listens on {url}. Filling it: {len(network.skus)} SKUs, {len(stock):,} cells ...")
            await client.put_named("/v1/warehouses", [(row.id, row) for row in network.warehouses])
            await client.put_named("/v1/skus", [(row.sku, row) for row in network.skus])
            await client.put("/v1/tariff", network.tariff)
            for start in range(0, len(stock), STOCK_ROWS_A_CALL):
                await client.put("/v1/stock", stock[start : start + STOCK_ROWS_A_CALL])
            before = {(cell["sku"], cell["warehouse"]): cell async for cell in client.stock()}
            started_at = datetime.now(UTC).isoformat(timespec="seconds")
            log = await _sell(client, network, offers, connections)
            err.print("Auditing the books on the live store ...")
            result = await _examine(network, offers, stock, before, log, settings, started_at, seed)
    report.parent.mkdir(parents=True, exist_ok=True)
    write_report(result, report)
    if json:
        print_json(result)
    else:
        _show(result)
        out.print(f"Report with map and plots: {report}", soft_wrap=True, markup=False)
    for reason, count in log.failed.items():
        err.print(f"[red]{counted(count, 'request')} failed:[/] {reason}")
    for order_id in log.contradictions[:10]:
        err.print(f"[red]Two answers to one order differ:[/] {order_id}")
    wrong = result.oversold or not result.books_balance or result.failed
    return EXIT_FINDING if wrong else 0


async def _sell(client: Client, network: SampleNetwork, offers: list[Offer], connections: int) -> SaleLog:
    cities = {(city.lat, city.lon): city.name for city in network.cities}
    encode = msgspec.json.Encoder().encode
    sent = [
        SentOrder(offer.order.order_id, encode(offer.order), cities[offer.order.ship_to.lat, offer.order.ship_to.lon])
        for offer in offers
    ]
    columns = (
        TextColumn("Selling"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[state]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=err, transient=True) as progress:
        task = progress.add_task("", total=len(sent), state="")

        def show(log: SaleLog) -> None:
            refused = sum(log.refused.values())
            state = f"{len(log.accepted):,} reserved, {log.replayed:,} replayed, {refused:,} refused"
            progress.update(task, completed=log.offered, state=state)

        return await run_sale(client, sent, connections=connections, on_progress=show)


async def _examine(
    network: SampleNetwork,
    offers: list[Offer],
    stock: tuple[StockCount, ...],
    before: dict[tuple[str, str], dict[str, int]],
    log: SaleLog,
    settings: Settings,
    started_at: str,
    seed: int,
) -> SaleResult:
    async with open_engine(settings, attach=True, background=False) as engine:
        audit = await engine.audit()
        store = await engine.describe_store()
    by_id: dict[str, Order] = {offer.order.order_id: offer.order for offer in offers}
    demanded: Counter[str] = Counter()
    for order in by_id.values():
        for line in order.lines:
            demanded[line.sku] += line.quantity
    hot = network.hot_skus
    available: Counter[str] = Counter()
    for (sku, _), cell in before.items():
        available[sku] += cell["available"]
    sales = sku_sales(
        log.accepted,
        on_hand={key: cell["on_hand"] for key, cell in before.items()},
        demanded=demanded,
        names={sku.sku: sku.name or sku.sku for sku in network.skus},
    )
    policies = compare_policies(
        POLICIES,
        warehouses=network.warehouses,
        skus=network.skus,
        tariff=network.tariff,
        stock=stock,
        orders=[by_id[one.order.order_id] for one in log.accepted],
        currency=network.currency,
        defaults=CostDefaults(
            fixed_cost=settings.fixed_cost, unit_cost=settings.unit_cost, cost_per_km=settings.cost_per_km
        ),
    )
    warehouses, cities = with_units(
        log.accepted,
        warehouses=[
            Place(id=w.id, name=w.name or w.id, kind=w.kind, lat=w.lat, lon=w.lon, units=0) for w in network.warehouses
        ],
        cities=[Place(id=c.name, name=c.name, kind="city", lat=c.lat, lon=c.lon, units=0) for c in network.cities],
    )
    reserved = len(log.accepted)
    return SaleResult(
        started_at=started_at,
        machine=machine(),
        version=__version__,
        store=f"{store.product} {store.version}",
        durability=f"fsync {store.durable}",
        seed=seed,
        seconds=log.seconds,
        offered=log.offered,
        reserved=reserved,
        replayed=log.replayed,
        refused=dict(log.refused.most_common()),
        failed=sum(log.failed.values()) + len(log.contradictions),
        units_sold=sum(sale.sold for sale in sales),
        oversold=sum(sale.oversold for sale in sales),
        books_balance=audit.balanced and audit.units_reserved == sum(sale.sold for sale in sales),
        audit_findings=tuple(row.detail for row in audit.differences[:20]),
        orders_per_second=log.offered / log.seconds,
        latency=log.latency(),
        skus=sales,
        policies=tuple(_policy_cost(totals) for totals in policies),
        shipments_per_order=sum(len(one.allocation.shipments) for one in log.accepted) / reserved if reserved else None,
        cost_per_order=sum(one.allocation.cost for one in log.accepted) / reserved if reserved else None,
        currency=network.currency,
        warehouses=warehouses,
        cities=cities,
        flows=flows(log.accepted),
        hot_skus=hot,
        timeline=timeline(log.accepted, available=available, hot_skus=hot, seconds=log.seconds),
    )


def _policy_cost(totals: PolicyTotals) -> PolicyCost:
    return PolicyCost(
        policy=POLICY_NAMES[totals.policy],
        accepted=totals.served,
        cost_per_order=totals.cost_per_order,
        shipments_per_order=totals.shipments_per_order,
        mean_km=totals.mean_km,
    )


def machine() -> str:
    """The machine in a few words."""
    model = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
        model = next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    return f"{os.cpu_count()} x {model}, {platform.system()} {platform.release()}, Python {platform.python_version()}"


def _show(result: SaleResult) -> None:
    rate = f"{result.orders_per_second:,.0f}"
    latency = result.latency
    rows: list[tuple[str, object]] = [
        ("orders offered", result.offered),
        ("reserved", result.reserved),
        ("replayed (retries and twins)", result.replayed),
        *((f"refused: {reason}", count) for reason, count in result.refused.items()),
        ("failed", result.failed),
        ("units sold", result.units_sold),
        ("units oversold", result.oversold),
        ("books balance", "yes" if result.books_balance else "NO"),
        ("orders answered a second", rate),
        ("answer p50 / p99 / max", f"{latency.p50_ms:.1f} / {latency.p99_ms:.1f} / {latency.max_ms:.1f} ms"),
        ("cost per order", mean(result.cost_per_order, ",.2f", per=100, unit=result.currency)),
        ("shipments per order", mean(result.shipments_per_order, ".3f")),
    ]
    print_table(("flash sale", ""), rows, numbers=("",))
    out.print()
    hot = [sale for sale in result.skus if sale.sku in result.hot_skus]
    hot_columns = ("hot SKU", "on hand", "demanded", "sold", "oversold")
    print_table(
        hot_columns,
        [(f"{s.sku}  {_short(s.name)}", s.on_hand, s.demanded, s.sold, s.oversold) for s in hot],
        numbers=hot_columns[1:],
    )
    out.print()
    best = result.policies[0].cost_per_order
    rows_of_policies = [
        (
            row.policy,
            row.accepted,
            mean(row.cost_per_order, ",.2f", per=100, unit=result.currency),
            f"{row.cost_per_order / best - 1:+.1%}" if best and row.cost_per_order is not None else "-",
            mean(row.shipments_per_order, ".3f"),
            mean(row.mean_km, ",.0f", unit="km"),
        )
        for row in result.policies
    ]
    columns = ("by policy", "served", "cost/order", "difference", "shipments", "mean way")
    print_table(columns, rows_of_policies, numbers=columns[1:])
    out.print("On hand counts safety stock, which is not sold, so a sold-out SKU may keep a few units.")
    out.print("The same orders from the same starting stock; means over orders that all served.")
    out.print()
    for finding in result.audit_findings:
        out.print(f"[red]{finding}[/]")


def _short(name: str) -> str:
    return name if len(name) <= NAME_LENGTH_MAX else name[: NAME_LENGTH_MAX - 1].rstrip(" ,") + "…"
