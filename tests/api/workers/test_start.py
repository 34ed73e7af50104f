"""Workers are this service's own program, wherever it is started."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.conftest import Door
from tests.conftest import Service

ROOT = Path(__file__).parents[3]


@pytest.fixture
def foreign(tmp_path: Path) -> Iterator[Service]:
    """Two workers, started in the folder of somebody who calls packages as we do."""
    for name in ("api", "engine"):
        package = tmp_path / "theirs" / name
        package.mkdir(parents=True)
        (package / "__init__.py").write_text('raise SystemExit("code of the folder was run")')
    one = Service(tmp_path / "store", folder=tmp_path / "theirs", STOCKADE_WORKERS="2", PYTHONPATH=str(ROOT))
    yield one
    one.stop()


@pytest.mark.slow
def test_code_of_the_folder_that_it_is_started_in_is_not_run(foreign: Service) -> None:
    """An `api` or `engine` there is another program's, or an attacker's."""
    assert Door(foreign.start()).call("GET", "/readyz").status == 200
