"""Signatures of requests: HMAC-SHA256 over time, method, path with query, and the body as it was sent.

The signing secret of a key is derived from a root that only services and operators have, in a file of their own. So
neither who reads the store nor who reads a service's answers can sign, and nothing has to be kept.
"""

import hashlib
import hmac
from pathlib import Path

from engine.config import PREFIX
from engine.errors import FieldError, InvalidInput

SIGNED_WINDOW_S = 300
"""How far the time of a signature may be from the store's, either way."""

ROOT_BYTES_MIN = 32
ROOT_BYTES_MAX = 4_096

SETTING = f"{PREFIX}SIGNING_KEY_FILE"
HOW_TO_MAKE = "make one with: (umask 077; openssl rand -out FILE 32)"


class SigningRoot:
    """Derives the signing secrets of keys."""

    def __init__(self, root: bytes) -> None:
        self._root = root

    @classmethod
    def read(cls, path: Path) -> "SigningRoot":
        """The root in a file. Raises InvalidInput, which names the setting."""
        try:
            with path.open("rb") as file:
                root = file.read(ROOT_BYTES_MAX + 1)
        except OSError as error:
            raise InvalidInput((FieldError(SETTING, f"{path} cannot be read: {error.strerror}"),)) from None
        if not ROOT_BYTES_MIN <= len(root) <= ROOT_BYTES_MAX:
            message = f"{path} has to hold {ROOT_BYTES_MIN} to {ROOT_BYTES_MAX} random bytes; {HOW_TO_MAKE}"
            raise InvalidInput((FieldError(SETTING, message),))
        return cls(root)

    def secret_of(self, key_id: str, generation: int) -> str:
        """The signing secret that goes with one generation of a key's secret."""
        derived = hmac.digest(self._root, f"stockade signing 1\n{key_id}\n{generation}".encode(), "sha256")
        return f"sts_{derived.hex()}"


def signature(secret: str, timestamp: str, method: str, target: str, body: bytes) -> str:
    """What follows `v1=` in the header, in hexadecimal digits.

    `timestamp` as it stands after `t=` (seconds since 1970, maybe with a fraction); `target` is the path with its
    query, as the request line has it. No line feed can be in the first three, so that no two requests read alike.
    """
    head = f"{timestamp}\n{method}\n{target}\n".encode("utf-8", "surrogateescape")
    return hmac.new(secret.encode(), head + body, hashlib.sha256).hexdigest()
