"""A utility of a few rows for the tests of rating: contract tables filled row by row, prices by hand."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import duckdb

from mingcha.contract import ddl
from mingcha.contract import load as contract_load
from mingcha.kernel.periods import BillingMonth
from mingcha.rating import engine, tables
from mingcha.store import duck

Row = dict[str, Any]
OPENED = date(2020, 1, 1)


class Bench:
    """One connection with every contract table and every `tb_*` table, empty until rows are put in.

    Each method with the name of a thing puts one row in and fills what it is not told with values of a plain
    home of 2020 on tariff T at 0.5 CNY/kWh; `quantities` and `rated` run the engine and give rows back.
    """

    def __init__(self, period: str = "2026-03") -> None:
        self.period = BillingMonth.parse(period)
        self.con: duckdb.DuckDBPyConnection = duck.connect(memory_limit="1GiB", threads=1)
        self.shapes = contract_load.contract().tables
        for table in self.shapes.values():
            self.con.execute(ddl.create_table(table=table))
        for name in tables.BOOK:
            self.con.execute(tables.create(name))
        self.numbers: dict[str, int] = {}

    # rows -------------------------------------------------------------------------------------------------

    def put(self, table: str, **row: Any) -> None:
        """Insert one row of a contract table; columns not given take the contract's example or NULL."""
        shape = self.shapes[table]
        columns = [column for column in shape.columns if column.name in row or not column.nullable]
        unknown = set(row) - {column.name for column in shape.columns}
        assert not unknown, f"{table} has no {unknown}"
        names = ", ".join(ddl.quote(column.name) for column in columns)
        casts = ", ".join(f"CAST(? AS {column.sql_type})" for column in columns)
        values = [_plain(row.get(column.name, column.example)) for column in columns]
        self.con.execute(f"INSERT INTO {ddl.quote(table)} ({names}) VALUES ({casts})", values)

    def book(self, table: str, **row: Any) -> None:
        """Insert one row of a `tb_*` table; columns not given are NULL."""
        columns = dict(tables.BOOK[table])
        casts = ", ".join(f"CAST(? AS {columns[name]})" for name in row)
        self.con.execute(
            f"INSERT INTO {table} ({', '.join(row)}) VALUES ({casts})",
            [_plain(value) for value in row.values()],
        )

    def number(self, kind: str) -> int:
        """Return 1, 2, 3 … for each kind."""
        self.numbers[kind] = self.numbers.get(kind, 0) + 1
        return self.numbers[kind]

    # things -----------------------------------------------------------------------------------------------

    def tariff(self, code: str = "T", *, energy: Any = "0.5", since: date = OPENED, **more: Any) -> None:
        """A tariff of book 'test' that the utility holds under the same id, with its energy price(s)."""
        head = {"book": "test", "currency": "CNY", "in_force_from": since, "usage_category": "residential",
                "parts": "single", "price_basis": "regulated"}  # fmt: skip
        self.book("tb_tariff", tariff_code=code, **{**head, **more})
        self.book("tb_code", tariff_id=code, tariff_code=code)
        for period, price in (energy if isinstance(energy, dict) else {"all": energy}).items():
            self.price(code, "energy", price, period=period, in_force_from=since)

    def price(self, code: str, component: str, price: str, **more: Any) -> None:
        """A price of the book; for all periods, without tiers, unless said otherwise."""
        row = {"period": "all", "tier": 0, "item": "", "in_force_from": OPENED, "unit": "CNY/kWh",
               "document": "测试价格〔2026〕1号", "evidence": "[S]", **more}  # fmt: skip
        self.book("tb_price", tariff_code=code, component=component, price=price, **row)

    def parameter(self, name: str, value: str, *, book: str = "cn.rules", **more: Any) -> None:
        """A parameter of a book."""
        number = value if value.replace(".", "").isdigit() else None
        row = {"in_force_from": OPENED, "evidence": "[S]", **more}
        self.book("tb_parameter", book=book, name=name, value=value, number=number, **row)

    def customer(self, customer_id: str = "C1", *, tariff_id: str | None = "T", **more: Any) -> None:
        """A customer; with a contract K<number> on `tariff_id` unless that is None."""
        deal = {key: more.pop(key) for key in list(more) if key in CONTRACT_ONLY}
        row = {"opened_on": OPENED, "voltage_kv": "0.22", "contract_capacity_kva": "8", "status": "active",
               "running_capacity_kva": "8", "supply_kind": "permanent",
               "usage_category": "residential", **more}  # fmt: skip
        self.put("customer", customer_id=customer_id, **row)
        if tariff_id is not None:
            self.contract(customer_id, tariff_id=tariff_id, **deal)

    def contract(self, customer_id: str = "C1", *, tariff_id: str = "T", **more: Any) -> None:
        """A version of a contract; its id is K and the customer's unless given."""
        row = {"contract_id": f"K{customer_id}", "effective_from": OPENED, "basic_charge_method": "none",
               "usage_category": "residential", **more}  # fmt: skip
        self.put("contract", customer_id=customer_id, tariff_id=tariff_id, **row)

    def point(self, usage_point_id: str = "P1", customer_id: str = "C1", **more: Any) -> None:
        """A version of a sale point, metered directly."""
        row = {"effective_from": OPENED, "role": "sale", "metering_method": "meter", "metering_side": "high",
               "multiplier": "1", "loss_billed": "none", **more}  # fmt: skip
        self.put("usage_point", usage_point_id=usage_point_id, customer_id=customer_id, **row)

    def reading(self, usage_point_id: str = "P1", start: str = "0", end: str = "100", **more: Any) -> None:
        """A reading of the month, on the active register unless said otherwise."""
        month = BillingMonth.parse(more.get("billing_period", str(self.period)))
        row = {"reading_id": f"R{self.number('reading'):06d}", "meter_id": f"M{usage_point_id}",
               "billing_period": str(month), "register": "active", "started_on": month.start,
               "read_on": month.end, **more}  # fmt: skip
        self.put("reading", usage_point_id=usage_point_id, start_value=start, end_value=end, **row)

    def registers(self, usage_point_id: str = "P1", **kwh: str) -> None:
        """Readings from 0 of several registers: `active="100", peak="40"`; a plain period means active_…"""
        for register, end in kwh.items():
            full = f"active_{register}" if register in tables.PERIODS else register
            self.reading(usage_point_id, end=end, register=full)

    def bill(self, customer_id: str = "C1", **more: Any) -> None:
        """A regular bill of the month."""
        day = self.period.end + timedelta(days=self.number("bill") % 25)
        row = {"bill_id": f"B{self.number('bill_id'):06d}", "billing_period": str(self.period),
               "kind": "regular", "issued_at": f"{day} 09:00:00", "status": "open", **more}  # fmt: skip
        self.put("bill", customer_id=customer_id, **row)

    def home(self, customer_id: str = "C1", usage_point_id: str = "P1", **more: Any) -> None:
        """A customer with one point and one bill."""
        self.customer(customer_id, **more)
        self.point(usage_point_id, customer_id)
        self.bill(customer_id)

    # results ----------------------------------------------------------------------------------------------

    def quantities(self) -> None:
        """Run the quantity half."""
        engine.run(self.con, period=self.period, names=engine.QUANTITIES)

    def rated(self) -> engine.Rated:
        """Run both halves."""
        return engine.rate(self.con, period=self.period)

    def rows(self, table: str, columns: str, where: str = "true") -> list[tuple[Any, ...]]:
        """Return rows of a table, ordered by the columns asked for; decimals without trailing zeros."""
        found = self.con.execute(f"SELECT {columns} FROM {table} WHERE {where} ORDER BY ALL").fetchall()
        return [tuple(_short(value) for value in row) for row in found]

    def gaps(self) -> set[str]:
        """Return the reasons of all gaps."""
        return {row[0] for row in self.con.execute("SELECT reason FROM rt_gap").fetchall()}

    def energy(self, usage_point_id: str = "P1") -> dict[Any, str]:
        """Return {period: kWh} of a point with one segment, {(first day, period): kWh} of one with more."""
        found = self.rows("rt_energy", "seg_from, period, kwh", f"usage_point_id = '{usage_point_id}'")
        if len({row[0] for row in found}) > 1:
            return {(str(day)[5:], period): kwh for day, period, kwh in found}
        return {period: kwh for _, period, kwh in found}


CONTRACT_ONLY = frozenset({
    "basic_charge_method", "contract_demand_kw", "capacity_kva", "power_factor_standard", "purchase_mode",
    "agent_factor", "line_loss_pct", "shift",
})  # fmt: skip


def shuffled(rows: Iterable[Row], order: list[int]) -> list[Row]:
    """Return the rows in another order: `order` are sort keys, as many as there are rows."""
    return [row for _, row in sorted(zip(order, rows, strict=True), key=lambda pair: pair[0])]


def _plain(value: Any) -> Any:
    return f"{value:f}" if isinstance(value, Decimal) else value


def _short(value: Any) -> Any:
    """Return a decimal as text without trailing zeros."""
    if not isinstance(value, Decimal):
        return value
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
