"""Keeps the event streams at their configured size and age, and says which follower holds events back."""

import asyncio
from time import monotonic, time

import structlog

from engine.config import Settings
from engine.intake import Freshness
from engine.store import TRIM_STEP, Partition, Store

POLL_S = 1.0
STEPS_MAX = 50
"""Calls a partition and poll: between two of them the store serves others."""
WARN_S = 60.0

log = structlog.get_logger(__name__)


class Retention:
    """Drops what is too much or too old and read by all followers. Every process does this: none is missed."""

    def __init__(self, store: Store, settings: Settings, freshness: Freshness) -> None:
        self._store = store
        self._events_max = settings.events_kept_max
        self._age_ms_max = settings.events_kept_s * 1000
        self._bytes_max = settings.events_kept_mb * 1024 * 1024
        self._freshness = freshness
        self._due_at = 0.0
        self._warned_at: dict[int, float] = {}

    async def tend(self) -> None:
        """Trim every partition, unless that was done a moment ago. Raises StoreError."""
        if monotonic() < self._due_at:
            return
        self._due_at = monotonic() + POLL_S
        await asyncio.gather(*(self._trim(partition) for partition in self._store.partitions))

    async def _trim(self, partition: Partition) -> None:
        for _ in range(STEPS_MAX):
            sent = time()
            report = await partition.feed.trim(
                events_max=self._events_max, age_ms_max=self._age_ms_max, bytes_max=self._bytes_max
            )
            self._freshness.saw_clock(
                partition.number, sent=sent, received=time(), now_ms=report.now_ms, newest=report.sequence
            )
            if report.dropped < TRIM_STEP:
                break
        # Twice as many as wanted: the store's memory has an end.
        if report.waiting > self._events_max or (report.waiting and report.bytes_before > 2 * self._bytes_max):
            now = monotonic()
            if now - self._warned_at.get(partition.number, -WARN_S) >= WARN_S:
                self._warned_at[partition.number] = now
                log.warning(
                    "a follower holds events back: let it read on, or remove it (stockade events followers --remove)",
                    follower=report.holder,
                    partition=partition.number,
                    events=report.waiting,
                )
