"""Why a row is put aside: the codes, and each as a sentence in both languages.

Codes are stable; reports, the quarantine and other programs use them. Sentences are for people.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Language = Literal["zh", "en"]


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason: its words for a list, and sentences in which {column} and {value} are filled in."""

    zh: str
    en: str
    sentence_zh: str
    sentence_en: str


#: In the order in which they are looked for: a row is listed under the first one that applies.
REASONS: dict[str, Reason] = {
    "bad_encoding": Reason(
        "字符编码错误", "unreadable characters",
        "该行含有无法按文件编码解读的字节或空字符：{value}。",
        "The row holds bytes that are not of the file's encoding, or a NUL: {value}.",
    ),
    "truncated": Reason(
        "行被截断", "cut off",
        "引号没有配对或行未写完，该行不完整。",
        "A quote that opens in this row is never closed properly, or the row ends before its last column.",
    ),
    "wrong_field_count": Reason(
        "列数不符", "wrong number of fields",
        "该行的列数与表头不同（实有 ≠ 应有：{value}）。",
        "The row has another number of fields than the header (found ≠ expected: {value}).",
    ),
    "missing_key": Reason(
        "缺少主键", "key missing",
        "主键列 {column} 为空，该行无法识别。",
        "The key column {column} is empty, so the row cannot be told from others.",
    ),
    "null_not_allowed": Reason(
        "必填为空", "value missing",
        "列 {column} 不允许为空。",
        "Column {column} must not be empty.",
    ),
    "bad_type": Reason(
        "值类型错误", "not of the column's type",
        "列 {column} 的值 {value} 不是该列所要求的类型（例如金额多于两位小数、带有单位文字）。",
        "The value {value} of column {column} is not of its type (for example money with more than two "
        "decimals, or a number followed by a unit).",
    ),
    "bad_date": Reason(
        "日期错误", "not a date",
        "列 {column} 的值 {value} 不是可识别的日期。",
        "The value {value} of column {column} is not a date that can be read without guessing.",
    ),
    "unknown_enum": Reason(
        "未知代码值", "unknown code",
        "列 {column} 的值 {value} 不在规定的取值范围内。",
        "The value {value} of column {column} is not one of its codes.",
    ),
    "out_of_range": Reason(
        "超出范围", "out of range",
        "列 {column} 的值 {value} 超出合理范围。",
        "The value {value} of column {column} lies outside what it can be.",
    ),
    "orphan": Reason(
        "引用不存在", "refers to a missing row",
        "列 {column} 的值 {value} 在被引用的表中不存在。",
        "No row of the table that column {column} refers to has the value {value}.",
    ),
    "duplicate_identical": Reason(
        "完全重复", "repeated",
        "与先出现的一行完全相同（主键 → 保留的行：{value}）。",
        "The row repeats an earlier one exactly (key → row kept: {value}).",
    ),
    "duplicate_key": Reason(
        "主键重复", "key used twice",
        "主键与先出现的一行相同而内容不同（主键 → 保留的行：{value}）。",
        "The row has the key of an earlier one but other content (key → row kept: {value}).",
    ),
    "merged": Reason(
        "合并", "merged",
        "多个来源行描述同一记录，内容相同，已合并为一行。",
        "Several source rows describe the same row and agree; they were merged into one.",
    ),
}  # fmt: skip


def say(code: str, *, column: str | None, value: str | None, language: Language) -> str:
    """Return the sentence for a quarantined row; an unknown code is its own sentence."""
    reason = REASONS.get(code)
    if reason is None:
        return code
    template = reason.sentence_zh if language == "zh" else reason.sentence_en
    return template.format(column=column or "", value=_shown(value, language))


def _shown(value: str | None, language: Language) -> str:
    if value is None:
        return "（空）" if language == "zh" else "(empty)"
    return value if len(value) <= 80 else value[:80] + "…"
