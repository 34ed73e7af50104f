"""A mistake in a file of policies, and where it is."""

from msgspec import Struct

Path = tuple[str | int, ...]
"""Keys and places from the top of the file down to a value."""


class Mistake(Struct, frozen=True, kw_only=True):
    """What is wrong on a line of a file."""

    line: int
    """From 1."""
    where: str
    """The setting, as it would be written in one key; empty for the file as a whole."""
    reason: str


class Mistakes:
    """Gathers mistakes by path; the lines come later."""

    def __init__(self) -> None:
        self.found: list[tuple[Path, str]] = []

    def add(self, path: Path, reason: str) -> None:
        """Another one."""
        self.found.append((path, reason))

    def has(self, path: Path) -> bool:
        """Whether there is one at a path or below it."""
        return any(found[: len(path)] == path for found, _ in self.found)

    def with_lines(self, lines: dict[Path, int]) -> tuple[Mistake, ...]:
        """All of them by line; what the file does not name stands where its nearest table does."""
        rows = []
        for path, reason in self.found:
            known = next(path[:length] for length in range(len(path), -1, -1) if path[:length] in lines or not length)
            rows.append(Mistake(line=lines.get(known, 1), where=_dotted(path), reason=reason))
        return tuple(sorted(rows, key=lambda row: row.line))


def _dotted(path: Path) -> str:
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text
