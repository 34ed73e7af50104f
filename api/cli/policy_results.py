"""`stockade policy results`: what came of the orders in the store, by what they were planned by."""

from api.cli.console import StoreOptions, err, mean, out, print_json
from api.cli.opening import open_store
from api.cli.table import print_table
from engine.policy.results import past_orders, results_of


async def results(*, json: bool = False, store: StoreOptions = StoreOptions()) -> int:  # noqa: B008 - frozen
    """What came of the orders in the store, by policy, version and trial."""
    async with open_store(store.settings()) as engine:
        err.print("Reading the orders ...")
        rows = await results_of(past_orders(engine.orders()))
    if json:
        print_json(rows)
        return 0
    if not rows:
        out.print("The store has no orders.")
        return 0
    names = [
        (row.policy, row.version or "-", f"{row.trial.name}: {row.trial.arm}" if row.trial else "") for row in rows
    ]
    figures = [
        (
            mean(row.cost_per_order, ",.2f", per=100, unit=row.currency),
            mean(row.shipments_per_order, ".3f"),
            mean(row.mean_km, ",.0f"),
            mean(row.days_to_promise, ".2f"),
            f"{row.late:,} of {row.due:,}" if row.due else "-",
            mean(row.days_late, ".2f"),
        )
        for row in rows
    ]
    by = ("policy", "version", "trial")
    counts, means = ("orders", "over", "waiting", "unfilled"), ("cost", "shipments", "km", "days", "late", "by days")
    table = [
        (*name, row.orders, row.over, row.waiting, row.unfilled_units) for name, row in zip(names, rows, strict=True)
    ]
    print_table((*by, *counts), table, numbers=counts)
    out.print()
    print_table((*by, *means), [(*name, *row) for name, row in zip(names, figures, strict=True)], numbers=means)
    out.print(
        "Means of the orders that are neither over (cancelled, expired) nor waiting: cost and shipments of an order, km"
        " of a shipment, days from the order to its last promised day; late: of those that said deliver_by, and the"
        " mean of their days late. Unfilled: units that the same orders go without, which nothing was paid for."
    )
    return 0
