"""Schemathesis sends what the document allows, and what it forbids, and every answer keeps to the document."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from engine.access import SCOPES
from tests.api.conftest import Door
from tests.api.guarded import operator_of, seconds_until
from tests.conftest import Service

EXAMPLES = int(os.environ.get("STOCKADE_SCHEMATHESIS_EXAMPLES", "8"))
"""Drawn requests for each operation; those that it derives from each rule of the document come besides."""
SEED = os.environ.get("STOCKADE_SCHEMATHESIS_SEED", "1")
WAIT_S = 120 + 15 * EXAMPLES
CONFIG = Path(__file__).with_name("schemathesis.toml")


class Guarded(NamedTuple):
    """A service, and a key for all that it does."""

    url: str
    key: str


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Guarded]:
    """A service with the goods that the document's examples name, and with API keys: it asks for one, as is told."""
    service = Service(tmp_path / "store")
    door = Door(service.start())
    door.put("/v1/warehouses/HGH-9", {"lat": 30.3, "lon": 120.2})
    door.put("/v1/skus/LAMP", {"weight_g": 1_200})
    door.put("/v1/stock", [{"sku": "LAMP", "warehouse": "HGH-9", "on_hand": 100_000}])
    key = operator_of(service.data_dir).create(*SCOPES)
    seconds_until(lambda: door.call("GET", "/v1/tariff").status == 401)
    yield Guarded(service.url, key.text)
    service.stop()


@pytest.mark.slow
def test_every_answer_keeps_to_the_document(shop: Guarded, tmp_path: Path) -> None:
    """All checks: no 5xx, only the statuses, types, headers and schemas that are told, and bad requests refused."""
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIG)),
        *("run", f"{shop.url}/openapi.json", "--checks", "all", "--max-examples", str(EXAMPLES), "--seed", SEED),
        *("--header", f"Authorization: Bearer {shop.key}"),
        *("--continue-on-failure", "--no-color", "--request-timeout", "40"),
    ]
    # It keeps a folder of notes where it runs.
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=WAIT_S, check=False, cwd=tmp_path, env=os.environ
    )
    # Its words on a failure hold whole bodies: what counts comes last.
    assert done.returncode == 0, f"{done.stdout[:4_000]}\n...\n{done.stdout[-4_000:]}\n{done.stderr[-2_000:]}"
