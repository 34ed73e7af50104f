"""Orders in bulk as their tests send them, and what comes of them."""

import contextlib
import json
import socket
from collections.abc import Iterator, Mapping
from typing import Any

from tests.api.conftest import Answer, Door

PATH = "/v1/orders:bulk"
NDJSON = {"Content-Type": "application/x-ndjson"}
WAIT_S = 20


def post(door: Door, body: bytes | Iterator[bytes], headers: Mapping[str, str] = NDJSON) -> Answer:
    """One body in bulk."""
    return door.call("POST", PATH, body, headers)


def results(answer: Answer) -> list[dict[str, Any]]:
    """The lines of an answer."""
    assert (answer.status, answer.headers["Content-Type"]) == (200, NDJSON["Content-Type"]), answer.body
    assert answer.body == b"" or answer.body.endswith(b"\n")
    return [json.loads(line) for line in answer.body.splitlines()]


def order(order_id: str, sku: str, quantity: int = 1, **fields: Any) -> bytes:
    """One line."""
    lines = [{"sku": sku, "quantity": quantity}]
    return json.dumps({"order_id": order_id, "ship_to": {"lat": 30, "lon": 120}, "lines": lines, **fields}).encode()


def available(door: Door, sku: str) -> int:
    """Units of a SKU that are not held."""
    return sum(cell["available"] for cell in door.stock(f"sku={sku}"))


def iter_lines(lines: list[bytes]) -> Iterator[bytes]:
    """A body in pieces."""
    for start in range(0, len(lines), 500):
        yield b"\n".join(lines[start : start + 500]) + b"\n"


class Raw:
    """A connection by hand: sends a body in chunks, and reads when it is told to."""

    def __init__(self, door: Door) -> None:
        host, port = door.address.split(":")
        self.socket = socket.create_connection((host, int(port)), timeout=WAIT_S)
        head = (
            f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n"
        )
        self.socket.sendall((head + "\r\n").encode())
        self.read = b""

    def send(self, data: bytes) -> None:
        """One chunk."""
        self.socket.sendall(b"%x\r\n%b\r\n" % (len(data), data))

    def until(self, text: bytes) -> bytes:
        """What comes until this text, or the end."""
        while text not in self.read:
            data = self.socket.recv(65_536)
            if not data:
                break
            self.read += data
        return self.read

    def hang_up(self) -> None:
        """End the connection, whoever of this process waits for it."""
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
