"""What supervisor and worker tell each other, over a pair of sockets that ends with either of them.

A message is a packet. The supervisor sends a Job first, later Cover and Release. The worker sends Beat all its life,
from its event loop, and once Listens or Failed.
"""

import contextlib
import socket
from collections.abc import Sequence

import msgspec
from msgspec import Struct

from api.http.seat import Seat
from engine import Settings
from engine.config_json import settings_from_json, settings_to_json

MESSAGE_BYTES_MAX = 64 * 1024
ADDRESSES_MAX = 64
"""Sockets of one place: one for each address that a host's name has."""
BEAT_S = 1.0
"""How often a worker shows that its event loop runs."""


class Job(Struct, frozen=True, kw_only=True):
    """What a worker is to do."""

    settings: msgspec.Raw
    """As `settings_to_json` writes them: not for the command line, for they may hold the store's password."""
    seat: Seat
    sockets: tuple[int, ...]
    """Descriptors that it has inherited, bound."""


class Cover(Struct, frozen=True, tag="cover"):
    """Serve who comes by another place's sockets, too; they come with this."""

    place: int


class Release(Struct, frozen=True, tag="release"):
    """That place has its worker again."""

    place: int


class Beat(Struct, frozen=True, tag="beat"):
    """The event loop runs."""


class Listens(Struct, frozen=True, tag="listens"):
    """The worker serves."""


class Failed(Struct, frozen=True, tag="failed"):
    """The worker does not serve, and ends."""

    failure: str


Told = Cover | Release
Said = Beat | Listens | Failed


def channel() -> tuple[socket.socket, socket.socket]:
    """The supervisor's end, which does not block, and the worker's."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.setblocking(False)
    return ours, theirs


def job_message(settings: Settings, seat: Seat, sockets: tuple[int, ...]) -> bytes:
    """A Job."""
    job = Job(settings=msgspec.Raw(settings_to_json(settings)), seat=seat, sockets=sockets)
    return msgspec.json.encode(job, enc_hook=str)


def read_job(message: bytes) -> tuple[Settings, Seat, tuple[int, ...]]:
    """What `job_message` wrote."""
    job = msgspec.json.decode(message, type=Job, dec_hook=lambda kind, value: kind(value))
    return settings_from_json(bytes(job.settings)), job.seat, job.sockets


def tell(end: socket.socket, told: Told, sockets: Sequence[socket.socket] = ()) -> None:
    """Send a worker a message, if it lives and has room."""
    with contextlib.suppress(OSError):
        socket.send_fds(end, [msgspec.json.encode(told)], [one.fileno() for one in sockets])


def await_told(end: socket.socket) -> tuple[Told, list[socket.socket]] | None:
    """The supervisor's next message, with the sockets that came; None when the supervisor is gone."""
    message, descriptors, _, _ = socket.recv_fds(end, MESSAGE_BYTES_MAX, ADDRESSES_MAX)
    sockets = [socket.socket(fileno=descriptor) for descriptor in descriptors]
    return (msgspec.json.decode(message, type=Told), sockets) if message else None


def say(end: socket.socket, said: Said) -> None:
    """Send the supervisor a message. A beat that finds no room is one too many anyhow."""
    # Where it is gone, the thread that reads from it knows.
    with contextlib.suppress(OSError):
        end.send(msgspec.json.encode(said), socket.MSG_DONTWAIT if isinstance(said, Beat) else 0)


def all_said(end: socket.socket) -> list[Said] | None:
    """The worker's messages that have come; None when it is gone, too."""
    found: list[Said] = []
    while True:
        try:
            message = end.recv(MESSAGE_BYTES_MAX)
        except BlockingIOError:
            return found
        except OSError:
            return found or None
        if not message:
            return found or None
        found.append(msgspec.json.decode(message, type=Said))
