"""What `stockade policy compare` shows of policies side by side. Reckons nothing but how much more one costs."""

from collections.abc import Sequence

from api.cli.console import counted, err, mean, out
from api.cli.table import print_table
from engine.comparison import PolicyTotals


def tell_invalid(totals: Sequence[PolicyTotals]) -> None:
    """How many orders break a rule and what is wrong with the first ones, to standard error; else nothing."""
    row = max(totals, key=lambda row: row.invalid, default=None)
    if row is None or not row.invalid:
        return
    are = "is" if row.invalid == 1 else "are"
    err.print(f"{row.invalid:,} of {counted(row.orders, 'order')} {are} invalid, and planned by no policy:")
    for one in row.invalid_first:
        err.print(f"  {one.order_id}: {one.pointer}: {one.message}", markup=False, soft_wrap=True)
    if more := row.invalid - len(row.invalid_first):
        err.print(f"  and {more:,} more")


def print_totals(totals: Sequence[PolicyTotals], currency: str) -> None:
    """The tables: what became of the orders, and the means."""
    counts = ("orders", "served", "unfilled", "waiting", "refused", "invalid")
    print_table(
        ("policy", *counts),
        [
            (row.policy, row.orders, row.served, row.unfilled_units, row.waiting, row.refused, row.invalid)
            for row in totals
        ],
        numbers=counts,
    )
    out.print()
    least = min((row.cost_per_order for row in totals if row.cost_per_order is not None), default=0)
    means = (currency, "more", "shipments", "km", "days")
    print_table(
        ("policy", *means),
        [
            (
                row.policy,
                mean(row.cost_per_order, ",.2f", per=100),
                f"{row.cost_per_order / least - 1:+.1%}" if least and row.cost_per_order is not None else "-",
                mean(row.shipments_per_order, ".3f"),
                mean(row.mean_km, ",.0f"),
                mean(row.days_to_promise, ".2f"),
            )
            for row in totals
        ],
        numbers=means,
    )
    compared = totals[0].compared if totals else 0
    out.print(
        "The same orders from the same stock. Unfilled: units that served orders go without. Means over the"
        f" {counted(compared, 'order')} that all served alike, whole or without the same units: cost and shipments of"
        " an order, km of a shipment, days until the last one is promised."
    )
