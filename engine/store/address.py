"""Where the server of a data directory listens, and whether anybody answers there. Starts nothing."""

import hashlib
import os
import socket
import struct
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

SOCKET_NAME = "valkey.sock"

APPEND_ONLY_DIR = "appendonlydir"
"""Made by the server, where it is first started, in its directory."""

SOCKET_PATH_BYTES_MAX = 107
"""Bytes of a unix socket's path on Linux: `sun_path` holds 108, with its closing zero."""

SHORT_SOCKET_DIR = Path("/tmp")
"""Home of the sockets of data directories with long names. Fixed, and not TMPDIR: a service and the shell that looks
for it may differ in that, and TMPDIR may be long itself."""

PROBE_TIMEOUT_S = 1.0
_PROBE_REPLY_BYTES_MAX = 256


class Answer(NamedTuple):
    """Who answered at a socket: process and user id of the listener, and whether it takes commands yet."""

    pid: int
    uid: int
    ready: bool


def socket_path(data_dir: Path) -> Path:
    """The unix socket of the server on `data_dir`; the same for every process, whatever way it spells the directory."""
    real = data_dir.resolve()
    path = real / SOCKET_NAME
    if len(os.fsencode(path)) <= SOCKET_PATH_BYTES_MAX:
        return path
    digest = hashlib.sha256(os.fsencode(real)).hexdigest()[:32]
    return SHORT_SOCKET_DIR / f"stockade-{digest}.sock"


def socket_url(path: Path) -> str:
    """The URL of a unix socket as redis-py reads it: `unix:///path?db=0`."""
    return f"unix://{quote(str(path))}?db=0"


def running_at(data_dir: Path) -> str | None:
    """The URL of the live server on `data_dir`, or None. It may still be loading. Blocks up to PROBE_TIMEOUT_S."""
    if not data_dir.is_dir():
        return None
    path = socket_path(data_dir)
    answer = probe(path)
    # Anybody can make a file in the folder for short paths: trust only our own user, the directory's owner, and root.
    if answer is None or answer.uid not in (os.getuid(), data_dir.stat().st_uid, 0):
        return None
    return socket_url(path)


def holds_store(data_dir: Path) -> bool:
    """Whether a server was ever started on this directory: its append-only file is there."""
    return (data_dir / APPEND_ONLY_DIR).is_dir()


def probe(path: Path) -> Answer | None:
    """PING whoever listens at `path`; None when nobody answers. Blocks up to PROBE_TIMEOUT_S for each step."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(PROBE_TIMEOUT_S)
        try:
            connection.connect(os.fsencode(path))
            connection.sendall(b"PING\r\n")
            reply = connection.recv(_PROBE_REPLY_BYTES_MAX)
        except OSError:
            return None
        credentials = struct.Struct("3i")
        pid, uid, _gid = credentials.unpack(
            connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, credentials.size)
        )
    return Answer(pid=pid, uid=uid, ready=reply.startswith(b"+PONG")) if reply else None
