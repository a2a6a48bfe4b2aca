"""A worksheet as a Word document, with a Chinese font set for Chinese characters."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from mingcha.recovery.model import Worksheet
from mingcha.recovery.render import layout

#: Latin and Chinese faces every Word in China has; the document carries names, not fonts.
LATIN = "Times New Roman"
CHINESE = "宋体"
#: Millimetres of the columns of a table of steps.
_WIDTHS = (9, 38, 70, 28, 39)


def render(sheet: Worksheet, *, language: str) -> bytes:
    """Return the bytes of a .docx file."""
    import docx

    page = layout.page(sheet, language)
    document = docx.Document()
    _prepare(document, page, sheet)
    document.add_heading(page.title, level=1)
    _grid(document, page.facts)
    _heading(document, page.word("result"))
    _grid(document, page.result, bold=True)
    _heading(document, page.word("inputs"))
    heads = [page.word(key) for key in ("item", "value", "unit", "source")]
    _table(document, [heads, *page.inputs])
    for section in page.sections:
        _heading(document, section.heading)
        _section(document, page, section)
    for key, items in (
        ("articles", page.articles),
        ("warnings", page.warnings),
        ("not_covered", page.not_covered),
        ("provisional", page.provisional),
    ):
        if items:
            _heading(document, page.word(key))
            for item in items:
                document.add_paragraph(item, style="List Bullet")
    document.add_paragraph(page.foot)
    document.add_paragraph(page.signed)
    target = io.BytesIO()
    document.save(target)
    return target.getvalue()


def _prepare(document: Any, page: layout.Page, sheet: Worksheet) -> None:
    """Set page, fonts of every style used, and the properties of the file."""
    from docx.shared import Mm, Pt

    part = document.sections[0]
    part.page_width, part.page_height = Mm(210), Mm(297)
    part.left_margin = part.right_margin = Mm(13)
    part.top_margin = part.bottom_margin = Mm(18)
    for name, size in (("Normal", 9), ("Heading 1", 15), ("Heading 2", 12), ("List Bullet", 9)):
        _face(document.styles[name], Pt(size))
    document.styles["Normal"].paragraph_format.space_after = Pt(2)
    core = document.core_properties
    core.author, core.title, core.comments = "Mingcha", page.title, ""
    core.language = "zh-CN" if page.language == "zh" else "en"
    if sheet.made_on is not None:
        core.created = core.modified = datetime(sheet.made_on.year, sheet.made_on.month, sheet.made_on.day)  # noqa: DTZ001 - Word keeps days without a zone


def _face(style: Any, size: Any) -> None:
    """Name the Latin and the Chinese face of a style; the theme's faces would win, so they are removed."""
    from docx.oxml.ns import qn
    from docx.shared import RGBColor

    style.font.name, style.font.size = LATIN, size
    style.font.color.rgb = RGBColor(0, 0, 0)
    fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
    for name in ("ascii", "hAnsi", "cs"):
        fonts.set(qn(f"w:{name}"), LATIN)
    fonts.set(qn("w:eastAsia"), CHINESE)
    for name in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
        fonts.attrib.pop(qn(f"w:{name}"), None)


def _heading(document: Any, text: str) -> None:
    document.add_heading(text, level=2)


def _section(document: Any, page: layout.Page, section: layout.Section) -> None:
    if section.article:
        document.add_paragraph(f"{page.word('law')}  {section.article}")
    if section.rows:
        heads = ["#", *(page.word(key) for key in ("item", "formula", "outcome", "law"))]
        heads[2] = f"{page.word('formula')} / {page.word('numbers')}"
        rows = [
            [
                row.number,
                row.name,
                row.formula if row.working in ("—", row.formula) else f"{row.formula}\n{row.working}",
                row.result,
                "\n".join([*([row.rounding] if row.rounding else []), *row.law]),
            ]
            for row in section.rows
        ]
        _table(document, [heads, *rows], widths=_WIDTHS)
    if section.sums:
        text = "    ".join(f"{name} {value}" for name, value in section.sums)
        document.add_paragraph().add_run(f"{page.word('subtotal')}  {text}").bold = True


def _grid(document: Any, pairs: Sequence[tuple[str, str]], *, bold: bool = False) -> None:
    _table(document, [list(pair) for pair in pairs], heads=False, bold=bold, widths=(60, 124))


def _table(
    document: Any,
    rows: Sequence[Sequence[str]],
    *,
    heads: bool = True,
    bold: bool = False,
    widths: Sequence[int] | None = None,
) -> None:
    from docx.shared import Mm

    table = document.add_table(rows=len(rows), cols=len(rows[0]), style="Table Grid")
    table.autofit = widths is None
    for place, row in enumerate(rows):
        for column, text in enumerate(row):
            cell = table.cell(place, column)
            if widths is not None:
                cell.width = Mm(widths[column])
            run = cell.paragraphs[0].add_run(text)
            run.bold = (heads and place == 0) or (bold and column == 1)
        _keep(table.rows[place], head=heads and place == 0)


def _keep(row: Any, *, head: bool) -> None:
    """Keep a row on one page, and repeat the heads on the next."""
    from docx.oxml import OxmlElement

    properties = row._tr.get_or_add_trPr()
    for name in ("w:cantSplit", *(["w:tblHeader"] if head else [])):
        properties.append(OxmlElement(name))
