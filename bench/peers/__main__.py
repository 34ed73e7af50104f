"""Accepted orders a second of Stockade beside what web shops do today, on real servers at equal durability.

`make bench-peers`, or `python -m bench.peers --help`. Peers: PostgreSQL with a transaction an order that locks rows in
the order of their keys (from the client, and as one function); Redis or Valkey with a script an order (a round trip
each, and pipelined); both behind aiohttp on uvloop. Some five minutes. Exits with 1 where anything was oversold, a run
was no result, or a target is missed, with 2 where a server is not to be had.
"""

import argparse
import sys

import msgspec
from rich.console import Console
from rich.markdown import Markdown

from bench.machine import ROOT
from bench.peers import told
from bench.peers.compare import Load, compare
from bench.peers.driven import NotStarted
from bench.peers.postgres_server import NoPostgres, find_programs
from bench.written import NoMarkers, write
from loadtest.load import NoRun

FILES = {"README.md": told.short, "bench/README.md": told.full}


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    usual = Load()
    parser.add_argument("--rounds", type=int, default=usual.rounds)
    parser.add_argument("--seconds", type=float, default=usual.seconds, help="of each run")
    parser.add_argument("--sweep-seconds", type=float, default=usual.sweep_seconds, help="of each setting tried")
    parser.add_argument("--connections", type=int, default=usual.connections, help="of single orders")
    parser.add_argument("--bulk-connections", type=int, default=usual.bulk_connections)
    parser.add_argument("--bulk-lines", type=int, default=usual.bulk_lines, help="orders of a body")
    parser.add_argument("--write", action="store_true", help=f"put the tables into {' and '.join(FILES)}")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    load = Load(**{name: getattr(options, name) for name in Load.__struct_fields__})
    try:
        find_programs()
        done = compare(load, lambda line: print(line, file=sys.stderr, flush=True))
        if options.write and not done.flaws():
            for file, text in FILES.items():
                write(ROOT / file, told.MARK, text(done))
    except (NoPostgres, NotStarted, NoRun, NoMarkers) as error:
        print(error, file=sys.stderr)
        return 2
    if options.json:
        print(msgspec.json.format(msgspec.json.encode(done)).decode())
    else:
        Console().print(Markdown(told.full(done)))
    for flaw in (flaws := [*done.flaws(), *done.missed()]):
        print(flaw, file=sys.stderr)
    return 1 if flaws else 0


if __name__ == "__main__":
    sys.exit(main())
