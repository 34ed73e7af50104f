"""Who calls: an API key, and a signature where the key asks for one."""

import hashlib
import hmac
from time import time

from msgspec import Struct


class Identity(Struct, frozen=True, kw_only=True):
    """What a request carries to say whose it is."""

    api_key: str | None = None
    signing_secret: str | None = None

    def headers(self, method: str, target: str, body: bytes | None) -> dict[str, str]:
        """Headers for a request, signed as of now."""
        found = {}
        if self.api_key is not None:
            found["Authorization"] = f"Bearer {self.api_key}"
        if self.signing_secret is not None:
            # With a fraction: two of the same second differ.
            at = f"{time():.6f}"
            signed = f"{at}\n{method}\n{target}\n".encode() + (body or b"")
            digest = hmac.new(self.signing_secret.encode(), signed, hashlib.sha256).hexdigest()
            found["Stockade-Signature"] = f"t={at},v1={digest}"
        return found
