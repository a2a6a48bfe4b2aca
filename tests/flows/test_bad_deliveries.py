"""Deliveries that cannot be taken in: three sentences, exit 2, and a workspace as it was."""

from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import Mingcha, picture

GOOD = "org_id,name,level\nO1,市公司,city\n"


def nothing(folder: Path) -> list[str | Path]:
    (folder / "empty").mkdir()
    return [folder / "empty"]


def missing(folder: Path) -> list[str | Path]:
    return [folder / "没有 这里"]


def only_strangers(folder: Path) -> list[str | Path]:
    (folder / "strangers").mkdir()
    (folder / "strangers" / "photo.jpg").write_bytes(b"\xff\xd8\xff")
    return [folder / "strangers"]


def unknown_columns(folder: Path) -> list[str | Path]:
    (folder / "books").mkdir()
    (folder / "books" / "org.csv").write_text(GOOD, encoding="utf-8")
    (folder / "map.yaml").write_text(
        "mapping: 1\ntables:\n  - from: org\n    to: org_unit\n    columns:\n"
        "      org_id: {column: nr}\n      name: {column: name}\n      levell: {column: level}\n",
        encoding="utf-8",
    )
    return [folder / "books", "--mapping", folder / "map.yaml"]


def missing_mapping(folder: Path) -> list[str | Path]:
    (folder / "books").mkdir()
    (folder / "books" / "org_unit.csv").write_text(GOOD, encoding="utf-8")
    return [folder / "books", "--mapping", folder / "nowhere.yaml"]


def broken_parquet(folder: Path) -> list[str | Path]:
    (folder / "books").mkdir()
    (folder / "books" / "org_unit.parquet").write_bytes(b"PAR1 cut off")
    return [folder / "books"]


def unknown_database(folder: Path) -> list[str | Path]:
    return ["postgresql://nobody:secret@127.0.0.1:1/none"]


def no_day(folder: Path) -> list[str | Path]:
    (folder / "books").mkdir()
    (folder / "books" / "org_unit.csv").write_text(GOOD, encoding="utf-8")
    return [folder / "books", "--as-of", "2026-02-30"]


BAD = (
    nothing, missing, only_strangers, unknown_columns, missing_mapping, broken_parquet,
    unknown_database, no_day,
)  # fmt: skip


@pytest.mark.parametrize("bad", BAD, ids=lambda make: make.__name__)
def test_is_told_and_changes_nothing(
    bad: Callable[[Path], list[str | Path]], mingcha: Mingcha, tmp_path: Path
) -> None:
    workspace = tmp_path / "工作区 with space"
    assert mingcha("init", workspace).code == 0
    before = picture(workspace)
    done = mingcha("data", "ingest", *bad(tmp_path), "-w", workspace)
    assert done.code == 2, done.out
    assert done.out == ""
    assert "Why it matters: " in done.err
    assert "How to put it right: " in done.err
    assert "Traceback" not in done.err
    assert "secret" not in done.err
    assert picture(workspace) == before


class TestPathsWithSpacesAndChinese:
    def test_are_ordinary_paths(self, mingcha: Mingcha, tmp_path: Path) -> None:
        books = tmp_path / "三月 数据"
        books.mkdir()
        (books / "org_unit.csv").write_bytes(GOOD.encode("gb18030"))
        mingcha("init", "我的 工作区")
        done = mingcha("data", "ingest", books, "-w", "我的 工作区", "--json")
        assert done.code == 0, done.err
        (table,) = done.document["tables"]
        assert (table["table"], table["delivered"], table["accepted"], table["quarantined"]) == (
            "org_unit",
            1,
            1,
            0,
        )

    def test_quarantined_rows_name_file_line_column_and_value(self, mingcha: Mingcha, tmp_path: Path) -> None:
        books = tmp_path / "b"
        books.mkdir()
        (books / "org_unit.csv").write_text(GOOD + "O2,县公司,village\n,站,station\n", encoding="utf-8")
        mingcha("init", "ws")
        done = mingcha("data", "ingest", "b", "-w", "ws", "--json")
        (table,) = done.document["tables"]
        assert table["delivered"] == table["accepted"] + table["quarantined"] == 3
        assert table["reasons"] == {"unknown_enum": 1, "missing_key": 1}
        rows = mingcha("data", "quarantine", "-w", "ws", "--json").document["rows"]
        assert [(row["line"], row["column"], row["reason"]) for row in rows] == [
            (3, "level", "unknown_enum"),
            (4, "org_id", "missing_key"),
        ]
        assert rows[0]["value"] == "village"
        assert rows[0]["file"].endswith("org_unit.csv")
        assert "县公司" in rows[0]["row"]
        assert "village" in rows[0]["message"]


class TestLaterDelivery:
    def test_corrects_by_key_and_leaves_the_earlier_snapshot_readable(
        self, mingcha: Mingcha, tmp_path: Path
    ) -> None:
        books = tmp_path / "b"
        books.mkdir()
        (books / "org_unit.csv").write_text(GOOD, encoding="utf-8")
        mingcha("init", "ws")
        first = mingcha("data", "ingest", "b", "-w", "ws", "--json").document
        (books / "org_unit.csv").write_text(GOOD + "O2,县公司,village\n", encoding="utf-8")
        second = mingcha("data", "ingest", "b", "-w", "ws", "--json").document
        assert first["snapshot_id"] != second["snapshot_id"]
        earlier = mingcha("data", "quarantine", "--snapshot", first["snapshot_id"], "-w", "ws", "--json")
        assert earlier.document["rows"] == []
        assert mingcha("data", "coverage", "--snapshot", first["snapshot_id"], "-w", "ws").code == 0
