"""Typed keys of what the application carries."""

from aiohttp import web

from engine import Engine

ENGINE: web.AppKey[Engine] = web.AppKey("engine", Engine)
