"""The OpenAPI document over HTTP, and the page that shows it. Both are whole in the package: no other host is asked."""

import gzip
from functools import cache
from importlib.resources import files

from aiohttp import web

from api.http.answer import JSON, Answer
from api.http.problems import Problem

DOCUMENT: web.AppKey[bytes] = web.AppKey("document", bytes)
"""The document, as JSON."""

_VIEWER = files("api.openapi") / "viewer"
_PAGE_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    # The viewer sets styles from its script, draws its icons from data, and asks this host alone.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline';"
    " img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}
_FILES = {
    "swagger-ui.css": "text/css; charset=utf-8",
    "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
    "start.js": "text/javascript; charset=utf-8",
}
"""What the page loads, with its media type."""


async def openapi(request: web.Request) -> Answer:
    """GET /openapi.json: the contract."""
    return Answer(200, request.app[DOCUMENT], JSON)


async def docs(_request: web.Request) -> Answer:
    """GET /docs: the contract for people."""
    return Answer(200, (_VIEWER / "index.html").read_bytes(), _PAGE_HEADERS)


async def docs_file(request: web.Request) -> Answer | Problem:
    """GET /docs/{file}: what the page loads."""
    name = request.match_info["file"]
    if name not in _FILES:
        return Problem("not-found", f'The page has no file "{name}".')
    headers = {"Content-Type": _FILES[name], "X-Content-Type-Options": "nosniff", "Cache-Control": "no-cache"}
    packed, plain = _file(name)
    if packed is not None and "gzip" in request.headers.get("Accept-Encoding", ""):
        return Answer(200, packed, {**headers, "Content-Encoding": "gzip", "Vary": "Accept-Encoding"})
    return Answer(200, plain, headers)


@cache
def _file(name: str) -> tuple[bytes | None, bytes]:
    """As it is packed, where it is, and as it is."""
    packed = _VIEWER / f"{name}.gz"
    if packed.is_file():
        content = packed.read_bytes()
        return content, gzip.decompress(content)
    return None, (_VIEWER / name).read_bytes()
