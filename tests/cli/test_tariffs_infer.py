"""`mingcha tariffs infer` and `import-urdb`: what they write, what they say, how they leave."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from tests.audit.test_inferring import honest, place

from mingcha.audit import inferring
from mingcha.cli import tariffs_infer

from .conftest import Run, three_parts

RATE = {
    "label": "abc123",
    "name": "Small",
    "startdate": 1514786400,
    "energyratestructure": [[{"rate": 0.12}]],
    "minmonthlycharge": 8,
}


@pytest.fixture
def rate(tmp_path: Path) -> Path:
    return written(tmp_path, RATE)


def written(folder: Path, rate: dict[str, object]) -> Path:
    path = folder / "rate.json"
    path.write_text(json.dumps({"items": [rate]}), encoding="utf-8")
    return path


class TestImport:
    def test_a_file_that_can_be_checked_and_shown(self, mingcha: Run, rate: Path, workspace: Path) -> None:
        out = workspace / "tariffs" / "small.yaml"
        ran = mingcha("tariffs", "import-urdb", rate, "--out", out)
        assert (ran.code, ran.out) == (0, "")
        assert "! not covered: a minimum bill of 8 $/month (minmonthlycharge)" in ran.err
        assert mingcha("tariffs", "check", out).code == 0
        assert "us.urdb.abc123" in mingcha("tariffs", "list", "-w", workspace).out
        assert "0.12" in mingcha("tariffs", "show", "us.urdb.abc123", "-w", workspace).out

    def test_as_json_and_to_the_terminal(self, mingcha: Run, rate: Path) -> None:
        told = mingcha("tariffs", "import-urdb", rate, "--json").document
        assert told["not_covered"] == ["a minimum bill of 8 $/month (minmonthlycharge)"]
        assert told["text"] == mingcha("tariffs", "import-urdb", rate).out

    def test_what_cannot_be_stated_is_refused_or_asked_for(self, mingcha: Run, tmp_path: Path) -> None:
        rate = written(tmp_path, RATE | {"demandratchetpercentage": [0.8]})
        ran = mingcha("tariffs", "import-urdb", rate)
        assert (ran.code, ran.out) == (2, "")
        assert three_parts(ran.err)
        assert "demand also counts earlier months" in ran.err
        ran = mingcha("tariffs", "import-urdb", rate, "--partial")
        assert ran.code == 0
        assert "! not covered: demand also counts earlier months" in ran.err

    def test_nothing_left_to_state(self, mingcha: Run, tmp_path: Path) -> None:
        ran = mingcha(
            "tariffs", "import-urdb", written(tmp_path, RATE | {"energyratestructure": []}), "--partial"
        )
        assert ran.code == 2
        assert three_parts(ran.err)

    def test_the_first_day(self, mingcha: Run, tmp_path: Path) -> None:
        rate = written(tmp_path, RATE | {"startdate": None})
        assert mingcha("tariffs", "import-urdb", rate).code == 2
        assert "2020-02-03" in mingcha("tariffs", "import-urdb", rate, "--from", "2020-02-03").out
        ran = mingcha("tariffs", "import-urdb", rate, "--from", "soon")
        assert ran.code == 2
        assert three_parts(ran.err)

    def test_no_file(self, mingcha: Run, tmp_path: Path) -> None:
        ran = mingcha("tariffs", "import-urdb", tmp_path / "none.json")
        assert ran.code == 2
        assert three_parts(ran.err)


class TestInfer:
    def test_draft_codes_and_exceptions(self, mingcha: Run, tmp_path: Path) -> None:
        folder = place(tmp_path / "utility", honest()).path
        draft, codes = folder / "tariffs" / "learnt.yaml", folder / "tariffs" / "codes.csv"
        listed = tmp_path / "exceptions.csv"
        ran = mingcha("tariffs", "infer", "-w", folder, "--lang", "en", "--book", "my.utility",
                      "--out", draft, "--codes", codes, "--exceptions", listed)  # fmt: skip
        assert ran.code == 0
        assert "80 / 150 / 400" in ran.out
        assert "1,080 of 1,080 bills with tiers reproduced exactly" in ran.out
        assert mingcha("tariffs", "check", draft).code == 0
        assert list(csv.reader(codes.read_text().splitlines()))[1:] == [
            ["A", "my.utility.tA"],
            ["B", "my.utility.tB"],
        ]
        assert listed.read_text() == ""
        assert "my.utility.tA" in mingcha("tariffs", "list", "-w", folder).out

    def test_as_json_and_in_chinese(self, mingcha: Run, tmp_path: Path) -> None:
        folder = place(tmp_path / "utility", honest()[:200]).path
        told = mingcha("tariffs", "infer", "-w", folder, "--json").document
        assert told["judged"] == told["reproduced"] == 200
        assert told["tariffs"][0]["spans"][0]["monthly_limits_kwh"] == [100]
        assert "算得完全一致" in mingcha("tariffs", "infer", "-w", folder, "--lang", "zh").out

    def test_exceptions_in_a_format_nobody_knows(self, mingcha: Run, tmp_path: Path) -> None:
        folder = place(tmp_path / "utility", honest()[:50]).path
        ran = mingcha("tariffs", "infer", "-w", folder, "--exceptions", tmp_path / "list.txt")
        assert ran.code == 2
        assert three_parts(ran.err)

    def test_nothing_delivered(self, mingcha: Run, workspace: Path) -> None:
        ran = mingcha("tariffs", "infer", "-w", workspace)
        assert ran.code == 2
        assert three_parts(ran.err)


def test_every_reason_has_words() -> None:
    assert set(tariffs_infer._REASONS) == set(inferring.REASONS)
