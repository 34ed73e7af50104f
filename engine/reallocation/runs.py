"""Keeps runs in the store. Each change of a document is bound to what was read of it."""

import asyncio
from collections.abc import Sequence

import msgspec

from engine.reallocation.document import (
    INDEX,
    Make,
    RunDocument,
    apart,
    back,
    chunk_fields,
    document_field,
    forth,
    pack_document,
    part_field,
    read_document,
    read_moves,
    read_untouched,
    status_of,
)
from engine.reallocation.model import ReallocationStatus, State
from engine.reallocation.moves import Moves, Untouched
from engine.store import Leg, Partition, PlanCalls, Store

RUNS_KEPT = 50
"""Runs that are kept; of more, the oldest that are over go."""

OVER: tuple[State, ...] = ("applied", "cancelled", "rolled_back", "failed")


class Runs:
    """The runs of one store. Everything raises StoreError."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @property
    def _plans(self) -> PlanCalls:
        return self._store.partitions[0].plans

    async def read(self, run_id: str) -> RunDocument | None:
        """A run's document."""
        (packed,) = await self._plans.read([document_field(run_id)])
        return None if packed is None else read_document(packed)

    async def add(self, document: RunDocument) -> RunDocument:
        """Keep a new run; returns the one of its id, which may be another one's."""
        while True:
            seen, ids = await self._index()
            # First: an id without a run is passed over and let go, a run without its id would never be.
            packed = msgspec.msgpack.encode([*(one for one in ids if one != document.id), document.id])
            if await self._plans.keep(INDEX, seen, write={INDEX: packed}):
                break
        field = document_field(document.id)
        kept = await self._plans.keep(field, None, write={field: pack_document(document)})
        await self._forget_old([one for one in ids if one != document.id])
        found = None if kept else await self.read(document.id)
        return document if found is None else found

    async def change(self, run_id: str, make: Make) -> RunDocument | None:
        """Put what is made of a run's document in its place; None, and nothing done, where nothing is made of it."""
        field = document_field(run_id)
        while True:
            (seen,) = await self._plans.read([field])
            made = None if seen is None else make(read_document(seen))
            if made is None or await self._plans.keep(field, seen, write={field: pack_document(made)}):
                return made

    async def all(self) -> list[RunDocument]:
        """All runs that are kept, the newest first."""
        _, ids = await self._index()
        packed = await self._plans.read([document_field(run_id) for run_id in reversed(ids)]) if ids else []
        return [read_document(one) for one in packed if one is not None]

    async def legs(self, name: str) -> list[Leg]:
        """A leg as it stands in each partition, and last what spans them; of nothing where there is none."""
        every = self._every(name)
        found = await asyncio.gather(*(partition.plans.leg(one) for partition, one in every))
        return [leg or Leg(0) for leg in found]

    async def status(self, document: RunDocument) -> ReallocationStatus:
        """How a run stands."""
        ways, ways_back = await asyncio.gather(
            self.legs(forth(document.id, document.token)), self.legs(back(document.id, document.token))
        )
        return status_of(document, ways, ways_back)

    async def moves(self, document: RunDocument) -> Moves:
        """The rows of a run's plan."""
        return await asyncio.to_thread(read_moves, await self._parts(document, "moves", document.moves_parts))

    async def unserved(self, document: RunDocument) -> Untouched:
        """Orders that its plan leaves unserved."""
        return read_untouched(await self._parts(document, "unserved", document.unserved_parts))

    async def skipped(self, document: RunDocument) -> Untouched:
        """Orders that were skipped as it was applied."""
        untouched = Untouched(order_id=[], why=[])
        leg = forth(document.id, document.token)
        ways = await self.legs(leg)
        every = self._every(leg)
        for (partition, name), way in zip(every, ways, strict=True):
            for packed in await partition.plans.read([f"{name}:{number}:left" for number in range(way.done)]):
                flat = msgspec.msgpack.decode(packed) if packed else []
                untouched.order_id.extend(flat[::2])
                untouched.why.extend(flat[1::2])
        return untouched

    async def stop(self, name: str) -> None:
        """Have nothing more done of a leg."""
        every = self._every(name)
        for partition, one in every:
            while True:
                (seen,) = await partition.plans.read([one])
                if seen is None:
                    break
                leg = msgspec.msgpack.decode(seen, type=Leg)
                leg.stopped = 1
                if await partition.plans.keep(one, seen, write={one: msgspec.msgpack.encode(leg)}):
                    break

    async def turn_back(self, way: str, way_back: str) -> None:
        """Begin a way back of what was done of a leg, unless another process has begun it."""
        for (partition, name), (_, name_back) in zip(self._every(way), self._every(way_back), strict=True):
            leg = await partition.plans.leg(name)
            if leg is not None:
                # Of what spans partitions, a chunk that was cut short may be done in part: its orders tell.
                done = min(leg.chunks, leg.done + 1) if name == apart(way) else leg.done
                packed = msgspec.msgpack.encode(Leg(done))
                await partition.plans.keep(name_back, None, write={name_back: packed})

    async def drop_token(self, run_id: str, token: str) -> None:
        """Let go what a try to plan a run has kept."""
        for partition in self._store.partitions:
            ways = (forth(run_id, token), back(run_id, token))
            for way, way_back in (ways, tuple(map(apart, ways))):
                # What undoes a chunk is kept with it, before anybody goes the way back.
                legs = [await partition.plans.leg(name) for name in (way, way_back)]
                chunks = max((leg.chunks for leg in legs if leg is not None), default=0)
                await partition.plans.drop([*chunk_fields(way, chunks), *chunk_fields(way_back, chunks)])
                # Last, as they tell how many there were.
                await partition.plans.drop([way, way_back])
        for what in ("moves", "unserved"):
            await self._drop_parts(run_id, what, token)

    async def _drop_parts(self, run_id: str, what: str, token: str) -> None:
        """Let go rows, the last part first: a try that was cut short tells nobody how many there are."""
        parts = 0
        while (await self._plans.read([part_field(run_id, what, token, parts)]))[0] is not None:
            parts += 1
        await self._plans.drop([part_field(run_id, what, token, part) for part in reversed(range(parts))])

    def _every(self, leg: str) -> list[tuple[Partition, str]]:
        """Where a leg is kept, and as what: in each partition its own, and in the first what spans them."""
        partitions = self._store.partitions
        return [*((partition, leg) for partition in partitions), (partitions[0], apart(leg))]

    async def _index(self) -> tuple[bytes | None, list[str]]:
        (seen,) = await self._plans.read([INDEX])
        return seen, [] if seen is None else msgspec.msgpack.decode(seen, type=list[str])

    async def _parts(self, document: RunDocument, what: str, count: int) -> list[bytes]:
        fields = [part_field(document.id, what, document.token, part) for part in range(count)]
        packed = await self._plans.read(fields)
        return [part for part in packed if part is not None]

    async def forget(self, run_id: str) -> None:
        """Let a run go, and all that is kept of it."""
        document = await self.read(run_id)
        if document is not None:
            for token in document.tokens:
                await self.drop_token(run_id, token)
            await self._plans.drop([document_field(run_id)])
        while True:
            seen, ids = await self._index()
            left = msgspec.msgpack.encode([one for one in ids if one != run_id])
            if await self._plans.keep(INDEX, seen, write={INDEX: left}):
                return

    async def _forget_old(self, ids: Sequence[str]) -> None:
        """`ids`: the runs before the newest, the oldest first."""
        excess = len(ids) + 1 - RUNS_KEPT
        for run_id in ids:
            if excess <= 0:
                return
            document = await self.read(run_id)
            if document is None or document.state in (*OVER, "planned"):
                await self.forget(run_id)
                excess -= 1
