"""Turns what the client library raises into Stockade's own errors, with what to do."""

from collections.abc import Iterator
from contextlib import contextmanager

from redis.exceptions import (
    AskError,
    AuthenticationError,
    ClusterCrossSlotError,
    ClusterDownError,
    MovedError,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
    TryAgainError,
)

from engine.errors import StoreChanged, StoreUnavailable, StoreUnsupported


class StoreFenced(StoreChanged):
    """A later generation of this process, or the loss of its last commits, has closed the one that the call was of."""


class StoreRefused(StoreUnavailable):
    """The store answered, and took nothing: unlike any other StoreUnavailable, it is certain that nothing was done."""


_ADVICE = {
    "OOM": "it is out of memory: raise maxmemory",
    "MISCONF": "it cannot write to its disk: see its log",
    "READONLY": "it is a replica: point REDIS_URL at the primary",
    "NOREPLICAS": "it has too few replicas: see min-replicas-to-write",
    "NOPERM": "its user may not run this command: see ACL",
    "LOADING": "it is still loading: wait",
    "BUSY": "it is busy with a long script: see SCRIPT KILL and FUNCTION KILL",
    "Function not found": "another process keeps removing the function library",
    "CLUSTERDOWN": "no node of the cluster serves these keys at the moment: see CLUSTER INFO",
    "TRYAGAIN": "these keys are being moved from one node to another: wait",
    "CROSSSLOT": "keys of one call are in several slots: a namespace with a hash tag does that",
    "MOVED": "its nodes sent us from one to the other: see whether CLUSTER NODES is the same on all",
    "ASK": "its nodes sent us from one to the other: see whether CLUSTER NODES is the same on all",
}

_CODES: dict[type[RedisError], str] = {
    OutOfMemoryError: "OOM",
    ReadOnlyError: "READONLY",
    NoPermissionError: "NOPERM",
    ClusterDownError: "CLUSTERDOWN",
    ClusterCrossSlotError: "CROSSSLOT",
    TryAgainError: "TRYAGAIN",
    # Before the class that it is derived from.
    MovedError: "MOVED",
    AskError: "ASK",
}
"""Codes that the client library takes off the message, as it has a class for each."""


@contextmanager
def store_errors() -> Iterator[None]:
    """Raises StoreUnavailable, StoreRefused, StoreChanged or StoreUnsupported in place of the client's errors."""
    try:
        yield
    except AuthenticationError as error:
        raise StoreRefused(f"The store refuses our credentials: {error}. Check REDIS_URL.") from error
    except ResponseError as error:
        code = next((code for kind, code in _CODES.items() if isinstance(error, kind)), None)
        raise _translated(f"{code} {error}" if code else str(error)) from error
    # uvloop raises RuntimeError when it is told to write to a connection that has just gone.
    except (RedisError, OSError, RuntimeError) as error:
        reason = str(error).rstrip(".") or type(error).__name__
        raise StoreUnavailable(f"The store does not answer: {reason}.") from error


def _translated(message: str) -> Exception:
    code = message.partition(" ")[0]
    if code == "STALEEPOCH":
        return StoreChanged(message.partition(" ")[2])
    if code == "FENCED":
        return StoreFenced("the store does not have this process's last commits as it left them")
    if code == "CATALOGUEFULL":
        return StoreRefused(f"The catalogue is full: {message.partition(' ')[2]}.")
    if "unknown command" in message.lower() and "FCALL" in message.upper():
        return StoreUnsupported("The store has no functions: Stockade needs Redis 7.0 or later, or Valkey.")
    refused = next((name for name in _ADVICE if code == name or name in message), None)
    # From within a function it comes too late: a function that stops half way is not undone.
    if refused is not None and "user_function" not in message:
        return StoreRefused(f"The store refused ({_ADVICE[refused]}).")
    return StoreUnavailable(f"The store failed ({message}).")
