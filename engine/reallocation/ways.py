"""The way of a run there and back: within partitions chunk by chunk, and what spans them order by order."""

from engine.model import limits
from engine.reallocation.applying import OnChunk, go, transition_of
from engine.reallocation.check import reason_of
from engine.reallocation.days import Days
from engine.reallocation.document import RunDocument, apart, back, forth
from engine.reallocation.runs import Runs
from engine.reallocation.spanning import Spanning
from engine.store import Store


class Ways:
    """Goes them on one store. Both raise StoreError, and go on where they were left."""

    def __init__(self, store: Store, runs: Runs, days: Days, spanning: Spanning) -> None:
        self._store = store
        self._days = days
        self._runs = runs
        self._spanning = spanning

    async def there(self, document: RunDocument, on_chunk: OnChunk | None) -> None:
        """Do what is left to be applied."""
        way, way_back = forth(document.id, document.token), back(document.id, document.token)
        step, reason = transition_of("reallocate", document.id, document.token), reason_of(document.request)
        await go(
            self._store,
            self._days,
            way,
            back=way_back,
            transition=step,
            reason=reason,
            backwards=False,
            on_chunk=on_chunk,
        )
        # What a home moves, it moves while its own part of the way goes on: whoever stops that has nothing more moved.
        await self._spanning.go(
            apart(way), apart(way), forth=step, transition=step, reason=reason, only_with=way, on_chunk=on_chunk
        )

    async def back(self, document: RunDocument, on_chunk: OnChunk | None) -> None:
        """Do what is left to be taken back, the last first."""
        way, way_back = forth(document.id, document.token), back(document.id, document.token)
        # Whoever applied it until it was cancelled may not have heard of that.
        await self._runs.stop(way)
        await self._runs.turn_back(way, way_back)
        step = transition_of("rollback", document.id, document.token)
        reason = f"taken back: {reason_of(document.request)}"[: limits.REASON_LENGTH_MAX]
        await self._spanning.go(
            apart(way_back),
            apart(way),
            forth=transition_of("reallocate", document.id, document.token),
            transition=step,
            reason=reason,
            only_with="",
            on_chunk=on_chunk,
        )
        await go(
            self._store,
            self._days,
            way_back,
            back="",
            transition=step,
            reason=reason,
            backwards=True,
            on_chunk=on_chunk,
        )
