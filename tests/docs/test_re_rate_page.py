"""The pages on re-rating show what commands really say: every line of their blocks; … stands for more."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from mingcha.cli import main

ROOT = Path(__file__).parents[2]
PAGES = ("re-rate-bills.md", "re-rate-bills.zh.md")
BLOCK = re.compile(r"```console\n\$ (mingcha bills [^\n]+)\n(.*?)```", re.DOTALL)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("page") / "demo"
    folder.mkdir()
    books = folder / "utility"
    assert main.run(["synth", str(books), "--customers", "2500"]) == 0
    assert main.run(["init", str(folder / "w")]) == 0
    assert main.run(["data", "ingest", str(books), "-w", str(folder / "w")]) == 0
    return folder / "w"


def blocks(page: str) -> Iterator[tuple[str, list[str]]]:
    text = (ROOT / "docs" / "howto" / page).read_text(encoding="utf-8")
    for command, shown in BLOCK.findall(text):
        yield command, [line for line in shown.splitlines() if line.strip() and line != "…"]


def _like(line: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, line.split("…"))) + r"( \(made before\)|（此前已复算）)?")


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_every_line_shown_is_said(page: str, demo: Path, capfd: pytest.CaptureFixture[str]) -> None:
    found = list(blocks(page))
    assert len(found) == 4
    for command, shown in found:
        arguments = [str(demo) if word == "demo" else word for word in shlex.split(command)[1:]]
        capfd.readouterr()
        assert main.run(arguments) == 0
        said = capfd.readouterr().out.splitlines()
        assert [line for line in shown if not any(map(_like(line).fullmatch, said))] == [], command
