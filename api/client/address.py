"""The address of a service."""

from urllib.parse import urlsplit

from msgspec import Struct


class Address(Struct, frozen=True):
    """Where a service is."""

    tls: bool
    host: str
    port: int

    @property
    def url(self) -> str:
        """Without a path."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}"


def address_of(url: str) -> Address:
    """`http://host:port` or `https://host`, taken apart. Raises ValueError."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f'"{url}" is no address such as http://127.0.0.1:8080')
    if parts.path not in ("", "/") or parts.query or parts.fragment or parts.username:
        raise ValueError(f'"{url}" has more than scheme, host and port')
    tls = parts.scheme == "https"
    return Address(tls, parts.hostname, parts.port or (443 if tls else 80))
