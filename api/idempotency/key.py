"""Reads an `Idempotency-Key`, a structured-field string as the IETF's draft has it or the bare word that many send."""

import re
from typing import Final

import msgspec

from api.http.problems import Problem
from engine.access import Principal
from engine.model import limits

HEADER: Final = "Idempotency-Key"

# What is left out could be taken for something else: by a field that came twice, or by a proxy that joins fields.
PATTERN: Final = rf'^("[!#-\[\]-~]{{1,{limits.ID_LENGTH_MAX}}}"|[!#-+\--:<-\[\]-~]{{1,{limits.ID_LENGTH_MAX}}})$'
_KEY = re.compile(PATTERN)
_RULE = (
    f"{HEADER} must be 1 to {limits.ID_LENGTH_MAX} visible ASCII characters in quotes, none of them a quote or a"
    " backslash; without quotes, also no comma and no semicolon."
)


def read_key(text: str | None) -> str | Problem | None:
    """The key in a header's value; None where there is no header. One that came twice is given joined by commas."""
    if text is None:
        return None
    if _KEY.fullmatch(text) is None:
        return Problem("invalid-idempotency-key", _RULE)
    return text.strip('"')


def of_caller(key: str | Problem | None, principal: Principal) -> str | Problem | None:
    """The key as an order's id would have it: of a key of one channel, behind that channel's name.

    Order ids are one space for all channels; keys are not, as each caller thinks up its own.
    """
    if principal.channel is None or not isinstance(key, str):
        return key
    return f"{principal.channel.replace('%', '%25').replace(':', '%3A')}:{key}"


def with_id(body: bytes, field: str, key: str, principal: Principal) -> bytes:
    """A JSON object with the key as its id, unless it has one: of two members of a name, decoders take the last.

    Not where the caller's requests are signed: a signature is of the body, and with another header it would be one of
    another order. There the body has to have its id.
    """
    if principal.signed:
        return body
    inner = body.lstrip()
    if not inner.startswith(b"{"):
        return body
    rest = inner[1:].lstrip()
    comma = b"" if rest.startswith(b"}") else b","
    return b'{"%b":%b%b%b' % (field.encode(), msgspec.json.encode(key), comma, rest)
