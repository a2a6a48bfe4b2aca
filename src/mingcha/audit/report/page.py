"""The report as HTML: content in, one self-contained text out."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

from mingcha.audit.report import charts, content, reasons
from mingcha.findings import columns, queries, wording, words

_FOLDER = Path(__file__).parent
_TEMPLATE = "report.html.j2"
_STYLE = "report.css"


def render(*, told: content.Content) -> str:
    """Return the whole page; it names no address outside itself."""
    import jinja2
    from markupsafe import Markup

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_FOLDER),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    language = told.language

    def t(zh: str, en: str) -> str:
        return zh if language == words.ZH else en

    environment.globals.update(
        t=t,
        style=Markup((_FOLDER / _STYLE).read_text(encoding="utf-8")),  # noqa: S704 - our own file
        count=lambda number: f"{number:,}",
        money=_money,
        short=lambda amount: short(amount, language=language),
        share=_share,
        because=lambda text: reasons.told(text, language=language),
        band=lambda code: words.text_of(words.BANDS, code, language),
        severity=lambda code: words.text_of(words.SEVERITIES, code, language),
        area=lambda code: words.text_of(words.AREAS, code, language),
        money_title=lambda name: words.MONEY[name].of(language),
        bands=columns.BANDS,
        amounts=[name for name in columns.MONEY_COLUMNS if told.total.amounts[name] is not None],
        area_chart=_band_chart(told.areas, t("各专业异常数", "Findings by area")),
        month_chart=_month_chart(told, t("各月异常数", "Findings by month")),
    )
    return environment.get_template(_TEMPLATE).render(r=told) + "\n"


def short(amount: Decimal | None, *, language: str) -> str:
    """Return an amount as one reads it at a glance: 万 and 亿 in Chinese, k and M in English.

    None is an amount nobody estimated.

    >>> short(Decimal("123456.78"), language="zh"), short(Decimal("123456.78"), language="en")
    ('12.35 万', '123.5 k')
    >>> short(Decimal("950"), language="zh")
    '950.00'
    """
    if amount is None:
        return words.Text("未估算", "not estimated").of(language)
    steps = (
        ((Decimal(10) ** 8, "亿", 2), (Decimal(10) ** 4, "万", 2))
        if language == words.ZH
        else ((Decimal(10) ** 6, "M", 2), (Decimal(10) ** 3, "k", 1))
    )
    for size, name, places in steps:
        if abs(amount) >= size:
            return f"{wording.number(amount / size, places=places)} {name}"
    return wording.number(amount, places=2)


def _money(amount: Decimal | None) -> str:
    """Return an amount for a table; nothing estimated leaves the cell empty."""
    return "" if amount is None else wording.number(amount, places=2)


def _share(part: Any, whole: Any) -> str:
    """Return a length in percent for a bar; something is never shown as nothing."""
    if not whole or not part:
        return "0"
    return f"{max(Decimal(100) * Decimal(str(part)) / Decimal(str(whole)), Decimal(1)):.1f}"


def _parts(total: queries.Total) -> dict[str, int]:
    return {band: total.bands[band] for band in columns.BANDS}


def _band_chart(lines: tuple[content.Line, ...], title: str) -> str:
    rows = [charts.Bar(line.title, _parts(line.total)) for line in lines if line.total.findings]
    return charts.bars(rows=rows, title=title)


def _month_chart(told: content.Content, title: str) -> str:
    rows = []
    for line in told.months:
        # The year stands at the first month shown and at every January: twelve labels need the room.
        whole = line is told.months[0] or line.key.endswith("-01")
        rows.append(charts.Bar(line.title if whole else line.title[-2:], _parts(line.total)))
    return charts.columns(rows=rows, title=title)
