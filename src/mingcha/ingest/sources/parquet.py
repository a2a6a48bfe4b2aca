"""Parquet files, read where they lie: typed, never copied, a row's line is its place in the file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mingcha.ingest.sources import options as opts
from mingcha.ingest.sources import parts
from mingcha.kernel import errors
from mingcha.store import duck

if TYPE_CHECKING:
    import duckdb

_NESTED = ("STRUCT", "MAP", "UNION", "LIST", "VARIANT")


class Look:
    """A connection that looks into Parquet files, made when the first one is looked at."""

    def __init__(self) -> None:
        self._con: duckdb.DuckDBPyConnection | None = None

    def ask(self, sql: str) -> list[tuple[object, ...]]:
        """Return the rows of a query."""
        if self._con is None:
            self._con = duck.connect(threads=1)
        return self._con.execute(sql).fetchall()

    def close(self) -> None:
        """Close the connection."""
        if self._con is not None:
            self._con.close()
            self._con = None


@dataclass(frozen=True, slots=True)
class ParquetPart:
    """One Parquet file."""

    path: Path
    label: str
    names: tuple[str, ...]
    look: Look

    def probe(self, options: opts.ReadOptions) -> parts.Probe:
        """Return the columns with their DuckDB types; nested columns are left out and noted."""
        described = self._ask(f"DESCRIBE SELECT * FROM read_parquet({duck.literal(str(self.path))})")
        columns = [parts.SourceColumn(str(row[0]), str(row[1])) for row in described]
        nested = [column.name for column in columns if is_nested(column.type)]
        parts.check_header(label=self.label, names=[column.name for column in columns])
        self._refuse_taken({column.name.lower() for column in columns})
        return parts.Probe(
            columns=tuple(column for column in columns if column.name not in nested),
            notes=tuple(f"nested_column:{name}" for name in nested),
        )

    def stage(self, *, options: opts.ReadOptions, folder: Path, number: int) -> parts.Staged:
        """Return the file as it is, with its number of rows."""
        probe = self.probe(options)
        counted = self._ask(f"SELECT count(*) FROM read_parquet({duck.literal(str(self.path))})")
        return parts.Staged(
            label=self.label,
            number=number,
            path=self.path,
            in_place=True,
            columns=probe.columns,
            rows=int(str(counted[0][0])),
            notes=probe.notes,
        )

    def _refuse_taken(self, names: set[str]) -> None:
        """Refuse the names under which DuckDB gives file and place of a row: they would number the rows."""
        taken = sorted(names & {"file_index", "file_row_number"})
        if taken:
            raise errors.DataError(
                f"{self.label} has a column named {taken[0]}",
                why="rows are numbered under that name, so faults would be reported for the wrong rows",
                mend="rename the column when the file is written",
            )

    def _ask(self, sql: str) -> list[tuple[object, ...]]:
        import duckdb

        try:
            return self.look.ask(sql)
        except duckdb.Error as error:
            raise unreadable(self.label, error) from None


def is_nested(kind: str) -> bool:
    """Return whether a DuckDB type holds values inside values."""
    return kind.endswith("]") or kind.startswith(_NESTED)


def unreadable(label: str, error: Exception) -> errors.DataError:
    """Return the error for a Parquet file that cannot be read, or not to its end."""
    return errors.DataError(
        f"{label} cannot be read as a Parquet file: {str(error).splitlines()[0]}",
        why="the file is damaged, was cut off on its way, or is something else under this name; "
        "a part of its rows would be missing",
        mend="copy or export it again and compare its size with the original",
    )
