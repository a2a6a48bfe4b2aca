"""Why a rule did not judge, said in Chinese; the engine speaks English."""

from __future__ import annotations

import re

from mingcha.findings import words

_SAYINGS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), chinese)
    for pattern, chinese in (
        (r"table (\w+) not delivered", r"未送数据表 \1"),
        (r"column ([\w.]+) not delivered", r"未送数据列 \1"),
        (r" \(needed by relation ([\w ]+)\)", r"（共用关系 \1 需要）"),
        (
            r"no history: needs (\d+) months before the screened one, the data begin with it",
            r"没有历史：需要筛查月之前 \1 个月的数据，现有数据从筛查月开始",
        ),
        (r"history short: have (\d+) of (\d+) months \((\w+)\)", r"历史不足：\3 有 \1 个月，需要 \2 个月"),
        (r"it is a draft", "规则尚为草稿"),
    )
)


def told(because: str, *, language: str) -> str:
    """Return a reason in `language`; one without a Chinese saying stays as the engine said it.

    >>> told("table ticket not delivered (needed by relation excl_change)", language="zh")
    '未送数据表 ticket（共用关系 excl_change 需要）'
    """
    if language != words.ZH:
        return because
    for pattern, chinese in _SAYINGS:
        because = pattern.sub(chinese, because)
    return because.replace("; ", "；")
