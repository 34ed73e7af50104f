"""`stockade policy`: checks files of policies and compares policies on orders; the others have files of their own."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter
from cyclopts.validators import Number

from api.cli.console import EXIT_FINDING, StoreOptions, counted, err, out, print_json
from api.cli.files import json_rows, read_file, row_error
from api.cli.opening import open_store
from api.cli.policy_book import publish, show, withdraw
from api.cli.policy_results import results
from api.cli.policy_totals import print_totals, tell_invalid
from engine.comparison import compare_on, compare_policies
from engine.errors import FieldError, InvalidInput
from engine.intake.clock import DAY_MS, StoreClock
from engine.model import Order
from engine.model.rules import order_errors
from engine.planner import CostDefaults
from engine.policy import Mistake, PolicyBook, built_in_book, check_policies, read_policies
from engine.sample import POLICIES_TOML, OrderSource, load_network, starting_stock

SAMPLE_ORDERS = 2_000
SAMPLE_SEED = 1
SAMPLE_NOW = datetime(2026, 11, 11, 2, tzinfo=UTC)
"""When the orders of the sample are planned: a morning there, before any cut-off; days are the same each time."""

app = App(name="policy", help="Check files of policies, put them in force, compare policies, see what came of them.")
for command in (show, publish, withdraw, results):
    app.command(command)


@app.command
async def check(
    file: Annotated[Path, Parameter(help="Policies as TOML; - reads standard input.", allow_leading_hyphen=True)],
    /,
    *,
    network: Annotated[bool, Parameter(help="Look up the warehouses that it names in the store, too.")] = False,
    json: bool = False,
    store: StoreOptions = StoreOptions(),  # noqa: B008 - frozen
) -> int:
    """Find every mistake in a file of policies, with its line; exit 1 when there is any."""
    text = read_file(file)
    known = None
    if network:
        async with open_store(store.settings()) as engine:
            known = engine.planner.warehouses.values()
    checked = check_policies(text, default=store.settings().policy, network=known)
    if isinstance(checked, PolicyBook):
        if json:
            right = {"version": checked.version, "fingerprint": checked.fingerprint, "policies": checked.names}
            print_json({**right, "warnings": checked.warnings, "mistakes": []})
        else:
            _print_mistakes(file, checked.warnings, "warning: ")
            rules = counted(len(checked.document.rules), "rule")
            out.print(f"Version {checked.version}: {', '.join(checked.names)}; {rules}.", markup=False)
        return 0
    if json:
        print_json({"version": None, "fingerprint": None, "policies": [], "warnings": [], "mistakes": checked})
    else:
        _print_mistakes(file, checked)
        out.print(f"{counted(len(checked), 'mistake')}.")
    return EXIT_FINDING


def _print_mistakes(file: Path, mistakes: tuple[Mistake, ...], what: str = "") -> None:
    for one in mistakes:
        where = f"{one.where}: " if one.where else ""
        out.print(f"{file}:{one.line}: {what}{where}{one.reason}", markup=False, soft_wrap=True)


@app.command
async def compare(
    *policies: str,
    orders: Annotated[
        Path | None,
        Parameter(help="Orders: JSON, an array or one a line; - reads standard input.", allow_leading_hyphen=True),
    ] = None,
    policies_file: Annotated[Path | None, Parameter(name="--policies", help="A file that has the policies.")] = None,
    sample: Annotated[
        bool, Parameter(help="On the sample network and its stock; without --orders, on its orders.")
    ] = False,
    count: Annotated[
        int, Parameter(help="Orders of the sample, with those sent again.", validator=Number(gte=1, lte=100_000))
    ] = SAMPLE_ORDERS,
    json: bool = False,
    store: StoreOptions = StoreOptions(),  # noqa: B008 - frozen
) -> int:
    """Plan orders by each of several policies from the same stock, side by side; holds nothing.

    Without names: all policies that there are.
    """
    settings = store.settings(policies_file=policies_file)
    if sample and settings.policies_file is None:
        settings = store.settings(policies_file=POLICIES_TOML)
    given = None if orders is None else read_orders(orders)
    clock = StoreClock()
    if sample:
        network = load_network()
        file, default = settings.policies_file, settings.policy
        book = built_in_book(default) if file is None else read_policies(file, default=default)
        names = _names(policies, book)
        now_ms = clock.now_ms()
        if given is None:
            now_ms = int(SAMPLE_NOW.timestamp() * 1000)
            offers = OrderSource(network, SAMPLE_SEED, id_prefix="C").offers(count)
            given = [offer.order for offer in offers if offer.kind == "new"]
            if again := count - len(given):
                err.print(
                    f"Of the sample's {count:,}, {counted(len(given), 'is an order', 'are orders')};"
                    f" {counted(again, 'is', 'are')} sent again (retries, twins), which a store answers from what it"
                    " has: left out.",
                    soft_wrap=True,
                )
        totals = compare_policies(
            names,
            warehouses=network.warehouses,
            skus=network.skus,
            tariff=network.tariff,
            stock=starting_stock(network, len(given), SAMPLE_SEED),
            orders=given,
            currency=network.currency,
            defaults=CostDefaults(
                fixed_cost=settings.fixed_cost, unit_cost=settings.unit_cost, cost_per_km=settings.cost_per_km
            ),
            book=book.message,
            now_ms=now_ms,
        )
        currency = network.currency
    elif given is None:
        raise InvalidInput((FieldError("--orders", "is needed, unless with --sample"),))
    else:
        async with open_store(settings) as engine:
            names = _names(policies, engine.policies.book)
            now_ms = engine.intake.clock.now_ms()
            totals = compare_on(engine.planner, names, given, day=now_ms // DAY_MS, now_ms=now_ms)
        currency = settings.currency
    tell_invalid(totals)
    if json:
        print_json(totals)
    else:
        print_totals(totals, currency)
    return 0


def _names(wanted: tuple[str, ...], book: PolicyBook) -> tuple[str, ...]:
    if unknown := [name for name in wanted if name not in book.names]:
        there = ", ".join(book.names)
        raise InvalidInput(tuple(FieldError(name, f"there is no such policy; there are {there}") for name in unknown))
    return wanted or book.names


def read_orders(file: Path) -> list[Order]:
    """Orders from a file, of which each must be right by itself. Raises InvalidInput, which names the file."""
    orders, lines = json_rows(file, read_file(file), Order)
    errors = [
        row_error(file, lines, place, error) for place, order in enumerate(orders) for error in order_errors(order)
    ]
    if errors:
        raise InvalidInput(tuple(errors))
    return orders
