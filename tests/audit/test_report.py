"""The report: one file, no network, every number from the run, nothing unescaped."""

import re
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path

import pytest

from mingcha.audit import casebook
from mingcha.audit.report import build, charts, content, page, reasons
from mingcha.findings import queries
from mingcha.kernel import errors
from mingcha.store import runs, workspace

from .conftest import Screened


class _Reader(HTMLParser):
    """Collects tags, addresses and text; complains about tags that do not close."""

    VOID = frozenset({"meta", "br", "img", "rect", "input"})

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.text: list[str] = []
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [
            value or "" for name, value in attrs if name in ("src", "href", "srcset", "action")
        ]
        if tag not in self.VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def close(self) -> None:
        super().close()
        assert self._open == []


def read(path: Path) -> _Reader:
    reader = _Reader()
    reader.feed(path.read_text(encoding="utf-8"))
    reader.close()
    return reader


@pytest.fixture(params=["zh", "en"])
def written(request: pytest.FixtureRequest, screened: Screened, tmp_path: Path) -> tuple[str, Path]:
    target = tmp_path / "报告 1.html"
    build.write(
        workspace=screened.workspace, target=target, language=request.param, run_id=screened.record.run_id
    )
    return request.param, target


class TestReport:
    def test_is_one_whole_file_without_network_and_script(self, written: tuple[str, Path]) -> None:
        reader = read(written[1])
        assert reader.addresses == []
        assert "script" not in reader.tags
        assert "svg" in reader.tags
        assert not re.search(r"url\(|@import|https?:", written[1].read_text(encoding="utf-8"))

    def test_says_the_numbers_of_the_run(self, written: tuple[str, Path], screened: Screened) -> None:
        text = " ".join(read(written[1]).text)
        record = screened.record
        assert record.run_id in text
        assert record.snapshot_id in text
        assert f"{record.findings:,}" in text
        for entry in record.per_rule:
            assert entry.rule_id in text
            assert entry.title[written[0]] in text
        for one in record.rules_skipped:
            assert one.rule_id in text
        assert page.short(record.money["back_cny"], language=written[0]) in text

    def test_speaks_one_language(self, written: tuple[str, Path]) -> None:
        text = " ".join(read(written[1]).text)
        if written[0] == "zh":
            assert "未送数据表" in text
            assert "not delivered" not in text
        else:
            assert "not delivered" in text
            assert "最严重" not in text

    def test_of_nothing_screened_is_refused(self, tmp_path: Path) -> None:
        empty = workspace.Workspace.create(tmp_path / "empty")
        with pytest.raises(errors.SetupError, match="nothing was screened"):
            build.write(workspace=empty, target=tmp_path / "r.html", language="zh")
        assert not (tmp_path / "r.html").exists()


class TestContent:
    def test_sums_agree_area_by_area_and_rule_by_rule(
        self, cases: casebook.Casebook, screened: Screened
    ) -> None:
        told = content.gather(
            cases=cases, run=runs.get(screened.workspace, screened.record.run_id), language="en"
        )
        for lines in (told.areas, told.rules, told.units):
            assert sum(line.total.findings for line in lines) == told.total.findings
            for name, amount in told.total.amounts.items():
                stated = [line.total.amounts[name] for line in lines if line.total.amounts[name] is not None]
                assert (sum(stated, Decimal(0)) if stated else None) == amount

    def test_no_rule_fills_the_list_of_the_gravest(
        self, cases: casebook.Casebook, screened: Screened
    ) -> None:
        told = content.gather(
            cases=cases, run=runs.get(screened.workspace, screened.record.run_id), language="zh"
        )
        counted = [story.finding.rule_id for story in told.top]
        assert max(counted.count(rule) for rule in counted) <= content.PER_RULE
        assert len(set(counted)) > 1

    def test_findings_by_month_are_there_for_a_range(self, cases: casebook.Casebook) -> None:
        totals = queries.totals(con=cases.con, where=queries.Filter(), by="last_month")
        assert {total.key for total in totals} == {"2026-03"}


class TestAmounts:
    def test_what_nobody_estimated_is_not_zero(self) -> None:
        assert page.short(None, language="zh") == "未估算"
        assert page.short(Decimal("0.00"), language="zh") == "0.00"


class TestCharts:
    def test_escape_what_they_show(self) -> None:
        svg = charts.bars(rows=[charts.Bar("<b>&", {"order": 3})], title='"quoted"')
        assert "<b>" not in svg
        assert "&lt;b&gt;&amp;" in svg
        assert "&#34;quoted&#34;" in svg

    def test_the_longest_bar_fills_the_room_and_something_is_never_nothing(self) -> None:
        svg = charts.bars(
            rows=[charts.Bar("a", {"order": 100_000}), charts.Bar("b", {"watch": 1})], title="t"
        )
        widths = [Decimal(text) for text in re.findall(r'<rect class="\w+" [^>]*width="([\d.]+)"', svg)]
        assert widths == [Decimal("285.0"), Decimal("2.0")]

    def test_nothing_to_show_is_no_chart(self) -> None:
        assert charts.bars(rows=[charts.Bar("a", {"order": 0})], title="t") == ""
        assert charts.columns(rows=[], title="t") == ""

    def test_columns_label_at_most_a_dozen(self) -> None:
        rows = [charts.Bar(f"2024-{month:02d}", {"order": month}) for month in range(1, 25)]
        svg = charts.columns(rows=rows, title="t")
        assert svg.count("<rect") == 24
        assert svg.count('class="label"') == 12


class TestReasons:
    def test_are_said_in_chinese_and_left_alone_where_unknown(self) -> None:
        told = "history short: have 2 of 12 months (bill); something new"
        assert reasons.told(told, language="zh") == "历史不足：bill 有 2 个月，需要 12 个月；something new"
        assert reasons.told(told, language="en") == told
