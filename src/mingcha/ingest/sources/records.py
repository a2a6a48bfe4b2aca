"""Lines of text put together into records: quotes, line ends inside quotes, and what to do when broken.

The common case (no line end inside a field) is parsed by Arrow, block by block; this is the careful way for
the rest. It never lets one stray quote swallow the rows after it: a record over several lines that does not
come out right condemns its first line only, and reading goes on with the next line.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

QUOTE = '"'


@dataclass(frozen=True, slots=True)
class Record:
    """One record: the line it begins on, its fields and text; with a `problem` (reason code) no fields."""

    line: int
    fields: list[str]
    text: str
    problem: str | None = None


class _Splitter:
    """Splits the lines of one record into fields; can be fed line after line."""

    def __init__(self, delimiter: str) -> None:
        self.fields: list[str] = []
        self.stray = False  # a quoted field is followed by text: `"a"b`
        self._delimiter = delimiter
        self._open: list[str] | None = None

    @property
    def open(self) -> bool:
        return self._open is not None

    def feed(self, line: str) -> None:
        place = 0
        if self._open is not None:
            place = self._close(line, 0)
            if self._open is not None:
                return
        end = len(line.rstrip("\r\n"))
        while place <= end:
            if place < end and line[place] == QUOTE:
                self._open = []
                place = self._close(line, place + 1)
                if self._open is not None:
                    return
            else:
                place = self._plain(line, place, end)

    def _plain(self, line: str, place: int, end: int) -> int:
        stop = line.find(self._delimiter, place, end)
        stop = end if stop < 0 else stop
        self.fields.append(line[place:stop])
        return stop + 1

    def _close(self, line: str, place: int) -> int:
        """Read the quoted field on from `place`; return where the next field begins."""
        assert self._open is not None
        while True:
            stop = line.find(QUOTE, place)
            if stop < 0:
                self._open.append(line[place:])
                return len(line)
            self._open.append(line[place:stop])
            if line[stop + 1 : stop + 2] != QUOTE:
                return self._finish(line, stop + 1)
            self._open.append(QUOTE)
            place = stop + 2

    def _finish(self, line: str, place: int) -> int:
        assert self._open is not None
        end = len(line.rstrip("\r\n"))
        stop = line.find(self._delimiter, place, end)
        stop = end if stop < 0 else stop
        rest = line[place:stop]
        self.stray = self.stray or bool(rest)
        self.fields.append("".join(self._open) + rest)
        self._open = None
        return stop + 1


class RecordReader:
    """Turns lines, fed in as they come, into records; `flush` tells that no line follows."""

    def __init__(self, *, delimiter: str, limit: int, width: int | None = None) -> None:
        self._delimiter = delimiter
        self._limit = limit
        self._width = width
        self._waiting: deque[tuple[int, str]] = deque()
        self._taken: list[tuple[int, str]] = []
        self._length = 0
        self._splitter: _Splitter | None = None

    @property
    def inside(self) -> bool:
        """Whether a record has begun that is not complete."""
        return self._splitter is not None

    def feed(self, lines: list[tuple[int, str]]) -> Iterator[Record]:
        """Yield the records that `lines` (number, text with its line end) complete."""
        self._waiting.extend(lines)
        while self._waiting:
            number, text = self._waiting.popleft()
            if self._splitter is None and QUOTE not in text:
                yield Record(number, text.rstrip("\r\n").split(self._delimiter), text)
                continue
            record = self._take(number, text)
            if record is not None:
                yield record

    def flush(self) -> Iterator[Record]:
        """Yield what is left when the file ends: an unclosed record, and the lines it had taken."""
        while self._splitter is not None:
            yield self._resync("truncated")
            yield from self.feed([])

    def _take(self, number: int, text: str) -> Record | None:
        if self._splitter is None:
            self._splitter = _Splitter(self._delimiter)
        self._taken.append((number, text))
        self._length += len(text)
        self._splitter.feed(text)
        if self._splitter.open:
            return self._resync("truncated") if self._length > self._limit else None
        broken = self._splitter.stray or (
            self._width is not None and len(self._splitter.fields) != self._width
        )
        if broken and len(self._taken) > 1:
            return self._resync("wrong_field_count")
        first = self._taken[0][0]
        record = Record(first, self._splitter.fields, "".join(line for _, line in self._taken))
        self._forget()
        return record

    def _resync(self, problem: str) -> Record:
        """Condemn the first line taken and put the others back to be read again."""
        (number, text), *others = self._taken
        self._waiting.extendleft(reversed(others))
        self._forget()
        return Record(number, [], text, problem)

    def _forget(self) -> None:
        self._taken, self._length, self._splitter = [], 0, None
