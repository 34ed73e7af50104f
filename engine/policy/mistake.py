"""A mistake in a file of policies, and where it is."""

from msgspec import Struct

Path = tuple[str | int, ...]
"""Keys and places from the top of the file down to a value."""


class Mistake(Struct, frozen=True, kw_only=True):
    """What is wrong on a line of a file, or what a warning is about."""

    line: int
    """From 1."""
    where: str
    """The setting, as it would be written in one key; empty for the file as a whole."""
    reason: str


class Mistakes:
    """Gathers mistakes by path; the lines come later."""

    def __init__(self) -> None:
        self.found: list[tuple[Path, str]] = []
        self.warnings: list[tuple[Path, str]] = []
        self._meant: set[Path] = set()

    def add(self, path: Path, reason: str) -> None:
        """Another one."""
        self.found.append((path, reason))

    def warn(self, path: Path, reason: str) -> None:
        """Something that is allowed, and that its writer should know."""
        self.warnings.append((path, reason))

    def mean(self, path: Path) -> None:
        """A wrong key was probably meant to be this one: that it is not there is no mistake of its own."""
        self._meant.add(path)

    def has(self, path: Path) -> bool:
        """Whether there is one at a path or below it, or one of a key that was meant to be."""
        return path in self._meant or any(found[: len(path)] == path for found, _ in self.found)

    def has_itself(self, path: Path) -> bool:
        """Whether there is one at a path, not only below it."""
        return any(found == path for found, _ in self.found)

    def with_lines(self, lines: dict[Path, int]) -> tuple[Mistake, ...]:
        """All of them by line; what the file does not name stands where its nearest table does."""
        return _by_line(self.found, lines)

    def warnings_with_lines(self, lines: dict[Path, int]) -> tuple[Mistake, ...]:
        """The same of the warnings."""
        return _by_line(self.warnings, lines)


def _by_line(found: list[tuple[Path, str]], lines: dict[Path, int]) -> tuple[Mistake, ...]:
    rows = []
    for path, reason in found:
        known = next(path[:length] for length in range(len(path), -1, -1) if path[:length] in lines or not length)
        rows.append(Mistake(line=lines.get(known, 1), where=_dotted(path), reason=reason))
    return tuple(sorted(rows, key=lambda row: row.line))


def _dotted(path: Path) -> str:
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text
