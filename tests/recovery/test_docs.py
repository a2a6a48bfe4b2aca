"""The pages on recovery say what is so: examples are run, tables compared with the book and the code."""

import re
import shlex
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from mingcha.cli import main
from mingcha.findings import jsontext
from mingcha.recovery import catalogue, kfactor
from mingcha.recovery.lawbook import Law
from mingcha.tariffbook import load

PAGES = {
    name: (Path(__file__).parents[2] / "docs" / "explain" / name).read_text(encoding="utf-8")
    for name in ("recovery.md", "recovery.zh.md")
}


def rows(page: str) -> list[list[str]]:
    lines = [line for line in page.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def examples() -> list[list[str]]:
    return [row for row in rows(PAGES["recovery.md"]) if len(row) == 5 and " --" in row[0]]


def number(text: str) -> Decimal | None:
    return None if text == "–" else Decimal(text.replace(",", ""))


@pytest.mark.parametrize("row", examples(), ids=lambda row: row[0].strip("`")[:60])
def test_worked_examples_come_out_as_written(row: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    assert main.run(["recover", *shlex.split(row[0].strip("`")), "--json"]) == 0
    made: Any = jsontext.loads(capfd.readouterr().out)
    energy = made["back_kwh"] if made["back_kwh"] is None else made["back_kwh"] - made["refund_kwh"]
    least, _, most = row[3].partition(" to ")
    assert energy == number(row[1])
    assert made["back_cny"] == number(row[2])
    assert made["penalty_min_cny"] == number(least)
    assert made["penalty_max_cny"] == number(most or least)
    assert made["refund_cny"] == number(row[4])


def test_most_kinds_have_an_example_and_both_pages_the_same() -> None:
    kinds = {row[0].strip("`").split()[0] for row in examples()}
    assert len(kinds) >= 13
    chinese = [row for row in rows(PAGES["recovery.zh.md"]) if len(row) == 5 and " --" in row[0]]
    assert [[cell.replace(" 至 ", " to ") for cell in row] for row in chinese] == examples()


@pytest.mark.parametrize(("name", "language"), [("recovery.md", "en"), ("recovery.zh.md", "zh")])
def test_tables_of_articles_and_factors_are_those_of_book_and_code(name: str, language: str) -> None:
    found = rows(PAGES[name])
    law = Law(load.shipped())
    articles = [
        [f"`{one.kind}`", one.title.of(language)]
        + [f"{fact.value} {fact.evidence}" for fact in _both(law, one.topic)]
        for one in catalogue.CALCULATORS.values()
    ]
    assert [
        [row[0], row[1], row[3], row[4]] for row in found if row[0].strip("`") in catalogue.CALCULATORS
    ] == articles
    factors = [[row[0].strip("`"), row[2]] for row in found if row[0].strip("`") in kfactor.BY_CODE]
    assert factors == [[fault.code, fault.formula] for fault in kfactor.FAULTS]


def _both(law: Law, topic: str) -> tuple[Any, Any]:
    return law.article(topic, date(2024, 5, 31)), law.article(topic, date(2024, 6, 1))


@pytest.mark.parametrize("name", list(PAGES))
def test_the_file_of_inputs_on_the_page_is_taken(
    name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    block = re.search(r"```yaml\n(.*?)```", PAGES[name], re.S)
    assert block is not None
    file = tmp_path / "case.yaml"
    file.write_text(block.group(1), encoding="utf-8")
    assert main.run(["recover", "wiring", "--input", str(file), "--json"]) == 0
    made: Any = jsontext.loads(capfd.readouterr().out)
    assert made["back_kwh"] == Decimal("57701.19")


@pytest.mark.parametrize("name", list(PAGES))
def test_options_named_on_the_page_exist(name: str) -> None:
    from mingcha.recovery import asking

    known = {about.option for one in catalogue.CALCULATORS.values() for _, about in asking.fields(one.given)}
    known |= {"--input", "--out", "--lang", "--json", "--help", "--format", "--source"}
    assert set(re.findall(r"--[a-z][a-z-]+", PAGES[name])) - known == set()
