"""The tutorial's commands, in order, as a reader would type them."""

import re
import shlex
from pathlib import Path

import pytest

from .conftest import ran

FOLDER = Path(__file__).parents[2] / "docs" / "tutorial"
PAGES = ("first-screening.md", "first-screening.zh.md")
_BLOCK = re.compile(r"```console\n(.*?)```", re.DOTALL)


def commands(page: str) -> list[str]:
    text = (FOLDER / page).read_text(encoding="utf-8")
    lines = [line for block in _BLOCK.findall(text) for line in block.splitlines()]
    assert all(line.startswith("$ ") for line in lines)
    return [line.removeprefix("$ ") for line in lines]


def do(command: str, folder: Path) -> str:
    """Run one line of the tutorial and return what it wrote."""
    if command.startswith("mkdir "):
        (folder / command.split()[1]).mkdir()
        return ""
    if command.startswith("printf "):
        _, text, _, name = shlex.split(command)
        with (folder / name).open("a", encoding="utf-8") as file:
            file.write(text.encode().decode("unicode_escape"))
        return ""
    words = shlex.split(command)
    assert words[0] == "mingcha"
    done = ran(words[1:], folder=folder)
    assert done.code == 0, f"{command}\n{done.err}"
    assert "Traceback" not in done.err
    return done.out


@pytest.mark.slow
def test_every_command_of_the_tutorial_works_in_order(tmp_path: Path) -> None:
    out = {}
    listed = ""
    for command in commands(PAGES[0]):
        line = command.replace(" ID ", f" {listed} ")
        out[command] = do(line, tmp_path)
        if command.startswith("mingcha findings list") and not listed:
            listed = next(word for word in out[command].split() if re.fullmatch(r"F[0-9a-f]{16}", word))
    assert "bad_date" in out["mingcha data quarantine -w ws"]
    assert "Expected" in out["mingcha findings show ID -w ws --lang en"]
    assert (tmp_path / "findings.xlsx").stat().st_size > 5_000
    assert "</html>" in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert out["mingcha findings list -w ws --json"].startswith("[")


def test_both_languages_give_the_same_commands() -> None:
    english, chinese = ([re.sub(r"--lang \w+", "", line) for line in commands(page)] for page in PAGES)
    assert english == chinese
    assert len(english) > 12
