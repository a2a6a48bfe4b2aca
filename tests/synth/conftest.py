"""Two small utilities made once for all tests here, and a database that reads their files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest

from mingcha.synth import generate

CUSTOMERS = 2500
MONTHS = 14


class Books:
    """The files of a utility, asked in SQL by table name."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.con = duckdb.connect()
        for file in sorted(folder.glob("*.parquet")):
            self.con.execute(f"CREATE VIEW {file.stem} AS SELECT * FROM read_parquet('{file}')")
        for part in sorted(path for path in folder.iterdir() if path.is_dir()):
            self.con.execute(f"CREATE VIEW {part.name} AS SELECT * FROM read_parquet('{part}/*.parquet')")

    @property
    def tables(self) -> set[str]:
        return {row[0] for row in self.rows("SELECT view_name FROM duckdb_views() WHERE NOT internal")}

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self.con.execute(sql).fetchall()

    def one(self, sql: str) -> Any:
        ((value,),) = self.rows(sql)
        return value

    def fingerprint(self, table: str) -> tuple[Any, ...]:
        """Return what changes when any value or the order of any row of the table changes."""
        return self.rows(
            f"SELECT count(*), bit_xor(hash(x, n)) FROM (SELECT x, row_number() OVER () AS n FROM {table} x)"
        )[0]


@pytest.fixture(scope="session")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Books:
    out = tmp_path_factory.mktemp("clean") / "books"
    generate.generate(out=out, customers=CUSTOMERS, months=MONTHS, seed=3, clean=True)
    return Books(out)


@pytest.fixture(scope="session")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Books:
    out = tmp_path_factory.mktemp("planted") / "books"
    generate.generate(out=out, customers=CUSTOMERS, months=MONTHS, seed=3)
    return Books(out)
