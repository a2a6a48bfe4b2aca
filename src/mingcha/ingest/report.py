"""What a delivery brought: per table what was delivered, accepted and put aside, and what to know besides."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any, Literal

from mingcha.ingest.checks.orphans import Orphans

Language = Literal["zh", "en"]

#: Remarks that are no faults of rows, in both languages; {subject} and {detail} are filled in.
REMARKS: dict[str, tuple[str, str]] = {
    "unknown_format": (
        "{subject}：不是可读取的格式，未读取",
        "{subject}: not a format that is read; left out",
    ),
    "too_deep": (
        "{subject}：子文件夹超过一层，未读取",
        "{subject}: folders deeper than one level are not read",
    ),
    "only_header": (
        "{subject}：工作表只有表头，视为未交付",
        "{subject}: a sheet with a header only counts as not delivered",
    ),
    "unknown_table": (
        "{subject}：名称不是合同中的表，也没有映射，未读取",
        "{subject}: bears no name of the contract and is in no mapping; left out",
    ),
    "ignored_columns": ("{subject}：未使用的列：{detail}", "{subject}: columns not used: {detail}"),
    "missing_columns": (
        "{subject}：未交付以下必填列，用到它们的规则会跳过：{detail}",
        "{subject}: these required columns were not delivered, rules that need them are skipped: {detail}",
    ),
    "no_rows": ("{subject}：没有数据行", "{subject}: holds no rows"),
    "filtered": (
        "{subject}：按映射条件略去 {detail} 行",
        "{subject}: {detail} rows left out by the mapping's where",
    ),
    "rounded": (
        "{subject}：数值四舍五入到 4 位小数：{detail}",
        "{subject}: measured values rounded half up: {detail}",
    ),
    "orphans": (
        "{subject}：{detail} 行引用了不存在的记录，已保留并标记",
        "{subject}: {detail} rows refer to rows that were not delivered; they are kept",
    ),
    "orphans_not_judged": (
        "{subject}：被引用的表 {detail} 未交付，引用未检查",
        "{subject}: {detail} was not delivered, so references to it were not judged",
    ),
    "last_line_open": (
        "{subject}：最后一行没有换行符，文件可能不完整",
        "{subject}: the last line is not ended; the file may be cut off",
    ),
    "nested_column": (
        "{subject}：嵌套列未读取：{detail}",
        "{subject}: a nested column is not read: {detail}",
    ),
    "binary_column": (
        "{subject}：二进制列未读取：{detail}",
        "{subject}: a binary column is not read: {detail}",
    ),
}


@dataclass(frozen=True, slots=True)
class Remark:
    """Something to know about a delivery that quarantines no row."""

    code: str
    subject: str
    detail: str = ""

    def say(self, language: Language) -> str:
        """Return the remark as a sentence."""
        zh, en = REMARKS[self.code]
        return (zh if language == "zh" else en).format(subject=self.subject, detail=self.detail)


@dataclass(frozen=True, slots=True)
class TableReport:
    """One table: delivered = accepted + quarantined; merged rows are among the quarantined by reason.

    `added`, `corrected` and `unchanged` say what the accepted rows did to the snapshot before.
    """

    table: str
    delivered: int
    accepted: int
    quarantined: int
    reasons: dict[str, int]
    added: int
    corrected: int
    unchanged: int
    filtered: int
    rounded: dict[str, int]
    columns_not_delivered: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FileReport:
    """One file, sheet or database table that was read, and how."""

    file: str
    rows: int
    broken: int
    facts: dict[str, str]


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """All of a delivery."""

    snapshot_id: str
    source: str
    mapping: str | None
    data_date: date | None
    tables: tuple[TableReport, ...]
    files: tuple[FileReport, ...] = ()
    orphans: tuple[Orphans, ...] = ()
    remarks: tuple[Remark, ...] = field(default=())

    @property
    def delivered(self) -> int:
        """Rows delivered, over all tables."""
        return sum(table.delivered for table in self.tables)

    @property
    def accepted(self) -> int:
        """Rows accepted, over all tables."""
        return sum(table.accepted for table in self.tables)

    @property
    def quarantined(self) -> int:
        """Rows put aside, over all tables."""
        return sum(table.quarantined for table in self.tables)

    def as_json(self) -> dict[str, Any]:
        """Return the report as plain values, in the keys that other programs rely on."""
        return {
            "snapshot_id": self.snapshot_id,
            "source": self.source,
            "mapping": self.mapping,
            "data_date": self.data_date.isoformat() if self.data_date else None,
            "tables": [_plain(table) for table in self.tables],
            "files": [_plain(file) for file in self.files],
            "orphans": [_plain(item) for item in self.orphans],
            "warnings": [
                {**_plain(remark), "zh": remark.say("zh"), "en": remark.say("en")} for remark in self.remarks
            ],
        }


def _plain(item: Any) -> dict[str, Any]:
    return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(item).items()}
