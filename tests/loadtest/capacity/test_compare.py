"""What became worse is told where it is sure and matters; noise, better figures and other machines are not."""

from pathlib import Path

import msgspec
import pytest

from engine.errors import InvalidInput
from loadtest.capacity.compare import check_comparable, compared
from loadtest.capacity.result import CapacityResult
from tests.loadtest.capacity.results import result, session

FILE = Path("old.json")


def test_the_same_is_no_worse() -> None:
    """Whatever its noise."""
    for noise in (0.0, 0.02, 0.2):
        found = compared(result(session(1, 4_000, noise=noise)), result(session(1, 4_000, noise=noise)), tolerance=0.05)
        assert found.worse == []
        assert {row.verdict for row in found.rows} == {"same"}
        assert len(found.rows) >= 6


def test_a_lower_peak_is_worse_and_a_higher_one_better() -> None:
    """By a fifth."""
    old, new = result(session(1, 5_000), session(2, 8_000)), result(session(1, 4_000), session(2, 10_000))
    found = compared(old, new, tolerance=0.05)
    verdicts = {row.what: row.verdict for row in found.rows}
    assert verdicts["1 worker: the peak"] == "worse"
    assert verdicts["2 workers: the peak"] == "better"
    assert verdicts["1 worker: load with p99 of 50 ms at most"] == "worse"
    assert any("1 worker: the peak became worse: 5,050 to 4,040 orders a second (-20.0%)" in one for one in found.worse)
    assert not any("2 workers" in one for one in found.worse)


def test_less_than_the_tolerance_is_nobodys_concern() -> None:
    """However sure."""
    old, new = result(session(1, 4_000, noise=0.001)), result(session(1, 3_960, noise=0.001))
    assert compared(old, new, tolerance=0.05).worse == []
    assert compared(old, new, tolerance=0.01).worse != []


def test_a_difference_within_the_noise_is_none() -> None:
    """However large its middle: repeats differ by more."""
    found = compared(result(session(1, 4_400, noise=0.3)), result(session(1, 4_000, noise=0.3)), tolerance=0.05)
    assert next(row for row in found.rows if row.what.endswith("the peak")).verdict == "same"


def test_latency_and_processor_time_that_grow_are_worse() -> None:
    """At the load of the old run, whatever the new one's peak is."""
    one = session(1, 4_000, noise=0.001)
    slower = [
        msgspec.structs.replace(
            point,
            p50_ms=point.p50_ms * 2,
            p99_ms=point.p99_ms * 2,
            p999_ms=point.p999_ms * 2,
            processes=[
                msgspec.structs.replace(process, cpu_cores=process.cpu_cores * 1.5) for process in point.processes
            ],
        )
        for point in one.sweep
    ]
    found = compared(result(one), result(msgspec.structs.replace(one, sweep=slower)), tolerance=0.05)
    worse = " ".join(found.worse)
    for word in (
        "(25% of the old peak)",
        "(55% of the old peak)",
        "processor time of the service",
        "processor time of the store",
    ):
        assert word in worse


def test_what_was_measured_once_is_not_judged() -> None:
    """Nobody knows its noise."""
    found = compared(result(session(1, 4_000, repeats=1)), result(session(1, 2_000, repeats=1)), tolerance=0.05)
    assert found.worse == []
    assert {row.verdict for row in found.rows} == {"unknown"}
    assert any("--repeats" in note for note in found.notes)
    assert found.unjudged
    many = result(session(1, 4_000))
    assert not compared(many, many, tolerance=0.05).unjudged


def test_a_run_that_met_the_objective_at_no_load_is_worse() -> None:
    """Its figure is 0, and not left out; as is that of a single repeat."""
    one = session(1, 4_000)
    sweep = [msgspec.structs.replace(point, failed_share=0.005) for point in one.sweep]
    none = compared(result(one), result(msgspec.structs.replace(one, sweep=sweep)), tolerance=0.05)
    assert any("load with p99" in words and "to 0 orders" in words for words in none.worse)
    back = compared(result(msgspec.structs.replace(one, sweep=sweep)), result(one), tolerance=0.05)
    assert any("Only one of the two" in note and "load with p99" in note for note in back.notes)


def test_nothing_in_common_is_no_good_news() -> None:
    """Neither where no point counts, nor where the numbers of workers differ."""
    one = session(1, 4_000)
    bound = [msgspec.structs.replace(point, generator_bound=["it was late"]) for point in one.sweep]
    peakless = msgspec.structs.replace(one, sweep=bound, peak=None)
    found = compared(result(one), result(peakless), tolerance=0.05)
    assert (found.rows, found.unjudged) == ([], True)
    assert any("Nothing is in both" in note for note in found.notes)
    other = compared(result(one), result(session(2, 4_000)), tolerance=0.05)
    assert (other.rows, other.unjudged) == ([], True)


def test_latency_is_compared_at_the_same_load_whatever_the_peaks_are() -> None:
    """A peak that is 10 % higher does its shares of more; what a load takes is worse all the same."""
    old, new = session(1, 1_000), session(1, 1_100)
    slower = [
        msgspec.structs.replace(point, p50_ms=point.p50_ms * 1.5, p99_ms=point.p99_ms * 1.5) for point in new.sweep
    ]
    found = compared(result(old), result(msgspec.structs.replace(new, sweep=slower)), tolerance=0.05)
    (row,) = [row for row in found.rows if "p99 at 550 orders a second" in row.what]
    assert row.verdict == "worse"
    # As queues wait: 10 / (1 - 550 / 1,100) instead of 10 / (1 - 0.55), by a line between two loads; half more of that.
    assert row.ratio == pytest.approx(1.5 * 0.45 / 0.5, rel=0.05)


def test_repeats_that_the_generator_limited_count_for_nothing() -> None:
    """One that is left of three tells nothing of noise; none, and there is no figure."""
    one = session(1, 4_000)
    for limited, verdicts in (({1, 2}, {"unknown"}), ({0, 1, 2}, set())):
        sweep = [
            msgspec.structs.replace(point, generator_bound=["it was late"]) if point.repeat in limited else point
            for point in one.sweep
        ]
        spoilt = msgspec.structs.replace(one, sweep=sweep)
        found = compared(result(one), result(spoilt), tolerance=0.05)
        assert {row.verdict for row in found.rows if "peak" not in row.what or "%" in row.what} == verdicts
        assert found.worse == []


@pytest.mark.parametrize(
    ("pointer", "other"),
    [
        ("/machine/cpu_model", {"machine": {"cpu_model": "Other"}}),
        ("/machine/cores", {"machine": {"cores": 2}}),
        ("/asked/scenario", {"asked": {"scenario": "hot-sku"}}),
    ],
)
def test_figures_of_other_machines_and_loads_are_not_compared(
    pointer: str, other: dict[str, dict[str, object]]
) -> None:
    """The field is named."""
    old = result(session(1, 4_000))
    new = result(session(1, 4_000))
    for part, fields in other.items():
        new = msgspec.structs.replace(new, **{part: msgspec.structs.replace(getattr(new, part), **fields)})
    with pytest.raises(InvalidInput) as told:
        check(old, new)
    assert [one.message.split(":")[0] for one in told.value.errors] == [pointer]


def test_runs_without_a_common_number_of_workers_are_not_compared() -> None:
    """There is nothing in both."""
    check(result(session(1, 4_000)), result(session(1, 4_000)))
    with pytest.raises(InvalidInput, match="none is in both"):
        check(result(session(1, 4_000)), result(session(2, 4_000)))


def check(old: CapacityResult, new: CapacityResult) -> None:
    """As the commands do."""
    workers = [one.workers for one in new.sessions]
    check_comparable(FILE, old, new.asked, workers, cpu_model=new.machine.cpu_model, cores=new.machine.cores)
