"""API keys: what they are, how they are kept and changed, and whose a request is. Knows no HTTP."""

from engine.access.changes import KeyChanges
from engine.access.key import SCOPES, ApiKey, KeyScope, NewKey
from engine.access.keyring import ANYONE, Denied, Keyring, Principal
from engine.access.limit import KeyLimit
from engine.access.room import AccessRoom
from engine.access.signing import SIGNED_WINDOW_S, signature

__all__ = [
    "ANYONE",
    "SCOPES",
    "SIGNED_WINDOW_S",
    "AccessRoom",
    "ApiKey",
    "Denied",
    "KeyChanges",
    "KeyLimit",
    "KeyScope",
    "Keyring",
    "NewKey",
    "Principal",
    "signature",
]
