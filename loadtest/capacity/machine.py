"""Tells the machine apart from others, without its name: what figures depend on."""

import os
import platform
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from loadtest.capacity.result import Machine
from loadtest.client import Client


class _Store(Struct):
    product: str
    version: str
    durable: str


class _Versions(Struct):
    stockade: str
    store: _Store


async def fingerprint(client: Client, service: Literal["own", "remote"]) -> Machine:
    """This machine, and the service's versions. Raises UnexpectedAnswer, or what msgspec and aiohttp raise."""
    versions = msgspec.json.decode(await client.get_bytes("/version"), type=_Versions)
    return Machine(
        cpu_model=cpu_model(),
        cores=cores(),
        memory_bytes=_memory_bytes(),
        kernel=f"{platform.system()} {platform.release()} {platform.machine()}",
        python=platform.python_version(),
        stockade=versions.stockade,
        store=f"{versions.store.product} {versions.store.version}",
        durable=versions.store.durable,
        service=service,
    )


def cores() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0))


def cpu_model() -> str:
    """As the system calls it."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or platform.machine())


def _memory_bytes() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (OSError, ValueError):
        return None
