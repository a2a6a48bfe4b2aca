"""The Excel workbook of findings: a sheet to work with, a summary by rule, and how to read both."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mingcha.findings import columns, model, queries, sources, story, words
from mingcha.kernel import errors

if TYPE_CHECKING:
    import duckdb

MOST_ROWS = 200_000
_CELL_LIMIT = 32_000  # Excel itself stops at 32,767 characters
_FORMATS = {"money": "#,##0.00", "energy": "#,##0.####", "int": "0", "date": "yyyy-mm-dd"}
_WIDTHS = {
    "finding_id": 20, "rule_id": 10, "rule_version": 8, "subject_kind": 12, "subject_id": 20,
    "customer_id": 16, "org_id": 12, "period_start": 12, "period_end": 12, "band": 8, "reason": 24,
    "severity": 8, "energy_kwh": 14, "back_cny": 14, "penalty_cny": 14, "refund_cny": 14,
    "exposed_cny": 14, "evidence": 80, "first_seen_run": 16, "last_seen_run": 16, "snapshot_id": 16,
    "run_id": 16,
}  # fmt: skip
_TITLE = words.Text("规则名称", "Title")
_SHEETS = (
    words.Text("异常清单", "Findings"),
    words.Text("按规则汇总", "By rule"),
    words.Text("说明", "How to read"),
)


@dataclass(frozen=True, slots=True)
class _Heading:
    """A column of a sheet: the value it shows, its title in both languages, kind and width."""

    name: str
    title: str
    kind: str
    width: int


@dataclass(frozen=True, slots=True)
class _Page:
    """A sheet being written, row by row."""

    sheet: Any
    styles: Mapping[str, Any]
    headings: Sequence[_Heading]

    def head(self, *, rows: int) -> None:
        """Write the header, freeze it with the first two columns, and make it a filter over `rows`."""
        for place, heading in enumerate(self.headings):
            self.sheet.set_column(place, place, heading.width)
        self.sheet.set_row(0, 32)
        for place, heading in enumerate(self.headings):
            self.sheet.write_string(0, place, heading.title, self.styles["head"])
        self.sheet.freeze_panes(1, 2)
        self.sheet.autofilter(0, 0, max(rows, 1), len(self.headings) - 1)

    def row(self, number: int, values: Mapping[str, Any]) -> None:
        """Write one row; None leaves the cell empty."""
        for place, heading in enumerate(self.headings):
            self._put(number, place, values[heading.name], heading.kind)

    def _put(self, row: int, place: int, item: Any, kind: str) -> None:
        if item is None:
            return
        if isinstance(item, Decimal | int):
            # A cell of Excel is a binary number by its nature; amounts below 10^13 keep their fen in it.
            self.sheet.write_number(row, place, item, self.styles[kind])
        elif isinstance(item, date):
            self.sheet.write_datetime(row, place, item, self.styles["date"])
        else:
            style = self.styles["wrap" if kind == "json" else "text"]
            self.sheet.write_string(row, place, str(item)[:_CELL_LIMIT], style)


def write(
    *,
    con: duckdb.DuckDBPyConnection,
    where: queries.Filter,
    target: Path,
    rules: Mapping[str, words.RuleWords],
    language: str,
    relation: str = queries.RELATION,
) -> None:
    """Write the workbook; raises Refusal beyond MOST_ROWS findings."""
    import xlsxwriter

    found = queries.count(con=con, where=where, relation=relation)
    if found > MOST_ROWS:
        raise errors.Refusal(
            f"{found:,} findings are more than the {MOST_ROWS:,} an Excel workbook is made for",
            why="a workbook of that size opens in minutes or not at all, and Excel cuts it at 1,048,576 rows",
            mend="export fewer with --rule GLOB, --band or --org, or choose --format csv or parquet",
        )
    # One row in memory at a time: a workbook may have hundreds of thousands.
    book = xlsxwriter.Workbook(str(target), {"constant_memory": True, "strings_to_urls": False})
    try:
        styles = _styles(book)
        page = _Page(book.add_worksheet(_SHEETS[0].of(language)), styles, _finding_headings())
        page.head(rows=found)
        _fill_findings(page, _listed(con, where, relation), rules, language)
        page = _Page(book.add_worksheet(_SHEETS[1].of(language)), styles, _summary_headings())
        _fill_summary(
            page, queries.totals(con=con, where=where, by="rule_id", relation=relation), rules, language
        )
        _help_sheet(book.add_worksheet(_SHEETS[2].of(language)), styles)
    finally:
        book.close()


def _listed(con: duckdb.DuckDBPyConnection, where: queries.Filter, relation: str) -> Iterator[model.Finding]:
    query = queries.select(where=where, order=queries.GRAVEST_FIRST, relation=relation)
    return queries.find(con=con, query=query)


def _styles(book: Any) -> dict[str, Any]:
    base = {"font_name": "Microsoft YaHei", "font_size": 10, "valign": "top"}
    styles = {kind: book.add_format({**base, "num_format": code}) for kind, code in _FORMATS.items()}
    styles["text"] = book.add_format(base)
    styles["wrap"] = book.add_format({**base, "text_wrap": True})
    styles["head"] = book.add_format(
        {**base, "bold": True, "text_wrap": True, "bg_color": "#1F4E5F", "font_color": "#FFFFFF", "border": 1}
    )
    styles["strong"] = book.add_format({**base, "bold": True})
    return styles


def _finding_headings() -> list[_Heading]:
    listed = []
    for column in columns.EXPORT_COLUMNS:
        title = f"{column.zh}\n{column.en}"
        listed.append(_Heading(column.name, title, column.kind, _WIDTHS[column.name]))
        if column.name == "rule_id":
            listed.append(_Heading("title", f"{_TITLE.zh}\n{_TITLE.en}", "text", 28))
    return listed


def _summary_headings() -> list[_Heading]:
    money = [column for column in columns.EXPORT_COLUMNS if column.kind == "money"]
    return [
        _Heading("rule_id", "规则编号\nRule", "text", 12),
        _Heading("title", f"{_TITLE.zh}\n{_TITLE.en}", "text", 36),
        _Heading("findings", "异常数\nFindings", "int", 10),
        _Heading("customers", "涉及用户\nCustomers", "int", 10),
        *(_Heading(band, f"{text.zh}\n{text.en}", "int", 8) for band, text in words.BANDS.items()),
        *(_Heading(column.name, f"{column.zh}\n{column.en}", "money", 18) for column in money),
    ]


def _fill_findings(
    page: _Page, found: Iterable[model.Finding], rules: Mapping[str, words.RuleWords], language: str
) -> None:
    private = sources.private_names()
    for index, finding in enumerate(found, start=1):
        page.row(index, _cells(finding, rules.get(finding.rule_id), language, private))


def _cells(
    finding: model.Finding, rule: words.RuleWords | None, language: str, private: Collection[str]
) -> dict[str, Any]:
    values = finding.record()
    values["title"] = rule.title.of(language) if rule else ""
    values["subject_kind"] = words.text_of(words.SUBJECTS, finding.subject_kind, language)
    values["band"] = words.text_of(words.BANDS, finding.band, language)
    values["severity"] = words.text_of(words.SEVERITIES, finding.severity, language)
    if rule and finding.reason in rule.reasons:
        values["reason"] = rule.reasons[finding.reason].of(language)
    values["evidence"] = story.evidence_text(finding=finding, rule=rule, language=language, private=private)
    return values


def _fill_summary(
    page: _Page, totals: Sequence[queries.Total], rules: Mapping[str, words.RuleWords], language: str
) -> None:
    page.head(rows=len(totals))
    for index, total in enumerate(totals, start=1):
        rule = rules.get(total.key)
        values = {
            "rule_id": total.key,
            "title": rule.title.of(language) if rule else "",
            "findings": total.findings,
            "customers": total.customers,
            **total.bands,
            **total.amounts,
        }
        page.row(index, values)


_HELP = (
    ("如何阅读", "How to read this workbook"),
    (
        "一行是一条异常：一条规则在一个对象、一段时间上的一次命中。编号固定：同样的数据再筛查一次，编号不变。",
        "One row is one finding: one rule's hit on one subject for one stretch of time. Ids are stable: "
        "the same books screened again give the same ids.",
    ),
    ("起始日含当天，截止日不含当天。", "The period holds its first day and not its last."),
    (
        "四种金额分列，不可相加：应追补（向用户追收）、违约使用电费（法定上限，由单位裁量）、应退补（退给用户）、"
        "风险敞口（面额，不是可追回额）。空白表示未估算，不是零。",
        "The four amounts are kept apart and must not be added up: back payment (charged to the customer), "
        "penalty (upper limit, the organisation sets its own), refund (given back to the customer), exposed "
        "(face amount at risk, not a recovery). Empty means not estimated, not zero.",
    ),
    (
        "处置档：紧急、派单、关注。严重度说的是属实时的代价（高、中、低），不是把握有多大。",
        "Band says what to do: urgent, order, watch. Severity is what it costs if true, not how sure it is.",
    ),
    (
        "异常不是结论。完整说明、原始记录、参数和法规依据：mingcha findings show 异常编号",
        "A finding is not a verdict. Its story, source rows, parameters and legal basis: "
        "mingcha findings show ID",
    ),
    (
        "本表含用户信息，请按单位规定保管。证据中的个人信息已遮盖。",
        "This workbook names customers: keep it as your organisation demands. "
        "Personal data in evidence is masked.",
    ),
)


def _help_sheet(sheet: Any, styles: Mapping[str, Any]) -> None:
    sheet.set_column(0, 1, 70)
    for index, (zh, en) in enumerate(_HELP):
        style = styles["strong"] if index == 0 else styles["wrap"]
        sheet.write_string(index, 0, zh, style)
        sheet.write_string(index, 1, en, style)
