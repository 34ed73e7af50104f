"""What a page of the documentation prints: its blocks, and a folder in which they are run as a reader would."""

import contextlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.conftest import without_settings

ROOT = Path(__file__).parents[2]
PRINTED_URL = "http://127.0.0.1:8080"

_BLOCK = re.compile(r"^```(?P<language>\w+)(?: (?P<file>\S+))?\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)


class Block(NamedTuple):
    """A fenced block. One with a file's name is what the reader saves under it."""

    language: str
    file: str | None
    text: str


def blocks(page: Path) -> list[Block]:
    """All of a page, in their order."""
    return [Block(*found.group("language", "file", "text")) for found in _BLOCK.finditer(page.read_text("utf-8"))]


class Sample(NamedTuple):
    """What `make run` serves, on a port of its own."""

    url: str
    data_dir: Path
    try_line: str
    """The line that it prints to try."""


@contextlib.contextmanager
def sample_service(data_dir: Path) -> Iterator[Sample]:
    """The sample network, served until it is left."""
    command = [sys.executable, "-m", "api.cli", "serve", "--sample", "--port", "0", "--stop-with-stdin", "--data-dir"]
    with subprocess.Popen(
        [*command, str(data_dir)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        assert process.stdout is not None
        said = []
        for line in process.stdout:
            said.append(line)
            if found := re.match(r"Stockade listens on (\S+)", line):
                (tried,) = (line for line in said if line.startswith("Try: "))
                yield Sample(found.group(1), data_dir, tried.removeprefix("Try: "))
                break
        process.terminate()


class Desk:
    """A folder beside the sources, a `stockade` on the path, and a store."""

    def __init__(self, folder: Path, data_dir: Path, url: str = PRINTED_URL) -> None:
        self.folder = folder / "docs"
        self.folder.mkdir()
        (folder / "engine").symlink_to(ROOT / "engine")
        self._url = url
        command = folder / "stockade"
        command.write_text(f'#!/bin/sh\nexec {sys.executable} -m api.cli "$@"\n')
        command.chmod(0o755)
        self._environment = without_settings(os.environ) | {
            "PATH": f"{folder}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "STOCKADE_DATA_DIR": str(data_dir),
            "COLUMNS": "120",
            # Commands start a third faster where they find each other's compiled modules.
            "PYTHONPYCACHEPREFIX": str(folder / "compiled"),
        }
        self._environment.pop("PYTHONDONTWRITEBYTECODE", None)

    def shell(self, script: str) -> str:
        """Run it as a reader would paste it; it must succeed. Returns what it prints to either stream."""
        text = script.replace(PRINTED_URL, self._url).replace(".venv/bin/stockade", "stockade")
        return self._run(["bash", "-e", "-c", text])

    def python(self, program: str) -> str:
        """What a program prints."""
        return self._run([sys.executable, "-c", program.replace(PRINTED_URL, self._url)])

    def _run(self, command: list[str]) -> str:
        done = subprocess.run(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
            check=False,
            cwd=self.folder,
            env=self._environment,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout
