"""Micro-benchmarks of every stage, each beside its limit of the same run, as one table.

`make bench-table` writes it into bench/README.md. Some three minutes on a machine that does nothing else, after the
core's benchmarks are built. Exits with 1 where something was not measured, and writes nothing then.
"""

import argparse
import asyncio
import sys

import msgspec

from bench.machine import ROOT, this_machine
from bench.table.core import NoCore, measure_core
from bench.table.limits import measure_http, measure_store
from bench.table.stages import NoStages, measure_stages
from bench.table.text import MARK, Measured, text
from bench.written import NoMarkers, write
from loadtest.load import NoRun


def main() -> int:
    """Measure, print, and write where asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--each-s", type=float, default=0.5, help="of each stage and size")
    parser.add_argument("--rounds", type=int, default=3, help="over HTTP, and of commits")
    parser.add_argument("--seconds", type=float, default=3.0, help="of each run over HTTP")
    parser.add_argument("--no-core", action="store_true", help="without the benchmarks in Rust")
    parser.add_argument("--write", action="store_true", help="put the table into bench/README.md")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    try:
        if not options.no_core:
            _tell("the core, in Rust (built first, where it is not yet)")
        # The load average that the table tells is not that of our own work.
        machine = this_machine()
        core = None if options.no_core else measure_core()
        _tell("stages, through Python")
        stages = measure_stages(each_s=options.each_s)
        _tell("over HTTP")
        http = measure_http(options.rounds, options.seconds, _tell)
        _tell("what the store pays")
        store = asyncio.run(measure_store(options.rounds))
        done = Measured(machine=machine, stages=stages, core=core, http=http, http_rounds=options.rounds, store=store)
        for flaw in (flaws := done.flaws()):
            print(flaw, file=sys.stderr)
        if flaws:
            return 1
        if options.write:
            write(ROOT / "bench/README.md", MARK, text(done))
    except (NoCore, NoStages, NoRun, NoMarkers) as error:
        print(error, file=sys.stderr)
        return 2
    print(msgspec.json.format(msgspec.json.encode(done)).decode() if options.json else text(done))
    return 0


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
