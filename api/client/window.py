"""Orders of a bulk that were sent and have no result yet: what is sent again when a connection breaks."""

from collections import deque
from collections.abc import Iterable

import msgspec

from api.client.calls import BULK, Call
from api.client.errors import ClientError
from api.client.results import BulkResult, bulk_result
from api.client.retry import Attempts, Retry
from engine.model import Order

LOT_ORDERS = 500
"""Orders that go to the connection together."""
WINDOW_ORDERS_MAX = 8 * LOT_ORDERS
"""Orders without a result: two megabytes or so."""

BULK_HEADERS = {"Content-Type": "application/x-ndjson"}


class Window:
    """Lines in the order in which they were sent, which is the one of their results."""

    def __init__(self) -> None:
        self._lines: deque[bytes] = deque()
        self._rest = b""
        self._encode = msgspec.json.Encoder().encode

    def __len__(self) -> int:
        return len(self._lines)

    @property
    def full(self) -> bool:
        """Whether results have to come before more is sent."""
        return len(self._lines) >= WINDOW_ORDERS_MAX

    def add(self, orders: Iterable[Order]) -> bytes:
        """Take in more orders; returns their lines."""
        lines = [self._encode(order) + b"\n" for order in orders]
        self._lines.extend(lines)
        return b"".join(lines)

    def again(self) -> bytes:
        """All lines without a result, for a new connection."""
        self._rest = b""
        return b"".join(self._lines)

    def feed(self, data: bytes) -> list[BulkResult]:
        """The results in a piece of an answer. Raises ClientError for what is none."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(lines) > len(self._lines):
            raise ClientError("The answer has more results than there are orders.")
        try:
            results = [bulk_result(line) for line in lines]
        except msgspec.MsgspecError as error:
            raise ClientError(f"A result cannot be read: {error}") from error
        for _ in lines:
            self._lines.popleft()
        return results


def bulk_attempts(retry: Retry) -> Attempts[None]:
    """The tries of a bulk, of which each begins anew when a result comes."""
    return Attempts(Call("POST", BULK, None, lambda _: None), retry)


def cannot_sign() -> ClientError:
    """Why a bulk cannot be sent with a signing secret."""
    return ClientError(
        "A bulk is sent while it is made, and cannot be signed beforehand: use a key that need not sign."
    )
