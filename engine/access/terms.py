"""Rules of what a key may be made with."""

from collections.abc import Sequence

from engine.access.key import NAME_LENGTH_MAX, SCOPES, SHARED_SCOPES, KeyScope
from engine.access.limit import BURST_MAX, RATE_PER_S_MAX, KeyLimit
from engine.errors import FieldError, InvalidInput
from engine.model.rules import PRINTABLE, printable

OVERLAP_S_MAX = 366 * 24 * 3_600
LIFE_S_MAX = 100 * 366 * 24 * 3_600


def check_terms(name: str, scopes: Sequence[KeyScope], *, channel: str | None, expires_in_s: float | None) -> None:
    """Raises InvalidInput."""
    errors = []
    if not (0 < len(name) <= NAME_LENGTH_MAX and printable(name)):
        errors.append(FieldError("/name", f"must be 1 to {NAME_LENGTH_MAX} characters, and {PRINTABLE}"))
    if not scopes or not set(scopes) <= set(SCOPES):
        errors.append(FieldError("/scopes", f"must be some of {', '.join(SCOPES)}"))
    if channel is not None and not (0 < len(channel) <= NAME_LENGTH_MAX and printable(channel)):
        errors.append(FieldError("/channel", f"must be 1 to {NAME_LENGTH_MAX} characters, and {PRINTABLE}"))
    if channel is not None and (shared := [scope for scope in SHARED_SCOPES if scope in scopes]):
        message = f"a key of one channel cannot have {' and '.join(shared)}, which all channels share"
        errors.append(FieldError("/scopes", message))
    if expires_in_s is not None and not 0 < expires_in_s <= LIFE_S_MAX:
        errors.append(FieldError("/expires_in", f"must be more than 0 and {LIFE_S_MAX} seconds at the most"))
    if errors:
        raise InvalidInput(tuple(errors))


def check_limit(limit: KeyLimit | None) -> None:
    """Raises InvalidInput."""
    if limit is None:
        return
    errors = []
    if not 0 <= limit.rate_per_s <= RATE_PER_S_MAX:
        message = f"must be 0 (any number) to {RATE_PER_S_MAX:.0f} requests a second"
        errors.append(FieldError("/limit/rate_per_s", message))
    if not 0 <= limit.burst <= BURST_MAX:
        errors.append(FieldError("/limit/burst", f"must be 0 (those of a second) to {BURST_MAX}"))
    if errors:
        raise InvalidInput(tuple(errors))
