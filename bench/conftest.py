"""One engine for each file of benchmarks."""

from collections.abc import Iterator

import pytest

from bench.stepped import Bench


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """On an embedded store that fsyncs, with every cell well stocked."""
    one = Bench(tmp_path_factory.mktemp("bench") / "store")
    yield one
    one.close()
