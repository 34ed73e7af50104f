"""`Idempotency-Key` beside the ids of the bodies; knows neither lane."""

from api.idempotency.key import HEADER, PATTERN, read_key, with_id
from api.idempotency.once import once, resource_of, told_of_key

__all__ = ["HEADER", "PATTERN", "once", "read_key", "resource_of", "told_of_key", "with_id"]
