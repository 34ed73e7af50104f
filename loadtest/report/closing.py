"""The end of the page: what the audit found, and where the numbers come from."""

from loadtest.result import SaleResult
from pages import amounts
from pages.figures import facts
from pages.markup import Markup, clipped, element, text

FINDINGS_SHOWN_MAX = 50
FINDING_LETTERS_MAX = 400
FACT_LETTERS_MAX = 200

RUN_AGAIN = "make demo"


def audit(result: SaleResult) -> Markup:
    """The findings as a list, or what was checked without a finding."""
    balance = (
        "The sum of the reservations equals what the cells hold as reserved."
        if result.books_balance
        else "The sum of the reservations differs from what the cells hold as reserved."
    )
    shown = result.audit_findings[:FINDINGS_SHOWN_MAX]
    if not shown:
        return element("p", text(f"{balance} The audit found nothing else to report."))
    items = [element("li", text(clipped(finding, FINDING_LETTERS_MAX))) for finding in shown]
    hidden = len(result.audit_findings) - len(shown)
    if hidden:
        items.append(element("li", text(f"and {amounts.counted(hidden, 'finding', 'findings')} more")))
    return element("div", element("p", text(balance)), element("ul", *items, class_="findings"))


def provenance(result: SaleResult) -> Markup:
    """Machine, version, store and seed, and how to run the sale again."""
    known = (
        ("Started at", result.started_at),
        ("Machine", result.machine),
        ("Version", result.version),
        ("Store", result.store),
        ("Durability", result.durability),
        ("Seed", str(result.seed)),
    )
    told = [(name, text(clipped(value, FACT_LETTERS_MAX))) for name, value in known]
    return facts((*told, ("Run it again", element("code", text(RUN_AGAIN)))))
