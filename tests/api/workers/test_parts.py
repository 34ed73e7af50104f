"""What the supervisor is made of: the port that it holds, and how long it leaves down who keeps dying."""

import contextlib
import itertools
import socket
from collections.abc import Iterator

import pytest

from api.workers.backoff import FIRST_S, MAX_S, STABLE_S, Backoff
from api.workers.port import Port

CONNECTIONS = 40
BACKLOG = 100


async def test_only_one_service_has_a_port() -> None:
    """Though its own sockets share it; afterwards it is free."""
    with contextlib.closing(await Port.take("127.0.0.1", 0)) as first:
        address = first.address
        with socket_pair_of(first), pytest.raises(OSError, match="in use"):
            await Port.take(*address)
    (await Port.take(*address)).close()


async def test_connections_are_spread_and_none_goes_to_the_holder() -> None:
    """The socket that holds the port has no queue in which a client could wait for ever."""
    with contextlib.closing(await Port.take("127.0.0.1", 0)) as port, socket_pair_of(port) as sockets:
        clients = [socket.create_connection(port.address) for _ in range(CONNECTIONS)]
        taken = [accepted(one) for one in sockets]
        assert sum(taken) == CONNECTIONS
        assert min(taken) > 0
        for client in clients:
            client.close()


@contextlib.contextmanager
def socket_pair_of(port: Port) -> Iterator[list[socket.socket]]:
    """Two listening sockets of a port."""
    with contextlib.ExitStack() as stack:
        found = [stack.enter_context(one) for _ in range(2) for one in port.sockets()]
        for one in found:
            one.listen(BACKLOG)
        yield found


def accepted(listening: socket.socket) -> int:
    """How many connections wait."""
    count = 0
    with contextlib.suppress(BlockingIOError):
        while True:
            listening.accept()[0].close()
            count += 1
    return count


def test_each_pause_is_twice_the_one_before_up_to_a_bound() -> None:
    """A long life forgives."""
    backoff = Backoff()
    pauses = [backoff.after(1.0) for _ in range(20)]
    assert pauses[0] == FIRST_S
    assert all(later == min(MAX_S, 2 * sooner) for sooner, later in itertools.pairwise(pauses))
    assert backoff.after(STABLE_S) == FIRST_S
    assert backoff.after(1.0) == 2 * FIRST_S
