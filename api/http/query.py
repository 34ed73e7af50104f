"""Reads the query of a request: what is not known, or is given twice, is told rather than passed over."""

from collections.abc import Sequence

from multidict import MultiMapping

from engine.errors import FieldError

DIGITS_MAX = 9


def query_errors(query: MultiMapping[str], known: Sequence[str]) -> tuple[FieldError, ...]:
    """What is wrong with the names of a query that may have these."""
    names = ", ".join(known)
    unknown = tuple(FieldError(f"/{name}", f"is none of {names}") for name in query if name not in known)
    twice = tuple(
        FieldError(f"/{name}", "is given more than once") for name in known if len(query.getall(name, ())) > 1
    )
    return unknown + twice


def whole_number(text: str) -> int | None:
    """The number that a text of digits is, up to DIGITS_MAX of them; None if it is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= DIGITS_MAX else None
