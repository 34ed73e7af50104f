"""Engines that several rooms' tests begin with."""

from collections.abc import AsyncIterator

import pytest

from engine import Engine
from tests.engine.goods_case import stocked_engine


@pytest.fixture(params=[1, 3], ids=["one partition", "three partitions"])
async def stocked(request: pytest.FixtureRequest, empty_store_url: str) -> AsyncIterator[Engine]:
    """An engine of so many partitions with the goods of goods_case, whose books balance after the test."""
    async with stocked_engine(empty_store_url, request.param) as engine:
        yield engine
