"""What the tables of `mingcha tariffs` call things, in Chinese and English; the contract's words first."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence

#: word: (Chinese, English).
_OWN: dict[str, tuple[str, str]] = {
    # heads of columns and lines
    "code": ("编码", "code"),
    "title": ("名称", "title"),
    "book": ("电价库", "book"),
    "usage_category": ("用电类别", "usage"),
    "voltage": ("电压 kV", "voltage kV"),
    "parts": ("制度", "parts"),
    "tou": ("分时", "time of use"),
    "tiered": ("阶梯", "tiered"),
    "basis": ("依据", "basis"),
    "from": ("起", "from"),
    "to": ("止", "to"),
    "validity": ("有效期", "in force"),
    "grade": ("证据", "grade"),
    "component": ("组成", "component"),
    "period": ("时段", "period"),
    "step": ("档", "tier"),
    "price": ("单价", "price"),
    "unit": ("单位", "unit"),
    "document": ("文件", "document"),
    "clause": ("条款", "clause"),
    "months": ("月份", "months"),
    "days": ("日类型", "days"),
    "hours": ("钟点", "hours"),
    "upto": ("电量上限 kWh", "up to kWh"),
    "reason": ("原因", "reason"),
    "name": ("条目", "entry"),
    "day": ("日期", "day"),
    "facts": ("条数", "facts"),
    "known_as": ("对应编码", "known as"),
    "pf_base": ("力调基数", "power-factor base"),
    "entitlement": ("所需资格", "entitlement"),
    "prices": ("单价", "Prices"),
    "programme": ("时段方案", "Hours"),
    "maxima": ("需量时段", "Hours of demand"),
    "ladder": ("阶梯", "Tiers"),
    "documents": ("文件", "Documents"),
    "checked": ("核对日", "checked on"),
    "household": ("多人口", "large household"),
    # values
    "provisional": ("待核", "to be verified"),
    "fictional": ("虚构", "fictional"),
    "open": ("至今", "open"),
    "never": ("从未", "never"),
    "not_assessed": ("不考核", "not assessed"),
    "yes": ("是", "yes"),
    "no": ("", ""),
    "any": ("任意", "any"),
    "workday": ("工作日", "workday"),
    "rest": ("休息日", "rest day"),
    "holiday": ("节假日", "holiday"),
    "unchecked": ("久未核对", "not checked"),
    "ended": ("已到期", "ended"),
    "annual": ("按年", "per year"),
    "monthly": ("按月", "per month"),
    "month": ("月", "month"),
    "year": ("年", "year"),
    "single": ("单一制", "single"),
    "two": ("两部制", "two"),
    "regulated": ("政府定价", "regulated"),
    "agent": ("代理购电", "agent"),
    "market": ("市场交易", "market"),
    "utility": ("企业自定", "utility"),
    "feed_in": ("上网电价", "Feed-in"),
    "fixed": ("固定收费", "Fixed charge"),
    "surcharge": ("附加", "Surcharge"),
}


def say(word: str, language: str) -> str:
    """Return a word of the tables in a language; a word that has no translation as it is."""
    if word in _OWN:
        return _OWN[word][0 if language == "zh" else 1]
    return _of_contract().get(word, {}).get(language, word)


def heads(words: Iterable[str], language: str) -> list[str]:
    """Return the heads of a table."""
    return [say(word, language) for word in words]


def listed(words: Sequence[str], language: str) -> str:
    """Return several words as one text."""
    return ("、" if language == "zh" else ", ").join(say(word, language) for word in words)


@functools.cache
def _of_contract() -> dict[str, dict[str, str]]:
    """Return {value: {language: word}} of components, periods, usage categories and entitlements."""
    from mingcha.contract import load

    tables = load.contract()
    columns = (
        tables.table("tariff_price").column("component"),
        tables.table("tariff_price").column("period"),
        tables.table("tariff").column("entitlement_kind"),
        tables.table("tariff").column("usage_category"),
    )
    return {
        value: {"zh": label.zh, "en": label.en}
        for column in columns
        for value, label in column.labels.items()
    }
