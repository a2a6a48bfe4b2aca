"""Personal data in shown rows: secrets are never shown, personal values only in part."""

from __future__ import annotations

from typing import Any

from mingcha.findings import words

_NUMERIC_SHOWN_HEAD = 3
_NUMERIC_SHOWN_TAIL = 4
_WITHHELD = words.Text("（保密）", "(withheld)")


def masked(item: Any, *, privacy: str, language: str = words.ZH) -> Any:
    """Return a value as its privacy class allows it to be shown; what is not sensitive stays itself.

    >>> masked("张三丰", privacy="personal"), masked("13812345678", privacy="personal")
    ('张**', '138****5678')
    >>> masked("430102199001011234", privacy="secret", language="en")
    '(withheld)'
    """
    if item is None or privacy == "none":
        return item
    if privacy == "secret":
        return _WITHHELD.of(language)
    if not isinstance(item, str):
        return "**"
    if item.isdigit() and len(item) > _NUMERIC_SHOWN_HEAD + _NUMERIC_SHOWN_TAIL:
        return f"{item[:_NUMERIC_SHOWN_HEAD]}****{item[-_NUMERIC_SHOWN_TAIL:]}"
    return f"{item[:1]}**"
