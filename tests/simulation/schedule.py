"""One schedule: everything that happens to a small world, drawn from one seed, and what must hold all the while.

Steps are few: a message arrives (or is lost, doubled, late, or its answer is), a process begins something, crashes or
comes back, a clock goes on. In the end whoever lives is stopped, a fresh process settles what is due, and the books are
closed.
"""

from collections.abc import Callable
from functools import cache
from random import Random
from typing import Any

from engine.intake import Reserved
from engine.model import Order
from engine.planner import Record, cell_number
from engine.store import Step, StepReply, home_of
from tests.simulation.books import Violation, check_closed, check_events, check_partition, record_of
from tests.simulation.loop import StepLoop
from tests.simulation.process import Process
from tests.simulation.promises import Promises
from tests.simulation.wire import Message
from tests.simulation.world import CUSTOMERS, LIMITED_SKU, ORDER_IDS, SKUS, STOCKS, World, order_of, servers_of

CHANGE_NO_CELL = frozenset({"", "stockade_due", "stockade_open", "stockade_refuse", "stockade_followed"})
"""Calls after which cells, records and parts are what they were."""

LEASE_OVER_MS = 11_000
"""Longer than a lease, shorter than a hold."""

SETTLINGS_MAX = 6
"""Rounds within which a fresh process has settled everything."""

CALM_MESSAGES_MAX = 2_000
STEPS: tuple[Step, ...] = ("confirm", "cancel", "ship", "ship", "extend")


class Schedule:
    """`run` plays it; raises Violation where something does not hold. `tell` hears of each step."""

    def __init__(self, seed: int, library: str | None = None, tell: Callable[[str], None] | None = None) -> None:
        self._draw = draw = Random(seed)
        self._tell = tell
        self._world = World(draw.choice((2, 3)), draw.choice((1, 2)), draw.randrange(STOCKS))
        self._stage = servers_of(library)
        self._servers = self._stage.begin(self._world)
        self._loop = StepLoop()
        self._sent: list[Message] = []
        self._numbers = [0]
        self._ids = draw.sample(ORDER_IDS, draw.choice((1, 2, 3)))
        self._faults = draw.choice((0.0, 0.06, 0.15, 0.35))
        self._crashes = draw.choice((0.0, 0.02, 0.06))
        self._disorder = draw.choice((0.0, 0.3, 1.0))
        self._steps = draw.randrange(8, 34)
        self._names = 0
        self._transitions = 0
        self._processes: list[Process] = []
        self._promises = Promises(self._record)

    def run(self) -> None:
        """Play it to its end."""
        if self._tell:
            self._say(f"{self._world}, orders {' '.join(self._ids)}, faults {self._faults}, crashes {self._crashes}")
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
            opening = self._sent[:]
            self._calm()
            self._stage.keep_opened(self._world, processes, [message.reply for message in opening])
            return
        opening, self._sent[:] = self._sent[:], []
        for message, message.reply in zip(opening, kept, strict=True):
            self._answer(message)

    # What happens.

    def _step(self) -> None:
        draw = self._draw
        chance = draw.random()
        if self._crashes and chance < self._crashes:
            return self._crash()
        alive = [process for process in self._processes if process.opened and not process.crashed]
        if not alive:
            self._start()
        elif self._sent and chance < 0.70:
            self._message()
        elif chance < 0.80:
            self._submit(draw.choice(alive))
        elif chance < 0.87:
            self._change(draw.choice(alive))
        elif chance < 0.90:
            self._amend(draw.choice(alive))
        elif chance < 0.95:
            process = draw.choice(alive)
            self._say(f"{process.name} settles what is due")
            process.settle()
            self._run()
        elif chance < 0.96:
            process = draw.choice(alive)
            self._say(f"{process.name} ends holds")
            process.expire()
            self._run()
        elif chance < 0.97 and len(self._processes) < 6:
            self._start()
        else:
            self._pass_time(draw.choice((5, 1_100, LEASE_OVER_MS, LEASE_OVER_MS, 40_000)))
        return None

    def _message(self) -> None:
        draw, sent = self._draw, self._sent
        at = draw.randrange(len(sent)) if draw.random() < self._disorder else 0
        message = sent[at]
        fate = draw.random()
        if message.replied:
            del sent[at]
            self._say(f"{message}: the answer arrives")
            self._answer(message)
        elif fate >= self._faults:
            del sent[at]
            self._deliver(message)
            self._answer(message)
        elif fate < self._faults * 0.2:
            del sent[at]
            self._say(f"{message} is lost")
            self._break_off(message)
        elif fate < self._faults * 0.4:
            self._say(f"{message} is late: its sender gives up")
            self._break_off(message)
        elif fate < self._faults * 0.6:
            del sent[at]
            self._deliver(message)
            self._say(f"{message}: its answer is lost")
            self._break_off(message)
        elif fate < self._faults * 0.8 and not message.late:
            self._deliver(message)
            self._say(f"{message}: its answer takes its time")
        else:
            self._say(f"{message} comes twice, the second time later")
            self._deliver(message)
            self._answer(message)
            message.replied, message.late = False, True

    def _deliver(self, message: Message) -> None:
        server = self._servers[message.partition]
        message.execute(server)
        if self._tell:
            self._say(f"{message} arrives: {message.error or _brief(message.reply)}")
        if message.function == "stockade_transition" and message.error is None and message.reply[0] == b"A":
            self._promises.stepped(message.args[3], message.args[4])
        if message.function not in CHANGE_NO_CELL:
            check_partition(server, message.partition)

    def _answer(self, message: Message) -> None:
        if not message.late:
            message.give_answer()
            self._run()

    def _break_off(self, message: Message) -> None:
        if not message.late:
            message.late = True
            message.break_off()
            self._run()

    def _submit(self, process: Process) -> None:
        for _ in range(self._draw.choice((1, 1, 2))):
            order = self._order()
            if self._tell:
                self._say(f"{process.name} takes {_order_text(order)}")
            self._take(process, order)
        self._run()

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
        self._run()

    def _amend(self, process: Process) -> None:
        """Another unit, other cells: what a purchase limit counts stays as it is."""
        draw = self._draw
        order_id = draw.choice(self._ids)
        cells = [
            cell_number(sku=sku, warehouse=at) for sku in range(LIMITED_SKU) for at in range(self._world.warehouses)
        ]
        gains, loses = draw.choice(cells), draw.choice((None, *cells))
        self._transitions += 1
        transition = f"t{self._transitions}"
        self._say(f"{process.name} amends {order_id} by a unit of {gains} for all of {loses} as {transition}")

        def replaced(letter: str) -> None:
            self._say(f"{process.name} hears of {transition}: {letter}")

        process.amend(order_id, transition, gains, loses, replaced)
        self._run()

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
        for message in self._sent:
            if message.sender == process.name:
                message.late = True
        self._sent[:] = [message for message in self._sent if not (message.late and message.replied)]

    def _start(self, *, sells: bool = True) -> Process:
        self._names += 1
        process = self._loop.call(
            lambda: Process(
                f"P{self._names}", self._world, self._loop, self._servers, self._sent, self._numbers, sells=sells
            )
        )
        self._say(f"{process.name} starts")
        self._processes.append(process)
        process.begin()
        self._run()
        return process

    def _run(self) -> None:
        self._loop.run_ready()
        if self._loop.failures:
            failure = self._loop.failures[0]
            error = failure.get("exception")
            if isinstance(error, Violation):
                raise error
            raise Violation(f"{failure['message']}: {error!r}") from error

    # How it ends.

    def _close(self) -> None:
        draw = self._draw
        if draw.random() < 0.5:
            self._calm()
        for process in self._processes:
            if not process.crashed:
                self._end(process)
        # Of what is still on its way some arrives now, some after everything was settled, some never.
        later = []
        for message in self._sent[:]:
            fate = draw.random()
            if fate < 0.4:
                self._deliver(message)
            elif fate < 0.7:
                later.append(message)
        self._sent.clear()
        settler = self._start(sells=False)
        self._calm()
        self._settle(settler)
        if later:
            for message in later:
                self._deliver(message)
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
            self._run()
            self._calm()
            if process.settled is None:
                raise Violation("settling fails on a calm net")
            if process.settled == 0:
                break
        else:
            raise Violation("settling does not come to an end")
        check_closed(self._servers)

    def _calm(self) -> None:
        """Everything arrives, in order, and nothing is lost."""
        for _ in range(CALM_MESSAGES_MAX):
            if not self._sent:
                return
            message = self._sent.pop(0)
            if not message.replied:
                self._deliver(message)
            self._answer(message)
        raise Violation("messages without end")

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


def _brief(reply: Any) -> str:
    text = repr(reply)
    return text if len(text) < 100 else f"{text[:97]}..."


def _order_text(order: Order) -> str:
    lines = ", ".join(f"{line.quantity} {line.sku}" for line in order.lines)
    return f"order {order.order_id}: {lines} for {order.customer} ({order.payment})"


def _outcome_text(outcome: object) -> str:
    if isinstance(outcome, Reserved):
        return "reserved before" if outcome.replayed else "reserved"
    return repr(outcome)
