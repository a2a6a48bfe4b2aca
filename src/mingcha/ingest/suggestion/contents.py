"""What the first rows of a source say about a column: dates, numbers, months, words, one value per row."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mingcha.contract import model
from mingcha.ingest.sources import csvfile, database, options, parquet, parts
from mingcha.store import duck

if TYPE_CHECKING:
    import duckdb

SAMPLED = 5_000
_HEAD_BYTES = 4 * 1024 * 1024
_SHOWN = 3
_DATE = r"^\d{4}([-/.]\d{1,2}[-/.]\d{1,2}|年\d{1,2}月\d{1,2}日)([ T].*)?$"
_DATE_OTHER = r"^\d{1,2}[/.]\d{1,2}[/.]\d{4}$"
_MONTH = r"^(\d{4}-\d{2}|\d{4}(0[1-9]|1[0-2])|\d{4}年\d{1,2}月)$"
_NUMBER = r"^[-+]?\d[\d,]*(\.\d+)?$"


@dataclass(frozen=True, slots=True)
class Profile:
    """Shares (0 to 1) of the sampled filled values of a column that look like something."""

    dates: float = 0.0
    days_first: bool = False
    months: float = 0.0
    numbers: float = 0.0
    unique: float = 0.0
    values: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()

    def fits(self, column: model.Column) -> float:
        """Return how well the values fit a column of ours: 1 well, 0 unknown, -1 not at all."""
        if not self.shown:
            return 0.0
        if column.labels:
            words = {word.casefold() for label in column.labels for word in _words(column, label)}
            known = [value.casefold() in words for value in self.values]
            return 1.0 if known and all(known) else (0.5 if any(known) else -0.2)
        if column.type in ("date", "timestamp"):
            return 1.0 if self.dates > 0.9 else -1.0
        if column.type == "billing_period":
            return 1.0 if self.months > 0.9 else -0.6
        if column.scale is not None or column.type == "int":
            return 0.3 if self.numbers > 0.95 else -1.0
        return 0.0 if self.dates < 0.9 else -0.5


def _words(column: model.Column, label: str) -> tuple[str, ...]:
    words = column.labels[label]
    return (label, words.zh, words.en)


def profiles(
    *, part: parts.Part, probe: parts.Probe, how: options.ReadOptions, folder: Path
) -> dict[str, Profile]:
    """Return a profile per column of a part, from its first rows; a database table is not sampled."""
    path = _sample(part, how, folder)
    if path is None:
        return {column.name: Profile() for column in probe.columns}
    con = duck.connect(threads=1)
    try:
        relation = f"(SELECT * FROM read_parquet({duck.literal(str(path))}) LIMIT {SAMPLED})"
        return {column.name: _profile(con, relation, column.name) for column in probe.columns}
    finally:
        con.close()


def _sample(part: parts.Part, how: options.ReadOptions, folder: Path) -> Path | None:
    if isinstance(part, database.TablePart):
        return None  # a look at names must not read a production table
    if isinstance(part, parquet.ParquetPart):
        return part.path
    if isinstance(part, csvfile.CsvPart) and not part.path.name.endswith(".gz"):
        part = dataclasses.replace(part, path=_head(part.path, folder))
    return part.stage(options=how, folder=folder, number=0).path


def _head(path: Path, folder: Path) -> Path:
    """Return a copy of the first whole lines of a text file, or the file itself when it is small."""
    if path.stat().st_size <= _HEAD_BYTES:
        return path
    with path.open("rb") as file:
        data = file.read(_HEAD_BYTES)
    head = folder / "head.csv"
    head.write_bytes(data[: data.rfind(b"\n") + 1] or data)
    return head


def _profile(con: duckdb.DuckDBPyConnection, relation: str, name: str) -> Profile:
    value = f"trim(CAST({duck.name(name)} AS VARCHAR))"
    patterns = [_DATE, _DATE_OTHER, _MONTH, _NUMBER]
    counted = ", ".join(f"count(*) FILTER (regexp_matches(v, {duck.literal(text)}))" for text in patterns)
    row = con.execute(
        f"SELECT count(*), count(DISTINCT v), {counted} "
        f"FROM (SELECT {value} AS v FROM {relation}) WHERE v IS NOT NULL AND v <> ''"
    ).fetchone()
    assert row is not None
    filled, distinct, dates, days_first, months, numbers = (int(number) for number in row)
    if not filled:
        return Profile()
    common = [
        str(found[0])
        for found in con.execute(
            f"SELECT v FROM (SELECT {value} AS v FROM {relation}) WHERE v <> '' "
            "GROUP BY v ORDER BY count(*) DESC, v LIMIT 20"
        ).fetchall()
    ]
    return Profile(
        dates=(dates + days_first) / filled,
        days_first=days_first > dates,
        months=months / filled,
        numbers=numbers / filled,
        unique=distinct / filled,
        values=tuple(common) if distinct <= 20 else (),
        shown=tuple(common[:_SHOWN]),
    )


def value_map(column: model.Column, values: Sequence[str]) -> dict[str, str | None]:
    """Return source value → ours for an enum: by value or title; None where a person must say it."""
    found: dict[str, str | None] = {}
    for value in values:
        matches = [label for label in column.labels if value.casefold() in _folded(column, label)]
        found[value] = matches[0] if len(matches) == 1 else None
    return found


def _folded(column: model.Column, label: str) -> set[str]:
    return {re.sub(r"\s+", " ", word).casefold() for word in _words(column, label)}
