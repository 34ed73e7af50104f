"""A file of policies, how it is exchanged, and what orders on it get."""

import asyncio
import os
from pathlib import Path

import msgspec

from engine import Engine
from engine.intake import Reserved
from engine.model import Allocation, Order

SOON_S = 20.0

FILE = """version = "{version}"
default = "near"
[policies.near]
objective = "nearest"
[policies.far]
objective = "pinned"
warehouses = ["C"]
[policies.kept]
objective = "nearest"
keep_back = {{ app = 3 }}
{rules}
"""


def write(file: Path, version: str, rules: str = "") -> None:
    """Exchange the file for one of these policies."""
    put(file, FILE.format(version=version, rules=rules))


def put(file: Path, text: str) -> None:
    """Exchange the file whole."""
    fresh = file.with_suffix(".new")
    fresh.write_text(text, "utf-8")
    os.replace(fresh, file)


async def reserved(engine: Engine, wanted: Order) -> Allocation:
    """The allocation of an order that must be had."""
    outcome = await engine.reserve(wanted)
    assert isinstance(outcome, Reserved), outcome
    return msgspec.json.decode(outcome.json, type=Allocation)


async def version_in_force(engine: Engine, version: str) -> None:
    """Return when a version is in force."""
    async with asyncio.timeout(SOON_S):
        while engine.status.policy_version != version:
            await asyncio.sleep(0.02)
