"""The table of the SKUs on sale: stock, demand, sold, oversold. Oversold ones lead, then the hot ones."""

from loadtest.report.plot_stock import stock_lines
from loadtest.result import SaleResult, SkuSale
from pages import amounts
from pages.markup import EMPTY, Markup, clipped, element, text
from pages.tables import Column, Row, bar, note, table

SKUS_SHOWN_MAX = 60
NAME_LETTERS_MAX = 48

COLUMNS = (
    Column("SKU"),
    Column("On hand", numeric=True),
    Column("Demanded", numeric=True),
    Column("Sold", numeric=True),
    Column("Oversold", numeric=True),
    Column("Demand over stock", numeric=True),
    Column("Sold of stock"),
    Column("Sold out after", numeric=True),
)


def sku_table(result: SaleResult) -> Markup:
    """The table, or a line that there was nothing on sale."""
    if not result.skus:
        return element("p", text("No SKU was on sale."), class_="empty")
    hot = {sku: rank for rank, sku in enumerate(result.hot_skus)}
    ranked = sorted(result.skus, key=lambda sale: (-sale.oversold, hot.get(sale.sku, len(hot)), -sale.demanded))
    sold_out = {line.sku: line.sold_out_s for line in stock_lines(result)}
    rows = [_row(sale, sold_out.get(sale.sku)) for sale in ranked[:SKUS_SHOWN_MAX]]
    hidden = len(ranked) - len(rows)
    rest = f"Not shown: {amounts.counted(hidden, 'SKU', 'SKUs')} in less demand, none oversold." if hidden else ""
    if any(sale.oversold for sale in ranked[SKUS_SHOWN_MAX:]):
        rest = f"Not shown: {amounts.counted(hidden, 'SKU', 'SKUs')}, oversold ones among them."
    return element("div", table("SKUs on sale, in units", COLUMNS, rows), note(rest))


def _row(sale: SkuSale, sold_out_s: float | None) -> Row:
    share = amounts.share(sale.sold, sale.on_hand)
    pressure = f"{amounts.decimal(sale.demanded / sale.on_hand, 1)}×" if sale.on_hand > 0 else "–"
    name = element("span", text(clipped(sale.name, NAME_LETTERS_MAX)), class_="aside") if sale.name else EMPTY
    oversold = f"{amounts.count(sale.oversold)} too many" if sale.oversold else "0"
    return Row(
        (
            element("span", element("code", text(clipped(sale.sku, NAME_LETTERS_MAX))), name, class_="named"),
            text(amounts.count(sale.on_hand)),
            text(amounts.count(sale.demanded)),
            text(amounts.count(sale.sold)),
            text(oversold),
            text(pressure),
            bar(share, amounts.percent(share), style="alarm" if sale.oversold else ""),
            text("–" if sold_out_s is None else amounts.seconds(sold_out_s)),
        ),
        alarming=sale.oversold > 0,
    )
