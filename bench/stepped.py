"""An engine whose steps benchmarks call one by one."""

import asyncio
from pathlib import Path

from bench.network import open_filled
from engine import Engine
from engine.model import Order
from engine.planner import Batch, canonical_bytes
from engine.store import CommitReply

Reply = tuple[int, int, bytes, bytes, bytes, list[bytes]]
NOW_MS = 1_700_000_000_000


class Bench:
    """An engine on an embedded store, driven step by step from synchronous benchmarks."""

    def __init__(self, data_dir: Path) -> None:
        self.runner = asyncio.Runner()
        self._context = open_filled(data_dir)
        self.engine: Engine = self.runner.run(self._context.__aenter__())

    def close(self) -> None:
        """Close the engine and its store."""
        self.runner.run(self._context.__aexit__(None, None, None))
        self.runner.close()

    def planned(self, orders: list[Order]) -> Batch:
        """A batch of all of them."""
        batch, decided = self.engine.planner.core.plan([(canonical_bytes(order), 0, 0, False) for order in orders])
        assert not decided, "every order must be planned"
        return batch

    def committed(self, batch: Batch) -> tuple[int, int, bytes, bytes, bytes, list[bytes]]:
        """What the store says of it, as the core wants it."""
        commit = self.engine.store.partitions[0].orders.commit
        reply: CommitReply = self.runner.run(commit(batch.commit_args(0, NOW_MS)))
        return (0, reply.now_ms, reply.event, reply.outcomes, reply.levels, reply.records)
