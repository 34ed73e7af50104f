"""Connections of the client for threads: kept open between calls, and looked at before they are used again."""

import http.client
import select
import ssl
from collections import deque
from time import monotonic

from api.client.address import Address

BROKEN = (OSError, http.client.HTTPException)
"""What is raised where a connection cannot be had, or breaks."""
IDLE_MAX_S = 15.0
"""Far below what services and proxies keep a silent connection for."""


class Connections:
    """Idle connections to one service. Threads may share it."""

    def __init__(self, address: Address, tls: ssl.SSLContext | None = None) -> None:
        self._address = address
        self._tls = tls if tls is not None or not address.tls else ssl.create_default_context()
        self._idle: deque[tuple[float, http.client.HTTPConnection]] = deque()

    def take(self, seconds: float) -> http.client.HTTPConnection:
        """One that is open; no operation on it takes longer. Raises OSError when there is none to be had."""
        while self._idle:
            try:
                since, connection = self._idle.pop()
            except IndexError:
                break
            if monotonic() - since < IDLE_MAX_S and _quiet(connection):
                connection.sock.settimeout(seconds)
                return connection
            connection.close()
        return self.fresh(seconds)

    def fresh(self, seconds: float) -> http.client.HTTPConnection:
        """A new one. Raises OSError."""
        host, port = self._address.host, self._address.port
        if self._tls is not None:
            made: http.client.HTTPConnection = http.client.HTTPSConnection(
                host, port, timeout=seconds, context=self._tls
            )
        else:
            made = http.client.HTTPConnection(host, port, timeout=seconds)
        made.connect()
        return made

    def give_back(self, connection: http.client.HTTPConnection) -> None:
        """Keep one whose answer was read to its end."""
        if connection.sock is None:
            return
        self._idle.append((monotonic(), connection))

    def close(self) -> None:
        """Close those that are idle."""
        while self._idle:
            self._idle.pop()[1].close()


def _quiet(connection: http.client.HTTPConnection) -> bool:
    """Whether nothing came on it since its last answer: what comes unasked is its end."""
    if connection.sock is None:
        return False
    poll = select.poll()
    poll.register(connection.sock, select.POLLIN)
    return not poll.poll(0)
