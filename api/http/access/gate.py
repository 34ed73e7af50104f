"""Says of a request whose it is, or why it is turned away. No I/O: a lane may ask for each request of a sale.

`check` does it all for a request whose body is there. A lane that has the headers first asks `admit`, reads the body
only then, and asks `verify` about it if the key's requests must be signed.
"""

from functools import lru_cache
from ipaddress import ip_address
from math import ceil
from typing import Protocol, overload

from api.http.access.signature import signature_problem
from api.http.problems import Problem
from api.http.scope import Scope
from api.rate_limit import Limiter
from engine.access import ANYONE, AccessRoom, Denied, Principal
from engine.config import AccessMode

LIMITED_KNOWN = 256
"""Refusals that are kept ready."""

BEARER = "Bearer "
PUBLIC = Scope.PUBLIC

_SAID: dict[Denied, str] = {
    "unknown": "The API key is not one of this store.",
    "revoked": "The API key was revoked.",
    "ended": "The API key, or this secret of it, has ended.",
}
_INVALID = {"WWW-Authenticate": 'Bearer realm="stockade", error="invalid_token"'}
_MISSING = Problem(
    "unauthorized",
    "Send an API key as `Authorization: Bearer stk_...`; `stockade keys create` makes one.",
    headers={"WWW-Authenticate": 'Bearer realm="stockade"'},
)


class Headers(Protocol):
    """A request's headers; asked by names in lower case."""

    @overload
    def get(self, name: str, /) -> str | None: ...

    @overload
    def get(self, name: str, default: str, /) -> str: ...


class Gate:
    """Stands before all routes of one service."""

    def __init__(self, room: AccessRoom, mode: AccessMode, limiter: Limiter) -> None:
        """`limiter` counts the requests of whoever is known, also those that their key does not allow."""
        self.limiter = limiter
        self._room = room
        self._keyring = room.keyring
        self._asks_nobody = mode == "open"
        self._asks_once_closed = mode == "auto"

    def check(self, scope: Scope, method: str, target: str, headers: Headers, body: bytes) -> Principal | Problem:
        """Whose a request is that needs `scope`, or the problem to answer with. `target`: path and query as sent."""
        principal = self.admit(scope, headers)
        if type(principal) is Principal and principal.signed:
            problem = self.verify(principal, method, target, headers, body)
            if problem is not None:
                return problem
        return principal

    def admit(self, scope: Scope, headers: Headers) -> Principal | Problem:
        """As `check`, by the headers alone: of one that must be signed nothing is known yet but its key."""
        if scope is PUBLIC:
            return ANYONE
        if self._asks_nobody:
            origin = headers.get("origin")
            found_open = ANYONE if origin is None else _from_its_own_pages(headers, origin)
            return found_open if isinstance(found_open, Problem) else self._limited(found_open)
        if self._asks_once_closed and not self._keyring.closed:
            found_here = _from_this_machine(headers)
            return found_here if isinstance(found_here, Problem) else self._limited(found_here)
        authorization = headers.get("authorization")
        if authorization is None:
            return _MISSING
        scheme = authorization[:7]
        if scheme != BEARER and scheme.lower() != "bearer ":
            return _MISSING
        found = self._keyring.find(authorization[7:])
        if isinstance(found, str):
            return Problem("unauthorized", _SAID[found], headers=_INVALID)
        # Before it is looked at what the key may do: whoever is told no has taken the service's time, too.
        counted = self._limited(found)
        if counted is not found or scope in found.scopes:
            return counted
        detail = f"This takes a key with the scope {scope}; this one has {', '.join(sorted(found.scopes))}."
        wanted = f'Bearer realm="stockade", error="insufficient_scope", scope="{scope}"'
        return Problem("forbidden", detail, headers={"WWW-Authenticate": wanted})

    def _limited(self, principal: Principal) -> Principal | Problem:
        """Whose a request is, unless there were too many."""
        wait_s = self.limiter.take(principal)
        return rate_limited(ceil(wait_s)) if wait_s else principal

    def verify(self, principal: Principal, method: str, target: str, headers: Headers, body: bytes) -> Problem | None:
        """What is wrong with a request's signature."""
        return signature_problem(self._room, principal, method, target, headers.get("stockade-signature"), body)


@lru_cache(LIMITED_KNOWN)
def rate_limited(retry_after_s: int) -> Problem:
    """The problem of a request too many; the same object each time."""
    detail = f"The limit of this key is reached. Nothing was done. Send the request again after {retry_after_s} s."
    return Problem("rate-limited", detail, retry_after_s=retry_after_s)


def _from_its_own_pages(headers: Headers, origin: str) -> Principal | Problem:
    """Of a request that a browser sent for a web page, where everybody is let in: not for pages from elsewhere.

    What the network keeps others from, a page that somebody here has open could do for them.
    """
    if origin.partition("://")[2] == headers.get("host", ""):
        return ANYONE
    detail = f"{origin} may not call this service, which takes all calls without a key (STOCKADE_ACCESS=open)."
    return Problem("forbidden", f"{detail} A gateway that means to let it has to take `Origin` away, or keep `Host`.")


def _from_this_machine(headers: Headers) -> Principal | Problem:
    """Of a request without a key, on the loopback: not one that a web page has a browser on this machine send."""
    host = headers.get("host", "")
    origin = headers.get("origin")
    if origin is not None and origin.partition("://")[2] != host:
        detail = f"{origin} may not call this service: it takes no keys yet, and serves this machine only."
        return Problem("forbidden", f"{detail} Make a key: `stockade keys create`.")
    if "." in host and not _is_address_or_local(host):
        detail = f"This service takes no keys yet, and serves this machine only, not {host}: call it by its address,"
        return Problem("forbidden", f"{detail} or make a key: `stockade keys create`.")
    return ANYONE


def _is_address_or_local(host: str) -> bool:
    """Whether a Host can be no name that somebody elsewhere had point to this machine."""
    if host.startswith("127.0.0.1"):
        rest = host[9:]
        if not rest or rest[0] == ":":
            return True
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
    if name.lower().endswith(".localhost"):
        return True
    try:
        ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True
