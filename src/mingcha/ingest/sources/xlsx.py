"""Excel workbooks (.xlsx, .xlsm): every sheet is a table.

A workbook is a zip archive whose sheets calamine unpacks into memory, so it is looked through before: how
far it really unpacks, and how large the grid of each sheet is. A few kilobytes can claim a sheet of 17
thousand million cells.
"""

from __future__ import annotations

import functools
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from zoneinfo import ZoneInfo

import python_calamine

from mingcha.ingest.sources import options as opts
from mingcha.ingest.sources import parts, staging, texts
from mingcha.kernel import errors

#: calamine keeps a sheet as a full grid of about this many bytes a cell.
_CELL_BYTES = 32
#: A sheet of Chinese text compresses some twenty times; a thousand times is a bomb.
_RATIO = 250
_RATIO_FREE = 64 * 1024 * 1024
_CHUNK = 1024 * 1024
_OVERLAP = 64
_MOST_ROWS = 1_048_576
_COLUMNS = re.compile(rb"""\br\s*=\s*["']([A-Za-z]{2,3})\d""")
_ROWS = re.compile(rb"""\br\s*=\s*["'](?:[A-Za-z]{1,3})?(\d{1,7})["']""")


@dataclass(frozen=True, slots=True)
class SheetPart:
    """One sheet of a workbook; `label` is "book.xlsx[sheet]"."""

    path: Path
    sheet: str
    label: str
    names: tuple[str, ...]

    def probe(self, options: opts.ReadOptions) -> parts.Probe:
        """Return the columns the header row names."""
        with _workbook(self.path, self.label, options) as book:
            return parts.Probe(columns=tuple(map(parts.SourceColumn, _Sheet(self, book, options).header)))

    def stage(self, *, options: opts.ReadOptions, folder: Path, number: int) -> parts.Staged:
        """Read every row that holds anything into Parquet; the line is the row number Excel shows."""
        with _workbook(self.path, self.label, options) as book:
            sheet = _Sheet(self, book, options)
            with staging.Stage(folder=folder, number=number, columns=sheet.header) as stage:
                for line, values, beyond in sheet.rows():
                    if beyond:
                        stage.broken(line, reason="wrong_field_count", text=_as_text(values), value=beyond)
                    else:
                        stage.row(line, values)
        return stage.staged(label=self.label, number=number, facts={"sheet": self.sheet})


def sheets(*, path: Path, label: str, options: opts.ReadOptions) -> tuple[list[str], list[str]]:
    """Return the names of the visible worksheets that hold rows, and of those that hold a header only.

    Raises DataError for a file that is no workbook, is locked by a password, or unpacks beyond measure.
    """
    with _workbook(path, label, options) as book:
        visible = [
            sheet.name
            for sheet in book.sheets_metadata
            if sheet.visible == python_calamine.SheetVisibleEnum.Visible
            and sheet.typ == python_calamine.SheetTypeEnum.WorkSheet
        ]
        heights = {name: book.get_sheet_by_name(name).height for name in visible}
        return [name for name in visible if heights[name] > 1], [n for n in visible if heights[n] == 1]


class _Sheet:
    def __init__(
        self, part: SheetPart, book: python_calamine.CalamineWorkbook, options: opts.ReadOptions
    ) -> None:
        self._sheet = book.get_sheet_by_name(part.sheet)
        self._zone = ZoneInfo(options.timezone or opts.TIMEZONE)
        self._iterator = self._numbered()
        self.header = parts.check_header(label=part.label, names=self._head(part.label, options.header_line))

    def rows(self) -> Iterator[tuple[int, list[str | None], str | None]]:
        """Yield (row number, values, what stands beyond the header's last column or None)."""
        width = len(self.header)
        for line, cells in self._iterator:
            beyond = [cell for cell in cells[width:] if cell not in (None, "")]
            values = cells if beyond else [*cells[:width], *[None] * (width - len(cells))]
            if any(value not in (None, "") for value in values):
                yield line, values, f"{len(cells)} ≠ {width}" if beyond else None

    def _head(self, label: str, header_line: int | None) -> list[str]:
        for line, cells in self._iterator:
            filled = [place for place, cell in enumerate(cells) if (cell or "").strip(parts.SPACES)]
            if (header_line is None and filled) or line == header_line:
                if not filled:
                    break
                return [cell or "" for cell in cells[: filled[-1] + 1]]
        raise errors.DataError(
            f"{label} has no row of column names" + (f" in row {header_line}" if header_line else ""),
            why="without the names nobody can say what the values are",
            mend="write the column names into the first row of the sheet, or say in the mapping where they "
            "stand (source: header_line: …)",
        )

    def _numbered(self) -> Iterator[tuple[int, list[str | None]]]:
        """Yield (row number as Excel shows it, the cells from the first used column on)."""
        start = self._sheet.start
        if start is None:
            return
        for line, cells in enumerate(self._sheet.iter_rows(), 1):
            yield line, [texts.text_of(cell, zone=self._zone) for cell in cells]


@contextmanager
def _workbook(
    path: Path, label: str, options: opts.ReadOptions
) -> Iterator[python_calamine.CalamineWorkbook]:
    """Give the workbook, looked through before; whatever calamine meets inside is told as damage."""
    state = path.stat()
    _look_through(path, label, options.max_unpacked_mib * opts.MIB, (state.st_size, state.st_mtime_ns))
    try:
        with python_calamine.CalamineWorkbook.from_path(path) as book:
            yield book
    except python_calamine.PasswordError as error:
        raise errors.DataError(
            f"{label} is locked by a password",
            why="its tables cannot be read",
            mend="save it in Excel without a password and deliver it again",
        ) from error
    except python_calamine.CalamineError as error:
        raise _damaged(label, error) from error


def _damaged(label: str, error: Exception) -> errors.DataError:
    return errors.DataError(
        f"{label} cannot be read as an Excel workbook: {error}",
        why="the file is damaged, was cut off on its way, or is something else under this name",
        mend="open it in Excel and save it again as .xlsx, or deliver the table as CSV",
    )


@functools.lru_cache(maxsize=1024)
def _look_through(path: Path, label: str, limit: int, _state: tuple[int, int]) -> None:
    """Refuse a workbook that unpacks to more than `limit` bytes, or whose grid would not fit them.

    A workbook that passed is not looked through again for each of its sheets while `_state` is the same.
    """
    try:
        with zipfile.ZipFile(path) as archive, path.open("rb") as stream:
            left = limit
            for entry in archive.infolist():
                if entry.flag_bits & 1:
                    continue  # encrypted: calamine says so in its own words
                size, column = _measure(stream, entry, left)
                left -= size
                if left < 0 or (size > _RATIO_FREE and size > entry.compress_size * _RATIO):
                    raise _bomb(label, limit)
                _refuse_huge_grid(stream, entry, label, column, limit // _CELL_BYTES)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError) as error:
        raise _damaged(label, error) from error


def _measure(stream: BinaryIO, entry: zipfile.ZipInfo, limit: int) -> tuple[int, int]:
    """Return how many bytes an entry really unpacks to (stopping behind `limit`) and its last column.

    The size written in the archive is not believed: it is what a bomb lies about.
    """
    size, column = 0, 26
    for text in _overlapping(_inflate(stream, entry)):
        size += len(text) - _OVERLAP
        for letters in set(_COLUMNS.findall(text)):
            column = max(column, _column_number(letters.upper()))
        if size > limit:
            break
    return size, column


def _refuse_huge_grid(stream: BinaryIO, entry: zipfile.ZipInfo, label: str, column: int, limit: int) -> None:
    """Refuse a sheet whose full grid has more than `limit` cells; look at rows only if they can matter."""
    if column * _MOST_ROWS <= limit:
        return
    row = 1
    for text in _overlapping(_inflate(stream, entry)):
        row = max([row, *map(int, _ROWS.findall(text))])
    if row * column > limit:
        raise errors.DataError(
            f"{label} has a sheet that reaches to row {row}, column {column}: {row * column} cells",
            why="such a grid does not fit the memory, and nearly all of it is empty",
            mend="delete the stray cells far below or right of the table, or deliver the table as CSV",
        )


def _overlapping(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield each chunk behind the end of the one before, so that nothing is cut in two."""
    tail = b" " * _OVERLAP
    for chunk in chunks:
        text = tail + chunk
        yield text
        tail = text[-_OVERLAP:]


def _inflate(stream: BinaryIO, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    read, seek = stream.read, stream.seek
    seek(entry.header_offset)
    header = read(30)
    if len(header) < 30 or header[:4] != b"PK\x03\x04":
        raise zipfile.BadZipFile("an entry does not begin where the directory says")
    seek(
        entry.header_offset
        + 30
        + int.from_bytes(header[26:28], "little")
        + int.from_bytes(header[28:30], "little")
    )
    left = entry.compress_size
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS) if entry.compress_type == zipfile.ZIP_DEFLATED else None
    while left > 0 and (packed := read(min(left, _CHUNK))):
        left -= len(packed)
        if unpacker is None:
            yield packed
            continue
        while packed:
            yield unpacker.decompress(packed, _CHUNK)
            packed = unpacker.unconsumed_tail
            if unpacker.eof:
                return


def _column_number(letters: bytes) -> int:
    """Return the number of a column by its letters.

    >>> _column_number(b"A"), _column_number(b"XFD")
    (1, 16384)
    """
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def _bomb(label: str, limit: int) -> errors.DataError:
    return errors.DataError(
        f"{label} unpacks to more than {limit // opts.MIB} MiB, or to over {_RATIO} times its size",
        why="a workbook made so (a zip bomb) fills the memory of the machine that opens it",
        mend="deliver the table as CSV or Parquet; if it really is that large, raise max_unpacked_mib in the "
        "mapping (source: max_unpacked_mib: …)",
    )


def _as_text(values: list[str | None]) -> str:
    return " | ".join(value or "" for value in values)
