"""The worked bills of docs/explain/billing.md, read from the page and rated by the engine.

A table that is worked stands under a mark `<!-- worked: NAME PART -->`. PART is `given` (facts as pairs) or
`read` (readings), from which the bill is made, or what the engine must give: `energy`, `loss`, `power`,
`lines`, `feed`; a bold figure after the lines is the bill. The words in the tables are those of the contract,
in the language of the page; figures, days and codes are the same in both.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from tests.rating.bench import Bench

from mingcha.contract import load as contract
from mingcha.kernel.periods import BillingMonth
from mingcha.rating import tables as shapes
from mingcha.tariffbook import load, tables

PAGES = Path(__file__).parents[3] / "docs" / "explain"
DOCUMENT = "云岭发改价格〔2023〕12号"
_MARK = re.compile(r"^<!-- worked: (\w+) (\w+) -->$")
_TOTAL = re.compile(r"\*\*(\d+\.\d\d)\*\*")
#: Meaning of the rows of `given`, in the order in which both pages write them.
GIVEN = {
    "home": ("tariff", "month", "opened"),
    "shop": ("tariff", "month", "transformer", "losses", "shift", "standard", "child"),
    "works": ("tariff", "month", "transformers", "sealed", "standard"),
    "demand": ("tariff", "month", "capacity", "contract_demand", "variant", "standard"),
    "variant": ("tariff", "month", "capacity", "contract_demand", "variant"),
    "change": ("tariff", "month"),
    "roof": ("tariff", "month", "generator"),
    "law96": ("tariff", "month", "capacity", "opened"),
    "law24": ("tariff", "month", "capacity", "opened"),
}
Table = list[list[str]]


@dataclass(frozen=True)
class Page:
    """The tables of one page, without their headings, by (name, part)."""

    tables: dict[tuple[str, str], Table]
    totals: dict[str, str]
    language: str

    @classmethod
    def read(cls, language: str) -> Page:
        name = "billing.md" if language == "en" else "billing.zh.md"
        found: dict[tuple[str, str], Table] = {}
        totals: dict[str, str] = {}
        mark: tuple[str, str] | None = None
        name_of_lines = ""
        for line in (PAGES / name).read_text(encoding="utf-8").splitlines():
            if match := _MARK.match(line):
                mark = (match[1], match[2])
                found[mark] = []
                name_of_lines = match[1] if match[2] == "lines" else name_of_lines
            elif mark and line.startswith("|"):
                found[mark].append([cell.strip() for cell in line.strip("|").split("|")])
            elif mark and found[mark]:
                mark = None
            if (total := _TOTAL.search(line)) and name_of_lines:
                totals.setdefault(name_of_lines, total[1])
        return cls({key: rows[2:] for key, rows in found.items()}, totals, language)

    def given(self, name: str) -> dict[str, str]:
        """Return the facts of an example by their meaning."""
        rows = self.tables[name, "given"]
        return dict(zip(GIVEN[name], (cells[1].strip("`") for cells in rows), strict=True))

    def code(self, column: str, word: str) -> str:
        """Return the code whose word in the page's language this is."""
        (code,) = [code for code, said in self.words(column).items() if said == word]
        return code

    def words(self, column: str) -> dict[str, str]:
        """Return the words of a column's values by code: of a reading's register, else of a bill line."""
        table = contract.contract().tables["reading" if column == "register" else "bill_line"]
        labels = next(each for each in table.columns if each.name == column).labels
        return {code: getattr(words, self.language) for code, words in labels.items()}


def rated(page: Page, name: str) -> Bench:
    """Return a bench on which the example stands and has been rated."""
    facts = page.given(name)
    bench = Bench(facts["month"])
    for empty in shapes.BOOK:
        bench.con.execute(f"DROP TABLE {empty}")
    tables.install(bench.con, load.shipped(), codes=_codes())
    BUILD[name](bench, facts)
    for row in page.tables.get((name, "read"), []):
        _reading(bench, page, row)
    bench.rated()
    return bench


def _codes() -> list[tuple[str, str]]:
    books = load.shipped()
    ids = [
        (known, DOCUMENT)
        for book in books
        for tariff in book.tariffs
        for known in tariff.known_as
        if book.fictional
    ]
    return tables.match(books, tariffs=ids)


def _reading(bench: Bench, page: Page, row: list[str]) -> None:
    point, register, started, read, start, end, _, _ = row
    read_on = date.fromisoformat(read)
    month = BillingMonth(read_on.year, read_on.month) if read_on.day > 1 else _before(read_on)
    bench.reading(point, start=start, end=end, register=page.code("register", register),
                  billing_period=str(month), started_on=started, read_on=read)  # fmt: skip


def _before(day: date) -> BillingMonth:
    return BillingMonth(day.year, day.month - 1) if day.month > 1 else BillingMonth(day.year - 1, 12)


def _home(bench: Bench, facts: dict[str, str]) -> None:
    bench.customer(opened_on=facts["opened"], tariff_id=None)
    bench.contract(tariff_id=facts["tariff"], effective_from=facts["opened"], tiered=True, tou=True)
    bench.point(effective_from=facts["opened"], tariff_id=facts["tariff"])
    bench.bill()


def _shop(bench: Bench, facts: dict[str, str]) -> None:
    p0, pk, i0, uk = facts["losses"].split(" · ")
    bench.customer(tariff_id=facts["tariff"], voltage_kv="10", usage_category="general",
                   power_factor_standard=facts["standard"], shift=facts["shift"],
                   capacity_kva=facts["transformer"])  # fmt: skip
    bench.put("transformer", transformer_id="TR1", kind="dedicated", customer_id="C1",
              capacity_kva=facts["transformer"], no_load_loss_kw=p0, load_loss_kw=pk, no_load_current_pct=i0,
              impedance_pct=uk)  # fmt: skip
    low = {"transformer_id": "TR1", "metering_side": "low", "loss_billed": "transformer", "multiplier": "60"}
    bench.point("P1", tariff_id=facts["tariff"], **low)
    bench.point("P2", tariff_id=facts["child"], parent_usage_point_id="P1", relation="sub_deducted")
    bench.bill()


def _works(bench: Bench, facts: dict[str, str]) -> None:
    kva = [each.strip() for each in facts["transformers"].split("+")]
    start, end = facts["sealed"].split(" – ")
    bench.customer(tariff_id=facts["tariff"], voltage_kv="10", power_factor_standard=facts["standard"],
                   basic_charge_method="capacity", capacity_kva=str(sum(map(int, kva))),
                   usage_category="large_industrial")  # fmt: skip
    for number, each in enumerate(kva, start=1):
        bench.put(
            "transformer", transformer_id=f"TR{number}", kind="dedicated", customer_id="C1", capacity_kva=each
        )
    for name, status, first, last in (
        ("TR1", "running", "2020-01-01", None), ("TR2", "running", "2020-01-01", start),
        ("TR2", "sealed", start, end), ("TR2", "running", end, None),
    ):  # fmt: skip
        bench.put(
            "transformer_status", transformer_id=name, effective_from=first, effective_to=last, status=status
        )
    bench.point("P1", tariff_id=facts["tariff"], multiplier="2000")
    bench.bill()


def _demand(bench: Bench, facts: dict[str, str]) -> None:
    bench.con.execute(
        "UPDATE tb_parameter SET value = ? WHERE name = 'demand.over_variant'", [facts["variant"]]
    )
    bench.customer(tariff_id=facts["tariff"], voltage_kv="10", usage_category="large_industrial",
                   power_factor_standard=facts.get("standard"), basic_charge_method="demand_contract",
                   capacity_kva=facts["capacity"], contract_demand_kw=facts["contract_demand"])  # fmt: skip
    bench.point("P1", tariff_id=facts["tariff"], multiplier="2000")
    bench.bill()


def _change(bench: Bench, facts: dict[str, str]) -> None:
    bench.customer(tariff_id=facts["tariff"], usage_category="general")
    bench.point("P1", tariff_id=facts["tariff"])
    bench.bill()


def _roof(bench: Bench, facts: dict[str, str]) -> None:
    _change(bench, facts)
    bench.put("generator", generator_id="G1", customer_id="C1", kind="pv", grid_mode="self_use_surplus",
              connected_on="2024-05-01", capacity_kw=facts["generator"])  # fmt: skip


def _law(bench: Bench, facts: dict[str, str]) -> None:
    bench.customer(
        tariff_id=None, opened_on=facts["opened"], voltage_kv="10", usage_category="large_industrial"
    )
    bench.contract(tariff_id=facts["tariff"], effective_from=facts["opened"], basic_charge_method="capacity",
                   capacity_kva=facts["capacity"])  # fmt: skip
    bench.point("P1", effective_from=facts["opened"], tariff_id=facts["tariff"], multiplier="2000")
    bench.bill()


BUILD = {
    "home": _home, "shop": _shop, "works": _works, "demand": _demand, "variant": _demand, "change": _change,
    "roof": _roof, "law96": _law, "law24": _law,
}  # fmt: skip
