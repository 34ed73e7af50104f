"""Puts the page together and writes it. The one file that knows the order of its parts."""

import pathlib

from loadtest.report import amounts
from loadtest.report.closing import audit, provenance
from loadtest.report.key_figures import key_figures
from loadtest.report.map import sale_map
from loadtest.report.markup import EMPTY, Markup, clipped, document, element, stylesheet, text
from loadtest.report.plot_rate import rate_plot
from loadtest.report.plot_stock import stock_lines, stock_plot
from loadtest.report.policies import policy_table, saving_words
from loadtest.report.refusals import refusals
from loadtest.report.sites import site_table
from loadtest.report.skus import sku_table
from loadtest.report.style import RULES
from loadtest.report.verdict import Level, Verdict, judge
from loadtest.result import SaleResult

# The browser itself then refuses whatever would leave the file.
CONTENT_POLICY = "default-src 'none'; style-src 'unsafe-inline'"

SIGNS = {Level.GOOD: "✓", Level.WARN: "!", Level.ALARM: "✕"}


def write_report(result: SaleResult, path: pathlib.Path) -> None:
    """Write the page to `path` in UTF-8, over whatever stands there. Raises OSError where that cannot be done."""
    path.write_text(render_report(result), encoding="utf-8")


def render_report(result: SaleResult) -> str:
    """The page as one HTML document that loads nothing else."""
    verdict = judge(result)
    return document(_head(verdict), element("body", _top(result), _main(result, verdict), _foot()))


def _head(verdict: Verdict) -> Markup:
    return element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=CONTENT_POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", text(f"{verdict.level.value}: {verdict.headline} Stockade flash sale")),
        stylesheet(RULES),
    )


def _top(result: SaleResult) -> Markup:
    # A palisade: three stakes and a rail.
    stakes = element("path", d="M1 22V7l3-5 3 5v15zM9 22V7l3-5 3 5v15zM17 22V7l3-5 3 5v15z")
    sign = element("svg", stakes, viewBox="0 0 24 24", class_="sign", aria_hidden="true")
    name = element("span", sign, element("strong", text("Stockade")), text(" flash sale report"), class_="brand")
    return element("header", name, element("span", text(clipped(result.started_at, 64)), class_="when"))


def _main(result: SaleResult, verdict: Verdict) -> Markup:
    return element(
        "main",
        _verdict(result, verdict),
        _section("figures", "Key figures", "", key_figures(result)),
        _section("map", "Where it sold, where it shipped from", "", sale_map(result), site_table(result)),
        _section("stock", "Stock over time", _stock_words(result), stock_plot(result), rate_plot(result)),
        _section("refused", "Why requests were refused", _refused_words(result), refusals(result)),
        _section("skus", "Hot SKUs", "", sku_table(result)),
        _section("cost", "What the policies cost", saving_words(result), policy_table(result)),
        _section("audit", "Audit", "", audit(result)),
        _section("provenance", "Where these numbers come from", "", provenance(result)),
    )


def _verdict(result: SaleResult, verdict: Verdict) -> Markup:
    sign = element("span", text(SIGNS[verdict.level]), class_="badge-sign", aria_hidden="true")
    badge = element("p", sign, text(verdict.level.value), class_="badge")
    # A line breaks between the sentences rather than within one, where there is room.
    sentences = [element("span", text(sentence + " ")) for sentence in verdict.sentences]
    asides = [element("li", text(words)) for words in (*verdict.alarms, *verdict.warnings)]
    return element(
        "section",
        badge,
        element("h1", *sentences, id="verdict"),
        element("p", text(_pace_words(result)), class_="lead"),
        element("ul", *asides, class_="reasons") if asides else EMPTY,
        class_=f"verdict {verdict.level.name.lower()}",
        aria_labelledby="verdict",
    )


def _section(name: str, heading: str, words: str, *content: Markup) -> Markup:
    lead = element("p", text(words), class_="lead") if words else EMPTY
    title = element("h2", text(heading), id=f"{name}-heading")
    return element("section", title, lead, *content, class_="card", id=name, aria_labelledby=f"{name}-heading")


def _foot() -> Markup:
    return element("footer", text("One file, no network, no script."))


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
