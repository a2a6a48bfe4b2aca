"""A small honest utility, and the same one with some lines of its bills altered in ways that have a name."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import pytest

from mingcha.store import snapshots, workspace
from mingcha.synth import generate

MADE_AT = datetime.fromisoformat("2026-04-11T08:30:00+08:00")
NOT_DELIVERED = ("load_curve", "daily_energy", "meter_event", "ami_collection", "bank_statement", "receipt")

#: What is changed in March: one line in eleven has 0.1 CNY more in its price, residents' funds are left out.
ALTERED: Mapping[str, str] = {
    "bill_line": """
        SELECT l.* REPLACE (
            CASE WHEN wrong THEN CAST(l.price + 0.1 AS DECIMAL(18,8)) ELSE l.price END AS price,
            CASE WHEN wrong THEN CAST(round(l.quantity * (l.price + 0.1), 2) AS DECIMAL(18,2))
                ELSE l.amount END AS amount)
        FROM (
            SELECT l.*, l.component = 'energy' AND b.billing_period = '2026-03' AND b.kind = 'regular'
                AND hash(b.customer_id) % 11 = 0 AS wrong
            FROM {source} AS l JOIN read_parquet('{folder}/bill.parquet') AS b USING (bill_id)
            WHERE NOT (l.component = 'fund' AND b.billing_period = '2026-03' AND hash(b.customer_id) % 13 = 0)
        ) AS l
    """,
    "bill": """
        SELECT * REPLACE (CASE WHEN billing_period = '2026-03' AND hash(customer_id) % 40 = 1 THEN 'void'
            ELSE status END AS status)
        FROM {source}
    """,
}


def deliver(
    place: workspace.Workspace, books: Path, *, without: tuple[str, ...] = (), altered: Mapping[str, str] = {}
) -> snapshots.Snapshot:
    """Take in the books, some tables left out and some changed."""
    con = place.connect()
    with snapshots.Draft(place, made_at=MADE_AT) as draft:
        for file in sorted(books.glob("*.parquet")):
            if file.stem in without or file.stem in NOT_DELIVERED:
                continue
            source = f"read_parquet('{file}')"
            sql = altered.get(file.stem, "SELECT * FROM {source}").format(source=source, folder=books)
            # Columns that only helped to decide are no columns of the contract.
            extra = " EXCLUDE (wrong)" if file.stem == "bill_line" and file.stem in altered else ""
            draft.add_rows(table=file.stem, source=f"SELECT *{extra} FROM ({sql})", con=con)
        snapshot = draft.commit()
    con.close()
    return snapshot


def copy(place: workspace.Workspace, target: Path) -> workspace.Workspace:
    """Return a workspace with the same delivery and nothing derived from it."""
    shutil.copytree(place.path, target, ignore=shutil.ignore_patterns("derived", "tmp", "runs", "cache"))
    for name in ("tmp", "runs", "cache"):
        (target / "lake" / name).mkdir()
    return workspace.Workspace.open(target)


@pytest.fixture(scope="session")
def books(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bills") / "books"
    generate.generate(out=folder, customers=200, months=3, seed=7, clean=True, file_format="parquet")
    return folder


@pytest.fixture(scope="session")
def honest(books: Path) -> workspace.Workspace:
    place = workspace.Workspace.create(books.parent / "honest 工作区")
    deliver(place, books)
    return place


@pytest.fixture(scope="session")
def faulty(books: Path) -> workspace.Workspace:
    place = workspace.Workspace.create(books.parent / "faulty")
    deliver(place, books, altered=ALTERED)
    return place
