"""A worksheet as PDF, typeset by typst with a Chinese font of this machine."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from mingcha.kernel import errors
from mingcha.recovery.model import Worksheet
from mingcha.recovery.render import layout

#: Families with simplified Chinese, best first: Debian's, then those of other systems.
FAMILIES = (
    "Noto Serif CJK SC", "Noto Sans CJK SC", "Source Han Serif SC", "Source Han Sans SC", "SimSun", "NSimSun",
    "FangSong", "STSong", "Songti SC", "PingFang SC", "Microsoft YaHei", "SimHei", "WenQuanYi Zen Hei",
    "WenQuanYi Micro Hei", "AR PL UMing CN", "Droid Sans Fallback",
)  # fmt: skip
_CHINESE = re.compile(r"[\u3400-\u9fff\uff00-\uffef]")
_HEAD = """#set document(title: {title}, author: "Mingcha", date: none)
#set page(paper: "a4", margin: (x: 1.6cm, top: 1.6cm, bottom: 1.8cm), footer: context [
  #set text(size: 8pt, fill: luma(90))
  #{foot} #h(1fr) #counter(page).display("1 / 1", both: true)
])
#set text(font: {fonts}, size: 9pt, lang: {lang}, number-type: "lining")
#set par(leading: 0.55em)
#set table(stroke: 0.4pt + luma(150), inset: 4pt, align: left + top)
#set table.cell(breakable: false)
#show heading.where(level: 1): set text(size: 14pt)
#show heading.where(level: 2): it => block(above: 1.1em, below: 0.5em, text(size: 10.5pt, it.body))
#show table.cell.where(y: 0): set text(weight: "bold")
"""


def render(sheet: Worksheet, *, language: str) -> bytes:
    """Return the bytes of a PDF; raises SetupError where this machine has no Chinese font."""
    import typst

    text = source(layout.page(sheet, language), families=available())
    try:
        return bytes(typst.compile(text.encode("utf-8")))
    except typst.TypstError as error:
        raise errors.SetupError(
            f"the PDF could not be typeset: {str(error).splitlines()[0]}",
            why="the sheet was computed, but nothing was written",
            mend="ask for --format docx or text, and report this message",
        ) from error


def available() -> tuple[str, ...]:
    """Return the families of fonts typst finds on this machine."""
    import typst

    return tuple(typst.Fonts().families())


def source(page: layout.Page, *, families: Iterable[str]) -> str:
    """Return the page as typst markup; every text stands as a string literal, so none is read as markup."""
    body = "\n".join(_body(page))
    known = set(families)
    fonts = [family for family in FAMILIES if family in known][:1]
    if not fonts and _CHINESE.search(body):
        raise errors.SetupError(
            "there is no Chinese font on this machine",
            why="the characters of the sheet would come out as empty boxes",
            mend="install the Debian package fonts-noto-cjk, or ask for --format docx",
        )
    head = _HEAD.format(
        title=_quoted(page.title),
        foot="text(" + _quoted(page.foot) + ")",
        fonts="(" + ", ".join(_quoted(one) for one in [*fonts, "Libertinus Serif"]) + ",)",
        lang=_quoted(page.language),
    )
    return head + body + "\n"


def _body(page: layout.Page) -> Iterable[str]:
    yield f"#heading(level: 1, {_quoted(page.title)})"
    yield _table((1, 3), [list(pair) for pair in page.facts], heads=False)
    yield _heading(page.word("result"))
    yield _table((1, 3), [list(pair) for pair in page.result], heads=False)
    yield _heading(page.word("inputs"))
    heads = [page.word(key) for key in ("item", "value", "unit", "source")]
    yield _table((5, 3, 2, 4), [heads, *page.inputs], heads=True)
    for section in page.sections:
        yield _heading(section.heading)
        yield from _section(page, section)
    for key, items in (
        ("articles", page.articles),
        ("warnings", page.warnings),
        ("not_covered", page.not_covered),
        ("provisional", page.provisional),
    ):
        if items:
            yield _heading(page.word(key))
            yield "#list(" + ", ".join(_text(item) for item in items) + ")"
    yield "#v(1.2em)"
    yield f"#{_text(page.signed)}"


def _section(page: layout.Page, section: layout.Section) -> Iterable[str]:
    if section.article:
        yield f"#{_text(page.word('law') + '  ' + section.article)}"
    if section.rows:
        heads = ["#", page.word("item"), f"{page.word('formula')} / {page.word('numbers')}"]
        heads += [page.word("outcome"), f"{page.word('rounding')} / {page.word('law')}"]
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
        yield _table((1, 5, 9, 4, 8), [heads, *rows], heads=True)
    if section.sums:
        said = "    ".join(f"{name} {value}" for name, value in section.sums)
        yield f"#strong({_text(page.word('subtotal') + '  ' + said)})"


def _heading(text: str) -> str:
    return f"#heading(level: 2, {_quoted(text)})"


def _table(widths: Sequence[int], rows: Sequence[Sequence[str]], *, heads: bool) -> str:
    columns = ", ".join(f"{width}fr" for width in widths)
    cells = [", ".join(_text(cell) for cell in row) for row in rows]
    if heads:
        cells[0] = f"table.header({cells[0]})"
    else:
        # Only a table with heads has a bold first row.
        cells = [", ".join(f'text(weight: "regular", {_quoted(cell)})' for cell in row) for row in rows]
    return f"#table(columns: ({columns}), {', '.join(cells)})"


def _text(text: str) -> str:
    return f"text({_quoted(text)})"


def _quoted(text: str) -> str:
    r"""Return a typst string literal.

    >>> _quoted('a "b" \\ c')
    '"a \\"b\\" \\\\ c"'
    """
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
