"""What becomes of messages: each arrives, or is lost, doubled or late, or its answer is, as the seed has it."""

from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from tests.simulation.books import Violation, check_partition
from tests.simulation.loop import StepLoop
from tests.simulation.store import SimulatedServer
from tests.simulation.wire import Message

CHANGE_NO_CELL = frozenset({"", "stockade_due", "stockade_open", "stockade_refuse", "stockade_followed"})
"""Calls after which cells, records and parts are what they were."""

CALM_MESSAGES_MAX = 2_000


class Net:
    """All messages under way, and the loop that runs their senders. After each that arrives the books are checked."""

    def __init__(
        self,
        draw: Random,
        servers: Sequence[SimulatedServer],
        faults: float,
        disorder: float,
        tell: Callable[[str], None] | None,
    ) -> None:
        """`faults`: how many messages meet one; `disorder`: how many are drawn from all, not the oldest."""
        self.loop = StepLoop()
        self.sent: list[Message] = []
        self.faults = faults
        self.stepped: Callable[[str, str], None] = lambda *_: None
        """Told of every transition that has its effect."""
        self._draw = draw
        self._servers = servers
        self._disorder = disorder
        self._tell = tell
        self._numbers = 0

    def next_number(self) -> int:
        """The number of the next message."""
        self._numbers += 1
        return self._numbers

    def cut_off(self, sender: str) -> None:
        """A process has crashed: what it sent is on its way, but nobody waits for an answer."""
        for message in self.sent:
            if message.sender == sender:
                message.late = True
        self.sent[:] = [message for message in self.sent if not (message.late and message.replied)]

    def step(self) -> None:
        """Something becomes of one message."""
        draw, sent = self._draw, self.sent
        at = draw.randrange(len(sent)) if draw.random() < self._disorder else 0
        message = sent[at]
        fate = draw.random()
        if message.replied:
            del sent[at]
            self._say(f"{message}: the answer arrives")
            self.answer(message)
        elif fate >= self.faults:
            del sent[at]
            self.deliver(message)
            self.answer(message)
        elif fate < self.faults * 0.2:
            del sent[at]
            self._say(f"{message} is lost")
            self._break_off(message)
        elif fate < self.faults * 0.4:
            self._say(f"{message} is late: its sender gives up")
            self._break_off(message)
        elif fate < self.faults * 0.6:
            del sent[at]
            self.deliver(message)
            self._say(f"{message}: its answer is lost")
            self._break_off(message)
        elif fate < self.faults * 0.8 and not message.late:
            self.deliver(message)
            self._say(f"{message}: its answer takes its time")
        else:
            self._say(f"{message} comes twice, the second time later")
            self.deliver(message)
            self.answer(message)
            message.replied, message.late = False, True

    def deliver(self, message: Message) -> None:
        """It arrives and is done; its answer is not yet given."""
        server = self._servers[message.partition]
        message.execute(server)
        if self._tell:
            self._say(f"{message} arrives: {message.error or _brief(message.reply)}")
        if message.function == "stockade_transition" and message.error is None and message.reply[0] == b"A":
            self.stepped(message.args[3], message.args[4])
        if message.function not in CHANGE_NO_CELL:
            check_partition(server, message.partition)

    def answer(self, message: Message) -> None:
        """Its answer arrives, if anybody waits for it."""
        if not message.late:
            message.give_answer()
            self.run()

    def _break_off(self, message: Message) -> None:
        if not message.late:
            message.late = True
            message.break_off()
            self.run()

    def calm(self) -> None:
        """Everything arrives, in order, and nothing is lost."""
        for _ in range(CALM_MESSAGES_MAX):
            if not self.sent:
                return
            message = self.sent.pop(0)
            if not message.replied:
                self.deliver(message)
            self.answer(message)
        raise Violation("messages without end")

    def run(self) -> None:
        """Let processes go on until all wait for messages."""
        self.loop.run_ready()
        if self.loop.failures:
            failure = self.loop.failures[0]
            error = failure.get("exception")
            if isinstance(error, Violation):
                raise error
            raise Violation(f"{failure['message']}: {error!r}") from error

    def _say(self, text: str) -> None:
        if self._tell:
            self._tell(text)


def _brief(reply: Any) -> str:
    text = repr(reply)
    return text if len(text) < 100 else f"{text[:97]}..."
