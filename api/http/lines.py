"""Cuts a stream of bytes into whole lines, in bounded memory."""

from collections.abc import Iterator

BOM = b"\xef\xbb\xbf"


class LineCutter:
    """Keeps what came of a line that is not whole yet, as far as one may be long; more of it is dropped."""

    def __init__(self, line_bytes_max: int) -> None:
        self._rest = bytearray()
        self._kept_max = len(BOM) + line_bytes_max + 1
        """One byte more than a line may have, so that it still shows."""
        self._begun = False

    def feed(self, data: bytes) -> bytes:
        """The whole lines that there are by now, with their ends; none: nothing."""
        self._rest += data
        end = self._rest.rfind(b"\n") + 1
        lines = bytes(self._rest[:end])
        del self._rest[:end]
        del self._rest[self._kept_max :]
        return self._from_start(lines)

    def end(self) -> bytes:
        """The last line, where it has no end of its own."""
        lines = bytes(self._rest)
        self._rest.clear()
        return self._from_start(lines)

    def _from_start(self, lines: bytes) -> bytes:
        if lines and not self._begun:
            self._begun = True
            return lines.removeprefix(BOM)
        return lines


def parts(lines: bytes, lines_max: int) -> Iterator[bytes]:
    """Whole lines in parts of so many at the most."""
    start, left = 0, lines.count(b"\n")
    while left > lines_max:
        end = start
        for _ in range(lines_max):
            end = lines.index(b"\n", end) + 1
        yield lines[start:end]
        start, left = end, left - lines_max
    if start < len(lines):
        yield lines[start:]
