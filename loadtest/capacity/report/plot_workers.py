"""The plot of throughput over workers: what was measured, the law through it, and what resamples of it spread over."""

from functools import partial

import numpy as np

from loadtest.capacity.report.frame import Frame, Words, frame
from loadtest.capacity.result import CapacityResult, Fit
from loadtest.capacity.scaling import law, least_squares
from loadtest.capacity.spread import resampled
from pages import amounts
from pages.figure import drawing, figure, tooltip
from pages.markup import EMPTY, Markup, element, text

HEIGHT_PX = 280
BEYOND = 2
"""The curve is drawn to so many times the most workers that were measured."""
STEPS = 48
CURVES = 200


def workers_plot(result: CapacityResult) -> Markup:
    """The plot in every layout; words where there is nothing to fit."""
    if result.fit is None or all(one.peak is None for one in result.sessions):
        return element("p", text("The generator limited every peak, so that there is no law."), class_="empty")
    return figure(partial(_draw, result, result.fit))


def _draw(result: CapacityResult, fit: Fit, layout: str, width: int) -> Markup:
    peaks = {one.workers: one.peak for one in result.sessions if one.peak is not None}
    most = max(peaks)
    ends = max(2.0, most * BEYOND)
    across = np.linspace(1.0, ends, STEPS)
    curve = [(float(one), law((fit.rate_per_s, fit.sigma, fit.kappa), float(one))) for one in across]
    low, high = _band(result, fit, across)
    measured = [rate for peak in peaks.values() for rate in peak.measured]
    top = max([*measured, *(rate for _, rate in curve), *(high if high is not None else [])])
    plot = frame(
        Words("workers", "orders a second"),
        layout=layout,
        width=width,
        height=HEIGHT_PX,
        across_max=ends,
        up_max=top,
        whole=True,
    )
    known = [spot for spot in curve if spot[0] <= most + 1e-9]
    beyond = [spot for spot in curve if spot[0] >= known[-1][0]]
    return drawing(
        f"workers-{layout}",
        plot.marks,
        _area(plot, across, low, high),
        element("path", class_="law", d=plot.line(known)) if len(known) > 1 else EMPTY,
        element("path", class_="law beyond", d=plot.line(beyond)),
        *(_dot(plot, workers, rate, bound=peak.at_least) for workers, peak in peaks.items() for rate in peak.measured),
        width=width,
        height=HEIGHT_PX,
        title="Throughput against workers",
        description=_description(fit, {workers: peak.orders_per_s for workers, peak in peaks.items()}),
    )


def _band(result: CapacityResult, fit: Fit, across: np.ndarray) -> tuple[list[float] | None, list[float] | None]:
    groups = [one.peak.measured for one in result.sessions if one.peak is not None and one.workers in set(fit.workers)]
    groups = [[rate for rate in group if rate > 0] for group in groups]
    if len(groups) != len(fit.workers) or min(map(len, groups)) < 2:
        return None, None
    numbers = np.array(fit.workers, float)
    laws = least_squares(numbers, resampled(groups, result.asked.seed, CURVES))
    rates = np.array([[law((rate, sigma, kappa), float(at)) for at in across] for rate, sigma, kappa in laws.tolist()])
    low, high = np.percentile(rates, [2.5, 97.5], axis=0)
    return low.tolist(), high.tolist()


def _area(plot: Frame, across: np.ndarray, low: list[float] | None, high: list[float] | None) -> Markup:
    if low is None or high is None:
        return EMPTY
    there = list(zip(across.tolist(), high, strict=True))
    back = list(zip(across.tolist(), low, strict=True))[::-1]
    return element("path", class_="band", d=f"{plot.line(there)}L{plot.line(back).removeprefix('M')}Z")


def _dot(plot: Frame, workers: int, rate: float, *, bound: bool) -> Markup:
    words = f"{workers} {'worker' if workers == 1 else 'workers'}: {amounts.count(rate)}/s"
    words += " (limited by the generator)" if bound else ""
    style = "spot bound" if bound else "spot"
    return element("circle", tooltip(words), class_=style, cx=plot.x(workers), cy=plot.y(rate), r=3.6)


def _description(fit: Fit, peaks: dict[int, float]) -> str:
    told = "; ".join(f"{workers} workers {amounts.count(rate)} a second" for workers, rate in peaks.items())
    law_told = f"sigma {fit.sigma:.4f}, kappa {fit.kappa:.5f}"
    return f"Measured peaks: {told}. The law: {law_told}; dashed beyond what was measured."
