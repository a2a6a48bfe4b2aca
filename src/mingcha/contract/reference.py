"""The contract as pages to read, in Chinese and English, generated so that they cannot disagree with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mingcha.contract import load, model


@dataclass(frozen=True)
class _Words:
    """The words around the contract's own words, in one language."""

    head: str
    tables: str
    types: str
    index: tuple[str, ...]
    type_columns: tuple[str, ...]
    columns: tuple[str, ...]
    layout: str
    split: str
    whole: str
    yes: str
    ref: str
    allowed: str
    privacy: dict[str, str]
    stop: str
    comma: str
    units: dict[str, str]


_EN = _Words(
    head="""# Data contract

Generated from the contract's files by `python -m mingcha.contract`; do not edit by hand.

A delivery is a folder, a workbook or a database holding any subset of these tables. A rule that needs a table
or column that was not delivered is reported as skipped, never silently passed.

Timestamps are local time of the organisation, dates are ISO, `billing_period` is written YYYY-MM. Intervals
are half-open: the first day belongs to them, the last does not. Sets of values are closed: a row with any
other value is quarantined, and so is one whose number lies outside its bounds. Lists are separated by commas.
""",
    tables="Tables",
    types="Types",
    index=("table", "title", "holds"),
    type_columns=("type", "kept as", "what it is"),
    columns=("column", "title", "type", "may be empty", "meaning", "example"),
    layout="Key: {key}. {kept}, sorted by {order}.",
    split="Kept by {partition}",
    whole="Kept as a whole",
    yes="yes",
    ref="refers to",
    allowed="one of",
    privacy={"personal": "personal data", "secret": "secret"},
    stop="; ",
    comma=", ",
    units={},
)
_ZH = _Words(
    head="""# 数据契约

由 `python -m mingcha.contract` 从契约文件生成，请勿手工修改。

一次交付是包含下列任意部分表的文件夹、工作簿或数据库。规则所需的表或列未交付时，该规则报告为跳过，绝不默认通过。

时间为单位当地时间，日期为 ISO 格式，电费年月写作 YYYY-MM。区间左闭右开：含起始日，不含终止日。

取值集合是封闭的：取值不在其中的行被隔离，数值超出界限的行同样被隔离。列表以逗号分隔。
""",
    tables="表目录",
    types="类型",
    index=("表", "名称", "内容"),
    type_columns=("类型", "存储类型", "说明"),
    columns=("列", "名称", "类型", "可空", "含义", "示例"),
    layout="主键：{key}。{kept}，按 {order} 排序。",
    split="按 {partition} 分区存储",
    whole="整表存储",
    yes="是",
    ref="引用",
    allowed="取值",
    privacy={"personal": "个人信息", "secret": "敏感信息"},
    stop="；",
    comma="、",
    units={"CNY": "元", "CNY/kWh": "元/kWh", "CNY per unit": "元/计费单位", "d": "天"},
)
_WORDS: dict[model.Language, _Words] = {"en": _EN, "zh": _ZH}


def pages() -> dict[str, str]:
    """Return the reference pages by file name: `contract.md` in English, `contract.zh.md` in Chinese."""
    return {"contract.md": page(language="en"), "contract.zh.md": page(language="zh")}


def document(*, tables: Sequence[model.Table]) -> dict[str, Any]:
    """Return `tables` as plain values ready for JSON: what the files say, and each column's DuckDB type."""
    listed = []
    for table in tables:
        plain = table.model_dump(mode="json", by_alias=True, exclude_none=True)
        for column, described in zip(table.columns, plain["columns"], strict=True):
            described["sql_type"] = column.sql_type
        listed.append(plain)
    return {"contract": load.contract().version, "tables": listed}


def page(*, language: model.Language) -> str:
    """Return the whole contract as one Markdown page: an index by group, then every table."""
    contract = load.contract()
    parts = [_WORDS[language].head, _index(contract, language), _types(language)]
    for group, entry in contract.groups.items():
        parts.append(f"## {entry.say(language)}\n")
        parts += [markdown(table=table, language=language) for table in contract.in_group(group)]
    return "\n".join(parts)


def markdown(*, table: model.Table, language: model.Language) -> str:
    """Return the Markdown section of one table."""
    words = _WORDS[language]
    layout = words.layout.format(
        key=_codes(table.key, ", "),
        kept=words.split.format(partition=f"`{table.partition}`") if table.partition else words.whole,
        order=_codes(table.sort, ", "),
    )
    lines = [
        f"### `{table.name}` {table.title.say(language)}\n",
        f"{table.description.say(language)}\n",
        f"{layout}\n",
        *_rows(words.columns, [_column(column, language) for column in table.columns]),
    ]
    return "\n".join(lines) + "\n"


def anchor(*, table: model.Table, language: model.Language) -> str:
    """Return the anchor Markdown viewers give the heading of `table`."""
    heading = f"{table.name} {table.title.say(language)}".lower()
    return "".join(c for c in heading if c.isalnum() or c in "-_ ").replace(" ", "-")


def _index(contract: model.Contract, language: model.Language) -> str:
    words = _WORDS[language]
    lines = [f"## {words.tables}\n"]
    for group, entry in contract.groups.items():
        rows = [_index_row(table, language) for table in contract.in_group(group)]
        lines += [f"**{entry.say(language)}**\n", *_rows(words.index, rows), ""]
    return "\n".join(lines)


def _index_row(table: model.Table, language: model.Language) -> tuple[str, ...]:
    link = f"[`{table.name}`](#{anchor(table=table, language=language)})"
    return link, table.title.say(language), table.description.say(language)


def _types(language: model.Language) -> str:
    words = _WORDS[language]
    rows = [
        (f"`{name}`", f"`{sql_type}`", model.TYPE_WORDS[name].say(language))
        for name, sql_type in model.SQL_TYPES.items()
    ]
    return "\n".join([f"## {words.types}\n", *_rows(words.type_columns, rows), ""])


def _column(column: model.Column, language: model.Language) -> tuple[str, ...]:
    words = _WORDS[language]
    unit = f" ({words.units.get(column.unit, column.unit)})" if column.unit else ""
    return (
        f"`{column.name}`",
        column.title(language),
        f"{column.type}{unit}",
        words.yes if column.nullable else "",
        _meaning(column, language),
        f"`{column.example}`",
    )


def _meaning(column: model.Column, language: model.Language) -> str:
    words = _WORDS[language]
    parts = [column.note.say(language).rstrip("。.")] if column.note else []
    if column.labels:
        values = [f"`{value}` {label.say(language)}" for value, label in column.labels.items()]
        parts.append(words.comma.join(values))
    if column.allowed:
        parts.append(f"{words.allowed} {_codes([str(n) for n in column.allowed], words.comma)}")
    if column.lower is not None:
        parts.append(f"≥ {column.lower}")
    if column.upper is not None:
        parts.append(f"≤ {column.upper}")
    if column.ref:
        parts.append(f"{words.ref} `{column.ref}`")
    if column.privacy in words.privacy:
        parts.append(words.privacy[column.privacy])
    return words.stop.join(parts)


def _codes(names: Sequence[str], comma: str) -> str:
    return comma.join(f"`{name}`" for name in names)


def _rows(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> list[str]:
    lines = [head, ("---",) * len(head), *rows]
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines]
