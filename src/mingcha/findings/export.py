"""Findings written to a file: CSV and JSON for people and programs, Parquet for analysis, Excel to be read.

A file is written beside its target and renamed when whole, so that a broken export is never mistaken
for a short one.
"""

from __future__ import annotations

import csv
import io
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from mingcha.findings import columns, jsontext, model, queries, words
from mingcha.kernel import errors
from mingcha.store import duck

if TYPE_CHECKING:
    import duckdb

FORMATS = ("csv", "json", "parquet", "xlsx")
_BOM = "\ufeff"  # without it Excel reads UTF-8 as the code page of the machine
_BATCH = 5_000


def write(
    *,
    con: duckdb.DuckDBPyConnection,
    where: queries.Filter,
    target: Path,
    kind: str,
    rules: Mapping[str, words.RuleWords],
    language: str,
    relation: str = queries.RELATION,
) -> int:
    """Write the findings a filter leaves to `target` in one of FORMATS; return how many.

    `rules` gives the words for the Excel sheet. Raises Refusal for an unknown format and for more
    findings than a sheet holds, SetupError when the file cannot be written.
    """
    if kind not in FORMATS:
        raise errors.Refusal(
            f"{kind!r} is not a format of the export",
            why="each format is written in its own way",
            mend=f"choose one of {', '.join(FORMATS)}",
        )
    query = queries.select(where=where, relation=relation)
    with whole_file(target) as draft:
        if kind == "parquet":
            _write_parquet(con, query, draft)
        elif kind == "xlsx":
            from mingcha.findings import workbook

            workbook.write(
                con=con, where=where, target=draft, rules=rules, language=language, relation=relation
            )
        else:
            with draft.open("wb") as file:
                (_write_csv if kind == "csv" else _write_json)(con, query, file)
    return queries.count(con=con, where=where, relation=relation)


@contextmanager
def whole_file(target: Path) -> Iterator[Path]:
    """Give a path to write to, which becomes `target` at the end; raises SetupError when it cannot."""
    draft = target.with_name(f".{target.name}.{os.getpid()}-{secrets.token_hex(4)}")
    try:
        yield draft
        draft.replace(target)
    except OSError as error:
        raise errors.SetupError(
            f"{target} cannot be written: {error.strerror or error}",
            why="the export is written to that file",
            mend="name a file in a folder that exists and that you may write to, with --out FILE",
        ) from error
    finally:
        draft.unlink(missing_ok=True)


def copy_to(stream: BinaryIO, path: Path) -> None:
    """Write a finished file to a stream."""
    with path.open("rb") as file:
        shutil.copyfileobj(file, stream)


def _rows(con: duckdb.DuckDBPyConnection, query: queries.Query) -> Iterator[tuple[object, ...]]:
    cursor = con.execute(query.sql, query.values)
    while rows := cursor.fetchmany(_BATCH):
        yield from rows


def _write_csv(con: duckdb.DuckDBPyConnection, query: queries.Query, file: BinaryIO) -> None:
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
    text.write(_BOM)
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(columns.export_names())
    for row in _rows(con, query):
        writer.writerow(["" if item is None else item for item in row])
    text.detach()


def _write_json(con: duckdb.DuckDBPyConnection, query: queries.Query, file: BinaryIO) -> None:
    names = columns.export_names()
    file.write(b"[")
    for index, row in enumerate(_rows(con, query)):
        record = dict(zip(names, row, strict=True))
        record["evidence"] = model.read_evidence(str(record["evidence"]), of=str(record["finding_id"]))
        file.write((",\n" if index else "\n").encode() + jsontext.dumps(record).encode())
    file.write(b"\n]\n")


def _write_parquet(con: duckdb.DuckDBPyConnection, query: queries.Query, draft: Path) -> None:
    con.execute(
        f"COPY ({query.sql}) TO {duck.literal(str(draft))} (FORMAT parquet, COMPRESSION zstd)", query.values
    )
