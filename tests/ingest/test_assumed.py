"""A value nobody delivered fills its column and does not count as delivered."""

from __future__ import annotations

import datetime
from pathlib import Path

from mingcha.ingest import deliver
from mingcha.store import snapshots, workspace

HEAD = "mapping: 1\nmatch_names: false\ntables:\n"
ENTRY = """\
  - from: clients
    to: staff
    columns:
      staff_id: {expr: "concat('A', id)"}
      name: {column: id, assumed: true}
      org_id: {constant: O1, assumed: true}
"""


def _taken_in(folder: Path, *entries: str) -> snapshots.Snapshot:
    source = folder / "source"
    source.mkdir()
    (source / "clients.csv").write_text("id\nS1\nS2\n")
    (folder / "map.yaml").write_text(HEAD + "".join(entries))
    made = workspace.Workspace.create(folder / "books")
    moment = datetime.datetime(2026, 4, 11, tzinfo=datetime.UTC)
    deliver.deliver(workspace=made, source=source, mapping=folder / "map.yaml", made_at=moment)
    newest = snapshots.latest(made)
    assert newest is not None
    return newest


class TestAssumed:
    def test_fills_the_column_and_leaves_it_undelivered(self, tmp_path: Path) -> None:
        snapshot = _taken_in(tmp_path, ENTRY)
        assert snapshot.rows("staff") == 2
        assert snapshot.columns_delivered("staff") == ("staff_id",)

    def test_a_constant_that_is_not_assumed_counts_as_delivered(self, tmp_path: Path) -> None:
        snapshot = _taken_in(tmp_path, ENTRY.replace("O1, assumed: true", "O1"))
        assert snapshot.columns_delivered("staff") == ("staff_id", "org_id")

    def test_one_feed_that_delivers_the_column_is_enough(self, tmp_path: Path) -> None:
        other = ENTRY.replace("id, assumed: true", "id").replace("'A'", "'B'")
        snapshot = _taken_in(tmp_path, ENTRY, other)
        assert snapshot.rows("staff") == 4
        assert snapshot.columns_delivered("staff") == ("staff_id", "name")
