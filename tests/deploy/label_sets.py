"""Which labels the result of a query has, and whether both sides of its operators can find each other.

Reads as much of PromQL as dashboard and alerts use; what else there is raises AssertionError. An operator between
vectors joins series whose labels are the same: where one side has labels that the other one lacks, there is no result,
and no error either.
"""

import re
from collections.abc import Mapping

Labels = frozenset[str] | None
"""None: a scalar."""

TARGET: frozenset[str] = frozenset({"instance", "job"})
"""What a scrape adds."""

AGGREGATIONS = frozenset({"sum", "min", "max", "avg", "count"})
LEVELS = (("or",), ("and", "unless"), ("==", "!=", ">", "<", ">=", "<="), ("+", "-"), ("*", "/", "%"))
"""Operators, the loosest first."""

_TOKEN = re.compile(r'\s*("[^"]*"|\[[^\]]*\]|[a-zA-Z_:][\w:]*|\d+(?:\.\d+)?(?:e\d+)?|[=!]~|[=!<>]=|[-+*/%<>=(){},])')


def labels_of(query: str, told: Mapping[str, frozenset[str]]) -> Labels:
    """The labels of a query's result, by those of each name that is told, without those that a scrape adds."""
    reader = _Reader(_TOKEN.findall(query), told)
    found = reader.level(0)
    assert reader.next == "", f"{query}: what is {reader.next}?"
    return found


class _Reader:
    def __init__(self, tokens: list[str], told: Mapping[str, frozenset[str]]) -> None:
        self._tokens = [*tokens, ""]
        self._told = told

    @property
    def next(self) -> str:
        return self._tokens[0]

    def take(self, wanted: str | None = None) -> str:
        token = self._tokens.pop(0)
        assert wanted in (None, token), f"{wanted} is missing before {token} {' '.join(self._tokens)}"
        return token

    def level(self, number: int) -> Labels:
        if number == len(LEVELS):
            return self.operand()
        left = self.level(number + 1)
        while self.next in LEVELS[number]:
            operator, right = self.take(), self.level(number + 1)
            if left is None or right is None:
                left = right if left is None else left
            elif operator != "or":
                sides = f"{sorted(left)} {operator} {sorted(right)}"
                assert left == right, f"no series of one side is one of the other: {sides}"
        return left

    def operand(self) -> Labels:
        token = self.take()
        if token == "(":
            inner = self.level(0)
            self.take(")")
            return inner
        if token[:1].isdigit() or token[:1] == '"':
            return None
        if token in AGGREGATIONS:
            by = self.by()
            (inner,) = self.arguments()
            by = by or self.by()
            assert inner is not None
            assert by <= inner, f"{sorted(by - inner)} is no label of what is summed up"
            return by
        if self.next == "(":
            vectors = [one for one in self.arguments() if one is not None]
            if not vectors:
                return None
            (inner,) = vectors
            return inner - {"le"} if token == "histogram_quantile" else inner
        return self.selected(token)

    def by(self) -> frozenset[str]:
        if self.next != "by":
            return frozenset()
        self.take()
        self.take("(")
        found = set()
        while (token := self.take()) != ")":
            found |= {token} - {","}
        return frozenset(found)

    def arguments(self) -> list[Labels]:
        self.take("(")
        found: list[Labels] = []
        while self.next != ")":
            found.append(self.level(0))
            if self.next == ",":
                self.take()
        self.take(")")
        return found

    def selected(self, name: str) -> Labels:
        assert name in self._told, f"{name} is not told"
        if self.next == "{":
            while self.take() != "}":
                pass
        if self.next[:1] == "[":
            self.take()
        return self._told[name] | TARGET
