"""The sheet as text, JSON, Word and PDF: the same numbers, nothing of a customer's text read as markup."""

import io
import subprocess
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import docx
import pytest
from docx.oxml.ns import qn

from mingcha.findings import jsontext
from mingcha.kernel import errors
from mingcha.recovery import catalogue
from mingcha.recovery.model import Worksheet
from mingcha.recovery.render import layout, pdf, text, word
from mingcha.tariffbook import load

NASTY = '某厂 "甲" #let x = 1 $y$ *粗* _斜_ `z` \\ <b> @ref // ] ) 100%'
NUMBERS = ("28,433.35", "17,060.01", "34,120.02")


@pytest.fixture(scope="module")
def sheet() -> Worksheet:
    values = {
        "to": "2026-01-01",
        "current_a": "20",
        "price": "0.6",
        "customer": NASTY,
        "case": "案-7",
        "multiple": "2",
    }
    return catalogue.work(
        "theft", values, books=load.shipped(), made_on=date(2026, 11, 25), sources={"current_a": "铭牌照片 3"}
    )


def flat(value: str) -> str:
    return "".join(value.split())


def of_pdf(content: bytes, tmp_path: Path) -> str:
    file = tmp_path / "sheet.pdf"
    file.write_bytes(content)
    return subprocess.run(
        ["pdftotext", "-layout", str(file), "-"], capture_output=True, text=True, check=True
    ).stdout


def of_word(content: bytes) -> str:
    document = docx.Document(io.BytesIO(content))
    cells = [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    return "\n".join([paragraph.text for paragraph in document.paragraphs] + cells)


class TestEveryForm:
    @pytest.mark.parametrize("form", ["text", "docx", "pdf"])
    @pytest.mark.parametrize("language", ["zh", "en"])
    def test_holds_sums_working_articles_and_what_is_to_be_verified(
        self, sheet: Worksheet, form: str, language: str, tmp_path: Path
    ) -> None:
        said = flat(_said(sheet, form, language, tmp_path))
        for number in NUMBERS:
            assert number in said
        for part in (
            "√3×0.38",
            "13.16358614×180×12",
            "28433.35×0.6",
            "17060.01×3",
            "待核",
            "铭牌照片3",
            "案-7",
        ):
            assert part in said, part
        article = "《供电营业规则（2024）》第104条" if language == "zh" else "article104[K?]tobeverified"
        assert article in said
        assert flat(NASTY) in said
        page = layout.page(sheet, language)
        for line in (*page.not_covered, *page.warnings, page.foot):
            assert flat(line) in said
        kinds = {name for name, _ in page.result}
        assert kinds >= ({"应追补电费", "违约使用电费"} if language == "zh" else {"Back payment", "Penalty"})

    @pytest.mark.parametrize("kind", list(catalogue.CALCULATORS))
    def test_every_kind_has_a_page_in_both_languages(self, kind: str) -> None:
        made = catalogue.work(kind, {**SMALLEST[kind]}, books=load.shipped())
        for language in ("zh", "en"):
            page = layout.page(made, language)
            assert page.articles
            assert len(page.not_covered) >= 2
            assert page.sections[-1].rows or made.kwh is not None
            assert "None" not in text.render(made, language=language)
            assert made.title.of(language) in page.title


def _said(sheet: Worksheet, form: str, language: str, tmp_path: Path) -> str:
    if form == "text":
        return text.render(sheet, language=language)
    if form == "docx":
        return of_word(word.render(sheet, language=language))
    return of_pdf(pdf.render(sheet, language=language), tmp_path)


class TestWord:
    def test_chinese_characters_have_a_chinese_face(self, sheet: Worksheet) -> None:
        document = docx.Document(io.BytesIO(word.render(sheet, language="zh")))
        for name in ("Normal", "Heading 1", "Heading 2", "List Bullet"):
            fonts = document.styles[name].element.rPr.rFonts
            assert fonts.get(qn("w:eastAsia")) == "宋体"
            assert fonts.get(qn("w:ascii")) == "Times New Roman"
            # A face of the theme would win over both.
            assert fonts.get(qn("w:eastAsiaTheme")) is None
            assert fonts.get(qn("w:asciiTheme")) is None

    def test_it_is_built_of_headings_tables_and_lists(self, sheet: Worksheet) -> None:
        document = docx.Document(io.BytesIO(word.render(sheet, language="en")))
        styles = [paragraph.style.name for paragraph in document.paragraphs]
        assert styles.count("Heading 1") == 1
        assert styles.count("Heading 2") >= 6
        assert "List Bullet" in styles
        assert len(document.tables) == 3 + len(layout.page(sheet, "en").sections)
        assert document.core_properties.title.startswith("Recovery worksheet")
        assert document.core_properties.author == "Mingcha"

    def test_heads_of_tables_stand_on_every_page_and_rows_on_one(self, sheet: Worksheet) -> None:
        document = docx.Document(io.BytesIO(word.render(sheet, language="zh")))
        rows = [row._tr for row in document.tables[-1].rows]
        assert rows[0].trPr.find(qn("w:tblHeader")) is not None
        assert all(row.trPr.find(qn("w:cantSplit")) is not None for row in rows)
        assert all(row.trPr.find(qn("w:tblHeader")) is None for row in rows[1:])

    def test_the_same_sheet_makes_the_same_words(self, sheet: Worksheet) -> None:
        assert of_word(word.render(sheet, language="zh")) == of_word(word.render(sheet, language="zh"))


class TestPdf:
    def test_the_same_sheet_makes_the_same_file(self, sheet: Worksheet) -> None:
        assert pdf.render(sheet, language="zh") == pdf.render(sheet, language="zh")

    def test_chinese_is_drawn_with_a_chinese_font(self, sheet: Worksheet, tmp_path: Path) -> None:
        file = tmp_path / "sheet.pdf"
        file.write_bytes(pdf.render(sheet, language="zh"))
        fonts = subprocess.run(["pdffonts", str(file)], capture_output=True, text=True, check=True).stdout
        assert "CJK" in fonts

    def test_without_a_chinese_font_it_is_told_which_package_has_one(
        self, sheet: Worksheet, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(pdf, "available", lambda: ("Libertinus Serif", "DejaVu Sans"))
        with pytest.raises(errors.SetupError) as told:
            pdf.render(sheet, language="zh")
        assert "fonts-noto-cjk" in told.value.mend

    def test_every_text_is_a_string_and_none_is_markup(self, sheet: Worksheet) -> None:
        source = pdf.source(layout.page(sheet, "zh"), families=["Noto Serif CJK SC"])
        escaped = NASTY.replace("\\", "\\\\").replace('"', '\\"')
        assert source.count(f'"{escaped}"') == 1
        assert NASTY not in source


class TestJson:
    def test_holds_what_the_sheet_holds_with_exact_numbers(self, sheet: Worksheet) -> None:
        read = jsontext.loads(jsontext.dumps(sheet.as_json()))
        assert read["back_kwh"] == Decimal("28433.35")
        assert read["back_cny"] == Decimal("17060.01")
        assert (read["penalty_min_cny"], read["penalty_max_cny"]) == (Decimal("0.00"), Decimal("51180.03"))
        assert read["penalty_own_cny"] == Decimal("34120.02")
        assert read["refund_cny"] == 0
        assert read["articles"][0]["value"] == "104"
        assert read["act"] == {"from": "2025-07-05", "to": "2026-01-01"}
        assert read["parts"][0]["steps"][0]["working"]["en"] == "28433.35 × 0.6"
        assert [one["source"]["zh"] for one in read["inputs"] if one["key"] == "current_a"] == ["铭牌照片 3"]
        assert {one["evidence"] for one in read["provisional"]} <= {"[K+]", "[K?]"}
        assert read["customer"] == NASTY


_DAYS: dict[str, Any] = {"from": "2024-05-01", "to": "2024-07-01", "price": "0.6"}
_ENERGY: dict[str, Any] = {**_DAYS, "recorded_kwh": "1000"}
_CAPACITY: dict[str, Any] = {"from": "2024-05-01", "to": "2024-07-01", "parts": "two", "capacity_price": "30"}
#: The least each kind can be asked with.
SMALLEST: dict[str, dict[str, Any]] = {
    "meter-error": {**_ENERGY, "error_pct": "-5", "meter_class": "2"},
    "pt-drop": {**_ENERGY, "drop_pct": "1"},
    "normal-month": {**_ENERGY, "normal_kwh": "600", "normal_days": "30"},
    "wiring": {**_ENERGY, "fault": "3p3w-u-fuse", "power_factor": "0.9"},
    "fuse": {**_ENERGY, "fuse": "3p4w-one-lost"},
    "ct-pt-failure": {**_ENERGY, "missing_pct": "20"},
    "lost-voltage": {**_ENERGY, "missing_pct": "20"},
    "lost-current": {**_ENERGY, "missing_pct": "20"},
    "multiplier": {**_DAYS, "used": "20", "true": "30", "units": "10"},
    "missed-reading": {**_DAYS, "units": "10"},
    "category": {
        "from": "2024-05-01", "to": "2024-07-01", "recorded_kwh": "9", "right_price": "2", "paid_price": "1",
    },
    "over-capacity": {**_CAPACITY, "excess_kva": "10"},
    "sealed": {**_CAPACITY, "capacity_kva": "10"},
    "moved": {"on": "2025-01-01", "customer_kind": "other"},
    "private-connection": {"on": "2025-01-01", "source_kw": "5"},
    "theft": {"to": "2024-07-01", "load_kw": "5", "price": "0.6"},
    "late-fee": {
        "unpaid_cny": "100", "due_on": "2024-05-01", "paid_on": "2024-07-01", "customer_kind": "other",
    },
}  # fmt: skip
