"""What an API key is: the text that its holder sends, the record that the store keeps, and what is shown of it.

The text is `stk_<id>_<secret>`. The secret is 32 random bytes, and the store keeps the text's SHA-256 only. A slow hash
would protect a password that somebody thought up; of 2**256 equally likely secrets none is found by trying.
"""

import hashlib
import secrets
from datetime import UTC, datetime
from typing import Literal, get_args

import msgspec
from msgspec import Struct

from engine.access.limit import KeyLimit

KeyScope = Literal["orders", "stock", "admin", "read"]
SCOPES: tuple[KeyScope, ...] = get_args(KeyScope)

SHARED_SCOPES: tuple[KeyScope, ...] = ("stock", "admin")
"""What changes things that all channels share, so that no key of one channel has it."""

NAME_LENGTH_MAX = 64
KEYS_MAX = 1_000
"""Keys in a store, those revoked among them."""

PREFIX = "stk_"
ID_BYTES = 6
SECRET_BYTES = 32
TEXT_LENGTH = len(PREFIX) + 2 * ID_BYTES + 1 + 2 * SECRET_BYTES


class Secret(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What the store keeps of one secret."""

    generation: int
    """1 for the first; each rotation counts on."""
    sha256: str
    """Of the whole text, in hexadecimal digits."""
    made_ms: int
    ends_ms: int | None = None
    """When it stops to be taken; None: when the key does."""


class KeyRecord(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """A key as the store keeps it. One with a field that this release does not know is taken for no key at all: the
    field may say what the key must not do."""

    id: str
    name: str
    scopes: tuple[KeyScope, ...]
    made_ms: int
    secrets: tuple[Secret, ...]
    """The newest first; two at the most are live."""
    channel: str | None = None
    signed: bool = False
    expires_ms: int | None = None
    revoked_ms: int | None = None
    limit: KeyLimit | None = None
    """None: that of the service's settings."""


class ApiKeySecret(Struct, frozen=True, omit_defaults=True):
    """One secret of a key as it may be shown."""

    generation: int
    made_at: datetime
    ends_at: datetime | None = None


class ApiKey(Struct, frozen=True, kw_only=True):
    """A key as it may be shown: nothing of it lets anybody in."""

    id: str
    name: str
    state: Literal["live", "revoked", "expired"]
    scopes: tuple[KeyScope, ...]
    channel: str | None
    """The only channel whose orders it makes, reads and changes; None: all of them."""
    signed: bool
    """Whether its requests must be signed."""
    made_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    secrets: tuple[ApiKeySecret, ...]
    """Those that are taken, the newest first."""
    limit: KeyLimit | None = None
    """None: that of the service's settings."""
    last_used_at: datetime | None = None
    """To the minute, as far as the store was told, which is a minute later at most; None: never."""


class NewKey(Struct, frozen=True, kw_only=True):
    """A key with a secret that was made now. It is told once, here."""

    key: ApiKey
    text: str
    """What the holder sends as `Authorization: Bearer`."""
    signing_secret: str | None = None
    """What the holder signs requests with, where the key's must be."""

    def __repr__(self) -> str:
        """Without the secrets: a log must not have them."""
        return f"NewKey(key={self.key!r})"


def new_id() -> str:
    """An id for a key."""
    return secrets.token_hex(ID_BYTES)


def new_text(key_id: str) -> str:
    """What a key's holder sends, with a secret made now."""
    return f"{PREFIX}{key_id}_{secrets.token_hex(SECRET_BYTES)}"


def digest_of(text: str) -> str:
    """What is kept of it."""
    return hashlib.sha256(text.encode()).hexdigest()


def live_secrets(record: KeyRecord, now_ms: int) -> tuple[Secret, ...]:
    """The secrets of a key that are taken, unless the key as a whole is not."""
    return tuple(secret for secret in record.secrets if secret.ends_ms is None or now_ms < secret.ends_ms)


def state_of(record: KeyRecord, now_ms: int) -> Literal["live", "revoked", "expired"]:
    """Whether a key is taken."""
    if record.revoked_ms is not None:
        return "revoked"
    return "expired" if record.expires_ms is not None and now_ms >= record.expires_ms else "live"


def shown(record: KeyRecord, now_ms: int, used_minute: int | None) -> ApiKey:
    """What may be shown of a key. `used_minute`: when it was used last, in minutes since 1970."""
    state = state_of(record, now_ms)
    live = live_secrets(record, now_ms) if state == "live" else ()
    return ApiKey(
        id=record.id,
        name=record.name,
        state=state,
        scopes=record.scopes,
        channel=record.channel,
        signed=record.signed,
        made_at=_time(record.made_ms),
        expires_at=_time(record.expires_ms) if record.expires_ms is not None else None,
        revoked_at=_time(record.revoked_ms) if record.revoked_ms is not None else None,
        secrets=tuple(
            ApiKeySecret(
                secret.generation, _time(secret.made_ms), _time(secret.ends_ms) if secret.ends_ms is not None else None
            )
            for secret in live
        ),
        limit=record.limit,
        last_used_at=_time(used_minute * 60_000) if used_minute is not None else None,
    )


encode_record = msgspec.json.Encoder().encode
decode_record = msgspec.json.Decoder(KeyRecord).decode


def _time(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)
