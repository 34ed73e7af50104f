"""Typed keys of what the application carries."""

import asyncio

from aiohttp import web

from api.watch import Watch
from engine import Engine

ENGINE: web.AppKey[Engine] = web.AppKey("engine", Engine)
WATCH: web.AppKey[Watch] = web.AppKey("watch", Watch)
REQUEST_ID: web.RequestKey[str] = web.RequestKey("request_id", str)
"""The name of a request, which its log line has, too."""


class Drain:
    """How far the end of the service is."""

    def __init__(self) -> None:
        self.begun = False
        """Whether it is about to stop."""
        self.over = False
        """Whether nobody is waited for any more."""
        self.bodies: set[asyncio.Timeout] = set()
        """Of bodies that are being read."""

    def end(self) -> None:
        """Wait for no body any more."""
        self.over = True
        now = asyncio.get_running_loop().time()
        for timeout in self.bodies:
            if not timeout.expired():
                timeout.reschedule(now)


DRAIN: web.AppKey[Drain] = web.AppKey("drain", Drain)
