"""An example of every problem."""

from api.http.members import (
    Exceeded,
    Lacking,
    NowhereFrom,
    Oldest,
    OrderFound,
    RefusedRow,
    RefusedRows,
    ReservedRow,
    ReservedRows,
    RunFound,
)
from api.http.orders import HELD_NOTHING
from api.http.problems import STOPPING, TOO_SLOW, Problem
from api.openapi.contracts import values
from engine.errors import FieldError
from engine.intake import ExceededLimit
from engine.model import Shortage, Undeliverable

_SHORT = (Shortage("LAMP", 2, 1),)
_TRY_AGAIN = "Nothing was held. Send it again."

PROBLEMS: tuple[Problem, ...] = (
    Problem("broken-http", "This cannot be read as HTTP/1.1."),
    Problem("unknown-expectation", "Of what may be expected, only 100-continue is known."),
    Problem("broken-json", "Input data was truncated."),
    Problem(
        "invalid-idempotency-key",
        'Idempotency-Key must be 1 to 128 printable ASCII characters, as "..." or without quotes.',
    ),
    Problem("invalid-timeout", "Stockade-Timeout-Ms must be a whole number of milliseconds, 1 to 60000."),
    Problem(
        "rate-limited",
        "The limit of this key is reached. Nothing was done. Send the request again after 1 s.",
        retry_after_s=1,
    ),
    Problem(
        "unauthorized",
        "The API key is not one of this store.",
        headers={"WWW-Authenticate": 'Bearer realm="stockade", error="invalid_token"'},
    ),
    Problem("forbidden", "This takes a key with the scope orders; this one has read."),
    TOO_SLOW,
    Problem("unsupported-encoding", "Send the body as it is, without Content-Encoding."),
    Problem("unsupported-media-type", "Send lines of JSON, an order each, as application/x-ndjson."),
    Problem("not-found", f'No order has the id "{values.ORDER_ID}".'),
    Problem("method-not-allowed", "This resource takes GET, HEAD, not PATCH.", headers={"Allow": "GET, HEAD"}),
    Problem("insufficient-stock", "Nothing was held.", members=Lacking(shortages=_SHORT)),
    Problem(
        "not-deliverable",
        "No carrier of the tariff goes to this place from where the stock is of LAMP (2 wanted, 1 deliverable)."
        " Nothing was held.",
        errors=(FieldError("/ship_to", "no carrier of the tariff goes there from where it would have to"),),
        members=NowhereFrom(undeliverable=(Undeliverable("LAMP", 2, 1),)),
    ),
    Problem("purchase-limit", "2 of LAMP wanted, 1 of 2 left.", members=Exceeded((ExceededLimit("LAMP", 2, 2, 1),))),
    Problem("invalid-state", "The order is shipped. Nothing was changed.", members=OrderFound("shipped", 3)),
    Problem(
        "version-conflict",
        "The order is at version 3, and confirmed. Nothing was changed: look at it, then decide anew.",
        members=OrderFound("confirmed", 3),
    ),
    Problem(
        "expected-on-hand",
        "row 0: 98 units are on hand, not 100. Nothing was changed.",
        errors=(FieldError("/rows/0/expected_on_hand", "98 units are on hand, not 100"),),
        members=RefusedRows((RefusedRow(0, "expected_on_hand", 98),)),
    ),
    Problem(
        "stock-below-reserved",
        "row 0: 2 units are reserved, so on_hand cannot be lower",
        members=ReservedRows((ReservedRow(0, 2),)),
    ),
    Problem(
        "stock-in-pools",
        "row 0: pools of channels hold 10 units. Nothing was changed.",
        errors=(FieldError("/0", "pools of channels hold 10 units"),),
        members=RefusedRows((RefusedRow(0, "pools", 10),)),
    ),
    Problem(
        "stock-limit",
        "row 0: a cell holds at most 1000000000 units. Nothing was changed.",
        errors=(FieldError("/rows/0/quantity", "a cell holds at most 1000000000 units"),),
        members=RefusedRows((RefusedRow(0, "on_hand", 999_999_999),)),
    ),
    Problem(
        "cursor-expired",
        "The events after the cursor are gone. Read the stock anew, and follow from where the feed begins.",
        members=Oldest("1.17.0"),
    ),
    Problem("too-large", "This body may have 65536 bytes at the most."),
    Problem(
        "invalid-order",
        "/lines/0/quantity: must be a whole number from 1 to 1,000,000",
        errors=(FieldError("/lines/0/quantity", "must be a whole number from 1 to 1,000,000"),),
    ),
    Problem(
        "invalid-request",
        "/limit: must be 1 to 5000",
        errors=(FieldError("/limit", "must be 1 to 5000"),),
    ),
    Problem(
        "idempotency-key-reused",
        "This Idempotency-Key came with another content before. Give a new request a new key.",
    ),
    Problem(
        "order-conflict",
        f'"{values.ORDER_ID}" was taken by an order with another content. Give a new order a new id.',
    ),
    Problem(
        "reallocation-state",
        f'Re-allocation "{values.RUN_ID}" is planning: only one that is planned or applying can be applied.',
        members=RunFound("planning"),
    ),
    Problem(
        "reallocation-conflict",
        f'"{values.RUN_ID}" was taken by a re-allocation with another request. Give a new one a new id.',
    ),
    Problem(
        "movement-conflict",
        '"GRN-5521" was taken by a movement with another content. Give a new movement a new id.',
    ),
    Problem(
        "transition-conflict",
        "This transition_id was used for another content on this order. Give a new change a new id.",
    ),
    Problem("internal-error", "The error is in the service's log, under the request id."),
    Problem("overloaded", HELD_NOTHING, retry_after_s=1),
    Problem(
        "deadline-exceeded",
        f"The order did not begin, or could not, within the time that it was given. {HELD_NOTHING}",
        retry_after_s=1,
    ),
    Problem("contended", _TRY_AGAIN),
    Problem("stock-under-change", "Another movement is changing the same cells. Nothing was changed; send it again."),
    STOPPING,
    Problem(
        "store-unavailable",
        "The store does not answer. Whether the order is held is not known. Send the same order again to learn it.",
    ),
)
