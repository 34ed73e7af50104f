"""The things of one kind by number, SKUs, warehouses, regions or channels, and columns of ids as such numbers."""

import numpy as np
import numpy.typing as npt

from engine.errors import InvalidInput
from engine.frames.ids import IdColumn, raise_kinds
from engine.frames.names import Id
from engine.frames.numbers import ROWS_TOLD_MAX


class Dimension:
    """Ids, each with its number."""

    def __init__(self, what: str, column: IdColumn) -> None:
        """Those of a column, in the order they come in. `what` names one of them in errors."""
        self.what = what
        self.ids: list[Id] = list(column.ids)
        self._source = f"{column.table.name}.{column.column}"
        self._number = {id_: number for number, id_ in enumerate(self.ids)}

    def __len__(self) -> int:
        return len(self.ids)

    def number(self, id_: Id) -> int | None:
        """Of a thing; None if it is not there."""
        return self._number.get(id_)

    def add(self, column: IdColumn) -> None:
        """Those of a column that are not there yet."""
        self._check_kind(column)
        for id_ in column.ids:
            if self._number.setdefault(id_, len(self.ids)) == len(self.ids):
                self.ids.append(id_)

    def codes(self, column: IdColumn, *, others: bool = False) -> npt.NDArray[np.int32]:
        """The numbers of a column's ids, -1 where it is empty; the column itself where it is those numbers, int32.

        Raises InvalidInput, which names the rows of ids that are not there; unless it may have `others`, which are -1.
        """
        self._check_kind(column)
        given = column.numbers
        if given is not None and given.dtype == np.int32 and self.ids == list(range(len(self.ids))):
            numbers = given.astype(np.int32, copy=False)
            if not numbers.size or (numbers.min() >= 0 and numbers.max() < len(self.ids)):
                return numbers
        number = np.array([self._number.get(id_, -1) for id_ in column.ids] + [-1], np.int32)
        if not others and (number[:-1] < 0).any():
            self._raise_unknown(column, number)
        found: npt.NDArray[np.int32] = number[column.codes]
        return found

    def _raise_unknown(self, column: IdColumn, number: npt.NDArray[np.int32]) -> None:
        rows = np.flatnonzero((number[column.codes] < 0) & (column.codes >= 0))[:ROWS_TOLD_MAX]
        errors = []
        for row in rows:
            id_ = str(column.ids[column.codes[row]])[:64]
            rule = f'unknown {self.what} "{id_}": {self._source} has none of that name'
            errors.append(column.table.refused(int(row), column.column, rule))
        raise InvalidInput(tuple(errors))

    def _check_kind(self, column: IdColumn) -> None:
        if self.ids:
            raise_kinds(column, self.what, self._source, text=isinstance(self.ids[0], str))
