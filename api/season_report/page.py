"""The page of a simulation: one HTML file that needs no network and no script."""

from pathlib import Path

from api.season_report.course import course_plot, extra_cost, unserved
from api.season_report.result import Mean, Simulation
from engine.season import SeasonOutcome
from pages import amounts
from pages.markup import EMPTY, Markup, clipped, element, join, text
from pages.sheet import Tone, section, sheet, verdict
from pages.tables import Column, Row, bar, note, table

BESIDE = "myopic"
"""The policy beside which the costs of others are drawn, if it was played."""

SEASONS_LISTED_MAX = 200


def write_page(found: Simulation, path: Path) -> None:
    """Write it over whatever stands there. Raises OSError."""
    path.write_text(render_page(found), encoding="utf-8")


def render_page(found: Simulation) -> str:
    """The page as one document."""
    first = found.seasons[0]
    sections = [
        verdict(Tone.GOOD, "Simulated", [_headline(found)], lead=_words(found)),
        section("policies", "What each policy cost", "", _policies(found)),
        section("course", "The course of the season", "", _course(first, len(found.seasons))),
    ]
    if len(found.seasons) > 1:
        sections.append(section("seasons", "Each season", "", _seasons(found)))
    return sheet(*sections, title=f"Stockade simulation: {_headline(found)}", brand="simulation", when="")


def _headline(found: Simulation) -> str:
    best = min(found.means, key=lambda mean: mean.above_bound)
    return f"“{best.policy}” costs {best.above_bound:.2%} more than the clairvoyant bound"


def _words(found: Simulation) -> str:
    one, several = found.seasons[0], len(found.seasons) > 1
    what = (
        f"{len(found.seasons)} drawn seasons, seeds {found.seed} to {found.seed + len(found.seasons) - 1}"
        if several
        else f"{clipped(one.season, 100)}: {amounts.counted(one.orders, 'order', 'orders')},"
        f" {amounts.count(one.units)} units of {amounts.count(one.stock_units)} in stock"
    )
    pace = f"{found.every_orders} orders" if found.every_orders else f"{found.every_s:g} seconds"
    how = "rates that were known" if found.method is None else f"a forecast ({found.method}) from the orders so far"
    return (
        f"{what}. Stock was priced, and orders re-allocated, every {pace}; the prices go by {how}. The bound is that of"
        " one who knew every order before: proven, and for nobody to reach who does not."
    )


def _policies(found: Simulation) -> Markup:
    most = max(mean.above_bound for mean in found.means)
    best = min(mean.above_bound for mean in found.means)
    columns = (
        Column("Policy"),
        Column("Above the bound"),
        Column("Cost", numeric=True),
        Column("Shipments", numeric=True),
        Column("Units not served", numeric=True),
        Column("Orders not whole", numeric=True),
        Column("Solved", numeric=True),
    )
    rows = [_mean_row(mean, most, best, places=1 if len(found.seasons) > 1 else 0) for mean in found.means]
    return join(
        (
            table("Means of all seasons" if len(found.seasons) > 1 else "The season", columns, rows),
            note("“Solved”: how often stock was priced, or orders were re-allocated."),
        )
    )


def _mean_row(mean: Mean, most: float, best: float, *, places: int) -> Row:
    share = mean.above_bound / most if most > 0 else 0.0
    style = "best" if mean.above_bound == best else "rest"
    numbers = (text(amounts.decimal(value, places)) for value in mean.counts)
    return Row(
        (
            text(mean.policy),
            bar(share, f"{mean.above_bound:.2%}", style=style),
            text(amounts.decimal(mean.cost_major, 2)),
            *numbers,
        )
    )


def _course(season: SeasonOutcome, seasons: int) -> Markup:
    beside = next((one for one in season.policies if one.policy == BESIDE), season.policies[0])
    which = f"Of the first of {seasons} seasons. " if seasons > 1 else ""
    return join(
        (
            element("h3", text(f"Cost so far, beyond that of “{beside.policy}”")),
            course_plot(
                "cost",
                extra_cost(season.policies, beside, season.per_major),
                title=f"Cost beyond that of {beside.policy} over the season",
                unit="units of money",
            ),
            element("h3", text("Units not served so far")),
            course_plot("unserved", unserved(season.policies), title="Units not served over the season", unit="units"),
            note(f"{which}Orders are counted as they ended: one that was re-allocated, with its last assignment."),
        )
    )


def _seasons(found: Simulation) -> Markup:
    columns = (
        Column("Season"),
        Column("Bound", numeric=True),
        *(Column(mean.policy, numeric=True) for mean in found.means),
    )
    rows = [
        Row(
            (
                text(clipped(one.season, 60)),
                text(amounts.decimal(one.bound / one.per_major, 2)),
                *(text(f"{policy.above_bound:.2%}") for policy in one.policies),
            )
        )
        for one in found.seasons[:SEASONS_LISTED_MAX]
    ]
    hidden = len(found.seasons) - len(rows)
    return join(
        (
            table("Above the bound, by policy", columns, rows),
            note(f"and {amounts.counted(hidden, 'season', 'seasons')} more") if hidden else EMPTY,
        )
    )
