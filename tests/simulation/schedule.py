"""One schedule: everything that happens to a small world, drawn from one seed, and what must hold all the while.

Steps are few: a message arrives (or is lost, doubled, late, or its answer is), a process begins something, crashes or
comes back, a clock goes on. In the end whoever lives is stopped, a fresh process settles what is due, and the books are
closed.
"""

from collections.abc import Callable
from functools import cache
from random import Random

from engine.intake import Reserved
from engine.model import Order
from engine.planner import Record, cell_number
from engine.store import Step, StepReply, home_of
from tests.simulation.books import Violation, check_closed, check_events, record_of
from tests.simulation.net import Net
from tests.simulation.process import Process
from tests.simulation.promises import Promises
from tests.simulation.world import CUSTOMERS, LIMITED_SKU, ORDER_IDS, SKUS, STOCKS, World, order_of, servers_of

LEASE_OVER_MS = 11_000
"""Longer than a lease, shorter than a hold."""

SETTLINGS_MAX = 6
"""Rounds within which a fresh process has settled everything."""

STEPS: tuple[Step, ...] = ("confirm", "cancel", "ship", "ship", "extend")


class Schedule:
    """`run` plays it; raises Violation where something does not hold. `tell` hears of each step."""

    def __init__(self, seed: int, library: str | None = None, tell: Callable[[str], None] | None = None) -> None:
        self._draw = draw = Random(seed)
        self._tell = tell
        self._world = World(draw.choice((2, 3)), draw.choice((1, 2)), draw.randrange(STOCKS))
        self._stage = servers_of(library)
        self._servers = self._stage.begin(self._world)
        self._ids = draw.sample(ORDER_IDS, draw.choice((1, 2, 3)))
        faults = draw.choice((0.0, 0.06, 0.15, 0.35))
        self._crashes = draw.choice((0.0, 0.02, 0.06))
        self._net = Net(draw, self._servers, faults, draw.choice((0.0, 0.3, 1.0)), tell)
        self._steps = draw.randrange(8, 34)
        self._names = 0
        self._transitions = 0
        self._processes: list[Process] = []
        self._promises = Promises(self._record)
        self._net.stepped = self._promises.stepped

    def run(self) -> None:
        """Play it to its end."""
        if self._tell:
            self._say(
                f"{self._world}, orders {' '.join(self._ids)}, faults {self._net.faults}, crashes {self._crashes}"
            )
        self._begin(self._draw.choice((1, 2, 2, 3)))
        for _ in range(self._steps):
            self._step()
        self._close()

    def _begin(self, processes: int) -> None:
        """The first processes open the store on a calm net: always alike, so that it is done once and kept."""
        for _ in range(processes):
            self._start()
        kept = self._stage.opened(self._world, processes)
        if kept is None:
            opening = self._net.sent[:]
            self._net.calm()
            self._stage.keep_opened(self._world, processes, [message.reply for message in opening])
            return
        opening, self._net.sent[:] = self._net.sent[:], []
        for message, message.reply in zip(opening, kept, strict=True):
            self._net.answer(message)

    # What happens.

    def _step(self) -> None:
        draw = self._draw
        chance = draw.random()
        if self._crashes and chance < self._crashes:
            return self._crash()
        alive = [process for process in self._processes if process.opened and not process.crashed]
        if not alive:
            self._start()
        elif self._net.sent and chance < 0.70:
            self._net.step()
        elif chance < 0.80:
            self._submit(draw.choice(alive))
        elif chance < 0.86:
            self._change(draw.choice(alive))
        elif chance < 0.90:
            self._amend(draw.choice(alive))
        elif chance < 0.95:
            process = draw.choice(alive)
            self._say(f"{process.name} settles what is due")
            process.settle()
            self._net.run()
        elif chance < 0.96:
            process = draw.choice(alive)
            self._say(f"{process.name} ends holds")
            process.expire()
            self._net.run()
        elif chance < 0.97 and len(self._processes) < 6:
            self._start()
        else:
            self._pass_time(draw.choice((5, 1_100, LEASE_OVER_MS, LEASE_OVER_MS, 40_000)))
        return None

    def _submit(self, process: Process) -> None:
        for _ in range(self._draw.choice((1, 1, 2))):
            order = self._order()
            if self._tell:
                self._say(f"{process.name} takes {_order_text(order)}")
            self._take(process, order)
        self._net.run()

    def _take(self, process: Process, order: Order) -> None:
        submission = self._promises.submitted(process.name, order)

        def answered(outcome: object) -> None:
            if self._tell:
                self._say(f"{process.name} answers {order.order_id}: {_outcome_text(outcome)}")
            submission.answered(outcome)

        process.submit(order, answered)

    def _change(self, process: Process) -> None:
        draw = self._draw
        order_id = draw.choice(self._ids)
        what = draw.choice(STEPS)
        detail: object = 20_000 if what == "extend" else []
        if what == "ship" and draw.random() < 0.6:
            record = self._record(order_id)
            held = record.held if record is not None else []
            if held:
                cell, units = draw.choice(held)
                detail = [cell, draw.randint(1, units)]
        self._transitions += draw.random() < 0.8
        transition = f"t{self._transitions}"
        self._say(f"{process.name} does {what} {detail} to {order_id} as {transition}")

        def stepped(reply: StepReply) -> None:
            self._say(f"{process.name} hears of {transition}: {reply.letter}")

        process.step(what, order_id, transition, detail, stepped)
        self._net.run()

    def _amend(self, process: Process) -> None:
        """Another unit, other cells: what a purchase limit counts stays as it is."""
        draw = self._draw
        order_id = draw.choice(self._ids)
        cells = [
            cell_number(sku=sku, warehouse=at) for sku in range(LIMITED_SKU) for at in range(self._world.warehouses)
        ]
        record = self._record(order_id)
        held = [cell for cell, _ in record.held if cell in cells] if record is not None else []
        gains, loses = draw.choice(cells), draw.choice((None, *held))
        self._transitions += 1
        transition = f"t{self._transitions}"
        self._say(f"{process.name} amends {order_id} by a unit of {gains} for all of {loses} as {transition}")

        def replaced(letter: str) -> None:
            self._say(f"{process.name} hears of {transition}: {letter}")

        process.amend(order_id, transition, gains, loses, replaced)
        self._net.run()

    def _pass_time(self, ms: int) -> None:
        servers = self._servers if self._draw.random() < 0.7 else [self._draw.choice(self._servers)]
        self._say(f"{ms} ms go by" + (" for one partition" if len(servers) < len(self._servers) else ""))
        for server in servers:
            server.advance(ms)

    def _crash(self) -> None:
        alive = [process for process in self._processes if not process.crashed]
        if not alive:
            return self._start()
        return self._end(self._draw.choice(alive))

    def _end(self, process: Process) -> None:
        self._say(f"{process.name} crashes")
        process.crash()
        self._net.cut_off(process.name)

    def _start(self, *, sells: bool = True) -> Process:
        self._names += 1
        process = self._net.loop.call(
            lambda: Process(f"P{self._names}", self._world, self._net, self._servers, sells=sells)
        )
        self._say(f"{process.name} starts")
        self._processes.append(process)
        process.begin()
        self._net.run()
        return process

    # How it ends.

    def _close(self) -> None:
        draw = self._draw
        if draw.random() < 0.5:
            self._net.calm()
        for process in self._processes:
            if not process.crashed:
                self._end(process)
        # Of what is still on its way some arrives now, some after everything was settled, some never.
        later = []
        for message in self._net.sent[:]:
            fate = draw.random()
            if fate < 0.4:
                self._net.deliver(message)
            elif fate < 0.7:
                later.append(message)
        self._net.sent.clear()
        settler = self._start(sells=False)
        self._net.calm()
        self._settle(settler)
        if later:
            for message in later:
                self._net.deliver(message)
            self._settle(settler)
        for number, server in enumerate(self._servers):
            check_events(server, number)
        self._promises.check_kept()

    def _settle(self, process: Process) -> None:
        """A process settles everything, once all leases have ended; then the books must close."""
        for server in self._servers:
            server.advance(LEASE_OVER_MS)
        for _ in range(SETTLINGS_MAX):
            process.settle()
            self._net.run()
            self._net.calm()
            if process.settled is None:
                raise Violation("settling fails on a calm net")
            if process.settled == 0:
                break
        else:
            raise Violation("settling does not come to an end")
        check_closed(self._servers)

    # What is looked at.

    def _record(self, order_id: str) -> Record | None:
        home = home_of(order_id, len(self._servers))
        return record_of(self._servers[home], home, order_id)

    def _order(self) -> Order:
        draw = self._draw
        # Mostly the same again, as a retry is.
        return _order(draw.choice(self._ids), 0 if draw.random() < 0.8 else 1, self._world.stock)

    def _say(self, text: str) -> None:
        if self._tell:
            self._tell(text)


@cache
def _order(order_id: str, variant: int, stock: int) -> Order:
    """What an order id stands for in a world, and what else somebody may take it for."""
    shape = Random(f"{order_id} {variant} {stock}")
    skus = shape.sample(range(len(SKUS)), shape.choice((1, 2, 2, 3)))
    lines = tuple((sku, shape.choice((1, 1, 2, 3))) for sku in skus)
    return order_of(
        order_id, lines, shape.choice(CUSTOMERS), pending=shape.random() < 0.5, partial=shape.random() < 0.2
    )


def _order_text(order: Order) -> str:
    lines = ", ".join(f"{line.quantity} {line.sku}" for line in order.lines)
    return f"order {order.order_id}: {lines} for {order.customer} ({order.payment})"


def _outcome_text(outcome: object) -> str:
    if isinstance(outcome, Reserved):
        return "reserved before" if outcome.replayed else "reserved"
    return repr(outcome)
