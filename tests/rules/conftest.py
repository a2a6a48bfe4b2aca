"""A miniature rulebook and a workspace that takes rows given by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from mingcha.contract import ddl
from mingcha.kernel.periods import BillingMonth
from mingcha.rules import book as books
from mingcha.rules import graph, overlay, record, run
from mingcha.rules.bench import Bench
from mingcha.store import runs, snapshots
from mingcha.store.workspace import Workspace

BOOK = Path(__file__).parent / "book"
MADE_AT = datetime(2026, 4, 11, 8, 0, tzinfo=UTC)
D = date(2026, 4, 10)
Rows = dict[str, list[dict[str, Any]]]


@pytest.fixture(scope="session")
def book() -> books.Book:
    return books.load(root=BOOK)


class Utility:
    """A workspace, deliveries of hand-written rows, and runs over them."""

    def __init__(self, path: Path, book: books.Book) -> None:
        self.book = book
        self.workspace = Workspace.create(path)
        self.options = run.Options()

    def deliver(self, tables: Rows, *, without: tuple[str, ...] = (), as_of: date = D) -> snapshots.Snapshot:
        """Take in rows, every contract column but those `without` (table.column) counting as delivered."""
        bench = Bench(graph.Graph(self.book))
        with snapshots.Draft(self.workspace, made_at=MADE_AT, as_of=as_of) as draft:
            for name, rows in tables.items():
                bench.fill(name, rows)
                shape = bench.contract.tables[name]
                columns = [c for c in shape.column_names if f"{name}.{c}" not in without]
                select = ", ".join(ddl.quote(column) for column in columns)
                draft.add_rows(table=name, source=f"SELECT {select} FROM {ddl.quote(name)}", con=bench.con)
            snapshot = draft.commit()
        bench.close()
        return snapshot

    def screen(self, *periods: str, **more: Any) -> record.RunRecord:
        """Screen the newest snapshot for the periods (2026-03 when none are given)."""
        newest = snapshots.latest(self.workspace)
        assert newest is not None
        return run.screen(
            workspace=self.workspace,
            snapshot=more.pop("snapshot", newest),
            book=more.pop("book", self.book),
            made_at=MADE_AT,
            periods=[BillingMonth.parse(period) for period in periods or ("2026-03",)],
            options=more.pop("options", self.options),
            **more,
        )

    def overlay(self, text: str) -> overlay.Overlay:
        """Return the overlay written in the text."""
        folder = self.workspace.path / "overlays"
        folder.mkdir(exist_ok=True)
        (folder / "own.yaml").write_text(text, encoding="utf-8")
        return overlay.load(paths=overlay.files_of(workspace=self.workspace.path), book=self.book)

    def rows(self, run_id: str, table: str = "findings") -> list[dict[str, Any]]:
        """Return the rows a run wrote into a table, in order of rule and subject."""
        con = self.workspace.connect()
        sql = runs.get(self.workspace, run_id).select(table)
        result = con.execute(f"SELECT * FROM ({sql}) ORDER BY rule_id, subject_id, 1")
        names = [column[0] for column in result.description]
        found = [dict(zip(names, row, strict=True)) for row in result.fetchall()]
        con.close()
        return found


@pytest.fixture
def utility(tmp_path: Path, book: books.Book) -> Iterator[Utility]:
    return Utility(tmp_path / "works 供电", book)


Bill = Callable[..., dict[str, Any]]


def bill(bill_id: str, *, customer: str = "C1", period: str = "2026-03", **more: Any) -> dict[str, Any]:
    """Return a bill row."""
    ordinary = {"amount": "50", "energy_kwh": "100", "status": "open", "kind": "regular"}
    return {"bill_id": bill_id, "customer_id": customer, "billing_period": period, **ordinary, **more}


def customer(customer_id: str, *, org: str = "O1", **more: Any) -> dict[str, Any]:
    """Return a customer row."""
    return {"customer_id": customer_id, "org_id": org, **more}
