"""Keeps what was worked out for a run: its chunks and rows first, and then, in one step, that they count."""

import asyncio

import msgspec

from engine.reallocation.document import RunDocument, apart, forth, pack_rows, part_field
from engine.reallocation.planning import Worked
from engine.reallocation.runs import Runs
from engine.reallocation.spanning import pack_chunks
from engine.store import Leg, Store


async def keep_plan(store: Store, runs: Runs, run_id: str, token: str, worked: Worked) -> None:
    """Keep a plan for a run that is being planned, under the token of this try. Raises StoreError."""
    way = forth(run_id, token)
    for partition in store.partitions:
        own = [rows for number, rows, _ in worked.chunks if number == partition.number]
        # How many there are comes first, so that whoever lets them go knows their names.
        await partition.plans.put({way: msgspec.msgpack.encode(Leg(len(own)))})
        await partition.plans.put({f"{way}:{number}": rows for number, rows in enumerate(own)})
    spanning = await asyncio.to_thread(pack_chunks, worked.apart)
    if spanning:
        plans, way = store.partitions[0].plans, apart(way)
        await plans.put({way: msgspec.msgpack.encode(Leg(len(spanning)))})
        await plans.put({f"{way}:{number}": rows for number, rows in enumerate(spanning)})
    moves = await asyncio.to_thread(pack_rows, worked.moves)
    unserved = await asyncio.to_thread(pack_rows, worked.unserved)
    parts = {part_field(run_id, "moves", token, part): packed for part, packed in enumerate(moves)}
    parts |= {part_field(run_id, "unserved", token, part): packed for part, packed in enumerate(unserved)}
    await store.partitions[0].plans.put(parts)

    def planned(document: RunDocument) -> RunDocument | None:
        # Another process may have begun to plan it since, or somebody cancelled it.
        if document.state != "planning" or document.token != token:
            return None
        return msgspec.structs.replace(
            document,
            state="planned",
            tokens=[token],
            plan=worked.plan,
            moves_parts=len(moves),
            unserved_parts=len(unserved),
        )

    if await runs.change(run_id, planned) is None:
        await runs.drop_token(run_id, token)
