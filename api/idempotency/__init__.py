"""`Idempotency-Key` beside the ids of the bodies; knows neither lane."""

from api.idempotency.key import HEADER, PATTERN, of_caller, read_key, with_id
from api.idempotency.once import once, resource_of, told_of_key

__all__ = ["HEADER", "PATTERN", "of_caller", "once", "read_key", "resource_of", "told_of_key", "with_id"]
