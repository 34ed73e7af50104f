"""Whose a request is, once its lane has asked the gate."""

from aiohttp import web

from api.http.access.gate import Gate
from engine.access import Principal

GATE: web.AppKey[Gate] = web.AppKey("gate", Gate)
PRINCIPAL: web.RequestKey[Principal] = web.RequestKey("principal", Principal)


def principal_of(request: web.Request) -> Principal:
    """Whose a request is that has been let in."""
    return request[PRINCIPAL]
