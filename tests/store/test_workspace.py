"""Workspaces and their settings."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

import mingcha.store
from mingcha.kernel import errors
from mingcha.store import settings, workspace


class TestCreate:
    def test_makes_an_empty_lake_and_settings_that_state_every_default(self, tmp_path: Path) -> None:
        made = workspace.Workspace.create(tmp_path / "新 区")

        assert (made.path / "mingcha.toml").is_file()
        assert (made.lake / "snapshots").is_dir()
        assert not list((made.lake / "tmp").iterdir())
        assert made.settings == settings.Settings()

    def test_refuses_a_folder_that_is_a_workspace_already(self, tmp_path: Path) -> None:
        workspace.Workspace.create(tmp_path)

        with pytest.raises(errors.SetupError, match="is a workspace already"):
            workspace.Workspace.create(tmp_path)

    def test_says_so_when_the_place_cannot_hold_one(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")

        with pytest.raises(errors.SetupError, match="cannot be made here"):
            workspace.Workspace.create(tmp_path / "file" / "below")


class TestOpen:
    def test_refuses_a_folder_without_settings(self, tmp_path: Path) -> None:
        with pytest.raises(errors.SetupError, match="is not a workspace") as raised:
            workspace.Workspace.open(tmp_path)

        assert "mingcha init" in raised.value.mend

    def test_reads_changed_settings(self, tmp_path: Path) -> None:
        workspace.Workspace.create(tmp_path)
        (tmp_path / "mingcha.toml").write_text(
            '[organisation]\nname = "临江供电公司"\n[engine]\nthreads = 1\nmemory_limit = "1.5 GB"\n'
        )

        opened = workspace.Workspace.open(tmp_path)

        assert opened.settings.organisation.name == "临江供电公司"
        assert opened.settings.engine.threads == 1
        assert opened.settings.ingest.orphans == "keep"

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("[engine]\nthread = 2\n", ["there is no setting engine.thread"]),
            ("[motor]\n", ["there is no setting motor"]),
            (
                '[engine]\nmemory_limit = "4"\nthreads = 0\n',
                ["engine.memory_limit = '4'", "engine.threads = 0"],
            ),
            ('[engine]\nthreads = "2"\n', ["engine.threads = '2'"]),
            (
                '[organisation]\ntimezone = "Beijing"\n',
                ["organisation.timezone = 'Beijing'", "Asia/Shanghai"],
            ),
            ('[organisation]\nlanguage = "fr"\n', ["organisation.language = 'fr'"]),
            ("[engine\n", ["mingcha.toml", "line 1"]),
            ("organisation = 3\n", ["organisation = 3"]),
        ],
    )
    def test_names_every_mistake_in_the_settings(self, tmp_path: Path, text: str, words: list[str]) -> None:
        workspace.Workspace.create(tmp_path)
        (tmp_path / "mingcha.toml").write_text(text)

        with pytest.raises(errors.SetupError) as raised:
            workspace.Workspace.open(tmp_path)

        assert all(word in raised.value.what for word in words), raised.value.what

    def test_says_so_when_the_settings_are_not_utf8(self, tmp_path: Path) -> None:
        workspace.Workspace.create(tmp_path)
        (tmp_path / "mingcha.toml").write_bytes('[organisation]\nname = "供电"\n'.encode("gbk"))

        with pytest.raises(errors.SetupError, match=r"mingcha\.toml"):
            workspace.Workspace.open(tmp_path)


class TestConnect:
    def test_follows_the_settings(self, tmp_path: Path) -> None:
        workspace.Workspace.create(tmp_path)
        (tmp_path / "mingcha.toml").write_text(
            '[organisation]\ntimezone = "Asia/Urumqi"\n[engine]\nthreads = 1\nmemory_limit = "512MiB"\n'
        )
        opened = workspace.Workspace.open(tmp_path)

        con = opened.connect()

        names = ("threads", "memory_limit", "TimeZone")
        found = [con.execute(f"SELECT current_setting('{name}')").fetchall()[0][0] for name in names]
        assert found == [1, "512.0 MiB", "Asia/Urumqi"]
        moment = con.execute(
            "SELECT CAST(TIMESTAMPTZ '2026-03-05 00:00:00+00' AS TIMESTAMP)::VARCHAR"
        ).fetchall()
        assert moment == [("2026-03-05 06:00:00",)]

    def test_spills_into_the_lake_what_does_not_fit_in_memory(self, tmp_path: Path) -> None:
        ws = workspace.Workspace.create(tmp_path / "w s")
        con = ws.connect(memory_limit="60MB", threads=1)

        con.execute(
            "CREATE TEMP TABLE t AS SELECT hash(i)::VARCHAR || repeat('x', 60) AS s FROM range(600000) r(i)"
        )

        assert con.execute("SELECT count(*) FROM (SELECT s FROM t ORDER BY s)").fetchall() == [(600000,)]
        assert any(path.is_file() for path in (ws.lake / "tmp").glob("spill-*/**/*"))
        con.close()


class TestSchema:
    def test_describes_every_setting(self) -> None:
        schema = json.loads((Path(mingcha.store.__file__).parent / "mingcha.toml.schema.json").read_text())

        assert schema == settings.json_schema(), "write it again: python -m mingcha.store.settings"
        for section, value in tomllib.loads(settings.template()).items():
            assert isinstance(value, dict)
            assert section in schema["properties"]
