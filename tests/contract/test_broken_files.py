"""One broken file per mistake, and the words its message must contain."""

from __future__ import annotations

from pathlib import Path

import pytest

from mingcha.contract import load
from mingcha.kernel import errors, strict_yaml

FRAME = """\
contract: 1
groups:
  customer:
    zh: 用户
    en: Customers
    tables: [account, point]
enumerations:
  side:
    high: {zh: 高压侧, en: High side}
    low: {zh: 低压侧, en: Low side}
"""
ACCOUNT = """\
table: account
group: customer
title: {zh: 用电户, en: Account}
description: {zh: 用电户的档案。, en: What is known of an account.}
storage: {partition: null, sort: [account_id]}
key: [account_id]
columns:
  - {name: account_id, type: id, nullable: false, zh: 户号, en: Account ID, example: "C1"}
  - {name: opened_on, type: date, nullable: true, zh: 立户日期, en: Opened on, example: "2020-06-01"}
  - {name: period, type: billing_period, nullable: false, zh: 电费年月, en: Period, example: "2026-01"}
"""
POINT = """\
table: point
group: customer
title: {zh: 计量点, en: Point}
description: {zh: 计量电能的位置。, en: Where energy is measured.}
storage: {partition: month(read_at), sort: [point_id]}
key: [point_id]
columns:
  - {name: point_id, type: id, nullable: false, zh: 计量点编号, en: Point ID, example: "P1"}
  - {name: account_id, type: id, nullable: true, zh: 户号, en: Owner, ref: account.account_id, example: "C1"}
  - {name: side, type: enum, nullable: false, zh: 计量侧, en: Side, enum: side, example: "low"}
  - {name: multiplier, type: ratio, nullable: false, zh: 倍率, en: Ratio, min: "0.5", max: "9", example: "1"}
  - {name: shift, type: int, nullable: true, zh: 班制, en: Shift, allowed: ["1", "2"], example: "1"}
  - {name: energy, type: energy, nullable: true, zh: 电量, en: Energy, unit: kWh, example: "1.5"}
  - {name: read_at, type: timestamp, nullable: false, zh: 抄表时间, en: Read, example: "2026-01-01 08:00:00"}
  - {name: smart, type: bool, nullable: true, zh: 智能表, en: Smart, example: "true"}
"""


def write(folder: Path, *, frame: str = FRAME, account: str = ACCOUNT, point: str = POINT) -> Path:
    (folder / "tables").mkdir()
    (folder / "contract.yaml").write_text(frame, encoding="utf-8")
    (folder / "tables" / "account.yaml").write_text(account, encoding="utf-8")
    (folder / "tables" / "point.yaml").write_text(point, encoding="utf-8")
    return folder


def mistakes_of(folder: Path) -> list[str]:
    with pytest.raises(errors.BookError) as caught:
        load.read(folder=folder)
    return [line.removeprefix("  - ") for line in caught.value.what.splitlines()[1:]]


def test_the_unbroken_contract_is_read(tmp_path: Path) -> None:
    contract = load.read(folder=write(tmp_path))
    assert list(contract.tables) == ["account", "point"]
    assert contract.table("point").column("side").enum == ("high", "low")


CASES = strict_yaml.load(
    Path(__file__).with_name("broken_files.yaml").read_text(encoding="utf-8"), source="broken_files.yaml"
)


def said(case: dict[str, str]) -> str:
    return case["says"]


@pytest.mark.parametrize("case", CASES["tables"], ids=said)
def test_broken_table(tmp_path: Path, case: dict[str, str]) -> None:
    assert case["replace"] in POINT
    mistakes = mistakes_of(write(tmp_path, point=POINT.replace(case["replace"], case["by"], 1)))
    assert any(line.startswith("point.yaml") and case["says"] in line for line in mistakes), mistakes


@pytest.mark.parametrize("case", CASES["frames"], ids=said)
def test_broken_frame(tmp_path: Path, case: dict[str, str]) -> None:
    assert FRAME.count(case["replace"]) == 1
    mistakes = mistakes_of(write(tmp_path, frame=FRAME.replace(case["replace"], case["by"])))
    assert any(case["says"] in line for line in mistakes), mistakes


def test_two_tables_with_one_title(tmp_path: Path) -> None:
    point = POINT.replace("title: {zh: 计量点, en: Point}", "title: {zh: 用电户, en: Point}")
    assert mistakes_of(write(tmp_path, point=point)) == [
        "contract.yaml: the table title `用电户` stands 2 times"
    ]


def test_every_mistake_of_every_file_is_reported_at_once(tmp_path: Path) -> None:
    point = POINT.replace("unit: kWh, ", "").replace('"low"', '"middle"')
    account = ACCOUNT.replace("en: Opened on, ", "").replace("type: billing_period", "type: month")
    mistakes = mistakes_of(write(tmp_path, point=point, account=account))
    assert mistakes == [
        "account.yaml: column opened_on: `en` is missing",
        mistakes[1],
        "point.yaml: column side: the example `middle` is not one of its values",
        "point.yaml: column energy: a value of type energy needs a unit",
    ]
    assert "column period: `type` is 'month'" in mistakes[1]


def test_an_unreadable_table_is_reported_once_and_not_again_by_those_that_refer_to_it(tmp_path: Path) -> None:
    mistakes = mistakes_of(write(tmp_path, account=ACCOUNT.replace("group: customer\n", "")))
    assert mistakes == ["account.yaml: `group` is missing"]


def test_empty_and_badly_encoded_files(tmp_path: Path) -> None:
    folder = write(tmp_path, account="")
    (folder / "tables" / "point.yaml").write_bytes("table: 计量点".encode("gb18030"))
    mistakes = mistakes_of(folder)
    assert mistakes[0] == "account.yaml: the file is empty"
    assert mistakes[1].startswith("point.yaml: cannot be read as UTF-8 text")


def test_a_file_that_is_no_mapping(tmp_path: Path) -> None:
    mistakes = mistakes_of(write(tmp_path, account="- account\n"))
    assert mistakes == ["account.yaml: `the file` is not a mapping of keys to values"]


def test_missing_frame(tmp_path: Path) -> None:
    folder = write(tmp_path)
    (folder / "contract.yaml").unlink()
    mistakes = mistakes_of(folder)
    assert mistakes[0].startswith("contract.yaml: cannot be read")


def test_message_says_what_why_and_how_to_mend(tmp_path: Path) -> None:
    with pytest.raises(errors.BookError) as caught:
        load.read(folder=write(tmp_path, account=ACCOUNT.replace("en: Account ID, ", "")))
    text = str(caught.value)
    assert "has 1 mistake" in text
    assert "Why it matters: every reader, rule and document follows the contract" in text
    assert "How to put it right: correct the lines named above" in text
