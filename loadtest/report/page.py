"""Puts the page together and writes it. The one file that knows the order of its parts."""

import pathlib

from loadtest.report.closing import audit, provenance
from loadtest.report.key_figures import key_figures
from loadtest.report.map import sale_map
from loadtest.report.plot_rate import rate_plot
from loadtest.report.plot_stock import stock_lines, stock_plot
from loadtest.report.policies import policy_table, saving_words
from loadtest.report.refusals import refusals
from loadtest.report.sites import site_table
from loadtest.report.skus import sku_table
from loadtest.report.verdict import Level, Verdict, judge
from loadtest.result import SaleResult
from pages import amounts
from pages.markup import Markup, clipped
from pages.sheet import Tone, section, sheet, verdict

TONES = {Level.GOOD: Tone.GOOD, Level.WARN: Tone.WARN, Level.ALARM: Tone.ALARM}


def write_report(result: SaleResult, path: pathlib.Path) -> None:
    """Write the page to `path` in UTF-8, over whatever stands there. Raises OSError where that cannot be done."""
    path.write_text(render_report(result), encoding="utf-8")


def render_report(result: SaleResult) -> str:
    """The page as one HTML document that loads nothing else."""
    judged = judge(result)
    title = f"{judged.level.value}: {judged.headline} Stockade flash sale"
    return sheet(*_sections(result, judged), title=title, brand="flash sale report", when=result.started_at)


def _sections(result: SaleResult, judged: Verdict) -> list[Markup]:
    asides = (*judged.alarms, *judged.warnings)
    return [
        verdict(TONES[judged.level], judged.level.value, judged.sentences, lead=_pace_words(result), reasons=asides),
        section("figures", "Key figures", "", key_figures(result)),
        section("map", "Where it sold, where it shipped from", "", sale_map(result), site_table(result)),
        section("stock", "Stock over time", _stock_words(result), stock_plot(result), rate_plot(result)),
        section("refused", "Why requests were refused", _refused_words(result), refusals(result)),
        section("skus", "Hot SKUs", "", sku_table(result)),
        section("cost", "What the policies cost", saving_words(result), policy_table(result)),
        section("audit", "Audit", "", audit(result)),
        section("provenance", "Where these numbers come from", "", provenance(result)),
    ]


def _pace_words(result: SaleResult) -> str:
    refused = sum(result.refused.values())
    if not result.offered:
        return "No request was sent."
    return (
        f"{amounts.counted(result.offered, 'request', 'requests')}: {amounts.count(result.reserved)} reserved, "
        f"{amounts.count(result.replayed)} replayed, {amounts.count(refused)} refused, "
        f"{amounts.count(result.failed)} failed. "
        f"99 of 100 were answered within {amounts.milliseconds(result.latency.p99_ms)}."
    )


def _stock_words(result: SaleResult) -> str:
    lines = stock_lines(result)
    out = [(line.sold_out_s, line.sku) for line in lines if line.sold_out_s is not None]
    if not out:
        return f"None of {amounts.counted(len(lines), 'hot SKU', 'hot SKUs')} sold out." if lines else ""
    seconds, first = min(out)
    share = f"{amounts.count(len(out))} of {amounts.counted(len(lines), 'hot SKU', 'hot SKUs')} sold out"
    return f"{share}, {clipped(first, 40)} first, at {amounts.seconds(seconds)}."


def _refused_words(result: SaleResult) -> str:
    refused = sum(result.refused.values())
    if not refused:
        return ""
    share = amounts.percent(amounts.share(refused, result.offered))
    return f"{amounts.counted(refused, 'request', 'requests')}, {share} of those offered."
