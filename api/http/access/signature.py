"""Checks the signature of a request: `Stockade-Signature: t=<seconds since 1970>,v1=<HMAC-SHA256 in hexadecimal>`."""

import re
from hmac import compare_digest

from msgspec import Struct

from api.http.problems import Problem
from api.http.scope import Scope
from engine.access import SIGNED_WINDOW_S, AccessRoom, Principal, signature

HEADER = "Stockade-Signature"

_TIME = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,9})?", re.ASCII)
_SIGNATURE = re.compile(r"[0-9a-f]{64}", re.ASCII)


class Given(Struct, frozen=True):
    """What a header tells."""

    time: str
    """As it was signed."""
    signature: str
    """In lower case: in another one it is no other signature."""


ONCE = (Scope.STOCK, Scope.ADMIN)
"""What a signature is good for only once: an old count or definition sent again would undo what came after it.

Orders and their changes have ids of their own, under which the same request has one effect, and reads have none: there
a signature may come again, as it does from a client that lost an answer and sends the very same bytes.
"""

_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="stockade"'}


def signature_problem(
    room: AccessRoom, principal: Principal, method: str, target: str, header: str | None, body: bytes
) -> Problem | None:
    """What is wrong with a request's signature."""
    if room.root is None:
        return _refused("This service cannot check signatures: its STOCKADE_SIGNING_KEY_FILE is not set.")
    found = _read(header)
    if found is None or principal.key_id is None:
        return _refused(f"Requests with this key must be signed: {HEADER}: t=<seconds since 1970>,v1=<64 hex digits>.")
    secret = room.root.secret_of(principal.key_id, principal.generation)
    # First whether it is the holder's: nobody else is told the time.
    if not compare_digest(signature(secret, found.time, method, target, body), found.signature):
        return _refused("The signature is not that of this time, method, path and body, by this key's signing secret.")
    late_s = room.keyring.now_ms() / 1000 - float(found.time)
    if abs(late_s) > SIGNED_WINDOW_S:
        where = f"{late_s:.0f} s behind" if late_s > 0 else f"{-late_s:.0f} s ahead of"
        return _refused(f"The signature's time is {where} the store's; {SIGNED_WINDOW_S} s are allowed.")
    return None


async def spend(
    room: AccessRoom, principal: Principal, scope: Scope, method: str, header: str | None
) -> Problem | None:
    """Use up a signature that was verified, where it is good only once. Raises StoreError."""
    found = _read(header)
    if scope not in ONCE or method in ("GET", "HEAD") or found is None or principal.key_id is None:
        return None
    match await room.spend(principal.key_id, found.signature, at_s=float(found.time)):
        case "A":
            return None
        case "U":
            return _refused("This signature was used before. Sign the request anew: its time may have a fraction.")
        case _:
            return Problem(
                "overloaded", "Too many signed changes of this key at once. Nothing was changed; send it again later."
            )


def _read(header: str | None) -> Given | None:
    """The header's time and signature, each once, in any order, with blanks between them or not."""
    parts = [part.strip().partition("=") for part in (header or "").split(",")]
    values = {name: value for name, _, value in parts}
    if len(parts) != len(values) or values.keys() != {"t", "v1"}:
        return None
    found = Given(values["t"], values["v1"].lower())
    return found if _TIME.fullmatch(found.time) and _SIGNATURE.fullmatch(found.signature) else None


def _refused(detail: str) -> Problem:
    return Problem("unauthorized", detail, headers=_CHALLENGE)
