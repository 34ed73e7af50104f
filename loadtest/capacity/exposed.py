"""Reads what a service tells of itself in /metrics: queue, batches, processor time, memory."""

import asyncio
import re
from typing import NamedTuple

import aiohttp

from loadtest.client import Client, UnexpectedAnswer

ASK_S = 0.5
ANSWER_S_MAX = 5.0
_LINE = re.compile(r"^(stockade_\w+) ([0-9.eE+-]+|\+Inf|NaN)$", re.MULTILINE)

CPU, MEMORY, WORKERS = "stockade_cpu_seconds_total", "stockade_resident_memory_bytes", "stockade_workers"
QUEUES = ("stockade_queue_orders", "stockade_queue_bulk_orders")
BATCH, COMMIT = "stockade_batch_orders", "stockade_batch_commit_seconds"


def numbers_of(text: str) -> dict[str, float]:
    """Those without labels."""
    return {name: float(value) for name, value in _LINE.findall(text)}


class Told(NamedTuple):
    """What a service told of some time."""

    queue_mean: float | None = None
    queue_max: float | None = None
    batch_orders: float | None = None
    commit_ms: float | None = None
    cpu_cores: float | None = None
    """Of all its processes."""
    rss_bytes: int | None = None
    """The same."""


class Metrics:
    """Asks a service each second. Of one that does not answer, nothing is known."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._told: list[tuple[float, dict[str, float]]] = []
        self.failed: str | None = None
        """Why it could not be asked."""

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            await self.ask()
            await asyncio.sleep(ASK_S)

    async def ask(self) -> None:
        """Once."""
        try:
            async with asyncio.timeout(ANSWER_S_MAX):
                text = (await self._client.get_bytes("/metrics")).decode(errors="replace")
        except (aiohttp.ClientError, UnexpectedAnswer, TimeoutError) as error:
            self.failed = str(error)[:200] or type(error).__name__
            return
        self._told.append((asyncio.get_running_loop().time(), numbers_of(text)))

    def between(self, from_s: float, to_s: float) -> Told:
        """Times are the loop's; what is counted is counted from the first to the last answer in them."""
        told = [one for one in self._told if from_s <= one[0] <= to_s]
        if not told:
            return Told()
        queues = [sum(numbers.get(name, 0.0) for name in QUEUES) for _, numbers in told]
        (first_s, first), (last_s, last) = told[0], told[-1]

        def per(above: str, below: str) -> float | None:
            count = last.get(below, 0.0) - first.get(below, 0.0)
            return max(0.0, (last.get(above, 0.0) - first.get(above, 0.0)) / count) if count > 0 else None

        commit_s = per(f"{COMMIT}_sum", f"{COMMIT}_count")
        cpu = (
            (last[CPU] - first[CPU]) / (last_s - first_s) if last_s > first_s and CPU in first and CPU in last else None
        )
        return Told(
            queue_mean=sum(queues) / len(queues),
            queue_max=max(queues),
            batch_orders=per(f"{BATCH}_sum", f"{BATCH}_count"),
            commit_ms=None if commit_s is None else commit_s * 1_000,
            cpu_cores=None if cpu is None else max(0.0, cpu),
            rss_bytes=int(last[MEMORY]) if MEMORY in last else None,
        )
