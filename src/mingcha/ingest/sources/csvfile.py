"""Separated text (CSV, TSV, TXT, also gzipped): streamed into Parquet with the exact line of every row.

Blocks of a few MiB are parsed by Arrow. A block with a line end inside quotes, a NUL or a bad byte is read
again the careful way (`records`); both ways give the same rows, which a property test holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from pyarrow import csv as pacsv

from mingcha.ingest.sources import blocks, encoding, parts, records, staging
from mingcha.ingest.sources import options as opts
from mingcha.kernel import errors

_SEP_HINT = re.compile(r"^sep=(.)\r?\n?$")
_SNIFFED_LINES = 50


@dataclass(frozen=True, slots=True)
class CsvPart:
    """One text file; `names` are what a mapping may call it."""

    path: Path
    label: str
    names: tuple[str, ...]

    def probe(self, options: opts.ReadOptions) -> parts.Probe:
        """Return the columns the header names."""
        with _opened(self, options) as scan:
            return parts.Probe(columns=tuple(parts.SourceColumn(name) for name in scan.header))

    def stage(self, *, options: opts.ReadOptions, folder: Path, number: int) -> parts.Staged:
        """Read every row into Parquet; rows that are no rows of this table go to the broken ones."""
        with ExitStack() as stack:
            scan = stack.enter_context(_opened(self, options))
            stage = stack.enter_context(staging.Stage(folder=folder, number=number, columns=scan.header))
            scan.into(stage)
        return stage.staged(
            label=self.label,
            number=number,
            facts={"encoding": scan.decoder.described, "delimiter": scan.delimiter},
            notes=scan.notes,
        )


@contextmanager
def _opened(part: CsvPart, options: opts.ReadOptions) -> Iterator[_Scan]:
    with blocks.opened(part.path, label=part.label, declared=options.encoding) as (reader, name):
        limit = options.max_line_bytes
        stream = blocks.line_blocks(reader, label=part.label, limit=limit)
        yield _Scan(part.label, stream, encoding.Decoder(label=part.label, declared=name), options)


class _Scan:
    """One pass over a file: the header first, then its rows."""

    def __init__(
        self, label: str, stream: Iterator[bytes], decoder: encoding.Decoder, options: opts.ReadOptions
    ) -> None:
        self._label = label
        self._stream = stream
        self.decoder = decoder
        self._limit = options.max_line_bytes
        self._line = 1  # number of the first line not yet read
        self._rest = next(stream, b"")
        lines = self._head_lines(options.header_line)
        self.delimiter = options.delimiter or _sniff(lines)
        self.header = parts.check_header(label=label, names=self._read_header(lines))
        self._reader = records.RecordReader(
            delimiter=self.delimiter, limit=self._limit, width=len(self.header)
        )
        self._last_line_open = False
        self.notes: tuple[str, ...] = ()

    def into(self, stage: staging.Stage) -> None:
        """Read all rows into `stage`."""
        block: bytes | None = self._rest
        while block is not None:
            following = next(self._stream, None)
            if block:
                self._last_line_open = following is None and not block.endswith((b"\n", b"\r"))
                self._block(block, stage)
            block = following
        for record in self._reader.flush():
            self._record(record, stage)
        if self._last_line_open:
            self.notes = ("last_line_open",)

    # ── header ───────────────────────────────────────────────────────────────────────────────────

    def _head_lines(self, header_line: int | None) -> list[str]:
        """Return the texts of the first lines, from the header on; keep their place in `_line`, `_rest`."""
        raw = _universal_lines(self._rest)
        texts = self.decoder.peek(raw[: _SNIFFED_LINES + (header_line or 0)])
        skip = (
            header_line - 1 if header_line else next((i for i, text in enumerate(texts) if text.strip()), 0)
        )
        if header_line is None and skip < len(texts) and _SEP_HINT.match(texts[skip]):
            skip += 1
        if skip >= len(texts) or not texts[skip].strip():
            raise blocks.empty(self._label)
        self._drop(raw[:skip])
        return texts[skip:]

    def _drop(self, raw: list[bytes]) -> None:
        self._rest = self._rest[sum(map(len, raw)) :]
        self._line += len(raw)

    def _read_header(self, lines: list[str]) -> list[str]:
        reader = records.RecordReader(delimiter=self.delimiter, limit=self._limit)
        for used, text in enumerate(lines, 1):
            record = next(reader.feed([(used, text)]), None)
            if record is None:
                continue
            if record.problem or encoding.has_marks(record.text):
                break
            self._drop(_universal_lines(self._rest)[:used])
            return record.fields
        raise errors.DataError(
            f"{self._label}: line {self._line} does not read as a line of column names: "
            f"{encoding.show_marks(lines[0].strip())[:200]!r}",
            why="without the names nobody can say what the values below them are",
            mend="check the first line and the encoding of the file; if the names stand in another line, "
            "say so in the mapping (source: header_line: …)",
        )

    # ── rows ─────────────────────────────────────────────────────────────────────────────────────

    def _block(self, block: bytes, stage: staging.Stage) -> None:
        if not self._reader.inside and not self._last_line_open and self._fast(block, stage):
            return
        raw = _universal_lines(block)
        texts = self.decoder.lines(raw)
        numbered = list(enumerate(texts, self._line))
        self._line += len(raw)
        for record in self._reader.feed(numbered):
            self._record(record, stage)

    def _fast(self, block: bytes, stage: staging.Stage) -> bool:
        """Parse a block by Arrow; False when it needs the careful way."""
        text = None if b"\x00" in block else self.decoder.block(block)
        if text is None:
            return False
        if self.decoder.described not in ("ascii", "utf-8"):
            block = text.encode()
        count = block.count(b"\n")
        if block.count(b"\r") != block.count(b"\r\n") or block.count(b'"') % 2 or _has_blank_line(block):
            return False
        wrong: list[tuple[int, int, str]] = []
        table = _arrow(block, len(self.header), self.delimiter, wrong)
        if table.num_rows + len(wrong) != count or _ends_inside(table):
            return False
        if any('"' in text for _, _, text in wrong):
            return False  # whether such a row is too long or cut off, only the careful way can say
        for number, found, text in wrong:
            self._wrong_count(self._line + number - 1, found, text, stage)
        skipped = {number for number, _, _ in wrong}
        lines = [self._line + place for place in range(count) if place + 1 not in skipped]
        stage.table(lines, table)
        self._line += count
        return True

    def _record(self, record: records.Record, stage: staging.Stage) -> None:
        text = record.text
        if not text.strip("\r\n"):
            return
        if encoding.has_marks(text) or "\x00" in text:
            shown = encoding.show_marks(text.rstrip("\r\n")).replace("\x00", "\\x00")
            column = self._bad_column(record)
            stage.broken(record.line, reason="bad_encoding", text=shown, value=column[1], column=column[0])
        elif record.problem:
            stage.broken(record.line, reason=record.problem, text=text.rstrip("\r\n"))
        elif len(record.fields) == len(self.header):
            stage.row(record.line, record.fields)
        elif self._is_cut(record):
            stage.broken(record.line, reason="truncated", text=text)
        else:
            self._wrong_count(record.line, len(record.fields), text, stage)

    def _is_cut(self, record: records.Record) -> bool:
        """Return whether a short record is the last one of a file that does not end with a line end."""
        last = record.line + record.text.count("\n") == self._line - 1
        return self._last_line_open and last and len(record.fields) < len(self.header)

    def _bad_column(self, record: records.Record) -> tuple[str | None, str | None]:
        if len(record.fields) != len(self.header):
            return None, None
        for name, value in zip(self.header, record.fields, strict=True):
            if encoding.has_marks(value) or "\x00" in value:
                return name, encoding.show_marks(value).replace("\x00", "\\x00")
        return None, None

    def _wrong_count(self, line: int, found: int, text: str, stage: staging.Stage) -> None:
        stage.broken(
            line, reason="wrong_field_count", text=text.rstrip("\r\n"), value=f"{found} ≠ {len(self.header)}"
        )


def _universal_lines(block: bytes) -> list[bytes]:
    r"""Return the lines of `block` with their ends: \n, \r\n or \r, and nothing else."""
    return block.splitlines(keepends=True)


def _arrow(block: bytes, width: int, delimiter: str, wrong: list[tuple[int, int, str]]) -> pa.Table:
    names = [f"c{place}" for place in range(width)]

    def refuse(row: pacsv.InvalidRow) -> str:
        wrong.append((row.number, row.actual_columns, row.text))
        return "skip"

    return pacsv.read_csv(
        pa.BufferReader(block),
        read_options=pacsv.ReadOptions(use_threads=False, column_names=names, block_size=len(block) + 64),
        parse_options=pacsv.ParseOptions(
            delimiter=delimiter,
            newlines_in_values=True,
            ignore_empty_lines=False,
            invalid_row_handler=refuse,
        ),
        convert_options=pacsv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()),
            null_values=[],
            strings_can_be_null=False,
            check_utf8=False,  # decoding has checked it
        ),
    )


def _has_blank_line(block: bytes) -> bool:
    """Return whether a line is empty: Arrow would make a row of empty values of it."""
    return block.startswith((b"\n", b"\r")) or b"\n\n" in block or b"\n\r" in block


def _ends_inside(table: pa.Table) -> bool:
    """Return whether the last value holds a line end: then a quote is open at the end of the block."""
    if table.num_rows == 0:
        return False
    last = table.column(table.num_columns - 1)[-1].as_py()
    return "\n" in last


def _sniff(lines: list[str]) -> str:
    """Return the separator by which most lines have as many fields as the first one.

    A header without any known separator is one column; the comma stands for that.
    """
    best, best_score = ",", (0.0, 1)
    for delimiter in opts.DELIMITERS:
        reader = records.RecordReader(delimiter=delimiter, limit=1 << 20)
        found = reader.feed(list(enumerate(lines, 1)))
        widths = [len(record.fields) for record in found if record.text.strip()]
        if not widths or widths[0] < 2:
            continue
        score = (sum(width == widths[0] for width in widths) / len(widths), widths[0])
        if score > best_score:
            best, best_score = delimiter, score
    return best
