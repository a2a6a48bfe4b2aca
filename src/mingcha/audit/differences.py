"""Bills beside their re-rating: sums by component and cause, the bills that differ, exports.

with differences.opened(workspace=ws, periods=months, made_at=now) as found:
    found.by_cause(tolerance) ; found.bills(tolerance, limit=50) ; found.export(target=…, kind="xlsx", …)
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from mingcha.audit import deliveries, narrowing, rerating
from mingcha.contract import load as contract_load
from mingcha.findings import export, jsontext
from mingcha.kernel import errors
from mingcha.kernel.periods import BillingMonth
from mingcha.rating import compare
from mingcha.store import derived
from mingcha.store.workspace import Workspace

if TYPE_CHECKING:
    import duckdb

Row = dict[str, Any]
FORMATS = ("csv", "json", "xlsx")
MOST_SHEET_ROWS = 200_000
_BATCH = 5_000
_OVER = """
SELECT customer_id, billing_period, seq, CAST(sum(difference) AS DECIMAL(18,2)) AS total,
    count(*) AS components
FROM bill_difference GROUP BY customer_id, billing_period, seq
HAVING max(abs(difference)) > {tolerance} OR abs(sum(difference)) > {tolerance}
"""
_ROWS = """
SELECT d.customer_id, d.billing_period, d.seq, d.bill_id, b.billed_amount AS bill_billed,
    b.amount AS bill_rerated, o.total AS bill_difference, d.component, d.billed_amount, d.rerated_amount,
    d.difference, d.billed_quantity, d.rerated_quantity, d.billed_price, d.rerated_price, d.cause, b.evidence
FROM bill_difference AS d
JOIN beyond AS o USING (customer_id, billing_period, seq)
JOIN rerated_bill AS b USING (customer_id, billing_period, seq)
ORDER BY abs(o.total) DESC, d.billing_period, d.customer_id, d.seq, abs(d.difference) DESC, d.component
"""
_BILLS = """
WITH ranked AS (
    SELECT d.customer_id, d.billing_period, d.seq, d.bill_id, d.component, d.cause, o.total, o.components,
        row_number() OVER (PARTITION BY d.customer_id, d.billing_period, d.seq
            ORDER BY CASE d.cause WHEN 'follows' THEN 2 WHEN 'rounding' THEN 3 ELSE 1 END,
                abs(d.difference) DESC, d.component) AS nth
    FROM bill_difference AS d JOIN beyond AS o USING (customer_id, billing_period, seq)
)
SELECT r.bill_id, r.customer_id, r.billing_period, r.seq, b.billed_amount, b.amount AS rerated_amount,
    r.total AS difference, r.component, r.cause, r.components, b.evidence
FROM ranked AS r JOIN rerated_bill AS b USING (customer_id, billing_period, seq)
WHERE r.nth = 1
ORDER BY abs(r.total) DESC, r.billing_period, r.customer_id, r.seq
"""
_BY_CAUSE = """
SELECT component, cause, count(*) AS bills, CAST(sum(difference) AS DECIMAL(18,2)) AS difference,
    CAST(sum(CASE WHEN difference > 0 THEN difference ELSE 0 END) AS DECIMAL(18,2)) AS too_much,
    CAST(sum(CASE WHEN difference < 0 THEN -difference ELSE 0 END) AS DECIMAL(18,2)) AS too_little
FROM bill_difference WHERE abs(difference) > {tolerance}
GROUP BY component, cause ORDER BY sum(abs(difference)) DESC, component, cause
"""


@dataclass
class Differences:
    """The re-rated months of one snapshot, open for questions."""

    con: duckdb.DuckDBPyConnection
    snapshot_id: str
    months: tuple[rerating.Month, ...]

    def by_cause(self, tolerance: Decimal) -> list[Row]:
        """Return sums by component and cause over differences above the tolerance (CNY), largest first."""
        return list(self._rows(_BY_CAUSE.format(tolerance=_literal(tolerance))))

    def count(self, tolerance: Decimal) -> int:
        """Return how many bills differ by more than the tolerance, in one component or as a whole."""
        found = self.con.execute(f"SELECT count(*) FROM ({_over(tolerance)})").fetchone()
        return int(found[0]) if found else 0

    def bills(self, tolerance: Decimal, *, limit: int = 0) -> Iterator[Row]:
        """Yield the bills that differ by more than the tolerance, largest first; limit 0 means all."""
        cut = f" LIMIT {limit}" if limit else ""
        return self._rows(f"WITH beyond AS ({_over(tolerance)}) SELECT * FROM ({_BILLS}){cut}")

    def lines(self, tolerance: Decimal) -> Iterator[Row]:
        """Yield the differing components of those bills, bill by bill."""
        return self._rows(f"WITH beyond AS ({_over(tolerance)}) SELECT * FROM ({_ROWS})")

    def export(self, *, tolerance: Decimal, target: Path, kind: str, language: str) -> int:
        """Write the differing components to a file in one of FORMATS; return how many rows.

        Raises Refusal for more rows than a workbook is made for, SetupError when the file cannot be written.
        """
        with export.whole_file(target) as draft:
            if kind == "xlsx":
                return self._workbook(tolerance, draft, language)
            with draft.open("wb") as file:
                return self.stream(tolerance=tolerance, stream=file, kind=kind)

    def stream(self, *, tolerance: Decimal, stream: BinaryIO, kind: str) -> int:
        """Write the differing components to a stream as csv or json; return how many rows."""
        if kind == "json":
            return _json(self.lines(tolerance), stream)
        text = io.TextIOWrapper(stream, encoding="utf-8", newline="", write_through=True)
        text.write("\ufeff")  # without it Excel reads UTF-8 as the code page of the machine
        writer = csv.writer(text, lineterminator="\r\n")
        writer.writerow(COLUMNS)
        written = 0
        for row in self.lines(tolerance):
            writer.writerow(["" if row[name] is None else row[name] for name in COLUMNS])
            written += 1
        text.detach()
        return written

    def _workbook(self, tolerance: Decimal, draft: Path, language: str) -> int:
        import xlsxwriter

        wanted = self.con.execute(
            f"SELECT count(*) FROM (WITH beyond AS ({_over(tolerance)}) SELECT * FROM ({_ROWS}))"
        ).fetchone()
        if wanted and wanted[0] > MOST_SHEET_ROWS:
            raise errors.Refusal(
                f"{wanted[0]:,} rows are more than the {MOST_SHEET_ROWS:,} an Excel workbook is made for",
                why="a workbook of that size opens in minutes or not at all",
                mend="compare one month, raise --tolerance, or choose --format csv",
            )
        titles, labels = _titles(language), _labels(language)
        book = xlsxwriter.Workbook(str(draft), {"constant_memory": True, "strings_to_urls": False})
        sheet = book.add_worksheet({"zh": "账单差异"}.get(language, "Differences"))
        bold, money = book.add_format({"bold": True}), book.add_format({"num_format": "#,##0.00"})
        for place, name in enumerate(COLUMNS):
            sheet.set_column(place, place, 16)
            sheet.write_string(0, place, titles[name], bold)
        sheet.freeze_panes(1, 4)
        written = 0
        for row in self.lines(tolerance):
            written += 1
            for place, name in enumerate(COLUMNS):
                _cell(sheet, (written, place), row[name], labels.get(name, {}), money)
        book.close()
        return written

    def _rows(self, sql: str) -> Iterator[Row]:
        cursor = self.con.execute(sql)
        names = [column[0] for column in cursor.description or []]
        while rows := cursor.fetchmany(_BATCH):
            for row in rows:
                yield dict(zip(names, row, strict=True))


COLUMNS = (
    "bill_id", "customer_id", "billing_period", "seq", "bill_billed", "bill_rerated", "bill_difference",
    "component", "billed_amount", "rerated_amount", "difference", "billed_quantity", "rerated_quantity",
    "billed_price", "rerated_price", "cause", "evidence",
)  # fmt: skip
"""The columns of an export, one row per differing component."""


@contextmanager
def opened(
    *,
    workspace: Workspace,
    made_at: datetime,
    periods: Sequence[BillingMonth] = (),
    snapshot_id: str | None = None,
    progress: rerating.Progress | None = None,
) -> Iterator[Differences]:
    """Give the differences of months, re-rated first where that was not done; close the connection after.

    Raises as `rerating.rerate` does, and Refusal when the lines of the bills were not delivered.
    """
    snapshot = deliveries.chosen(workspace=workspace, snapshot_id=snapshot_id)
    if not snapshot.columns_delivered(rerating.COMPARED):
        raise errors.Refusal(
            f"bills of snapshot {snapshot.id} cannot be compared: {rerating.COMPARED} not delivered",
            why="without its lines a bill differs as a whole, and nothing says in what",
            mend="deliver the lines of the bills; `mingcha bills rerate` works without them",
        )
    made = rerating.rerate(
        workspace=workspace, made_at=made_at, periods=periods, snapshot_id=snapshot.id, progress=progress
    )
    con = workspace.connect()
    try:
        derived.attach(con, made.entries, tables=("bill_difference", "rerated_bill", "rerated_gap"))
        yield Differences(con=con, snapshot_id=snapshot.id, months=made.months)
    finally:
        con.close()


def of_customers(
    *,
    workspace: Workspace,
    customers: Sequence[str],
    periods: Sequence[BillingMonth],
    snapshot_id: str | None = None,
    progress: rerating.Progress | None = None,
) -> list[Row]:
    """Return one row per settlement of the customers: billed and re-rated amount, or why it is not rated.

    Nothing is kept. `periods` defaults to the last complete month. Raises as `rerating.rerate` does, and
    Refusal for customers that are not there.
    """
    snapshot = deliveries.chosen(workspace=workspace, snapshot_id=snapshot_id)
    rerating.demand(snapshot)
    months = sorted(set(periods)) or [rerating.default_month(snapshot)]
    found: list[Row] = []
    with rerating.prepared(workspace=workspace, snapshot=snapshot) as (con, _):
        _demand_customers(con, customers)
        narrowing.narrow(con, customers=customers)
        for month in months:
            rerating.rate_month(con, period=month, progress=progress)
            result = con.execute(_SETTLED)
            names = [column[0] for column in result.description or []]
            found += [dict(zip(names, row, strict=True)) for row in result.fetchall()]
    return found


_SETTLED = f"""
SELECT customer_id, billing_period, seq, bill_ids, billed_amount, amount AS rerated_amount,
    billed_amount - amount AS difference, evidence, NULL AS reason, NULL AS detail
FROM {compare.KEPT}rerated_bill
UNION ALL
SELECT customer_id, billing_period, seq, bill_ids, billed_amount, NULL, NULL, NULL, reason, detail
FROM {compare.KEPT}rerated_gap
ORDER BY customer_id, seq, reason
"""


def _demand_customers(con: duckdb.DuckDBPyConnection, customers: Sequence[str]) -> None:
    there = con.execute(
        "SELECT customer_id FROM customer WHERE customer_id IN (SELECT unnest(?))", [list(customers)]
    ).fetchall()
    missing = sorted(set(customers) - {str(row[0]) for row in there})
    if missing:
        raise errors.Refusal(
            f"there is no customer {', '.join(missing)}",
            why="nothing rated would look like nothing wrong",
            mend="correct the customer id; identifiers count every zero",
        )


def _over(tolerance: Decimal) -> str:
    return _OVER.format(tolerance=_literal(tolerance))


def _literal(tolerance: Decimal) -> str:
    return f"CAST('{tolerance:f}' AS DECIMAL(18,4))"


def _json(rows: Iterator[Row], stream: BinaryIO) -> int:
    written = 0
    stream.write(b"[")
    for row in rows:
        stream.write((",\n" if written else "\n").encode() + jsontext.dumps(row).encode())
        written += 1
    stream.write(b"\n]\n")
    return written


def _titles(language: str) -> dict[str, str]:
    """Return the titles of the export's columns in a language, from the contract."""
    tables = contract_load.contract().derived
    titles = {
        column.name: column.zh if language == "zh" else column.en
        for name in ("rerated_bill", "bill_difference")
        for column in tables[name].columns
    }
    own = {
        "bill_billed": ("账单合计", "Bill, billed"),
        "bill_rerated": ("复算合计", "Bill, re-rated"),
        "bill_difference": ("账单差额", "Bill, difference"),
    }
    return titles | {name: pair[0 if language == "zh" else 1] for name, pair in own.items()}


def _labels(language: str) -> dict[str, dict[str, str]]:
    table = contract_load.contract().derived["bill_difference"]
    return {
        name: {
            value: words.zh if language == "zh" else words.en
            for value, words in table.column(name).labels.items()
        }
        for name in ("component", "cause")
    }


def _cell(sheet: Any, place: tuple[int, int], item: Any, labels: dict[str, str], money: Any) -> None:
    if item is None:
        return
    if isinstance(item, Decimal):
        sheet.write_number(*place, item, money if item.as_tuple().exponent == -2 else None)
    elif isinstance(item, int):
        sheet.write_number(*place, item)
    else:
        sheet.write_string(*place, labels.get(str(item), str(item)))
