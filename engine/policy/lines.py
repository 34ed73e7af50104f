"""Finds the line of every key and array item of a TOML text, which the standard library's reader does not tell.

Only for text that the reader has taken already: nothing is checked here. What it does not take is told with its line,
too.
"""

import re
from bisect import bisect_right

from engine.policy.mistake import Mistake, Path

_BLANK = " \t"
_BETWEEN = " \t\r\n"
_BARE_END = ",]}#\r\n"
_AT_LINE = re.compile(r"(?P<reason>.*) \(at (?:line (?P<line>\d+), column \d+|end of document)\)", re.DOTALL)


def lines_of(text: str) -> dict[Path, int]:
    """Lines, from 1, by path; of a table the line of its first header or key."""
    scanner = _Scanner(text)
    scanner.document()
    return scanner.lines


def not_toml(message: str, text: str) -> Mistake:
    """What the reader says of a text that is none, on its line."""
    found = _AT_LINE.fullmatch(message)
    reason = found["reason"] if found else message
    line = int(found["line"]) if found and found["line"] else text.count("\n") + 1
    return Mistake(line=line, where="", reason=f"is not TOML: {reason[:1].lower()}{reason[1:]}")


def not_utf8(error: UnicodeDecodeError, data: bytes) -> Mistake:
    """The same of bytes that are no text."""
    return Mistake(line=data.count(b"\n", 0, error.start) + 1, where="", reason="is not UTF-8")


class _Scanner:
    """A place in the text, and what was found before it."""

    def __init__(self, text: str) -> None:
        self.lines: dict[Path, int] = {}
        self._text = text + "\n"
        self._at = 0
        self._begins = [0] + [at + 1 for at, char in enumerate(text) if char == "\n"]
        self._last: dict[Path, int] = {}
        """The place of the last table of each array of tables."""

    def document(self) -> None:
        base: Path = ()
        while self._skip(_BETWEEN):
            if self._take("[["):
                base = self._array_table(self._keys())
                self._take("]]")
            elif self._take("["):
                base = self._resolve(self._keys())
                self._note(base)
                self._take("]")
            else:
                self._pair(base)

    def _array_table(self, keys: Path) -> Path:
        array = (*self._resolve(keys[:-1]), keys[-1])
        self._note(array)
        self._last[array] = self._last.get(array, -1) + 1
        table = (*array, self._last[array])
        self._note(table)
        return table

    def _resolve(self, keys: Path) -> Path:
        path: Path = ()
        for key in keys:
            path = (*path, key)
            if path in self._last:
                path = (*path, self._last[path])
        return path

    def _pair(self, base: Path) -> None:
        keys = self._keys()
        for length in range(1, len(keys) + 1):
            self._note((*base, *keys[:length]))
        self._take("=")
        self._value((*base, *keys))

    def _keys(self) -> Path:
        keys: list[str] = []
        while True:
            self._skip(_BLANK)
            if self._text[self._at] in "\"'":
                keys.append(self._string())
            else:
                begin = self._at
                while self._text[self._at].isalnum() or self._text[self._at] in "-_":
                    self._at += 1
                keys.append(self._text[begin : self._at])
            self._skip(_BLANK)
            if not self._take("."):
                return tuple(keys)

    def _value(self, path: Path) -> None:
        self._skip(_BLANK)
        char = self._text[self._at]
        if char in "\"'":
            self._string()
        elif self._take("["):
            place = 0
            while self._skip(_BETWEEN) and not self._take("]"):
                self._note((*path, place))
                self._value((*path, place))
                self._skip(_BETWEEN)
                self._take(",")
                place += 1
        elif self._take("{"):
            while self._skip(_BETWEEN) and not self._take("}"):
                self._pair(path)
                self._skip(_BETWEEN)
                self._take(",")
        else:
            while self._text[self._at] not in _BARE_END:
                self._at += 1

    def _string(self) -> str:
        quote = self._text[self._at]
        fence = quote * 3 if self._text.startswith(quote * 3, self._at) else quote
        self._at += len(fence)
        begin = self._at
        while not self._text.startswith(fence, self._at):
            self._at += 2 if quote == '"' and self._text[self._at] == "\\" else 1
        # A string in three quotes may end with some more of them.
        while len(fence) == 3 and self._text.startswith(fence, self._at + 1):
            self._at += 1
        inside = self._text[begin : self._at]
        self._at += len(fence)
        return inside

    def _skip(self, blanks: str) -> bool:
        """Go on to what is neither blank nor comment; whether there is anything left."""
        while self._at < len(self._text):
            if self._text[self._at] in blanks:
                self._at += 1
            elif self._text[self._at] == "#":
                self._at = self._text.index("\n", self._at)
            else:
                return True
            if blanks == _BLANK and self._text[self._at] == "\n":
                return True
        return False

    def _take(self, mark: str) -> bool:
        found = self._text.startswith(mark, self._at)
        self._at += len(mark) if found else 0
        return found

    def _note(self, path: Path) -> None:
        self.lines.setdefault(path, bisect_right(self._begins, self._at))
