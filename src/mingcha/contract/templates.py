"""Empty files a utility fills in: a CSV header, and an Excel workbook that helps the person typing."""

from __future__ import annotations

import csv
import datetime
import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from mingcha.contract import model

if TYPE_CHECKING:
    import xlsxwriter

Header = Literal["name", "zh"]

#: Excel refuses a drop-down whose values, joined, are longer than this; longer sets stand on a hidden sheet.
_LIST_LIMIT = 255
_LISTS = "_lists"
#: Rows a drop-down and a cell format reach down to.
_ROWS = 10_000
#: A workbook states when it was made; a template is the same whenever it is made.
_MADE = datetime.datetime(2000, 1, 1)  # noqa: DTZ001 - Excel knows no time zone
_FORMATS = {"date": "yyyy-mm-dd", "timestamp": "yyyy-mm-dd hh:mm:ss", "int": "0"}
_TEXT = frozenset({"id", "text", "enum", "list", "bool", "billing_period"})


def csv_template(*, table: model.Table, header: Header = "name") -> str:
    """Return the header line of a CSV file for `table`: column names, or Chinese titles."""
    buffer = io.StringIO()
    csv.writer(buffer).writerow(_heading(column, header) for column in table.columns)
    return buffer.getvalue()


def excel_template(*, path: Path, tables: Sequence[model.Table], header: Header = "name") -> None:
    """Write a workbook with one sheet per table, named as the table, and only a header row in each.

    The header cells carry the meaning as a comment; required columns are bold; enums and yes/no columns are
    drop-downs; identifiers are text, so that leading zeros survive. The hidden sheet `_lists` holds the
    values of the longer drop-downs.
    """
    import xlsxwriter

    with xlsxwriter.Workbook(str(path)) as workbook:
        workbook.set_properties({"title": "Mingcha data contract", "created": _MADE})
        sheets = [(table, workbook.add_worksheet(table.name)) for table in tables]
        lists = _Lists(workbook)
        styles = _styles(workbook)
        for table, sheet in sheets:
            sheet.freeze_panes(1, 0)
            for place, column in enumerate(table.columns):
                _write_heading(sheet, place, column, _heading(column, header), styles)
                _write_choices(sheet, place, column, lists)


class _Lists:
    """The hidden sheet with the values of long drop-downs, made only when one is needed."""

    def __init__(self, workbook: xlsxwriter.Workbook) -> None:
        self._workbook = workbook
        self._sheet: Any = None
        self._places: dict[tuple[str, ...], str] = {}

    def source(self, values: tuple[str, ...]) -> list[str] | str:
        """Return what a drop-down of `values` refers to: the values, or a range of the hidden sheet."""
        if len(",".join(values)) <= _LIST_LIMIT:
            return list(values)
        if values not in self._places:
            self._places[values] = self._write(values)
        return self._places[values]

    def _write(self, values: tuple[str, ...]) -> str:
        from xlsxwriter import utility

        if self._sheet is None:
            self._sheet = self._workbook.add_worksheet(_LISTS)
            self._sheet.hide()
        place = len(self._places)
        self._sheet.write_column(0, place, values)
        letter = utility.xl_col_to_name(place)
        return f"={_LISTS}!${letter}$1:${letter}${len(values)}"


def _styles(workbook: xlsxwriter.Workbook) -> dict[str, Any]:
    styles = {
        "required": workbook.add_format({"bold": True, "bg_color": "#DDEBF7", "border": 1}),
        "optional": workbook.add_format({"bg_color": "#F2F2F2", "border": 1}),
        "text": workbook.add_format({"num_format": "@"}),
    }
    for kind, number_format in _FORMATS.items():
        styles[kind] = workbook.add_format({"num_format": number_format})
    return styles


def _write_heading(
    sheet: Any, place: int, column: model.Column, heading: str, styles: dict[str, Any]
) -> None:
    style = styles.get(column.type) or (styles["text"] if column.type in _TEXT else None)
    sheet.set_column(place, place, max(12, 2 * len(column.zh), len(heading)) + 2, style)
    sheet.write_string(0, place, heading, styles["optional" if column.nullable else "required"])
    sheet.write_comment(0, place, explanation(column=column), {"x_scale": 2.2, "y_scale": 1.6})


def _write_choices(sheet: Any, place: int, column: model.Column, lists: _Lists) -> None:
    values = column.enum or (("true", "false") if column.type == "bool" else ())
    values = values or tuple(str(number) for number in column.allowed)
    if values:
        choice = {"validate": "list", "source": lists.source(values), "ignore_blank": True}
        sheet.data_validation(1, place, _ROWS, place, choice)


def explanation(*, column: model.Column) -> str:
    """Return what a header cell says about its column, in both languages."""
    need = ("可空", "may be empty") if column.nullable else ("必填", "required")
    unit = f", {column.unit}" if column.unit else ""
    lines = [f"{column.zh} / {column.en}", f"{column.type}{unit}; {need[0]} / {need[1]}"]
    if column.note:
        lines += [column.note.zh, column.note.en]
    lines += [f"{value} = {words.zh} / {words.en}" for value, words in column.labels.items()]
    lines.append(f"例 / e.g. {column.example}")
    return "\n".join(lines)


def _heading(column: model.Column, header: Header) -> str:
    return column.name if header == "name" else column.zh
