"""Typed keys of what the application carries."""

from aiohttp import web

from api.watch import Watch
from engine import Engine

ENGINE: web.AppKey[Engine] = web.AppKey("engine", Engine)
WATCH: web.AppKey[Watch] = web.AppKey("watch", Watch)
REQUEST_ID: web.RequestKey[str] = web.RequestKey("request_id", str)
"""The name of a request, which its log line has, too."""


class Drain:
    """Whether the service is about to stop."""

    def __init__(self) -> None:
        self.begun = False


DRAIN: web.AppKey[Drain] = web.AppKey("drain", Drain)
