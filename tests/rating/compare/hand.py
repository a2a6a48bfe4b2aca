"""A settlement made by hand: rated lines on one side, billed lines on the other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

import duckdb

from mingcha.contract import ddl
from mingcha.contract import load as contract
from mingcha.kernel import money
from mingcha.kernel.periods import BillingMonth
from mingcha.rating import compare, tables
from mingcha.store import duck

PERIOD = BillingMonth(2026, 3)
START, END = PERIOD.start, PERIOD.end
READ = ("bill", "bill_line", "reading", "usage_point")
Row = dict[str, Any]


@dataclass
class Hand:
    """The month under test: customer C1, settlement 1, bill B1, main point P1, unless said otherwise."""

    con: duckdb.DuckDBPyConnection = field(default_factory=lambda: duck.connect(threads=1))
    lines: int = 0

    def __post_init__(self) -> None:
        for name in (*tables.KEPT, "tb_pf"):
            self.con.execute(tables.create(name))
        for name in READ:
            self.con.execute(ddl.create_table(table=contract.contract().table(name)))
        self.settle(1)

    def settle(self, sid: int, *, bills: tuple[str, ...] = ("B1",), customer: str = "C1") -> None:
        """Add a settlement with its live bills."""
        self.put("rt_settlement", sid=sid, customer_id=customer, billing_period=str(PERIOD), seq=sid,
                 last=True, bill_id=bills[-1], bill_ids=",".join(bills), bills=len(bills), started_on=START,
                 read_on=END, month_start=START, month_end=END)  # fmt: skip
        self.put(
            "rt_point", sid=sid, usage_point_id=f"P{sid}", main=True, metering_method="meter", tariff_id="T1"
        )
        for name in bills:
            self.put_contract(
                "bill", bill_id=name, customer_id=customer, billing_period=str(PERIOD), amount=0
            )

    def rated(self, component: str, quantity: str, price: str | None, **more: Any) -> None:
        """Add a re-rated line; `amount` is quantity × price unless given."""
        self.lines += 1
        row = {"sid": 1, "line_no": self.lines, "component": component, "quantity": quantity, "unit": "kWh",
               "price": price, "tariff_id": "T1", "evidence": "[S]", "formula": "", "source": "",
               "remainder": 0, **more}  # fmt: skip
        row.setdefault("amount", _product(quantity, price))
        self.put("rt_line", **row)

    def billed(self, component: str, quantity: str, price: str | None, **more: Any) -> None:
        """Add a billed line; `amount` is quantity × price unless given."""
        self.lines += 1
        row = {"bill_id": "B1", "line_no": self.lines, "component": component, "quantity": quantity,
               "unit": "kWh", "price": price, **more}  # fmt: skip
        row.setdefault("amount", _product(quantity, price))
        self.put_contract("bill_line", **row)

    def both(self, component: str, quantity: str, price: str | None, **more: Any) -> None:
        """Add the same line on both sides."""
        self.rated(component, quantity, price, **more)
        self.billed(component, quantity, price, **more)

    def metered(self, units: str, *, stated: str, archive: str) -> None:
        """Add a reading of the main point, and the point with the multiplier of the archive."""
        self.put_contract(
            "usage_point", usage_point_id="P1", multiplier=archive, effective_from=date(2020, 1, 1)
        )
        self.put_contract("reading", reading_id="R1", usage_point_id="P1", billing_period=str(PERIOD),
                          register="active", start_value="100", end_value=str(100 + Decimal(units)),
                          multiplier=stated, started_on=START, read_on=END)  # fmt: skip

    def price(self, tariff: str, component: str, price: str, **more: Any) -> None:
        """Add a price of a tariff, in force since 2020."""
        row = {"tariff_id": tariff, "component": component, "item": "", "period": "all", "tier": 0,
               "in_force_from": date(2020, 1, 1), "price": price, **more}  # fmt: skip
        self.put("rt_price", **row)

    def put(self, table: str, **row: Any) -> None:
        """Insert a row; what is not given is NULL."""
        names = ", ".join(row)
        self.con.execute(
            f"INSERT INTO {table} ({names}) VALUES ({', '.join('?' for _ in row)})", list(row.values())
        )

    def put_contract(self, table: str, **row: Any) -> None:
        """Insert a row of a contract table; required columns that are not given take the example."""
        shape = contract.contract().table(table)
        for column in shape.columns:
            if not column.nullable:
                row.setdefault(column.name, column.example)
        names = ", ".join(ddl.quote(name) for name in row)
        casts = ", ".join(f"CAST(? AS {shape.column(name).sql_type})" for name in row)
        self.con.execute(f"INSERT INTO {table} ({names}) VALUES ({casts})", [_plain(v) for v in row.values()])

    def compare(self, tolerances: compare.Tolerances | None = None) -> dict[str, Row]:
        """Compare and return the differences by component (of settlement 1)."""
        compare.run(self.con, period=PERIOD, tolerances=tolerances)
        return {row["component"]: row for row in self.rows("bill_difference") if row["seq"] == 1}

    def causes(self, tolerances: compare.Tolerances | None = None) -> dict[str, str]:
        """Compare and return the suggested cause by component."""
        return {name: row["cause"] for name, row in self.compare(tolerances).items()}

    def rows(self, table: str) -> list[Row]:
        """Return the rows of a derived table after `compare`."""
        result = self.con.execute(f"SELECT * FROM {compare.KEPT}{table} ORDER BY ALL")
        names = [column[0] for column in result.description]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def _product(quantity: str, price: str | None) -> Decimal:
    return money.round_half_up(Decimal(quantity) * Decimal(price)).amount if price else Decimal("0.00")


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Decimal) else value


def sides(hand: Hand, rows: Iterable[tuple[str, str, str]]) -> None:
    """Add equal lines on both sides."""
    for component, quantity, price in rows:
        hand.both(component, quantity, price)
