"""What the document says the same of every operation: headers, parameters, and how callers show who they are."""

from typing import Any

from api.http.request_id import LENGTH_MAX
from api.http.timeout import HEADER as TIMEOUT_HEADER
from api.http.timeout import MS_MAX
from api.idempotency import HEADER as KEY_HEADER
from api.idempotency import PATTERN
from api.openapi.contracts import values

SCHEME_NAME = "key"


def _header(words: str, schema: dict[str, Any], example: Any) -> dict[str, Any]:
    return {"description": words, "schema": schema, "example": example}


HEADERS = {
    "X-Request-Id": _header(
        "Names the request in the service's log: the caller's where it sent a decent one.",
        {"type": "string", "maxLength": LENGTH_MAX},
        values.REQUEST_ID,
    ),
    "Location": _header(
        "Where it is: the order, or the re-allocation.", {"type": "string"}, f"/v1/orders/{values.ORDER_ID}"
    ),
    "Idempotent-Replayed": _header(
        "`true` where it was done before, and nothing was changed this time; else absent.", {"const": "true"}, "true"
    ),
    "Retry-After": _header("Seconds after which another try makes sense.", {"type": "integer", "minimum": 0}, 1),
    "WWW-Authenticate": _header("Which key is asked for.", {"type": "string"}, 'Bearer realm="stockade"'),
    "Allow": _header("The methods that the resource takes.", {"type": "string"}, "GET, HEAD"),
}

SCHEME = {
    "type": "http",
    "scheme": "bearer",
    "description": "An API key, which `stockade keys create` makes; the word of an operation is its scope. Requests of"
    " some keys must be signed, too: `Stockade-Signature: t=<seconds since 1970>,v1=<HMAC-SHA256 in hexadecimal>`. A"
    " service without keys serves its own machine only, and asks for none.",
}

REQUEST_ID_PARAMETER = {
    "name": "X-Request-Id",
    "in": "header",
    "required": False,
    "description": f"Up to {LENGTH_MAX} printable ASCII characters, which come back; others are passed over.",
    "schema": {"type": "string"},
    "example": values.REQUEST_ID,
}
TIMEOUT_PARAMETER = {
    "name": TIMEOUT_HEADER,
    "in": "header",
    "required": False,
    "description": "Milliseconds after which an order that has not begun to be planned is not begun: 503"
    " `deadline-exceeded`, and this request holds nothing. One that has begun gets its true answer, however late."
    " Without it, as the service is set: 10 seconds by default.",
    "schema": {"type": "integer", "minimum": 1, "maximum": MS_MAX},
    "example": 2_000,
}
KEY_PARAMETER = {
    "name": KEY_HEADER,
    "in": "header",
    "required": False,
    "description": "Is the id of the body where that has none (for an order, with an API key of one channel,"
    " `channel:key`; in a signed request the body must have its id). Beside an id, a key that lately came with another"
    " content is refused.",
    "schema": {"type": "string", "pattern": PATTERN},
    "example": '"8e03978e-40d5-43dd-bc93-6894a57f9324"',
}
