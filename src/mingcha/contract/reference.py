"""The contract as pages to read, in Chinese and English, generated so that they cannot disagree with it."""

from __future__ import annotations

from mingcha.contract import load, model

_HEAD = {
    "en": (
        "# Data contract\n\n"
        "Generated from the contract's files by `python -m mingcha.contract`; do not edit by hand.\n\n"
        "A delivery is a folder, a workbook or a database holding any subset of these tables. A rule that needs"
        " a table or column that was not delivered is reported as skipped, never silently passed.\n\n"
        "Money is in CNY, timestamps are local time of the organisation, dates are ISO, `billing_period` is"
        " written YYYY-MM. Intervals are half-open: the first day belongs to them, the last does not. Sets of"
        " values are closed: a row with any other value is quarantined. Lists are separated by commas. Files"
        " and columns may also carry the Chinese titles.\n"
    ),
    "zh": (
        "# 数据契约\n\n"
        "由 `python -m mingcha.contract` 从契约文件生成，请勿手工修改。\n\n"
        "一次交付是包含下列任意部分表的文件夹、工作簿或数据库。规则所需的表或列未交付时，该规则报告为跳过，"
        "绝不默认通过。\n\n"
        "金额单位为元；时间为单位当地时间，日期为 ISO 格式，电费年月写作 YYYY-MM。区间左闭右开：含起始日，"
        "不含终止日。取值集合是封闭的：取值不在其中的行被隔离。列表以逗号分隔。文件名和列名也可以用中文名称。\n"
    ),
}
_WORDS = {
    "en": {
        "tables": "Tables", "types": "Types", "key": "Key", "partition": "Kept by", "sort": "sorted by",
        "columns": ("column", "title", "type", "empty", "meaning", "example"), "whole": "one file",
        "yes": "yes", "no": "", "ref": "refers to", "allowed": "one of", "personal": "personal data",
        "secret": "secret", "type_columns": ("type", "kept as"), "stop": "; ", "colon": ": ",
        "table_columns": ("table", "title", "holds"),
    },
    "zh": {
        "tables": "表目录", "types": "类型", "key": "主键", "partition": "分区", "sort": "排序",
        "columns": ("列", "名称", "类型", "可空", "含义", "示例"), "whole": "单个文件",
        "yes": "是", "no": "", "ref": "引用", "allowed": "取值", "personal": "个人信息",
        "secret": "敏感信息", "type_columns": ("类型", "存储类型"), "stop": "；", "colon": "：",
        "table_columns": ("表", "名称", "内容"),
    },
}  # fmt: skip


def pages() -> dict[str, str]:
    """Return the reference pages by file name: `contract.md` in English, `contract.zh.md` in Chinese."""
    return {"contract.md": page(language="en"), "contract.zh.md": page(language="zh")}


def page(*, language: model.Language) -> str:
    """Return the whole contract as one Markdown page: an index by group, then every table."""
    contract = load.contract()
    parts = [_HEAD[language], _index(contract, language), _types(language)]
    for group, entry in contract.groups.items():
        parts.append(f"## {entry.say(language)}\n")
        parts += [markdown(table=table, language=language) for table in contract.in_group(group)]
    return "\n".join(parts)


def markdown(*, table: model.Table, language: model.Language) -> str:
    """Return the Markdown section of one table."""
    words = _WORDS[language]
    key = ", ".join(f"`{name}`" for name in table.key)
    kept = f"`{table.partition}`" if table.partition else words["whole"]
    order = ", ".join(f"`{name}`" for name in table.sort)
    lines = [
        f"### `{table.name}` {table.title.say(language)}\n",
        f"{table.description.say(language)}\n",
        f"{words['key']}{words['colon']}{key}{words['stop']}{words['partition']} {kept}, {words['sort']} {order}\n",
        *_rows(words["columns"], [_column(column, language) for column in table.columns]),
    ]
    return "\n".join(lines) + "\n"


def _index(contract: model.Contract, language: model.Language) -> str:
    words = _WORDS[language]
    lines = [f"## {words['tables']}\n"]
    for group, entry in contract.groups.items():
        lines.append(f"**{entry.say(language)}**\n")
        rows = [
            (f"[`{table.name}`](#{anchor(table=table, language=language)})", table.title.say(language),
             table.description.say(language))
            for table in contract.in_group(group)
        ]  # fmt: skip
        lines += [*_rows(words["table_columns"], rows), ""]
    return "\n".join(lines)


def anchor(*, table: model.Table, language: model.Language) -> str:
    """Return the anchor Markdown viewers give the heading of `table`."""
    kept = [c for c in f"{table.name} {table.title.say(language)}".lower() if c.isalnum() or c in "-_ "]
    return "".join(kept).replace(" ", "-")


def _types(language: model.Language) -> str:
    words = _WORDS[language]
    rows = [(f"`{name}`", f"`{sql_type}`") for name, sql_type in model.SQL_TYPES.items()]
    return "\n".join([f"## {words['types']}\n", *_rows(words["type_columns"], rows), ""])


def _column(column: model.Column, language: model.Language) -> tuple[str, ...]:
    words = _WORDS[language]
    unit = f" ({column.unit})" if column.unit else ""
    empty = words["yes"] if column.nullable else words["no"]
    return (
        f"`{column.name}`",
        column.title(language),
        f"{column.type}{unit}",
        str(empty),
        _meaning(column, language),
        f"`{column.example}`",
    )


def _meaning(column: model.Column, language: model.Language) -> str:
    words = _WORDS[language]
    parts = [column.note.say(language)] if column.note else []
    if column.labels:
        parts.append(", ".join(f"`{value}` {label.say(language)}" for value, label in column.labels.items()))
    if column.allowed:
        parts.append(f"{words['allowed']} " + ", ".join(f"`{number}`" for number in column.allowed))
    if column.lower is not None:
        parts.append(f"≥ {column.lower}")
    if column.upper is not None:
        parts.append(f"≤ {column.upper}")
    if column.ref:
        parts.append(f"{words['ref']} `{column.ref}`")
    if column.privacy != "none":
        parts.append(str(words[column.privacy]))
    return str(words["stop"]).join(part.rstrip("。.") for part in parts)


def _rows(head: object, rows: list[tuple[str, ...]]) -> list[str]:
    assert isinstance(head, tuple)
    lines = [head, tuple("---" for _ in head), *rows]
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines]
