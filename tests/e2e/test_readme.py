"""What README prints works as printed: its curl lines and its Python, against the sample network."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

README = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
PRINTED_URL = "http://127.0.0.1:8080"


def blocks(language: str) -> list[str]:
    """The code blocks of a language."""
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


@pytest.fixture(scope="module")
def sample_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """What `make run` serves, on a port of its own."""
    command = [sys.executable, "-m", "api.cli", "serve", "--sample", "--port", "0", "--stop-with-stdin", "--data-dir"]
    data_dir = tmp_path_factory.mktemp("readme") / "store"
    with subprocess.Popen(
        [*command, str(data_dir)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        said = []
        for line in process.stdout:
            said.append(line)
            if found := re.match(r"Stockade listens on (\S+)", line):
                (curl,) = (line for line in said if line.startswith("Try: "))
                url = found.group(1)
                # The line that `make run` prints must work, too.
                assert '"status":"confirmed"' in shell(curl.removeprefix("Try: "))
                yield url
                break
        process.terminate()


def shell(script: str) -> str:
    """Run it as a reader would paste it; it must succeed."""
    done = subprocess.run(["bash", "-e", "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_the_curl_lines_work_as_printed(sample_url: str) -> None:
    """A reader pastes them one after the other; each must do what its comment says."""
    (script,) = (block for block in blocks("sh") if "/v1/quotes" in block)
    # One output a command.
    commands = re.split(r"\n(?=curl|#)", script.strip())
    outputs = [shell(command.replace(PRINTED_URL, sample_url)) for command in commands if command.startswith("curl")]
    first, order, quote, warehouse, sku, stock_set, stock = outputs
    assert "HTTP/1.1 201 Created" in first
    assert '"order_id":"README-1"' in order
    assert '"explanation"' in quote
    assert '"id":"HGH-9"' in warehouse
    assert '"purchase_limit":2' in sku
    assert '"rows":1' in stock_set
    assert '"available":100' in stock
    replay = shell(next(command for command in commands if command.startswith("curl")).replace(PRINTED_URL, sample_url))
    assert "HTTP/1.1 200 OK" in replay
    assert "Idempotent-Replayed: true" in replay


def test_the_python_runs_as_printed(tmp_path: Path) -> None:
    """Copied into a file and run."""
    program, _ = blocks("python")
    said = run_program(program.replace("/tmp/stockade-try", str(tmp_path / "store")), tmp_path)
    assert "Reserved(" in said
    assert said.rstrip().endswith("True")


def test_a_single_order_is_assigned_as_printed(tmp_path: Path) -> None:
    """The first warehouse alone costs 500 + 120 + 150, and no other choice is as cheap."""
    _, program = blocks("python")
    assert run_program(program, tmp_path).split() == ["[0", "0]", "770", "770", "True"]


def run_program(program: str, folder: Path) -> str:
    """What it prints."""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False, cwd=folder
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_files_that_readme_names_exist() -> None:
    """A link into nothing is a broken promise."""
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (Path(__file__).parents[2] / target).exists(), target
