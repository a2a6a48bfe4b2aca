"""What a finding needs from its rule to be told to a person, without knowing how rules are written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

ZH = "zh"
EN = "en"
LANGUAGES = (ZH, EN)


@dataclass(frozen=True, slots=True)
class Text:
    """A text in both languages."""

    zh: str
    en: str

    def of(self, language: str) -> str:
        """Return the Chinese text for `zh`, the English one for anything else."""
        return self.zh if language == ZH else self.en


@dataclass(frozen=True, slots=True)
class Label:
    """The title of an evidence value or of a parameter, its unit, and its type of the contract."""

    title: Text
    unit: str = ""
    type: str = "text"


@dataclass(frozen=True, slots=True)
class Article:
    """What one document says about a topic of law on the day of the act."""

    topic: Text
    document: Text
    article: str
    summary: Text
    in_force_from: str


@dataclass(frozen=True, slots=True)
class RuleWords:
    """The words of one rule: title, story, evidence titles, reasons, remedy, checklist, money."""

    rule_id: str
    title: Text
    area: str
    severity: str
    status: str
    expected: Text
    found: Text
    matters: Text
    evidence: Mapping[str, Label]
    parameters: Mapping[str, Label]
    reasons: Mapping[str, Text]
    bands: Mapping[str, Text]
    remedy: Text
    checklist: tuple[Text, ...]
    money_formula: str | None = None
    money_note: Text | None = None
    basis: tuple[str, ...] = field(default=())


AREAS: dict[str, Text] = {
    "connection": Text("业扩报装与用电变更", "Connection and changes"),
    "metering": Text("计量", "Metering"),
    "reading": Text("抄表", "Reading"),
    "pricing": Text("电价电费核算", "Pricing and billing"),
    "collection": Text("收费账务", "Collection and ledgers"),
    "usage": Text("用电检查与违约窃电", "Usage inspection and theft"),
    "losses": Text("线损", "Losses"),
    "service": Text("优质服务", "Service"),
    "control": Text("内部控制与权限", "Internal control"),
    "data": Text("数据质量与贯通", "Data quality"),
}

SUBJECTS: dict[str, Text] = {
    "customer": Text("用户", "customer"),
    "point": Text("计量点", "usage point"),
    "meter": Text("电能表", "meter"),
    "it": Text("互感器", "instrument transformer"),
    "transformer": Text("变压器", "transformer"),
    "district": Text("台区", "district"),
    "feeder": Text("线路", "feeder"),
    "bus": Text("母线", "bus"),
    "org": Text("单位", "unit"),
    "contract": Text("供用电合同", "supply contract"),
    "reading": Text("抄表记录", "reading"),
    "bill": Text("电费账单", "bill"),
    "adjustment": Text("退补记录", "adjustment"),
    "receipt": Text("收款记录", "receipt"),
    "ticket": Text("业务工单", "ticket"),
    "tariff": Text("电价", "tariff"),
    "outage": Text("停电", "outage"),
    "inspection": Text("用电检查记录", "inspection record"),
    "case": Text("违约窃电处理单", "violation case"),
    "staff": Text("人员", "staff"),
    "terminal": Text("采集终端", "terminal"),
    "table": Text("数据表", "table"),
}

BANDS: dict[str, Text] = {
    "urgent": Text("紧急", "urgent"),
    "order": Text("派单", "order"),
    "watch": Text("关注", "watch"),
}

SEVERITIES: dict[str, Text] = {
    "H": Text("高", "high"),
    "M": Text("中", "medium"),
    "L": Text("低", "low"),
}

MONEY: dict[str, Text] = {
    "back_cny": Text("应追补", "back payment"),
    "penalty_cny": Text("违约使用电费（上限）", "penalty (upper limit)"),
    "refund_cny": Text("应退补", "refund to the customer"),
    "exposed_cny": Text("风险敞口", "exposed"),
}

EXCLUSIONS: dict[str, Text] = {
    "out": Text("停电时段", "times within an outage"),
    "chg": Text("有业务工单可解释的变化", "changes that a ticket explains"),
    "new": Text("新装用户", "customers opened lately"),
    "gen": Text("有自备或分布式电源的用户", "customers with a generator"),
    "hol": Text("节假日", "holidays"),
    "fix": Text("已经更正的事实", "facts already corrected"),
    "ent": Text("享受政策的用户", "holders of an entitlement"),
    "src": Text("数据覆盖不足", "too little coverage"),
    "up": Text("上游已发现", "already known upstream"),
}


def text_of(table: Mapping[str, Text], code: str, language: str) -> str:
    """Return the words for a code, or the code itself where there are none."""
    words = table.get(code)
    return words.of(language) if words else code
