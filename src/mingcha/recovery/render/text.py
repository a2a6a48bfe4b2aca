"""A worksheet as plain text for a terminal."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence

from mingcha.recovery.model import Worksheet
from mingcha.recovery.render import layout


def render(sheet: Worksheet, *, language: str) -> str:
    """Return the sheet as lines of text, columns aligned with Chinese characters two wide."""
    return "\n".join(_lines(layout.page(sheet, language))) + "\n"


def _lines(page: layout.Page) -> Iterator[str]:
    yield page.title
    yield "=" * _width(page.title)
    yield from _pairs(page.facts)
    yield from _headed(page.word("result"), _pairs(page.result))
    heads = [page.word(key) for key in ("item", "value", "unit", "source")]
    yield from _headed(page.word("inputs"), _columns([heads, *page.inputs]))
    for section in page.sections:
        yield from _headed(section.heading, _section(page, section))
    for key, items in (
        ("articles", page.articles),
        ("warnings", page.warnings),
        ("not_covered", page.not_covered),
        ("provisional", page.provisional),
    ):
        if items:
            yield from _headed(page.word(key), [f"- {item}" for item in items])
    yield ""
    yield page.foot


def _headed(heading: str, lines: Sequence[str] | Iterator[str]) -> Iterator[str]:
    yield ""
    yield heading
    yield "-" * _width(heading)
    yield from lines


def _section(page: layout.Page, section: layout.Section) -> Iterator[str]:
    if section.article:
        yield f"{page.word('law')}  {section.article}"
    for row in section.rows:
        yield f"{row.number}. {row.name}"
        said = [(page.word("formula"), row.formula), (page.word("numbers"), row.working)]
        if row.working in (row.formula, "—"):
            said.pop()
        if row.result:
            said.append((page.word("outcome"), row.result + (f"  ({row.rounding})" if row.rounding else "")))
        said += [(page.word("law"), law) for law in row.law]
        yield from (f"   {line}" for line in _pairs(said))
    if section.sums:
        yield f"{page.word('subtotal')}  " + "  ".join(f"{name} {value}" for name, value in section.sums)


def _pairs(pairs: Sequence[tuple[str, str]]) -> list[str]:
    return _columns([list(pair) for pair in pairs])


def _columns(rows: Sequence[Sequence[str]]) -> list[str]:
    if not rows:
        return []
    widths = [max(_width(row[place]) for row in rows) for place in range(len(rows[0]))]
    return [
        "  ".join(cell + " " * (size - _width(cell)) for cell, size in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)
