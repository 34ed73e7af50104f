"""Says whether a client takes anything of what it is sent."""

import asyncio

WRITE_WAIT_S = 30.0
"""How long a client is waited for that takes nothing of what it is sent."""


class Unsent:
    """What one client has not taken, since its connection is full. Asked once a sweep."""

    __slots__ = ("_bytes", "_since", "_transport")

    def __init__(self, transport: asyncio.Transport, now: float) -> None:
        self._transport = transport
        self._bytes = 0
        """At the last sweep."""
        self._since = now
        """When they became fewer the last time."""

    def stuck(self, now: float) -> bool:
        """Whether the client has taken nothing for WRITE_WAIT_S."""
        unsent = self._transport.get_write_buffer_size()
        if unsent < self._bytes:
            self._since = now
        self._bytes = unsent
        return now - self._since > WRITE_WAIT_S
