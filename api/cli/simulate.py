"""`stockade simulate`: plays a season of orders through policies, and says what each costs above the least possible."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from cyclopts import Parameter
from cyclopts.validators import Number
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from api.cli.console import counted, err, out, print_json
from api.cli.season_files import read_season
from api.cli.table import print_table
from api.season_report import Mean, Simulation, means_of, write_page
from engine.errors import FieldError, InvalidInput
from engine.forecast import MethodName
from engine.season import POLICIES, Every, PolicyName, PolicyTerms, Season, SeasonOutcome, draw_season, play_season

RUNS_MAX = 1_000
EVERY_ORDERS = 100
ARRIVALS = 10_000
STATIC: PolicyName = "static"
OPEN_ORDERS_MAX = 100_000


def simulate(
    history: Annotated[
        Path | None,
        Parameter(
            help="Orders with times (CSV or JSON lines), or a season of Jasin and Sinha's as JSON; else one is drawn."
        ),
    ] = None,
    /,
    *,
    network: Annotated[
        Path | None, Parameter(help="Warehouses, regions, costs and stock of a history, as JSON.")
    ] = None,
    policies: Annotated[
        str | None, Parameter(help=f"Which to play, by commas; else all that have a meaning of {', '.join(POLICIES)}.")
    ] = None,
    every: Annotated[
        int | None, Parameter(help="Orders between two pricings or re-allocations; else 100.", validator=Number(gte=1))
    ] = None,
    every_s: Annotated[
        float | None, Parameter(help="The same in seconds of the season.", validator=Number(gt=0))
    ] = None,
    open_orders: Annotated[
        int,
        Parameter(
            help="How many of the last orders have not left, and may be re-allocated.",
            validator=Number(gte=1, lte=OPEN_ORDERS_MAX),
        ),
    ] = 500,
    expect: Annotated[
        Literal["known", "learned"] | None,
        Parameter(
            help="Price by the rates of the season, or by a forecast from its orders so far; a history: learned."
        ),
    ] = None,
    method: Annotated[MethodName, Parameter(help="The forecast of `learned`.")] = "tsb",
    arrivals: Annotated[
        int | None, Parameter(help="Of a drawn season; else 10,000.", validator=Number(gte=10, lte=1_000_000))
    ] = None,
    seed: Annotated[int, Parameter(help="Of the drawn season, or of the first.", validator=Number(gte=0))] = 1,
    runs: Annotated[
        int, Parameter(help="Seasons to draw, of seeds one after the other.", validator=Number(gte=1, lte=RUNS_MAX))
    ] = 1,
    html: Annotated[Path | None, Parameter(help="Write the result as one page with plots.")] = None,
    json: bool = False,
) -> None:
    """Play a season through policies: cost, shipments, what is not served, and how far above the clairvoyant bound.

    Nobody who knew every order before could pay less than the bound. Nothing is sent, and no store is looked at. The
    same input gives the same numbers.
    """
    chosen = _policies(",".join(POLICIES) if policies is None else policies)
    if every is not None and every_s is not None:
        raise InvalidInput((FieldError("--every-s", "is instead of --every: leave one out"),))
    if history is not None and runs > 1:
        raise InvalidInput((FieldError("--runs", "is of drawn seasons: a history is played once"),))
    if history is not None and arrivals is not None:
        raise InvalidInput((FieldError("--arrivals", "is of drawn seasons: a history has its own"),))
    if network is not None and history is None:
        raise InvalidInput((FieldError("--network", "is of a history, which was not given"),))
    pace = Every(seconds=every_s) if every_s is not None else Every(orders=every or EVERY_ORDERS)
    terms = PolicyTerms(every=pace, open_orders=open_orders, seed=seed)
    results: list[SeasonOutcome] = []
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True) as progress:
        task = progress.add_task("reading", total=None)

        def watch(what: str, done: int, of: int) -> None:
            words = f"season {len(results) + 1} of {runs}: {what}" if runs > 1 else what
            progress.update(task, description=words, completed=done, total=of)

        for season in _seasons(history, network, seed, runs, arrivals or ARRIVALS):
            how = expect or ("learned" if season.known is None else "known")
            if how == "known" and season.known is None:
                told = 'must be "learned": a history says nothing of what was to be expected'
                raise InvalidInput((FieldError("--expect", told),))
            played = _with_meaning(chosen, how, asked=policies is not None)
            results.append(play_season(season, played, terms, expect=how, method=method, watch=watch))
    told = expect or ("learned" if history is not None and network is not None else "known")
    found = Simulation(
        seasons=tuple(results),
        means=means_of(results),
        every_orders=pace.orders,
        every_s=pace.seconds,
        open_orders=open_orders,
        expect=told,
        method=method if told == "learned" else None,
        seed=seed,
    )
    if html is not None:
        try:
            write_page(found, html)
        except OSError as error:
            raise InvalidInput((FieldError("--html", f"{html} cannot be written: {error.strerror}"),)) from None
    if json:
        print_json(found)
        return
    _print(found)
    if html is not None:
        err.print(f"Wrote {html}.", markup=False)


def _policies(text: str) -> list[PolicyName]:
    names: dict[str, PolicyName] = {name: name for name in POLICIES}
    wanted = [name.strip() for name in text.split(",") if name.strip()]
    unknown = [name for name in wanted if name not in names]
    if unknown or not wanted:
        there = ", ".join(POLICIES)
        wrong = f'there is no policy "{unknown[0]}"' if unknown else "names none"
        raise InvalidInput((FieldError("--policies", f"{wrong}; there are {there}"),))
    return list(dict.fromkeys(names[name] for name in wanted))


def _with_meaning(chosen: list[PolicyName], how: str, *, asked: bool) -> list[PolicyName]:
    """Without prices of a start at which nothing was learned. Raises InvalidInput where these are asked for."""
    if how == "known" or STATIC not in chosen:
        return chosen
    if asked:
        told = "static prices are made at the start, when nothing is learned: they would be none, as those of myopic"
        raise InvalidInput((FieldError("--policies", told),))
    return [name for name in chosen if name != STATIC]


def _seasons(history: Path | None, network: Path | None, seed: int, runs: int, arrivals: int) -> Iterator[Season]:
    if history is not None:
        season = read_season(history, network)
        _tell_lacking(season)
        yield season
        return
    for number in range(runs):
        yield draw_season(seed + number, arrivals=arrivals)


def _tell_lacking(season: Season) -> None:
    """What is ordered and never was there, which may be a name that differs in the two files."""
    problem = season.orders
    lacks = problem.stock.sum(axis=1)[problem.sku] == 0
    if lacks.any():
        skus, units = len(np.unique(problem.sku[lacks])), int(problem.quantity[lacks].sum())
        err.print(
            f"{counted(skus, 'SKU')} of the orders ({counted(units, 'unit')}) have no stock in the network: they are"
            " never served.",
            style="yellow",
        )


def _print(found: Simulation) -> None:
    first, seasons = found.seasons[0], found.seasons
    if len(seasons) == 1:
        out.print(
            f"{first.season}: {counted(first.orders, 'order')}, {counted(first.units, 'unit')} of"
            f" {first.stock_units:,} in stock.",
            markup=False,
            soft_wrap=True,
        )
        out.print(
            f"Clairvoyant bound {first.bound / first.per_major:,.2f}; an assignment that knew all orders costs"
            f" {first.hindsight_cost / first.per_major:,.2f}."
        )
    else:
        out.print(f"Means of {len(seasons)} drawn seasons, seeds {found.seed} to {found.seed + len(seasons) - 1}.")
    several = len(seasons) > 1
    columns = ["policy", "cost", "above bound", *(["worst"] if several else []), "shipments", "unserved", "solved"]
    print_table(columns, [_row(mean, several=several) for mean in found.means], numbers=columns[1:])
    err.print("unserved: units; solved: how often stock was priced, or orders were re-allocated.")


def _row(mean: Mean, *, several: bool) -> list[str]:
    row = [mean.policy, f"{mean.cost_major:,.2f}", f"{mean.above_bound:.2%}"]
    if several:
        row.append(f"{mean.above_bound_max:.2%}")
    return [*row, *(f"{value:,.0f}" for value in (mean.shipments, mean.unserved_units, mean.times))]
