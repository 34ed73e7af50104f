"""What supervisor and worker tell each other, over a pair of sockets that ends with either of them.

The supervisor sends one Job; the worker says once whether it listens. After that the pair only tells that the other one
lives.
"""

import msgspec
from msgspec import Struct

from api.http.seat import Seat
from engine import Settings
from engine.config import settings_from_json, settings_to_json


class Job(Struct, frozen=True, kw_only=True):
    """What a worker is to do."""

    settings: msgspec.Raw
    """As `settings_to_json` writes them: not for the command line, for they may hold the store's password."""
    seat: Seat
    sockets: tuple[int, ...]
    """Descriptors that it has inherited, bound."""


class Said(Struct, frozen=True, kw_only=True):
    """How a worker's start went."""

    failure: str | None = None
    """Why it does not serve; None: it listens."""


def job_line(settings: Settings, seat: Seat, sockets: tuple[int, ...]) -> bytes:
    """A Job as one line."""
    job = Job(settings=msgspec.Raw(settings_to_json(settings)), seat=seat, sockets=sockets)
    return msgspec.json.encode(job, enc_hook=str) + b"\n"


def read_job(line: bytes) -> tuple[Settings, Seat, tuple[int, ...]]:
    """What `job_line` wrote."""
    job = msgspec.json.decode(line, type=Job, dec_hook=lambda kind, value: kind(value))
    return settings_from_json(bytes(job.settings)), job.seat, job.sockets
