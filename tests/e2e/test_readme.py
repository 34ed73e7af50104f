"""What README prints works as printed: its curl lines, commands and Python, against the sample network."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.printed import ROOT, Desk, blocks, sample_service

README = ROOT / "README.md"


def printed(language: str, word: str = "") -> list[str]:
    """The blocks of a language that hold a word."""
    return [block.text for block in blocks(README) if block.language == language and word in block.text]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """Where a reader of README sits, with the sample served."""
    folder = tmp_path_factory.mktemp("readme")
    with sample_service(folder / "store") as sample:
        desk = Desk(folder, sample.data_dir, sample.url)
        # The line that `make run` prints must work, too.
        assert '"status":"confirmed"' in desk.shell(sample.try_line)
        yield desk


def curl_lines() -> list[str]:
    """One output a command."""
    (script,) = printed("sh", "/v1/quotes")
    return [command for command in re.split(r"\n(?=curl|#)", script.strip()) if command.startswith("curl")]


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_the_curl_lines_work_as_printed(desk: Desk) -> None:
    """A reader pastes them one after the other; each must do what its comment says."""
    commands = curl_lines()
    outputs = [desk.shell(command) for command in commands]
    first, order, quote, warehouse, sku, stock_set, stock = outputs
    assert "HTTP/1.1 201 Created" in first
    assert '"order_id":"README-1"' in order
    assert '"explanation"' in quote
    assert '"id":"HGH-9"' in warehouse
    assert '"purchase_limit":2' in sku
    assert '"rows":1' in stock_set
    assert '"available":100' in stock
    replay = desk.shell(commands[0])
    assert "HTTP/1.1 200 OK" in replay
    assert "Idempotent-Replayed: true" in replay


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
@pytest.mark.parametrize("word", ["doctor", "policy check", "simulate --arrivals"])
def test_the_commands_work_as_printed(desk: Desk, word: str) -> None:
    """On what the curl lines before them left."""
    for command in curl_lines():
        desk.shell(command)
    (script,) = printed("sh", word)
    # A reader sits in the checkout.
    assert desk.shell(script.replace(" engine/", " ../engine/"))


def test_the_python_runs_as_printed(tmp_path: Path) -> None:
    """Copied into a file and run."""
    program, *_ = printed("python")
    said = Desk(tmp_path, tmp_path / "none").python(program.replace("/tmp/stockade-try", str(tmp_path / "store")))
    assert "Reserved(" in said
    assert said.rstrip().endswith("True")


def test_a_single_order_is_assigned_as_printed(tmp_path: Path) -> None:
    """The first warehouse alone costs 500 + 120 + 150, and no other choice is as cheap."""
    _, program, *_ = printed("python")
    assert Desk(tmp_path, tmp_path / "none").python(program).split() == ["[0", "0]", "770", "770", "True"]


def test_a_batch_is_assigned_as_printed(tmp_path: Path) -> None:
    """The third order would pay most elsewhere, so it has what the first warehouse holds; and it is proven."""
    _, _, program, _ = printed("python")
    said = Desk(tmp_path, tmp_path / "none").python(program)
    assert said.split() == ["[0", "1", "2", "3]", "[1", "1", "1", "0]", "[1", "1", "1", "2]", "2530", "2530"]


def test_the_client_runs_as_printed(desk: Desk) -> None:
    """Against the service that is served beside it."""
    *_, program = printed("python")
    assert desk.python(program).split() == ["confirmed", "True"]
