"""Puts the page of a capacity result together and writes it. The one file that knows the order of its parts."""

import pathlib
from collections.abc import Iterable

from loadtest.capacity.report.plot_cpu import cpu_plot
from loadtest.capacity.report.plot_latency import latency_plot
from loadtest.capacity.report.plot_time import time_plot
from loadtest.capacity.report.plot_workers import workers_plot
from loadtest.capacity.report.style import RULES as OWN_RULES
from loadtest.capacity.report.tables import cpu_table, load_table, order_table, workers_table
from loadtest.capacity.report.words import judge, kept_words, law_words, workers_words
from loadtest.capacity.result import CapacityResult, Session
from loadtest.report.verdict import Verdict
from pages import amounts
from pages.markup import EMPTY, Markup, clipped, element, join, text
from pages.sheet import Tone, section, sheet, verdict
from pages.tables import folded, note

LETTERS_MAX = 400
LATENCY_WORDS = (
    "Lines, from the top: p99.9, p99, p90 and p50, medians of the repeats; dots are each repeat's p99; hollow ones were"
    " limited by the generator and count for nothing. The knee is where p99 reaches the objective; its band holds 95 %"
    " of resamples of the repeats."
)


def write_capacity_report(result: CapacityResult, path: pathlib.Path) -> None:
    """Write the page to `path` in UTF-8, over whatever stands there. Raises OSError where that cannot be done."""
    path.write_text(render_capacity_report(result), encoding="utf-8")


def render_capacity_report(result: CapacityResult) -> str:
    """The page as one HTML document that loads nothing else."""
    judged = judge(result)
    return sheet(
        _verdict(result, judged),
        *(_latency(session) for session in result.sessions),
        section("workers", "Throughput against workers", _law(result), workers_plot(result), workers_table(result),
                _notes(result.fit.notes if result.fit is not None else ())),
        *(_cpu(session) for session in result.sessions),
        section("time", "The run over time", "Points come in an order that the seed draws: what drifts falls on all"
                " loads alike. Grey ones were limited by the generator.", time_plot(result),
                folded("Every point", order_table(result))),
        section("kept", "Memory, disk, and a killed store", "", _facts(kept_words(result), "None of it was seen.")),
        section("audit", "Audit", "After the load, orders were looked up and units added up.", _audit(result)),
        section("provenance", "Where these numbers come from", "", _provenance(result)),
        title=f"{judged.headline} Stockade capacity",
        brand="capacity report",
        when=result.started_at,
        rules=OWN_RULES,
        beside="result.json",
    )  # fmt: skip


def _verdict(result: CapacityResult, judged: Verdict) -> Markup:
    lead = f"{result.load} Measured for {amounts.seconds(result.seconds)}."
    reasons = [clipped(words, LETTERS_MAX) for words in (*judged.alarms, *judged.warnings)]
    return verdict(
        Tone[judged.level.name],
        judged.level.value,
        judged.sentences,
        lead=clipped(lead, 2 * LETTERS_MAX),
        reasons=reasons,
    )


def _latency(session: Session) -> Markup:
    heading = f"Latency against load, {workers_words(session.workers)}"
    content = (latency_plot(session), load_table(session), note("Waiting: orders that waited for their batch."))
    return section(f"latency-{session.workers}", heading, LATENCY_WORDS, *content)


def _cpu(session: Session) -> Markup:
    heading = f"Processors by process, {workers_words(session.workers)}"
    words = "All else is whatever else ran on this machine meanwhile, the system itself included."
    table = folded("The figures", cpu_table(session))
    return section(f"cpu-{session.workers}", heading, words, cpu_plot(session), table)


def _law(result: CapacityResult) -> str:
    if result.fit is None:
        return ""
    return f"Universal Scalability Law, dashed where nobody measured. {law_words(result.fit)}"


def _notes(notes: Iterable[str]) -> Markup:
    items = [element("li", text(clipped(one, LETTERS_MAX))) for one in notes]
    return element("ul", *items, class_="notes note") if items else EMPTY


def _audit(result: CapacityResult) -> Markup:
    parts = []
    for session in result.sessions:
        found = session.audit
        heading = element("h3", text(workers_words(session.workers)))
        if found is None or found.broken is not None:
            parts += [heading, element("p", text("There was no audit."))]
            continue
        store = {None: "not looked at", True: "balance", False: "do not balance"}[found.store]
        facts = [
            ("Orders acknowledged", amounts.count(found.acknowledged)),
            ("Looked up", amounts.count(found.read)),
            ("Without an answer, and there", f"{amounts.count(found.lost)}, {amounts.count(found.lost_held)}"),
            ("Refused for stock", amounts.count(found.refused_for_stock)),
            ("The store's own books", store),
            ("Lies", amounts.count(sum(one.count for one in found.lies))),
        ]
        parts += [heading, _facts(facts, ""), _notes(found.notes)]
        lies = [
            element("li", text(clipped(f"{one.kind}: {one.count:,} {one.detail}", LETTERS_MAX))) for one in found.lies
        ]
        parts.append(element("ul", *lies, class_="findings") if lies else EMPTY)
    return join(parts)


def _provenance(result: CapacityResult) -> Markup:
    machine, asked = result.machine, result.asked
    memory = amounts.NOTHING if machine.memory_bytes is None else f"{machine.memory_bytes / 2**30:,.1f} GiB"
    facts = [
        ("Processor", f"{machine.cores} x {machine.cpu_model}"),
        ("Memory", memory),
        ("Kernel", machine.kernel),
        ("Versions", f"Stockade {machine.stockade}, Python {machine.python}, {machine.store}"),
        ("Durability of the store", machine.durable),
        ("Repeats and seed", f"{asked.repeats} of each load, seed {asked.seed}"),
    ]
    again = element("pre", element("code", text(clipped(result.command, LETTERS_MAX))))
    return join((_facts(facts, ""), element("h3", text("Measure it again")), again))


def _facts(facts: Iterable[tuple[str, str]], empty: str) -> Markup:
    entries = [
        element("div", element("dt", text(name)), element("dd", text(clipped(value, LETTERS_MAX))))
        for name, value in facts
    ]
    return element("dl", *entries, class_="facts") if entries else element("p", text(empty), class_="empty")
