"""One port for several processes: a listening socket for each of them, between which the kernel spreads connections.

The supervisor makes and keeps the sockets. So what waits in the queue of a worker that died is served by the one that
takes its place, on the same socket; and no foreign service can take the port meanwhile.
"""

import asyncio
import socket
from typing import Any

Address = tuple[socket.AddressFamily, Any]


class Port:
    """An address that is held by sockets which never listen."""

    def __init__(self, anchors: list[socket.socket]) -> None:
        self._anchors = anchors

    @classmethod
    async def take(cls, host: str, port: int) -> "Port":
        """Hold an address, 0: a free port. Raises OSError, also when anybody, we ourselves included, has it."""
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        addresses = list(dict.fromkeys((family, address) for family, _, _, _, address in found))
        anchors: list[socket.socket] = []
        try:
            for family, address in addresses:
                # By a free port of the first: of the same number everywhere.
                at = (address[0], anchors[0].getsockname()[1], *address[2:]) if anchors and port == 0 else address
                # Shared only once it is bound: of two services that want it, one is refused.
                anchors.append(_bound(family, at, shared=False))
                anchors[-1].setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        except OSError:
            for anchor in anchors:
                anchor.close()
            raise
        return cls(anchors)

    @property
    def address(self) -> tuple[str, int]:
        """The first of its addresses."""
        found: tuple[str, int] = self._anchors[0].getsockname()[:2]
        return found

    def sockets(self) -> list[socket.socket]:
        """Bound sockets for one worker, one for each address. Raises OSError."""
        made: list[socket.socket] = []
        try:
            for anchor in self._anchors:
                made.append(_bound(anchor.family, anchor.getsockname(), shared=True))
        except OSError:
            for one in made:
                one.close()
            raise
        return made

    def close(self) -> None:
        """Let the address go, as far as it is held here."""
        for anchor in self._anchors:
            anchor.close()


def _bound(family: int, address: Any, *, shared: bool) -> socket.socket:
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.setblocking(False)
        # What the former service's connections left behind does not matter.
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.bind(address)
    except OSError:
        made.close()
        raise
    return made
