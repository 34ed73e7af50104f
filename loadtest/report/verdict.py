"""Judges a sale: what is wrong, how badly, and the one line that says so. Pure; draws nothing."""

from dataclasses import dataclass
from enum import Enum

from loadtest.result import SaleResult
from pages import amounts


class Level(Enum):
    """How the sale went. The value is the badge's word."""

    GOOD = "Passed"
    WARN = "Look closer"
    ALARM = "Alarm"


@dataclass(frozen=True, slots=True)
class Verdict:
    """`alarms` break a promise of the service; `warnings` leave a question open."""

    level: Level
    sentences: tuple[str, ...]
    alarms: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def headline(self) -> str:
        """The verdict in one line."""
        return " ".join(self.sentences)


def units_oversold(result: SaleResult) -> int:
    """Units sold beyond stock: the sale's own count or that of its SKUs, whichever is worse."""
    return max(result.oversold, sum(sku.oversold for sku in result.skus))


def requests_unexplained(result: SaleResult) -> int:
    """Requests sent less those that were reserved, replayed, refused or failed. Zero when the report adds up."""
    return result.offered - result.reserved - result.replayed - sum(result.refused.values()) - result.failed


def judge(result: SaleResult) -> Verdict:
    """The verdict. Oversold units, books that differ and audit findings alarm; unanswered requests warn."""
    oversold = units_oversold(result)
    alarms = _alarms(result, oversold)
    warnings = _warnings(result)
    level = Level.ALARM if alarms else Level.WARN if warnings else Level.GOOD
    return Verdict(level=level, sentences=_sentences(result, oversold), alarms=alarms, warnings=warnings)


def _sentences(result: SaleResult, oversold: int) -> tuple[str, ...]:
    reserved = amounts.counted(result.reserved, "order", "orders")
    sale = f"{reserved} reserved in {amounts.seconds(result.seconds)}."
    stock = f"{amounts.counted(oversold, 'unit', 'units')} oversold."
    books = "The books balance." if result.books_balance else "The books do not balance."
    # The worst comes first: a reader of the first words alone must not go away reassured.
    return (sale, stock, books) if not oversold and result.books_balance else (stock, books, sale)


def _alarms(result: SaleResult, oversold: int) -> tuple[str, ...]:
    found: list[str] = []
    if oversold:
        found.append(f"{amounts.counted(oversold, 'unit was', 'units were')} sold beyond the stock on hand.")
    if not result.books_balance:
        found.append("The sum of the reservations differs from what the cells hold as reserved.")
    if result.audit_findings:
        found.append(f"The audit reports {amounts.counted(len(result.audit_findings), 'finding', 'findings')}.")
    return tuple(found)


def _warnings(result: SaleResult) -> tuple[str, ...]:
    found: list[str] = []
    if result.failed:
        found.append(f"{amounts.counted(result.failed, 'request', 'requests')} failed: no answer, or one unexplained.")
    if unexplained := requests_unexplained(result):
        direction = "fewer" if unexplained > 0 else "more"
        found.append(f"The outcomes add up to {amounts.count(abs(unexplained))} {direction} than the requests sent.")
    if not result.reserved:
        found.append("No order was reserved, so this run proves nothing about a sale.")
    return tuple(found)
