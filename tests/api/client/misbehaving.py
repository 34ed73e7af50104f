"""A server on a real socket that does to each request what a test has written down, well or badly."""

import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from typing import Any, NamedTuple

READ_BYTES = 65_536
WAIT_S = 20.0


class Received(NamedTuple):
    """A request as it came."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


class Connection:
    """One client's."""

    def __init__(self, sock: socket.socket, server: "Misbehaving") -> None:
        self.sock = sock
        self.server = server
        self._rest = b""

    def read(self) -> Received | None:
        """The next request with a Content-Length, or the head of one in chunks; None at the end."""
        while b"\r\n\r\n" not in self._rest:
            if not self._more():
                return None
        head, _, self._rest = self._rest.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        length = int(headers.get("content-length", 0))
        while len(self._rest) < length:
            if not self._more():
                return None
        body, self._rest = self._rest[:length], self._rest[length:]
        method, target, _ = first.split(" ")
        return Received(method, target, headers, body)

    def chunk(self) -> bytes:
        """The next chunk of a body; empty at its end."""
        while b"\r\n" not in self._rest:
            if not self._more():
                raise ConnectionError
        size, _, self._rest = self._rest.partition(b"\r\n")
        wanted = int(size, 16) + 2
        while len(self._rest) < wanted:
            if not self._more():
                raise ConnectionError
        data, self._rest = self._rest[: wanted - 2], self._rest[wanted:]
        return data

    def reset(self) -> None:
        """Ends it so that the client sees a reset, not an end."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()
        self._rest = b""

    def _more(self) -> bool:
        data = self.sock.recv(READ_BYTES)
        self._rest += data
        return bool(data)


Step = Callable[[Connection, Received | None], None]


def answer(status: int, body: Any, **headers: str) -> Step:
    """A right answer."""

    def step(connection: Connection, _: Received | None) -> None:
        connection.sock.sendall(_answer(status, body, headers))

    return step


def reset_unanswered(connection: Connection, _: Received | None) -> None:
    """The request came, and nobody will know what became of it."""
    connection.reset()


def half_an_answer(connection: Connection, _: Received | None) -> None:
    """Its head, and a part of its body."""
    whole = _answer(201, {"order_id": "o"}, {})
    connection.sock.sendall(whole[:-5])
    connection.reset()


def end_unanswered(connection: Connection, _: Received | None) -> None:
    """As a service that stops ends idle connections."""
    connection.sock.close()


def nothing(connection: Connection, _: Received | None) -> None:
    """No answer while the client waits for one."""
    connection.server.stopped.wait(WAIT_S)


def drip(connection: Connection, _: Received | None) -> None:
    """A byte now and then, for ever."""
    connection.sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    with suppress(OSError):
        while not connection.server.stopped.wait(0.05):
            connection.sock.sendall(b" ")


def problem(status: int, type_: str, *, retryable: bool = False, **members: Any) -> dict[str, Any]:
    """A problem's members."""
    return {
        "type": type_,
        "title": "No",
        "status": status,
        "detail": "No.",
        "errors": [{"pointer": "/a", "message": "must be b"}],
        "retryable": retryable,
        "request_id": "r-1",
        **members,
    }


def _answer(status: int, body: Any, headers: dict[str, str]) -> bytes:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    kind = "application/problem+json" if status >= 400 else "application/json"
    lines = {"Content-Type": kind, "Content-Length": str(len(data))}
    lines |= {name.replace("_", "-"): value for name, value in headers.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"HTTP/1.1 {status} Any\r\n{head}\r\n".encode() + data


class Misbehaving:
    """Treats each request by the next of its steps; the last one serves for all that follow."""

    def __init__(self, *steps: Step, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        self.connections = 0
        self._steps = list(steps)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.stopped = threading.Event()
        self.url = f"{'http' if tls is None else 'https'}://127.0.0.1:{self._listening.getsockname()[1]}"
        self.received: list[Received] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """End it."""
        self.stopped.set()
        self._listening.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                sock, _ = self._listening.accept()
                self.connections += 1
                if self._tls is not None:
                    sock = self._tls.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
                threading.Thread(target=self._serve, args=(Connection(sock, self),), daemon=True).start()

    def _serve(self, connection: Connection) -> None:
        with closing(connection.sock), suppress(OSError):
            while (request := connection.read()) is not None:
                self.received.append(request)
                step = self._steps.pop(0) if len(self._steps) > 1 else self._steps[0]
                step(connection, request)


@contextmanager
def misbehaving(*steps: Step, tls: ssl.SSLContext | None = None) -> Iterator[Misbehaving]:
    """Such a server, for a block."""
    server = Misbehaving(*steps, tls=tls)
    try:
        yield server
    finally:
        server.close()
