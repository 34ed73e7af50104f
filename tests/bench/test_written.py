"""The generated tables have every row, and the files that take them have a place for each."""

import re

import msgspec
import pytest

from bench.machine import ROOT, this_machine
from bench.peers import told
from bench.peers.compare import Audit, Comparison, Load, Round, Row
from bench.peers.entrants import ENTRANTS, PIPELINE, SERVICES, STOCKADE, TRANSACTION
from bench.peers.shop import Books
from bench.store_commit import Cost
from bench.table import core, limits, stages
from bench.table.limits import Rate
from bench.table.stages import Timed
from bench.table.text import MARK, Measured, text
from bench.written import NoMarkers, replaced

DIVAN = """\
Timer precision: 20 ns
planning             fastest       │ slowest       │ median        │ mean          │ samples │ iters
├─ batch_plan        158.9 µs      │ 10.21 ms      │ 313 µs        │ 725.4 µs      │ 640     │ 640
│                    1.258 Mitem/s │ 19.57 Kitem/s │ 638.8 Kitem/s │ 275.6 Kitem/s │         │
├─ plan                            │               │               │               │         │
│  ├─ (2, 30, 100)   183.4 ns      │ 1.325 µs      │ 214.8 ns      │ 221.6 ns      │ 640     │ 5120
│  ╰─ (20, 200, 4)   21.86 µs      │ 9.398 ms      │ 119.8 µs      │ 353.1 µs      │ 640     │ 640
╰─ solve                           │               │               │               │         │
   ╰─ (20, 200, 4)   7.831 µs      │ 16.48 ms      │ 1.2 ms        │ 304.5 µs      │ 640     │ 640
"""


def _measured() -> Measured:
    timed = {name.format(size): Timed(0.001, 0.002) for _, name in stages.ROWS for size in stages.SIZES}
    timed |= {stages.OPTIMISER.format(lines): Timed(1.0, 2.0, {"gap": 0.001}) for lines in stages.OPTIMISER_LINES}
    return Measured(
        machine=this_machine(),
        stages=timed,
        core={name: (1e-6, 2e-6) for _, name in core.ROWS},
        http={way.name: Rate(1_000.0, 10.0, 1.0, 0) for way in limits.WAYS},
        http_rounds=3,
        store=[Cost(kind, size, 2.0, 1.0, 0.0) for kind in ("limit", "commit") for size in stages.SIZES],
    )


def test_the_table_has_every_row() -> None:
    """Stages, the core, HTTP and commits; the machine and the commit."""
    done = _measured()
    assert done.flaws() == []
    rows = re.findall(r"^\| ([^|]+?) \|", made := text(done), re.MULTILINE)
    wanted = [label for label, _ in (*stages.ROWS, *core.ROWS)] + [way.name for way in limits.WAYS]
    assert set(wanted) <= set(rows)
    assert {"50", "200", "1,000"} <= set(rows)
    assert done.machine.commit in made
    assert "2.00" not in made.splitlines()[0]


def test_what_was_not_measured_is_no_table() -> None:
    """A benchmark that was renamed is missed, by name."""
    done = _measured()
    lacking = msgspec.structs.replace(done, stages={k: v for k, v in done.stages.items() if k != "test_pack[200]"})
    assert lacking.flaws() == ["test_pack[200] was not measured"]
    slow = msgspec.structs.replace(done, http=done.http | {limits.NOOP: Rate(1.0, 1.0, 1.0, 3)})
    assert len(slow.flaws()) == 1


def test_what_the_core_prints_is_read() -> None:
    """Benchmarks with arguments and without, in any unit."""
    found = core.read_core(DIVAN)
    assert found["batch_plan"] == pytest.approx((158.9e-6, 313e-6))
    assert found["plan::(20, 200, 4)"] == pytest.approx((21.86e-6, 119.8e-6))
    assert found["solve::(20, 200, 4)"][1] == pytest.approx(1.2e-3)
    assert len(found) == 4


def test_rows_of_the_core_are_benchmarks_that_it_has() -> None:
    """By the name of a function; arguments are of its source, too."""
    source = (ROOT / "rust_core/benches/planning.rs").read_text("utf-8")
    assert [name for _, name in core.ROWS if f"fn {name.partition('::')[0]}(" not in source] == []


def test_a_stage_is_measured() -> None:
    """By pytest itself, in a process of its own."""
    found = stages.measure_stages(stages.FILES[:1], only="decode_json", each_s=0.01)
    assert sorted(found) == sorted(stages.DECODE.format(size) for size in stages.SIZES)
    assert all(0 < one.fastest_s <= one.median_s for one in found.values())


def _comparison() -> Comparison:
    one = Round(
        accepted_per_s=1.0,
        p50_ms=1.0,
        p99_ms=2.0,
        service_cpu_us=3.0,
        store_cpu_us=4.0,
        accepted=10,
        refused=0,
        others=0,
        generator_bound=False,
    )
    rows = [
        Row(
            name=entrant.name,
            service=entrant.service,
            bulk=entrant.bulk,
            settings=entrant.settings[0] if entrant.settings else None,
            swept=[],
            accepted_per_s=50_000.0 if entrant.name == STOCKADE else 1_000.0,
            p50_ms=1.0,
            p99_ms=2.0,
            service_cpu_us=3.0,
            store_cpu_us=4.0,
            rounds=[one],
        )
        for entrant in ENTRANTS
    ]
    books = Books(orders=10, units=30, oversold=0, astray=0)
    audits = [Audit(service=kind, about=kind, told=10, refused_scarce=5, books=books) for kind in SERVICES]
    return Comparison(machine=this_machine(), load=Load(), rows=rows, audits=audits)


def test_a_comparison_tells_of_every_entrant() -> None:
    """With how many times as many Stockade accepts."""
    done = _comparison()
    assert done.flaws() == []
    full, short = told.full(done), told.short(done)
    for entrant in ENTRANTS:
        assert f"| {entrant.name} |" in full
        assert f"| {entrant.name} |" in short
    assert full.count("50.0 times as fast") == len(ENTRANTS) - 2
    assert "| as above |" in next(line for line in short.splitlines() if PIPELINE in line)


def test_a_comparison_that_lies_is_none() -> None:
    """A peer that oversold, lost an order, or sold nothing scarce; a target that is missed."""
    done = _comparison()
    for books in (Books(orders=10, units=30, oversold=1, astray=0), Books(orders=9, units=30, oversold=0, astray=0)):
        wrong = msgspec.structs.replace(done.audits[0], books=books)
        assert len(msgspec.structs.replace(done, audits=[wrong, *done.audits[1:]]).flaws()) == 1
    rows = [
        msgspec.structs.replace(row, accepted_per_s=6_000.0) if (row.name, row.bulk) == (TRANSACTION, True) else row
        for row in done.rows
    ]
    assert len(msgspec.structs.replace(done, rows=rows).missed()) == 1


@pytest.mark.parametrize(
    ("file", "name"), [("README.md", told.MARK), ("bench/README.md", told.MARK), ("bench/README.md", MARK)]
)
def test_files_have_a_place_for_each_table(file: str, name: str) -> None:
    """Once; what is around it stays as it is, and the same table twice changes nothing."""
    before = (ROOT / file).read_text("utf-8")
    once = replaced(before, name, "| a table |")
    assert once.count("| a table |") == 1
    assert replaced(once, name, "| a table |") == once
    assert len(once.splitlines()) > len(before.splitlines()) / 2


def test_a_file_without_markers_is_told_so() -> None:
    """And what to put there."""
    with pytest.raises(NoMarkers, match="<!-- peers"):
        replaced("# A file\n", "peers", "body")
