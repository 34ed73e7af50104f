"""`stockade openapi`: the HTTP contract as a document, for whoever makes clients of it. Needs no store."""

import sys

import msgspec

from api.http.routes import ROUTES
from api.openapi.document import document


def openapi() -> None:
    """Print the OpenAPI 3.1 document of the HTTP API, which a service has at /openapi.json."""
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(document(ROUTES)), indent=2).decode() + "\n")
