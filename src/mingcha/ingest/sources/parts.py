"""What readers give: parts (a file, a sheet, a database table) and what staging made of them.

Every row of a delivery has one number (column `ROW`) in which file, line and feed are packed. Numbers compare
like places in the delivery: earlier file first, then earlier line, then earlier entry of the mapping.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from mingcha.ingest.sources import options as opts
from mingcha.kernel import errors

#: Name of the column that numbers the rows; no utility calls a column so.
ROW = "_mingcha_row"
FEED_BITS = 9
LINE_BITS = 36
#: What counts as space around a value: also the no-break space, the ideographic space and a stray BOM.
SPACES = " \t\r\n\u00a0\u3000\ufeff"
#: 2^18 files of 2^36 lines each, fed by 2^9 mapping entries: 63 bits, a positive BIGINT.
MAX_FILES = 1 << (63 - FEED_BITS - LINE_BITS)
MAX_FEEDS = 1 << FEED_BITS


@dataclass(frozen=True, slots=True)
class SourceColumn:
    """A column as the source has it: its name and its DuckDB type (VARCHAR for all text sources)."""

    name: str
    type: str = "VARCHAR"


@dataclass(frozen=True, slots=True)
class Probe:
    """What is known of a part before it is read: its columns, and remarks for the report."""

    columns: tuple[SourceColumn, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Staged:
    """A part as Parquet.

    `path` holds the columns and, unless `in_place`, `ROW`. Rows that could not even be split into
    columns stand in `broken` (columns `ROW, column, reason, value, text`), `broken_rows` of them.
    """

    label: str
    number: int
    path: Path
    in_place: bool
    columns: tuple[SourceColumn, ...]
    rows: int
    broken: Path | None = None
    broken_rows: int = 0
    facts: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


class Part(Protocol):
    """One readable unit of a source."""

    @property
    def label(self) -> str:
        """How the report names it: the path below the source, with the sheet; or schema.table."""
        ...

    @property
    def names(self) -> tuple[str, ...]:
        """The names a mapping may use for it, the most telling first."""
        ...

    def probe(self, options: opts.ReadOptions) -> Probe:
        """Return the columns, reading no more than the beginning."""
        ...

    def stage(self, *, options: opts.ReadOptions, folder: Path, number: int) -> Staged:
        """Read everything into Parquet below `folder`; `number` is the file number in `ROW`."""
        ...


def row_base(number: int) -> int:
    """Return the row number of line 0 of file `number`; add `line << FEED_BITS` for a line."""
    if number >= MAX_FILES:
        raise errors.DataError(
            f"the delivery has more than {MAX_FILES} files",
            why="every row is known by its file and line, and there is no number left",
            mend="deliver in several steps, or join small files into larger ones",
        )
    return number << (LINE_BITS + FEED_BITS)


def file_number(row: int) -> int:
    """Return the file number packed in `row`."""
    return row >> (LINE_BITS + FEED_BITS)


def line_number(row: int) -> int:
    """Return the line packed in `row`, counted from 1.

    >>> line_number(row_base(3) + (17 << FEED_BITS))
    17
    """
    return (row >> FEED_BITS) & ((1 << LINE_BITS) - 1)


def check_header(*, label: str, names: list[str]) -> tuple[str, ...]:
    """Return the column names of a header, trimmed; a nameless column is called column_N.

    Raises DataError when a name stands twice: nobody can say which of the two is meant.
    """
    trimmed = [name.strip(SPACES) or f"column_{place}" for place, name in enumerate(names, 1)]
    counts = Counter(name.lower() for name in trimmed)
    twice = sorted({name for name in trimmed if counts[name.lower()] > 1})
    if twice:
        raise errors.DataError(
            f"{label}: the header names {', '.join(map(repr, twice))} more than once",
            why="a value could come from either column, and the wrong one would not be noticed",
            mend="give every column its own name in the first line and deliver the file again",
        )
    return tuple(trimmed)
