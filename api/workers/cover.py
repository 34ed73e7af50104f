"""Who serves a place whose worker is dead, or does not answer: all the others, by its sockets, which outlive it.

So nobody waits for a start, nor is refused, as long as one worker serves: neither those who are in the dead one's queue
already, nor those whom the kernel goes on to send there.
"""

import socket
from collections.abc import Sequence

from api.workers.process import WorkerProcess


class Cover:
    """The places of one service, by their numbers: which have a worker, and which want one."""

    def __init__(self) -> None:
        self._workers: dict[int, WorkerProcess] = {}
        """Those that listen. One that hangs is told, too, and hears it if it comes back."""
        self._vacant: dict[int, Sequence[socket.socket]] = {}

    @property
    def anybody(self) -> bool:
        """Whether any worker listens."""
        return bool(self._workers)

    def serves(self, place: int, worker: WorkerProcess) -> None:
        """A worker listens at its place, or answers again: the others leave it to that one."""
        self._workers[place] = worker
        if self._vacant.pop(place, None) is not None:
            for other in self._others(place):
                other.release(place)
        for vacant, sockets in self._vacant.items():
            worker.cover(vacant, sockets)

    def wanted(self, place: int, sockets: Sequence[socket.socket]) -> None:
        """A place's worker does not answer, or has ended: the others serve its sockets, too."""
        if place not in self._vacant:
            self._vacant[place] = sockets
            for other in self._others(place):
                other.cover(place, sockets)

    def gone(self, place: int) -> None:
        """A place's worker has ended."""
        self._workers.pop(place, None)

    def forget(self, place: int) -> None:
        """A place's sockets are given up here; who serves them goes on."""
        self._vacant.pop(place, None)

    def _others(self, place: int) -> list[WorkerProcess]:
        return [worker for number, worker in self._workers.items() if number != place]
