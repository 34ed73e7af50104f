"""The files that `stockade reallocate` writes of a run: its report, and what moves."""

from pathlib import Path

import msgspec

from api.cli.console import err
from api.reallocation_report import render_reallocation
from engine.errors import FieldError, InvalidInput
from engine.frames.files import check_written, write_table_file
from engine.reallocation import Moves, Reallocation


def check_files(report: Path | None, moves: Path | None) -> None:
    """Raises InvalidInput for a file that could not be written, before anything is planned for it."""
    if report is not None:
        if report.suffix not in (".html", ".htm"):
            raise InvalidInput((FieldError("--report", "must be named .html"),))
        if not report.absolute().parent.is_dir():
            raise InvalidInput((FieldError("--report", f"{report}: there is no such folder"),))
    if moves is not None:
        check_written(moves)


async def write_files(run: Reallocation, report: Path | None, moves: Path | None) -> None:
    """Writes those that are wanted, and says so. Raises InvalidInput, StoreError."""
    if report is None and moves is None:
        return
    rows = Moves()
    if run.plan is not None:
        await run.load()
        rows = run.moves
    if report is not None:
        _write_report(report, render_reallocation(run.status, rows))
        err.print(f"The report is in {report}.", markup=False, soft_wrap=True)
    if moves is not None:
        write_table_file(moves, msgspec.structs.asdict(rows))
        err.print(f"{len(rows):,} moves are in {moves}.", markup=False, soft_wrap=True)


def _write_report(file: Path, page: str) -> None:
    try:
        file.write_text(page, encoding="utf-8")
    except OSError as error:
        raise InvalidInput((FieldError(str(file), f"cannot be written: {error.strerror}"),)) from None
