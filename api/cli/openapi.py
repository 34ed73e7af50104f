"""`stockade openapi`: the HTTP contract as a document, for whoever makes clients of it. Needs no store."""

import sys
from typing import Annotated

import msgspec
from cyclopts import Parameter
from cyclopts.validators import Number

from api.http.routes import ROUTES
from api.openapi.document import document


def openapi(
    *, indent: Annotated[int, Parameter(help="Blanks of a level.", validator=Number(gte=0, lte=8))] = 2
) -> None:
    """Print the OpenAPI 3.1 document of the HTTP API, which a service has at /openapi.json."""
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(document(ROUTES)), indent=indent).decode() + "\n")
