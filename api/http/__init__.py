"""The HTTP door, version 1."""

from api.http.app import build_app
from api.http.server import serve

__all__ = ["build_app", "serve"]
