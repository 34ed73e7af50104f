"""What a service refuses to start with: an open door, and a parser that is not the one that was tested."""

import ipaddress
import socket
import stat
from collections.abc import Sequence

from aiohttp import http_parser

from engine import Engine, Settings
from engine.access import ApiKey
from engine.access.signing import SETTING
from engine.errors import StockadeError

NAMES_SHOWN = 5


class UnsafeStart(StockadeError):
    """The service would be unsafe; the message says what to do."""


def check_parser() -> None:
    """Raises UnsafeStart when aiohttp reads requests with its pure-Python parser.

    It reads some requests otherwise than the C one (llhttp), which is how a proxy and the service behind it come to
    see two different requests in the same bytes; and it is many times slower.
    """
    if http_parser.HttpRequestParser is http_parser.HttpRequestParserPy:
        raise UnsafeStart(
            "aiohttp runs without its compiled parser, and Stockade does not serve with the other one. Unset"
            " AIOHTTP_NO_EXTENSIONS, and install aiohttp from a wheel for this Python (not PyPy)."
        )


def check_door(engine: Engine) -> None:
    """Raises UnsafeStart when anybody on the network could take orders, InvalidInput for a signing key file."""
    if (danger := _open_door(engine.settings, closed=engine.access.keyring.closed)) is not None:
        raise UnsafeStart(danger)
    # Now, rather than with the first request that is signed.
    _ = engine.access.root


def _open_door(settings: Settings, *, closed: bool) -> str | None:
    if settings.access != "auto" or closed or is_loopback(settings.host):
        return None
    return (
        f"Whoever reaches {settings.host or 'any address'} could take orders and change stock: there is no API key yet."
        " Make one on this store with `stockade keys create NAME --scope orders`; or listen on 127.0.0.1; or, behind a"
        " gateway that checks who calls, set STOCKADE_ACCESS=open."
    )


def access_advice(settings: Settings, keys: Sequence[ApiKey], *, closed: bool) -> list[str]:
    """What to do about keys."""
    advice = []
    if (danger := _open_door(settings, closed=closed)) is not None:
        advice.append(f"The service would not start. {danger}")
    live = [key for key in keys if key.state == "live"]
    if not live and settings.access != "open" and (closed or settings.access == "required"):
        advice.append(
            "No API key is live, so nobody can call: make one with `stockade keys create NAME --scope orders`."
        )
    signed = [key.name for key in live if key.signed]
    path = settings.signing_key_file
    if signed and path is None and settings.access != "open":
        names = ", ".join(signed[:NAMES_SHOWN])
        advice.append(f"Requests of {names} must be signed, and cannot be checked: set {SETTING} to its file.")
    if path is not None and path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
        advice.append(f"Others on this machine may read {path}, from which signing secrets are derived: chmod 600 it.")
    return advice


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches a host."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        pass
    try:
        found = socket.getaddrinfo(host, None) if host else []
    except OSError:
        return False
    return bool(found) and all(ipaddress.ip_address(str(row[4][0]).partition("%")[0]).is_loopback for row in found)


def access_of(settings: Settings, *, closed: bool) -> str:
    """Who may call, in words."""
    if settings.access == "open":
        return "anybody who reaches the service (STOCKADE_ACCESS=open)"
    if settings.access == "required" or closed:
        return "who has an API key"
    return "anybody on this machine: there is no API key yet"
