"""Names requests, so that an answer, a line of the log and a trace can be told to be of the same one."""

import itertools
import secrets

HEADER = "X-Request-Id"
LENGTH_MAX = 64

_process = secrets.token_hex(4)
_counter = itertools.count(1)


def request_id_of(given: str | None) -> str:
    """The caller's `X-Request-Id` where it is a decent one, else one of our own."""
    if given and len(given) <= LENGTH_MAX and given.isascii() and given.isprintable():
        return given
    return f"{_process}-{next(_counter):x}"
