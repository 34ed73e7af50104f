"""Why requests were refused: a table with a bar for each problem type, the most frequent first."""

from loadtest.result import SaleResult
from pages import amounts
from pages.markup import Markup, clipped, element, text
from pages.tables import Column, Row, bar, note, table

REASONS_SHOWN_MAX = 40
REASON_LETTERS_MAX = 64

MEANINGS = {
    "insufficient-stock": "a line asks for more units than are available",
    "not-deliverable": "no carrier of the tariff goes there",
    "purchase-limit": "the customer would hold more units of the SKU than allowed",
    "order-conflict": "the order id is known, with other contents",
    "invalid-state": "the order's state forbids the step",
}
"""Words for the problem types that the service documents. Any other stands with its name alone."""

COLUMNS = (
    Column("Reason"),
    Column("Requests", numeric=True),
    Column("Share of the refused"),
    Column("What it means"),
)


def refusals(result: SaleResult) -> Markup:
    """The table, or a line that nothing was refused."""
    total = sum(result.refused.values())
    if not total:
        return element("p", text("No request was refused."), class_="empty")
    ranked = sorted(result.refused.items(), key=lambda entry: (-entry[1], entry[0]))
    rows = [_row(reason, requests, total) for reason, requests in ranked[:REASONS_SHOWN_MAX]]
    hidden = len(ranked) - len(rows)
    rest = f"Not shown: {amounts.counted(hidden, 'rarer reason', 'rarer reasons')}." if hidden else ""
    return element("div", table("Refused requests by reason", COLUMNS, rows), note(rest))


def _row(reason: str, requests: int, total: int) -> Row:
    share = amounts.share(requests, total)
    return Row(
        (
            element("code", text(clipped(reason, REASON_LETTERS_MAX))),
            text(amounts.count(requests)),
            bar(share, amounts.percent(share)),
            text(MEANINGS.get(reason, "")),
        )
    )
