"""Reads CSV, and tells of each row the line of the file that it begins on, as an editor counts them."""

import csv
import io
from collections.abc import Iterator

from engine.errors import FieldError, InvalidInput


def csv_rows(file: str, data: bytes) -> Iterator[tuple[int, list[str]]]:
    """Rows that are not empty, the header first, each of as many columns as that, with the line it begins on, from 1.

    `file` is what errors call it. Raises InvalidInput, which names file and line.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InvalidInput((FieldError(f"{file}:{line}", f"is not CSV in UTF-8: {error}"),)) from None
    # With its line ends as they are, for a field may hold some.
    reader = csv.reader(io.StringIO(text, newline=""))
    columns: int | None = None
    begins = 1
    try:
        for row in reader:
            if row:
                if columns is None:
                    _check_separator(file, begins, row)
                columns = columns or len(row)
                if len(row) != columns:
                    rule = f"has another number of columns, {len(row)}, than the header, {columns}"
                    raise InvalidInput((FieldError(f"{file}:{begins}", rule),))
                yield begins, row
            begins = reader.line_num + 1
    except csv.Error as error:
        raise InvalidInput((FieldError(f"{file}:{begins}", f"is not CSV: {error}"),)) from None


_OTHER_SEPARATORS = {";": '";"', "\t": "tabs", "|": '"|"'}


def _check_separator(file: str, line: int, header: list[str]) -> None:
    """A header of one column that holds what others put between columns."""
    if len(header) == 1:
        for mark, named in _OTHER_SEPARATORS.items():
            if mark in header[0]:
                rule = f"has {named} between its columns: save it with commas"
                raise InvalidInput((FieldError(f"{file}:{line}", rule),))
