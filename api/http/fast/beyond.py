"""A connection too many: it may still ask how the service is, and is told of anything else to come back.

Else a balancer would take a service that has all the clients it may have for a dead one.
"""

import asyncio
from typing import TYPE_CHECKING

from api.http.fast.connection import Connection
from api.http.fast.head import HEAD_BYTES_MAX, HEAD_END

if TYPE_CHECKING:
    from api.http.fast.door import Door

BEYOND_MAX = 16
"""Those at once that are asked what they want; others are told at once."""
ASKED_S = 1.0
"""How long that may take."""
PROBES = tuple(
    b"%b %b%b" % (method, path, end)
    for method in (b"GET", b"HEAD")
    for path in (b"/livez", b"/readyz", b"/metrics")
    for end in (b" ", b"?")
)


class Beyond(asyncio.Protocol):
    """One of those, until the head of its request has come."""

    def __init__(self, door: "Door", transport: asyncio.Transport) -> None:
        self._door = door
        self._transport = transport
        self._came = bytearray()
        self._timer = door.loop.call_later(ASKED_S, self.turn_away)
        door.beyond.add(self)

    def data_received(self, data: bytes) -> None:
        """Serve a probe, once it can be told for one."""
        self._came += data
        whole = HEAD_END in self._came
        if whole and self._came.startswith(PROBES):
            self._leave()
            Connection(self._door).take(self._transport, bytes(self._came))
        elif whole or len(self._came) > HEAD_BYTES_MAX:
            self.turn_away()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - it is gone, however
        """Have its place free for another."""
        self._leave()

    def turn_away(self) -> None:
        """Tell it to come back."""
        self._leave()
        self._door.turn_away(self._transport)

    def _leave(self) -> None:
        self._timer.cancel()
        self._door.beyond.discard(self)
