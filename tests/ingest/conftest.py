"""Helpers every test of the intake uses: a workspace, a way to deliver, and what came of it."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mingcha.ingest import deliver, report
from mingcha.kernel import errors
from mingcha.store import snapshots
from mingcha.store.workspace import Workspace

MADE_AT = datetime.datetime(2026, 4, 10, 8, 0, tzinfo=datetime.UTC)


class Intake:
    """A workspace that takes deliveries, and looks at what it holds."""

    def __init__(self, folder: Path) -> None:
        self.workspace = Workspace.create(folder / "工作 区")
        self.source = folder / "交付 数据"
        self.source.mkdir()

    def put(self, name: str, content: str | bytes) -> Path:
        """Write a file of the delivery."""
        path = self.source / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def mapping(self, text: str) -> Path:
        """Write a mapping file."""
        path = self.workspace.path / "mapping.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    def deliver(
        self,
        source: str | Path | None = None,
        *,
        mapping: str | None = None,
        as_of: datetime.date | None = None,
    ) -> report.DeliveryReport:
        """Take the delivery in; check what must hold for every delivery."""
        made = deliver.deliver(
            workspace=self.workspace,
            source=self.source if source is None else source,
            mapping=self.mapping(mapping) if mapping is not None else None,
            made_at=MADE_AT,
            as_of=as_of,
        )
        for table in made.tables:
            assert table.delivered == table.accepted + table.quarantined
            assert table.quarantined == sum(table.reasons.values())
            listed = [row for row in self.quarantine() if row["table"] == table.table]
            assert len(listed) == table.quarantined - table.reasons.get("merged", 0)
        return made

    def refuse(self, source: str | Path | None = None, **more: Any) -> errors.MingchaError:
        """Return the error of a delivery that must fail, having checked that nothing has changed."""
        before = self.state()
        with pytest.raises(errors.MingchaError) as caught:
            self.deliver(source, **more)
        assert self.state() == before
        assert caught.value.what
        assert caught.value.why
        assert caught.value.mend
        return caught.value

    def state(self) -> list[str]:
        """Return what lies in the lake, except the lock and folders of processes at work."""
        lake = self.workspace.lake
        return sorted(
            str(path.relative_to(lake))
            for path in lake.rglob("*")
            if path.name != "lock" and "tmp" not in path.relative_to(lake).parts
        )

    def rows(self, table: str, columns: str = "*") -> list[tuple[Any, ...]]:
        """Return rows of a table of the newest snapshot, ordered."""
        snapshot = snapshots.latest(self.workspace)
        assert snapshot is not None
        con = self.workspace.connect()
        try:
            snapshots.attach(con, snapshot, tables=[table])
            return con.execute(f"SELECT {columns} FROM {table} ORDER BY ALL").fetchall()
        finally:
            con.close()

    def quarantine(self) -> list[dict[str, Any]]:
        """Return the rows put aside by the newest delivery; `row` is parsed."""
        snapshot = snapshots.latest(self.workspace)
        assert snapshot is not None
        con = self.workspace.connect()
        try:
            found = snapshots.quarantine(con, snapshot)
            names = found.columns
            rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
        finally:
            con.close()
        return [{**row, "row": json.loads(row["row"])} for row in rows]

    def aside(self) -> list[tuple[Any, ...]]:
        """Return (file, line, column, reason, value) of the rows put aside."""
        return [
            (row["file"], row["line"], row["column"], row["reason"], row["value"])
            for row in self.quarantine()
        ]


@pytest.fixture
def make_intake(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Intake]:
    """A maker of fresh workspaces, for tests that run their body many times."""
    return lambda: Intake(tmp_path_factory.mktemp("intake"))


@pytest.fixture
def intake(tmp_path: Path) -> Intake:
    """A fresh workspace with an empty delivery folder; both paths hold spaces and Chinese."""
    return Intake(tmp_path)
