"""The net between processes and partitions: every call is a message, whose fate is drawn from the seed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from redis.exceptions import ConnectionError as BrokenConnection
from redis.exceptions import RedisError, ResponseError

from engine.store import Catalogue, Store
from engine.store.errors import store_errors
from engine.store.keys import catalogue_keys, partition_keys
from engine.store.partition import Partition
from engine.store.wire import Lane, Served

if TYPE_CHECKING:
    from tests.simulation.net import Net
    from tests.simulation.store import SimulatedServer

NAMESPACE = "s"
ONE_SERVER = "simulated"
PARTITION_KEYS = tuple(partition_keys(NAMESPACE, number) for number in range(3))
KEYS = tuple(tuple(getattr(keys, name) for name in keys.__struct_fields__) for keys in PARTITION_KEYS)
_PARTITION_OF = {key: number for number, keys in enumerate(KEYS) for key in keys}


class Message:
    """A call on its way: out, or, once it has a reply, back."""

    __slots__ = (
        "answer",
        "args",
        "error",
        "function",
        "keys",
        "late",
        "number",
        "partition",
        "replied",
        "reply",
        "sender",
    )

    def __init__(
        self, number: int, sender: str, function: str, keys: tuple[str, ...], args: Any, answer: asyncio.Future[Any]
    ) -> None:
        self.number = number
        self.sender = sender
        self.function = function
        self.keys = keys
        self.partition = _PARTITION_OF[keys[0]]
        self.args = args
        self.answer = answer
        self.late = False
        """Whether its sender waits for no answer any more: it gave up, or has crashed."""
        self.replied = False
        self.reply: Any = None
        self.error: ResponseError | None = None

    def execute(self, server: SimulatedServer) -> None:
        """Have it done."""
        self.replied, self.error = True, None
        try:
            if self.function == "":
                self.reply = server.command(*self.args)
            else:
                self.reply = server.call(self.function, self.keys, self.args)
        except ResponseError as error:
            self.error = error

    def give_answer(self) -> None:
        """Let the sender have the reply."""
        if self.error is not None:
            self.answer.set_exception(self.error)
        else:
            self.answer.set_result(self.reply)

    def break_off(self) -> None:
        """Let the sender have nothing, for ever."""
        self.answer.set_exception(BrokenConnection("the connection broke"))

    def __str__(self) -> str:
        name = self.function.removeprefix("stockade_") if self.function else str(self.args[0])
        return f"#{self.number} {name} of {self.sender} to p{self.partition}"


class SimulatedWire:
    """One process's connections: what it sends lies in the net until somebody delivers it."""

    def __init__(self, net: Net, sender: str) -> None:
        self._net = net
        self._sender = sender
        self.dead = False
        """Whether the process has crashed: whatever the interpreter still unwinds of it reaches nobody."""

    async def open(self) -> None:
        """The library is loaded already."""

    waits_for_replicas = False

    async def call(
        self, function: str, keys: tuple[str, ...], args: tuple[Any, ...], *, lane: Lane, durable: bool = False
    ) -> Any:
        """As Wire.call."""
        del lane, durable
        return await self._send(function, keys, args)

    async def call_at(
        self, function: str, keys: tuple[str, ...], args: tuple[Any, ...], *, lane: Lane, durable: bool = False
    ) -> Served:
        """As Wire.call_at; there is one server."""
        return Served(await self.call(function, keys, args, lane=lane, durable=durable), ONE_SERVER)

    async def command(self, *command: Any, lane: Lane = Lane.READ) -> Any:
        """As Wire.command."""
        del lane
        return await self._send("", (command[1],), command)

    async def command_at(self, *command: Any, lane: Lane = Lane.READ) -> Served:
        """As Wire.command_at."""
        return Served(await self.command(*command, lane=lane), ONE_SERVER)

    async def _send(self, function: str, keys: tuple[str, ...], args: tuple[Any, ...]) -> Any:
        answer = self._net.loop.create_future()
        if self.dead:
            await answer
        self._net.sent.append(Message(self._net.next_number(), self._sender, function, keys, args, answer))
        try:
            return await answer
        except RedisError:
            with store_errors():
                raise


class SimulatedStore(Store):
    """The real store's partitions on a simulated wire, without a catalogue."""

    def __init__(self, wire: SimulatedWire, writer: str, partitions: int) -> None:
        self.url = ""
        self.writer = writer
        self.wire = wire  # type: ignore[assignment]
        self.catalogue = Catalogue(self.wire, catalogue_keys(NAMESPACE))
        self.partitions = tuple(
            Partition(self.wire, PARTITION_KEYS[number], number, writer) for number in range(partitions)
        )

    async def open(self) -> None:
        """As Store.open, less the catalogue."""
        await asyncio.gather(*(partition.open(len(self.partitions)) for partition in self.partitions))
