"""A small HTTP client of the service: the calls that a sale makes. Knows nothing but the public contract."""

import hmac
import time
from collections.abc import AsyncIterator, Sequence
from typing import Any, Self
from urllib.parse import quote

import aiohttp
import msgspec
from yarl import URL

REQUEST_TIMEOUT_S = 30.0


class _Problem(msgspec.Struct):
    """An answer by RFC 9457."""

    detail: str = ""


class UnexpectedAnswer(Exception):
    """The service answered with a status that the call does not expect; `detail` is what it said of that."""

    def __init__(self, method: str, path: str, status: int, body: bytes) -> None:
        super().__init__(f"{method} {path} answered {status}: {body[:500].decode(errors='replace')}")
        self.status = status
        try:
            self.detail = msgspec.json.decode(body, type=_Problem).detail
        except msgspec.DecodeError:
            self.detail = ""
        self.detail = self.detail or str(self)


class Answer(msgspec.Struct, frozen=True):
    """Status and body of one answer."""

    status: int
    body: bytes


class Client:
    """`async with Client(base_url, connections=64) as client`; with an API key, and its signing secret, if need be."""

    def __init__(
        self, base_url: str, *, connections: int, key: str | None = None, signing_secret: str | None = None
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self._connections = connections
        self._key, self._secret = key, signing_secret
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self._connections),
            timeout=aiohttp.ClientTimeout(total=REQUEST_TIMEOUT_S),
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def call(self, method: str, path: str, body: bytes | None = None) -> Answer:
        """One request. Raises aiohttp.ClientError or TimeoutError when there is no answer."""
        assert self._session is not None, "use the client as a context manager"
        headers = {"Content-Type": "application/json"} if body is not None else {}
        url = URL(self.base_url + path)
        if self._key is not None:
            headers["Authorization"] = f"Bearer {self._key}"
        if self._secret is not None:
            now = f"{time.time():.6f}"
            signed = f"{now}\n{method}\n{url.raw_path_qs}\n".encode() + (body or b"")
            digest = hmac.new(self._secret.encode(), signed, "sha256").hexdigest()
            headers["Stockade-Signature"] = f"t={now},v1={digest}"
        async with self._session.request(method, url, data=body, headers=headers) as response:
            return Answer(response.status, await response.read())

    async def put(self, path: str, value: Any) -> None:
        """PUT a value. Raises UnexpectedAnswer for anything but a 2xx."""
        answer = await self.call("PUT", path, msgspec.json.encode(value))
        if not 200 <= answer.status < 300:
            raise UnexpectedAnswer("PUT", path, answer.status, answer.body)

    async def post(self, path: str, value: Any) -> None:
        """POST a value. Raises UnexpectedAnswer for anything but a 2xx."""
        answer = await self.call("POST", path, msgspec.json.encode(value))
        if not 200 <= answer.status < 300:
            raise UnexpectedAnswer("POST", path, answer.status, answer.body)

    async def get(self, path: str) -> Any:
        """GET a value. Raises UnexpectedAnswer for anything but a 2xx."""
        return msgspec.json.decode(await self.get_bytes(path))

    async def get_bytes(self, path: str) -> bytes:
        """The same, as it came."""
        answer = await self.call("GET", path)
        if not 200 <= answer.status < 300:
            raise UnexpectedAnswer("GET", path, answer.status, answer.body)
        return answer.body

    async def put_named(self, path: str, values: Sequence[tuple[str, Any]]) -> None:
        """PUT values at `path/name`, one after the other."""
        for name, value in values:
            await self.put(f"{path}/{quote(name, safe='')}", value)

    async def stock(self) -> AsyncIterator[dict[str, Any]]:
        """Every cell."""
        cursor: str | None = ""
        while cursor is not None:
            page = await self.get(f"/v1/stock?limit=5000{f'&cursor={cursor}' if cursor else ''}")
            for cell in page["cells"]:
                yield cell
            cursor = page["cursor"]
