"""An engine whose policies are in a file."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from engine import Engine, Settings, open_engine
from tests.engine.policies.case import write
from tests.engine.small_network import put_network


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Policies without rules."""
    file = tmp_path / "policies.toml"
    write(file, "1")
    return file


@pytest.fixture
async def engine(empty_store_url: str, file: Path) -> AsyncIterator[Engine]:
    """An engine with that file, 100 of x in each of A, B and C."""
    async with open_engine(Settings(redis_url=empty_store_url, policies_file=file)) as opened:
        await put_network(opened, {("x", warehouse): 100 for warehouse in "ABC"})
        yield opened
