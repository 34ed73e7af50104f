"""`stockade policy results`: what came of the orders in the store, by what they were planned by."""

from api.cli.console import StoreOptions, err, out, print_json, print_table
from engine import open_engine
from engine.policy.results import past_orders, results_of


async def results(*, json: bool = False, store: StoreOptions = StoreOptions()) -> int:  # noqa: B008 - frozen
    """What came of the orders in the store, by policy, version and trial."""
    async with open_engine(store.settings(), attach=True, background=False) as engine:
        err.print("Reading the orders ...")
        rows = await results_of(past_orders(engine.orders()))
    if json:
        print_json(rows)
        return 0
    table = [
        (
            row.policy,
            row.version or "-",
            f"{row.trial.name}: {row.trial.arm}" if row.trial else "",
            row.orders,
            row.over,
            row.waiting,
            f"{row.cost_per_order / 100:,.2f}",
            f"{row.shipments_per_order:.3f}",
            f"{row.mean_km:,.0f}",
            f"{row.days_to_promise:.2f}" if row.promised else "-",
            f"{row.late:,} of {row.due:,}" if row.due else "-",
            f"{row.days_late:.2f}" if row.due else "-",
        )
        for row in rows
    ]
    figures = ("orders", "over", "waiting", "cost", "shipments", "km", "days", "late", "days late")
    print_table(("policy", "version", "trial", *figures), table, numbers=figures)
    out.print(
        "Means over the orders that are neither over (cancelled, expired) nor waiting: cost and shipments of an order,"
        " km of a shipment, days from the order to the last promised day; late of those that said deliver_by."
    )
    return 0
