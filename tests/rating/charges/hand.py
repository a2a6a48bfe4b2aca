"""A month made by hand: prices and rt_* quantities as rows, rated by the charge steps alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

import duckdb

from mingcha.contract import load as contract
from mingcha.kernel.periods import BillingMonth
from mingcha.rating import engine, tables
from mingcha.store import duck

Row = dict[str, Any]
READ = (
    "tariff", "tariff_price", "customer", "entitlement", "bill", "bill_line", "generator", "usage_point",
    "reading", "meter",
)  # fmt: skip
DOCUMENT = "测试价格〔2026〕1号"


@dataclass
class Hand:
    """The month under test; each method adds rows, `rate` gives the lines."""

    period: str = "2026-03"
    con: duckdb.DuckDBPyConnection = field(default_factory=lambda: duck.connect(threads=1))
    rows: dict[str, list[Row]] = field(default_factory=dict)

    @property
    def month(self) -> BillingMonth:
        return BillingMonth.parse(self.period)

    def add(self, table: str, **row: Any) -> None:
        self.rows.setdefault(table, []).append(row)

    def tariff(self, code: str, *, book: str = "test", **more: Any) -> str:
        """A tariff of the book, which the utility holds under the same id."""
        self.add("tb_tariff", tariff_code=code, book=book, currency="CNY", in_force_from=date(2000, 1, 1),
                 usage_category="general", parts="single", price_basis="regulated", **more)  # fmt: skip
        self.add("tb_code", tariff_id=code, tariff_code=code)
        return code

    def price(self, code: str, component: str, price: str, **more: Any) -> None:
        """A price; `period` all, `tier` 0 and `item` empty unless said otherwise."""
        row = {"period": "all", "tier": 0, "item": "", "in_force_from": date(2000, 1, 1), "unit": "CNY/kWh",
               "document": DOCUMENT, "clause": "附表", "evidence": "[S]", **more}  # fmt: skip
        self.add("tb_price", tariff_code=code, component=component, price=Decimal(price), **row)

    def parameter(self, name: str, value: str, *, book: str = "test", **more: Any) -> None:
        number = Decimal(value) if value.replace(".", "").isdigit() else None
        row = {
            "in_force_from": date(2000, 1, 1),
            "document": DOCUMENT,
            "clause": "",
            "evidence": "[S]",
            **more,
        }
        self.add("tb_parameter", book=book, name=name, value=value, number=number, **row)

    def ladder(self, tier_id: str, *limits: str | None, moy: int = 0, **more: Any) -> None:
        """Upper limits of the tiers from the first to the last (None)."""
        for tier, limit in enumerate(limits, start=1):
            upto = None if limit is None else Decimal(limit)
            row = {"period": "all", "in_force_from": date(2000, 1, 1), **more}
            self.add("tb_tier", tier_id=tier_id, tier=tier, moy=moy, upto_kwh=upto, **row)

    def settle(
        self, *, sid: int = 1, customer: str = "C1", opened: date = date(2010, 1, 1), **more: Any
    ) -> int:
        """A settlement over the calendar month, of a customer with one main point P<sid>."""
        start, end = self.month.start, self.month.end
        row = {"seq": 1, "last": True, "bill_id": f"B{sid}", "bill_ids": f"B{sid}", "bills": 1,
               "started_on": start, "read_on": end, "month_start": start, "month_end": end}  # fmt: skip
        closed = more.pop("closed", None)
        self.add(
            "rt_settlement", sid=sid, customer_id=customer, billing_period=self.period, **{**row, **more}
        )
        if all(kept["customer_id"] != customer for kept in self.rows.get("customer", [])):
            self.add("customer", customer_id=customer, opened_on=opened, closed_on=closed)
        return sid

    def point(self, sid: int, name: str = "", *, tariff: str, main: bool = True) -> None:
        self.add("rt_point", sid=sid, usage_point_id=name or f"P{sid}", main=main, tariff_id=tariff,
                 metering_method="meter")  # fmt: skip

    def energy(self, sid: int, kwh: str, *, tariff: str, **more: Any) -> None:
        """kWh of a point; segment 1 over the whole interval and period all unless said otherwise."""
        settled = next(row for row in self.rows["rt_settlement"] if row["sid"] == sid)
        row = {"usage_point_id": f"P{sid}", "seg": 1, "seg_from": settled["started_on"],
               "seg_to": settled["read_on"], "period": "all", **more}  # fmt: skip
        self.add("rt_energy", sid=sid, tariff_id=tariff, kwh=Decimal(kwh), **row)

    def contract(self, sid: int, *, tariff: str, **more: Any) -> None:
        row = {"contract_id": "K1", "seg_from": self.month.start, "seg_to": self.month.end,
               "basic_charge_method": "none", "book": "test", **more}  # fmt: skip
        numbers = {name: Decimal(value) if isinstance(value, str) and name in
                   ("contract_demand_kw", "contract_capacity_kva", "pf_standard", "agent_factor") else value
                   for name, value in row.items()}  # fmt: skip
        self.add("rt_contract", sid=sid, tariff_id=tariff, **numbers)

    def kva(self, sid: int, kva: str, start: date | None = None, end: date | None = None) -> None:
        self.add("rt_kva", sid=sid, day_from=start or self.month.start, day_to=end or self.month.end,
                 kva=Decimal(kva))  # fmt: skip

    def rate(self, *, keep: bool = False) -> list[Row]:
        """Rate, and return the lines in order; what stands in `gaps` has none. `keep`: all tables stay."""
        install(self.con, self.rows)
        engine.run(self.con, period=self.month, names=("prices", *engine.CHARGES), keep=keep)
        return self.asked("SELECT * FROM rt_line ORDER BY sid, line_no")

    @property
    def gaps(self) -> list[tuple[Any, ...]]:
        return self.con.execute("SELECT sid, reason FROM rt_gap ORDER BY ALL").fetchall()

    def asked(self, sql: str) -> list[Row]:
        found = self.con.execute(sql)
        names = [part[0] for part in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def install(con: duckdb.DuckDBPyConnection, rows: Mapping[str, list[Row]]) -> None:
    """Make every table that the charge steps read, and put the rows in."""
    kinds: dict[str, dict[str, str]] = {
        name: {column.name: column.sql_type for column in contract.contract().every[name].columns}
        for name in READ
    }
    kinds |= {name: dict(columns) for name, columns in {**tables.BOOK, **tables.QUANTITIES}.items()}
    for name, columns in kinds.items():
        con.execute(f"DROP TABLE IF EXISTS {name}")
        text = ", ".join(f'"{column}" {kind}' for column, kind in columns.items())
        con.execute(f"CREATE TEMP TABLE {name} ({text})")
        for row in rows.get(name, []):
            names = ", ".join(f'"{column}"' for column in row)
            con.execute(
                f"INSERT INTO {name} ({names}) VALUES ({', '.join('?' * len(row))})", list(row.values())
            )


def amounts(lines: list[Row], component: str | None = None) -> list[Decimal]:
    """Return the amounts of the lines, or of those of one component."""
    return [line["amount"] for line in lines if component in (None, line["component"])]


def total(lines: list[Row]) -> Decimal:
    return sum(amounts(lines), Decimal(0))
