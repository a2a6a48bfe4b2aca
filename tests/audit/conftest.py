"""A screened workspace, made once: an honest little utility, some rows altered, one table left out."""

import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import pytest

from mingcha.audit import casebook, screening
from mingcha.rules.record import RunRecord
from mingcha.store import snapshots, workspace
from mingcha.synth import generate

MADE_AT = datetime.fromisoformat("2026-04-11T08:30:00+08:00")
NOT_DELIVERED = {"ticket", "ticket_step", "disconnection", "receipt", "bank_statement"}

# Faults no rule can miss, spread by the hash of the key: each makes some findings and leaves most rows alone.
ALTERED = {
    "usage_point": "CAST(CASE WHEN hash(usage_point_id) % 9 = 0 THEN multiplier * 2 ELSE multiplier END "
    "AS DECIMAL(18, 6)) AS multiplier",
    "reading": "CAST(CASE WHEN hash(reading_id) % 50 = 0 THEN start_value + 7 ELSE start_value END "
    "AS DECIMAL(18, 4)) AS start_value",
}


class Screened(NamedTuple):
    """The workspace and the record of its first run."""

    workspace: workspace.Workspace
    record: RunRecord


@pytest.fixture(scope="session")
def screened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Screened]:
    folder = tmp_path_factory.mktemp("audit")
    books = folder / "books"
    generate.generate(out=books, customers=200, months=3, seed=7, clean=True, file_format="parquet")
    place = workspace.Workspace.create(folder / "工作区")
    deliver(place, books)
    record = screening.screen(workspace=place, made_at=MADE_AT)
    yield Screened(place, record)
    shutil.rmtree(folder, ignore_errors=True)


def deliver(place: workspace.Workspace, books: Path) -> None:
    con = place.connect()
    deliveries = {}
    with snapshots.Draft(place, made_at=MADE_AT) as draft:
        for file in sorted(books.glob("*.parquet")):
            table = file.stem
            if table in NOT_DELIVERED:
                continue
            change = f"* REPLACE ({ALTERED[table]})" if table in ALTERED else "*"
            merge = draft.add_rows(
                table=table, source=f"SELECT {change} FROM read_parquet('{file}')", con=con
            )
            held = 2 if table == "bill" else 0
            deliveries[table] = {
                "delivered": merge.rows + held,
                "accepted": merge.rows,
                "quarantined": held,
                "reasons": {"bad_date": held} if held else {},
            }
        draft.add_quarantine(table="bill", source=QUARANTINED, con=con)
        draft.commit(delivery={"source": str(books)}, deliveries=deliveries)
    con.close()


QUARANTINED = """
SELECT * FROM (VALUES
    ('bill.csv', 7, 'due_on', 'bad_date', '2026-02-30', '{"bill_id":"B7","due_on":"2026-02-30"}'),
    ('bill.csv', 9, 'due_on', 'bad_date', '昨天', '{"bill_id":"B9","due_on":"昨天"}')
) AS t(file, line, "column", reason, value, row)
"""


@pytest.fixture
def cases(screened: Screened) -> Iterator[casebook.Casebook]:
    with casebook.opened(workspace=screened.workspace) as opened:
        yield opened
