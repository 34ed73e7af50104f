"""Answers what a peak needs, by a result: processes by the law, and all else that they need. Pure."""

import math
from collections.abc import Sequence

import msgspec
from msgspec import Struct

from loadtest.capacity import needs
from loadtest.capacity.answer import Answer, Basis, Wanted, mark
from loadtest.capacity.knee import MISSED_MS, counts, held_ms, knee_of
from loadtest.capacity.point import Point
from loadtest.capacity.result import CapacityResult, Fit, Knee, Session
from loadtest.capacity.scaling import fit_of, law

PROCESSES_MAX = 10_000


class CapacityOf(Struct, frozen=True, kw_only=True):
    """What so many processes can do at the objective."""

    workers: int
    per_s: float
    at_least: bool
    basis: Basis
    beyond: float | None = None
    enough: bool
    here_per_s: float | None
    """The same on the machine of the run, whose processors do no more: the generator needs some of them, too."""


class Plan(Struct, frozen=True, kw_only=True):
    """What came of it."""

    wanted: Wanted
    needed_per_s: float
    reached: bool
    """Some number of processes does it, by what was measured and fitted."""
    answers: list[Answer]
    by_workers: list[CapacityOf]
    notes: list[str]


def plan_for(result: CapacityResult, wanted: Wanted) -> Plan | None:
    """None where the result has no knee at this objective, at any number of workers."""
    knees = {
        session.workers: knee
        for session in result.sessions
        if (knee := knee_of(session.sweep, wanted.p99_ms, result.asked.seed)) is not None and knee.per_s is not None
    }
    if not knees:
        return None
    # Of the points, and not as the file has it: a plan is held to what was measured.
    fit = fit_of(result.sessions, result.asked.seed, result.machine)
    best = _session_of(result.sessions, max(knees))
    near = _near_knee(best, knees[best.workers], wanted.p99_ms)
    table, workers, reached = _processes(knees, fit, wanted.needed_per_s, _bound(result, best))
    answers = [
        workers,
        _least(knees, wanted.needed_per_s),
        needs.processors(near, ("service", "worker"), "processors for the processes", wanted.needed_per_s),
        needs.processors(near, ("store",), "processors for the store", wanted.needed_per_s),
        needs.partitions(near, wanted.needed_per_s),
        *needs.memory(result, wanted, None if workers.value is None else int(workers.value)),
        *needs.disk(result, near, wanted),
        *needs.fail_over(result, wanted),
    ]
    return Plan(
        wanted=wanted,
        needed_per_s=wanted.needed_per_s,
        reached=reached,
        answers=answers,
        by_workers=table,
        notes=_notes(result, fit, knees),
    )


def _bound(result: CapacityResult, session: Session) -> float | None:
    """Orders a second that the processors of the run's machine are enough for, were they never idle.

    By the least that an order took at any load: the more come at once, the less each takes.
    """
    took = [
        each
        for point in (*session.ramp, *session.sweep)
        if point.goodput_per_s
        and any(one.role == "store" for one in point.processes)
        and (each := needs.per_order([point], ("service", "worker", "store", "generator")))
    ]
    return result.machine.cores / min(took) if result.machine.service == "own" and took else None


def _processes(
    knees: dict[int, Knee], fit: Fit | None, needed: float, bound: float | None
) -> tuple[list[CapacityOf], Answer, bool]:
    numbers, found = sorted({*knees, 1, 2, 4, 8, 16, max(knees) * 2}), None

    def of(workers: int) -> CapacityOf:
        one = _capacity(workers, knees, fit, needed)
        here = one.per_s if one.basis == "measured" else None if bound is None else min(one.per_s, bound)
        return msgspec.structs.replace(one, here_per_s=here)

    for workers in range(1, PROCESSES_MAX + 1):
        if of(workers).enough:
            found = workers
            break
        if fit is not None and fit.workers_best is not None and workers > max(fit.workers_best, *knees):
            break
    if found is not None:
        numbers = sorted({*(number for number in numbers if number <= 2 * max(found, *knees)), found})
    table = [of(workers) for workers in numbers]
    what = "processes (workers), by the law"
    if found is None:
        # Without an end of its own the law still has a limit, which it nears.
        best = PROCESSES_MAX if fit is None or fit.workers_best is None else max(1, round(fit.workers_best))
        most = max([*table, of(best)], key=lambda one: one.per_s)
        how = f"no number of them: the law leads to {most.per_s:,.0f} a second at the most"
        return table, Answer(what=what, value=None, unit="", basis="extrapolated", how=how), False
    one = of(found)
    how = f"{found} do {'at least ' if one.at_least else ''}{one.per_s:,.0f} a second at the objective"
    return table, Answer(what=what, value=found, unit="", basis=one.basis, beyond=one.beyond, how=how), True


def _capacity(workers: int, knees: dict[int, Knee], fit: Fit | None, needed: float) -> CapacityOf:
    """The knee where it was measured; else that of the nearest number, changed as the law says."""
    if (knee := knees.get(workers)) is not None and knee.per_s is not None:
        enough = knee.per_s >= needed
        return CapacityOf(
            workers=workers, per_s=knee.per_s, at_least=knee.at_least, basis="measured", enough=enough, here_per_s=None
        )
    near = min(knees, key=lambda number: (abs(math.log(workers / number)), number))
    laws = (1.0, 0.0, 0.0) if fit is None else (fit.rate_per_s, fit.sigma, fit.kappa)
    per_s = (knees[near].per_s or 0.0) * law(laws, workers) / law(laws, near)
    between = min(knees) < workers < max(knees)
    return CapacityOf(
        workers=workers,
        per_s=per_s,
        at_least=False,
        basis="interpolated" if between else "extrapolated",
        beyond=None if between else max(workers / max(knees), min(knees) / workers),
        enough=per_s >= needed,
        here_per_s=None,
    )


def _least(knees: dict[int, Knee], needed: float) -> Answer:
    """Were none to wait for another, which is never so."""
    workers = min(knees)
    each = (knees[workers].per_s or 0.0) / workers
    count = max(1, math.ceil(needed / each))
    at_least = knees[workers].at_least
    ends = "they may do more, and fewer be enough" if at_least else "no fewer will do"
    return Answer(
        what="processes, were each to do as much as alone",
        value=count,
        unit="",
        **mark(needed, each * workers),
        how=f"{'at least ' if at_least else ''}{each:,.0f} a second each, as {workers} did: {ends}",
    )


def _near_knee(session: Session, knee: Knee, p99_ms: float) -> list[Point]:
    """The points of the highest load that meets the objective: what an order takes is read off there."""
    good = [point for point in session.sweep if counts(point) and held_ms(point) <= p99_ms and point.goodput_per_s]
    below = [point for point in good if knee.per_s is None or point.offered_per_s <= knee.per_s * 1.05] or good
    highest = max((point.share or 0.0 for point in below), default=0.0)
    return [point for point in below if point.share == highest]


def why_none(result: CapacityResult, p99_ms: float) -> str:
    """Why there is no plan at this objective, and what to do."""
    points = [point for session in result.sessions for point in session.sweep]
    if not any(counts(point) for point in points):
        why = "the generator limited every load, or none was measured" if points else "no load was measured"
        return f"{why}: measure again, with nothing else on the machine or more --threads"
    served = [held_ms(point) for point in points if counts(point) and held_ms(point) < MISSED_MS]
    if not served:
        return "orders failed, or were turned away, at every load that counts: measure lower --loads"
    return (
        f"no load that counts has a p99 of {p99_ms:g} ms or less, the best {min(served):,.1f} ms: allow a larger"
        " --p99-ms, or measure lower --loads"
    )


def _session_of(sessions: Sequence[Session], workers: int) -> Session:
    return next(one for one in sessions if one.workers == workers)


def _notes(result: CapacityResult, fit: Fit | None, knees: dict[int, Knee]) -> list[str]:
    notes = list(fit.notes) if fit is not None else ["There is no law: the generator limited every peak."]
    if result.incomplete is not None:
        notes.append(f"The result is incomplete: {result.incomplete}")
    if any(knee.at_least for knee in knees.values()):
        notes.append("Every load that was measured met the objective at some numbers of workers: they may do more.")
    notes += result.notes
    return notes
