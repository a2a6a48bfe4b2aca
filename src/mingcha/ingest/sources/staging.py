"""Parquet written in batches while a source is read, so that memory does not grow with the file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from mingcha.ingest.sources import parts

BATCH_ROWS = 50_000
#: A broken row is shown as delivered, but a line of megabytes helps nobody.
SHOWN_TEXT = 4_000

_BROKEN = pa.schema(
    [
        (parts.ROW, pa.int64()),
        ("column", pa.string()),
        ("reason", pa.string()),
        ("value", pa.string()),
        ("text", pa.string()),
    ]
)


class Stage:
    """Writes the rows of one part: text columns with their number, and broken rows beside them."""

    def __init__(self, *, folder: Path, number: int, columns: Sequence[str]) -> None:
        self.path = folder / f"part{number:06d}.parquet"
        self.broken_path = folder / f"part{number:06d}.broken.parquet"
        self.rows = 0
        self.broken_rows = 0
        self._base = parts.row_base(number)
        self._schema = pa.schema([(parts.ROW, pa.int64()), *((name, pa.string()) for name in columns)])
        self._writer = pq.ParquetWriter(self.path, self._schema, compression="lz4")
        self._broken_writer: Any = None
        self._lines: list[int] = []
        self._values: list[Sequence[str | None]] = []
        self._broken: list[tuple[int, str | None, str, str | None, str]] = []

    def __enter__(self) -> Stage:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._flush()
            self._flush_broken()
        self._writer.close()
        if self._broken_writer is not None:
            self._broken_writer.close()

    def row(self, line: int, values: Sequence[str | None]) -> None:
        """Add one row that stands at `line`; values in the order of the columns."""
        self._lines.append(line)
        self._values.append(values)
        if len(self._lines) >= BATCH_ROWS:
            self._flush()

    def table(self, lines: Sequence[int], table: Any) -> None:
        """Add an Arrow table of text columns whose rows stand at `lines`."""
        self._flush()
        self._write(lines, table.columns)

    def broken(
        self, line: int, *, reason: str, text: str, value: str | None = None, column: str | None = None
    ) -> None:
        """Add one row that cannot be split into columns, with the code of its reason."""
        shown = text if len(text) <= SHOWN_TEXT else text[:SHOWN_TEXT] + "…"
        self._broken.append((self._row(line), column, reason, value, shown))
        if len(self._broken) >= BATCH_ROWS:
            self._flush_broken()

    def staged(
        self, *, label: str, number: int, facts: dict[str, str] | None = None, notes: Sequence[str] = ()
    ) -> parts.Staged:
        """Return what was written, after the stage is closed."""
        return parts.Staged(
            label=label,
            number=number,
            path=self.path,
            in_place=False,
            columns=tuple(parts.SourceColumn(name) for name in self._schema.names[1:]),
            rows=self.rows,
            broken=self.broken_path if self.broken_rows else None,
            broken_rows=self.broken_rows,
            facts=facts or {},
            notes=tuple(notes),
        )

    def _row(self, line: int) -> int:
        return self._base + (line << parts.FEED_BITS)

    def _flush(self) -> None:
        if not self._lines:
            return
        columns = [pa.array(column, pa.string()) for column in zip(*self._values, strict=True)]
        self._write(self._lines, columns)
        self._lines, self._values = [], []

    def _write(self, lines: Sequence[int], columns: Sequence[Any]) -> None:
        base, shift = self._base, parts.FEED_BITS
        numbers = pa.array([base + (line << shift) for line in lines], pa.int64())
        self._writer.write_table(pa.Table.from_arrays([numbers, *columns], schema=self._schema))
        self.rows += len(lines)

    def _flush_broken(self) -> None:
        if not self._broken:
            return
        if self._broken_writer is None:
            self._broken_writer = pq.ParquetWriter(self.broken_path, _BROKEN, compression="lz4")
        pairs = zip(zip(*self._broken, strict=True), _BROKEN, strict=True)
        columns = [pa.array(values, kind.type) for values, kind in pairs]
        self._broken_writer.write_table(pa.Table.from_arrays(columns, schema=_BROKEN))
        self.broken_rows += len(self._broken)
        self._broken = []
