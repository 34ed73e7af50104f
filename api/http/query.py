"""Reads the query of a request: what is not known, or is given twice, is told rather than passed over."""

from collections.abc import Sequence

from multidict import MultiMapping

from engine.errors import FieldError, InvalidInput

DIGITS_MAX = 9


class Query:
    """The query of one request, read name by name; `check` tells all that is wrong with it."""

    def __init__(self, values: MultiMapping[str], known: Sequence[str] = ()) -> None:
        names = f"is none of {', '.join(known)}" if known else "is not known: this takes nothing in the query"
        self._values = values
        self._errors = [FieldError(f"/{name}", names) for name in values if name not in known]
        self._errors += [
            FieldError(f"/{name}", "is given more than once") for name in known if len(values.getall(name, ())) > 1
        ]

    def text(self, name: str) -> str | None:
        """A value as it is; None where there is none."""
        return self._values.get(name)

    def number(self, name: str, default: int, least: int, most: int) -> int:
        """A whole number between these two."""
        text = self._values.get(name)
        if text is None:
            return default
        if text.isascii() and text.isdigit() and len(text) <= DIGITS_MAX and least <= int(text) <= most:
            return int(text)
        self.mistake(name, f"must be a whole number from {least:,} to {most:,}")
        return default

    def mistake(self, name: str, rule: str) -> None:
        """Have `check` tell of a value that breaks this rule."""
        self._errors.append(FieldError(f"/{name}", rule))

    def check(self) -> None:
        """Raises InvalidInput with all that is wrong."""
        if self._errors:
            raise InvalidInput(tuple(self._errors))
