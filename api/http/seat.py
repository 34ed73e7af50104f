"""Where a process has its place among those that serve one port."""

from pathlib import Path

from aiohttp import web
from msgspec import Struct


class Seat(Struct, frozen=True, kw_only=True):
    """One of several workers."""

    number: int
    """From 0. The process that takes the place of one that died has the same."""
    workers: int
    """How many there are."""
    run_dir: Path
    """A folder that all workers of this service share, for their owner only; gone when the service has ended."""


SEAT: web.AppKey[Seat | None] = web.AppKey("seat")
"""None where one process serves alone."""
