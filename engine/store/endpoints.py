"""Reads REDIS_URL: one server, or several nodes of a cluster. Connects to nothing.

Several nodes stand in the place of one, with commas: `redis://user:password@one:6379,two:6379,three:6379`. Any of them
will do to learn of all others; with more than one, a service starts while one is down.
"""

from urllib.parse import urlsplit

from engine.errors import FieldError, InvalidInput

NODES_MAX = 100
PORT = 6379


def start_urls(url: str) -> tuple[str, ...]:
    """An URL for each node that `url` names, all with its scheme, credentials and options. Raises InvalidInput."""
    # A path may hold commas, and is one server's.
    if "," not in url or url.startswith("unix:"):
        return (url,)
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise _refused(f"is no address of a store ({error})") from None
    before, at, hosts = parts.netloc.rpartition("@")
    before, names = before + at, hosts.split(",")
    if parts.scheme not in ("redis", "rediss"):
        raise _refused("names several nodes, which only redis:// and rediss:// can")
    if not all(names):
        raise _refused("has a comma with no node before or after it")
    if before.count("@") > 1:
        raise _refused("has two @: give credentials once, before the first node, and an @ in them as %40")
    if len(names) > NODES_MAX:
        raise _refused(f"names {len(names)} nodes: {NODES_MAX} are the most")
    return tuple(parts._replace(netloc=before + name).geturl() for name in names)


def with_address(url: str, host: str, port: int) -> str:
    """The URL of another node of the same cluster."""
    parts = urlsplit(url)
    credentials, at, _ = parts.netloc.rpartition("@")
    shown = f"[{host}]" if ":" in host else host
    return parts._replace(netloc=f"{credentials}{at}{shown}:{port}", path="").geturl()


def address_of(url: str) -> tuple[str, int]:
    """Host and port of a node's URL."""
    parts = urlsplit(url)
    return parts.hostname or "localhost", parts.port or PORT


def database_of(url: str) -> str:
    """The database that an URL names, `0` for none."""
    parts = urlsplit(url)
    return "0" if parts.scheme == "unix" else parts.path.strip("/") or "0"


def _refused(message: str) -> InvalidInput:
    return InvalidInput((FieldError("REDIS_URL", f"{message}; give redis://HOST:PORT,HOST:PORT,.../0"),))
