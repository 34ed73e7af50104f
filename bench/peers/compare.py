"""The comparison: settings swept, the scarce SKUs fought for, runs in alternation, then every peer's books."""

import os
import statistics
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import msgspec

from bench.machine import Machine, this_machine
from bench.peers.driven import Driven, Round, driven, open_to_all
from bench.peers.entrants import ENTRANTS, SERVICES, STOCKADE, TARGETS, Entrant
from bench.peers.shop import Books, Settings

SCARCE_S = 1.0
SCARCE_CONNECTIONS = 32
Tell = Callable[[str], None]
Best = tuple[Settings | None, list[tuple[Settings, float]]]
"""The best settings, and what was accepted with each."""


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """How much."""

    rounds: int = 3
    seconds: float = 5.0
    sweep_seconds: float = 2.0
    connections: int = 256
    """Of single orders."""
    bulk_connections: int = 8
    bulk_lines: int = 1_000


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One entrant: medians of its rounds."""

    name: str
    service: str
    bulk: bool
    settings: Settings | None
    """The best of those swept."""
    swept: list[tuple[Settings, float]]
    """Accepted a second with each."""
    accepted_per_s: float
    p50_ms: float
    p99_ms: float
    service_cpu_us: float
    store_cpu_us: float
    rounds: list[Round]


class Audit(msgspec.Struct, frozen=True, kw_only=True):
    """What a service's books say in the end."""

    service: str
    about: str
    told: int
    """Orders that it told were reserved."""
    refused_scarce: int
    """Orders of the scarce SKUs that it refused: that many wanted what others got."""
    books: Books

    @property
    def correct(self) -> bool:
        """Nothing oversold, nothing astray, every order that was told is there, and scarcity was met."""
        books = self.books
        return not books.oversold and not books.astray and books.orders >= self.told and self.refused_scarce > 0


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """All of it."""

    machine: Machine
    load: Load
    rows: list[Row]
    audits: list[Audit]

    def row(self, name: str, *, bulk: bool) -> Row:
        """Of an entrant."""
        return next(row for row in self.rows if (row.name, row.bulk) == (name, bulk))

    def times(self, row: Row) -> float:
        """How many times as many orders Stockade accepts, of the same kind."""
        return self.row(STOCKADE, bulk=row.bulk).accepted_per_s / row.accepted_per_s

    def flaws(self) -> list[str]:
        """Why this is no result; none: it is one."""
        wrong = [f"the books of {audit.service} do not add up: {audit}" for audit in self.audits if not audit.correct]
        for row in self.rows:
            where = f"{row.name}, {'bulk' if row.bulk else 'single'}"
            if any(one.others or one.refused for one in row.rounds):
                wrong.append(f"{where}: some orders were not reserved")
            if any(one.generator_bound for one in row.rounds):
                wrong.append(f"{where}: the load generator was the limit")
        return wrong

    def missed(self) -> list[str]:
        """Targets that a result misses."""
        return [
            f"{row.name}, bulk: Stockade is {self.times(row):.1f} times as fast, {target:g} was aimed at"
            for row in self.rows
            if row.bulk and (target := TARGETS.get(row.name)) and self.times(row) < target
        ]


def compare(load: Load, tell: Tell) -> Comparison:
    """Run it. Raises NotStarted, and NoRun. What it starts, it ends."""
    machine = this_machine()
    cores = os.sched_getaffinity(0)
    try:
        with tempfile.TemporaryDirectory(prefix="stockade-peers-") as folder, ExitStack() as stack:
            open_to_all(Path(folder))
            peers = {kind: stack.enter_context(driven(kind, Path(folder))) for kind in SERVICES}
            # The service has the first core, its store and the load the last one.
            os.sched_setaffinity(0, {max(cores)})
            return _measure(machine, load, peers, tell)
    finally:
        os.sched_setaffinity(0, cores)


def _measure(machine: Machine, load: Load, peers: dict[str, Driven], tell: Tell) -> Comparison:
    for peer in peers.values():
        tell(f"{peer.kind}: {peer.about}")
    best = {_key(entrant): _sweep(peers[entrant.service], entrant, load, tell) for entrant in ENTRANTS}
    refused = {kind: _fight(peer, best, load, tell) for kind, peer in peers.items()}
    rounds: dict[tuple[str, bool], list[Round]] = {}
    for number in range(load.rounds):
        for entrant in ENTRANTS if number % 2 == 0 else ENTRANTS[::-1]:
            peer, (settings, _) = peers[entrant.service], best[_key(entrant)]
            one = _run(peer, entrant.bulk, settings, load, load.seconds)
            rounds.setdefault(_key(entrant), []).append(one)
            tell(f"round {number + 1}  {_line(entrant, one)}")
    tell("adding up the books")
    audits = [
        Audit(service=kind, about=peer.about, told=peer.accepted, refused_scarce=refused[kind], books=peer.books())
        for kind, peer in peers.items()
    ]
    rows = [_row(entrant, best[_key(entrant)], rounds[_key(entrant)]) for entrant in ENTRANTS]
    return Comparison(machine=machine, load=load, rows=rows, audits=audits)


def _sweep(peer: Driven, entrant: Entrant, load: Load, tell: Tell) -> Best:
    """The settings with which most orders are accepted. Where there is no choice, a run to warm up."""
    swept = []
    for settings in entrant.settings:
        one = _run(peer, entrant.bulk, settings, load, load.sweep_seconds)
        tell(f"sweep    {_line(entrant, one)}  {settings}")
        swept.append((settings, one.accepted_per_s))
    if not swept:
        tell(f"warm     {_line(entrant, _run(peer, entrant.bulk, None, load, load.sweep_seconds))}")
        return None, []
    return max(swept, key=lambda pair: pair[1])[0], swept


def _fight(peer: Driven, best: dict[tuple[str, bool], Best], load: Load, tell: Tell) -> int:
    """Far more buyers than units, alone and in bulk, which lock the scarce SKUs in both sequences."""
    refused = 0
    for entrant in ENTRANTS:
        if entrant.service == peer.kind:
            settings, _ = best[_key(entrant)]
            if settings is not None:
                peer.use(settings)
            connections = load.bulk_connections if entrant.bulk else SCARCE_CONNECTIONS
            lines = min(load.bulk_lines, 200)
            one = peer.run(bulk=entrant.bulk, seconds=SCARCE_S, connections=connections, lines=lines, scarce=True)
            refused += one.refused
    tell(f"scarce   {peer.kind}: {refused:,} orders refused for stock")
    return refused


def _run(peer: Driven, bulk: bool, settings: Settings | None, load: Load, seconds: float) -> Round:
    if settings is not None:
        peer.use(settings)
    connections = load.bulk_connections if bulk else load.connections
    return peer.run(bulk=bulk, seconds=seconds, connections=connections, lines=load.bulk_lines)


def _row(entrant: Entrant, best: Best, rounds: list[Round]) -> Row:
    def median(field: str) -> float:
        return float(statistics.median(getattr(one, field) for one in rounds))

    return Row(
        name=entrant.name,
        service=entrant.service,
        bulk=entrant.bulk,
        settings=best[0],
        swept=best[1],
        accepted_per_s=median("accepted_per_s"),
        p50_ms=median("p50_ms"),
        p99_ms=median("p99_ms"),
        service_cpu_us=median("service_cpu_us"),
        store_cpu_us=median("store_cpu_us"),
        rounds=rounds,
    )


def _key(entrant: Entrant) -> tuple[str, bool]:
    return entrant.name, entrant.bulk


def _line(entrant: Entrant, one: Round) -> str:
    what = f"{entrant.name}, {'bulk' if entrant.bulk else 'single'}"
    return (
        f"{what:42} {one.accepted_per_s:9,.0f}/s  p50 {one.p50_ms:8.1f} ms  p99 {one.p99_ms:8.1f} ms"
        f"  service {one.service_cpu_us:6.1f} us  store {one.store_cpu_us:6.1f} us"
        f"{f'  {one.others + one.refused} not reserved' if one.others + one.refused else ''}"
        f"{'  generator-bound' if one.generator_bound else ''}"
    )
