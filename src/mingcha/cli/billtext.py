"""A bill explained as text for a terminal: every number with the numbers it comes from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from mingcha.audit import billexplain
from mingcha.cli import console
from mingcha.contract import load as contract_load
from mingcha.findings import words

Row = Mapping[str, Any]
_SAY = {
    "bill": words.Text("账单", "Bill"),
    "customer": words.Text("户号", "customer"),
    "kind": words.Text("类型", "kind"),
    "settlement": words.Text("结算", "Settlement"),
    "all_bills": words.Text("含账单", "of the bills"),
    "not_live": words.Text(
        "不复算：只有现行的正常账单和重开账单参加复算；本账单已作废、被冲销，或是追补、退费、冲销账单。",
        "Not re-rated: only live regular and reissued bills are; this one is void or reversed, or it is "
        "supplementary, a refund or a reversal itself.",
    ),
    "cannot": words.Text("不能复算，原因：", "Cannot be rated, because:"),
    "terms": words.Text("合同与电价", "Contract and tariff"),
    "capacity": words.Text("合同容量", "contract capacity"),
    "pf_standard": words.Text("力调标准", "power-factor standard"),
    "demand_agreed": words.Text("合同需量", "contract demand"),
    "own": words.Text("系统内电价，电价库未收录", "the utility's own prices, in no tariff book"),
    "readings": words.Text("抄表", "Readings"),
    "rolled": words.Text("过零", "rolled over"),
    "stated": words.Text("抄表记录倍率", "multiplier on the reading"),
    "points": words.Text("计量点", "Usage points"),
    "behind": words.Text("上级", "behind"),
    "losses": words.Text("损耗（电量计入电度电费）", "Losses (priced inside energy)"),
    "billed_loss": words.Text("账单损耗电量", "loss on the bill"),
    "energy": words.Text(
        "计费电量（扣减、损耗、分段之后；损耗和分段按电量或天数摊分，末项取余数）",
        "Billable energy (after sub-meters, losses, segments; shared by kWh or days, the last has the rest)",
    ),
    "power": words.Text("功率因数", "Power factor"),
    "demand": words.Text("最大需量", "Maximum demand"),
    "running": words.Text("运行容量", "Running capacity"),
    "lines": words.Text("逐项计算，旁列账单", "Line by line, the bill beside"),
    "formula": words.Text("算式", "formula"),
    "source": words.Text("依据", "source"),
    "billed": words.Text("账单", "bill"),
    "more": words.Text("账单多", "the bill has more:"),
    "less": words.Text("账单少", "the bill has less:"),
    "nothing": words.Text("账单无此项", "not on the bill"),
    "only_billed": words.Text("账单有、复算无", "on the bill only"),
    "since": words.Text("{} 起", "since {}"),
    "provisional": words.Text("待核", "to be verified"),
    "total": words.Text("合计", "Total"),
    "rerated": words.Text("复算", "re-rated"),
    "difference": words.Text("差额", "difference"),
    "too_much": words.Text("账单多收", "charged too much"),
    "too_little": words.Text("账单少收", "charged too little"),
    "equal": words.Text("一致", "equal"),
    "lines_sum": words.Text(
        "账单明细之和为 {} 元，与账单金额不符。", "The lines of the bill add up to {} CNY, not to its amount."
    ),
    "no_difference": words.Text("账单与复算逐项一致。", "The bill and its re-rating agree line by line."),
    "causes": words.Text("差异与疑似原因", "Differences and suggested causes"),
    "rounding": words.Text(
        "每行四舍五入到分，账单为各行之和；箭头前为舍入前的值。区间含起始日，不含终止日。",
        "Each line is rounded half up to 0.01 and the bill is their sum; what stands before an arrow is not "
        "rounded. Intervals hold their first day and not their last.",
    ),
    "grades": words.Text(
        "依据等级：[O] 官方原文，[S] 转载来源，[D] 推算或复核，[K+]、[K?] 待核，own 系统内电价，"
        "market 市场结算价，default 默认参数。",
        "Grades: [O] official text read, [S] secondary source read, [D] derived or checked again, "
        "[K+] and [K?] to be verified, own the utility's own price, market a market settlement, "
        "default a default value.",
    ),
}


def page(told: billexplain.Explained, *, language: str) -> str:
    """Return the whole explanation as text."""
    return "\n".join(_Page(told, language).lines())


class _Page:
    def __init__(self, told: billexplain.Explained, language: str) -> None:
        self.told = told
        self.language = language

    def say(self, word: str) -> str:
        return _SAY[word].of(self.language)

    def label(self, table: str, column: str, value: Any) -> str:
        """Return the contract's word for a value of a column."""
        words_of = contract_load.contract().table(table).column(column).labels.get(str(value))
        if words_of is None:
            return str(value)
        return words_of.zh if self.language == words.ZH else words_of.en

    def lines(self) -> Iterator[str]:
        yield from self._head()
        if not self.told.live:
            yield self.say("not_live")
            return
        if self.told.gaps:
            yield self.say("cannot")
            for gap in self.told.gaps:
                why = self.label("rerated_gap", "reason", gap["reason"])
                yield f"  {why} ({gap['reason']}): {gap['detail']}"
        for section in (
            self._terms, self._readings, self._points, self._losses, self._energy, self._measured,
        ):  # fmt: skip
            yield from section()
        if self.told.rated:
            yield from self._lines()
            yield from self._totals()

    def _head(self) -> Iterator[str]:
        bill, settled = self.told.bill, self.told.settlement
        yield (
            f"{self.say('bill')} {bill['bill_id']}  {self.say('customer')} {bill['customer_id']}  "
            f"{bill['billing_period']}  {self.label('bill', 'kind', bill['kind'])}  "
            f"{_number(bill['energy_kwh'])} kWh  {_money(bill['amount'])} CNY"
        )
        if settled:
            several = f"  {self.say('all_bills')} {settled['bill_ids']}" if settled["bills"] > 1 else ""
            yield (
                f"{self.say('settlement')} {settled['seq']}  "
                f"{settled['started_on']} – {settled['read_on']}{several}"
            )

    def _section(self, word: str) -> str:
        return f"\n{self.say(word)}"

    def _terms(self) -> Iterator[str]:
        if self.told.contracts:
            yield self._section("terms")
        for term in self.told.contracts:
            title = term["title_zh" if self.language == words.ZH else "title_en"] or ""
            code = self.say("own") if term["own"] else (term["tariff_code"] or "")
            parts = [
                f"{term['seg_from']} – {term['seg_to']}",
                term["contract_id"],
                f"{term['tariff_id']} → {code} {title}".rstrip(),
                self.label("contract", "basic_charge_method", term["basic_charge_method"]),
                self._stated("capacity", term["contract_capacity_kva"], "kVA"),
                self._stated("demand_agreed", term["contract_demand_kw"], "kW"),
                self._stated("pf_standard", term["pf_standard"], ""),
            ]
            yield "  " + "  ".join(part for part in parts if part)

    def _stated(self, word: str, value: Any, unit: str) -> str:
        return f"{self.say(word)} {_number(value)} {unit}".rstrip() if value is not None else ""

    def _readings(self) -> Iterator[str]:
        if self.told.readings:
            yield self._section("readings")
        for read in self.told.readings:
            unit = (
                "kW" if read["register"] == "demand" else "kvarh" if "reactive" in read["register"] else "kWh"
            )
            rolled = f" + {_number(read['rolled'])} ({self.say('rolled')})" if read["rolled"] else ""
            stated = read["stated_multiplier"]
            other = f"  [{self.say('stated')} {_number(stated)}]" if stated != read["multiplier"] else ""
            yield (
                f"  {read['usage_point_id']}  {read['meter_id']}  {read['started_on']} – {read['read_on']}  "
                f"{self.label('reading', 'register', read['register'])}: "
                f"({_number(read['end_value'])} − {_number(read['start_value'])}{rolled}) × "
                f"{_number(read['multiplier'])} = {_number(read['kwh'])} {unit}{other}"
            )

    def _points(self) -> Iterator[str]:
        if len(self.told.points) < 2 and all(
            point["metering_method"] == "meter" for point in self.told.points
        ):
            return
        yield self._section("points")
        for point in self.told.points:
            relation = point["relation"]
            parts = [
                point["usage_point_id"],
                self.label("usage_point", "metering_method", point["metering_method"]),
                _number(point["fixed_value"]) if point["fixed_value"] is not None else "",
                f"{self.say('behind')} {point['parent_usage_point_id']}"
                if point["parent_usage_point_id"]
                else "",
                self.label("usage_point", "relation", relation) if relation else "",
                point["tariff_id"] or "",
                f"= {_number(point['billable_kwh'])} kWh",
            ]
            yield "  " + "  ".join(part for part in parts if part)

    def _losses(self) -> Iterator[str]:
        billed = [line for line in self.told.billed if line["component"] in ("transformer_loss", "line_loss")]
        if not self.told.losses and not billed:
            return
        yield self._section("losses")
        for loss in self.told.losses:
            reactive = f", {_number(loss['kvarh'])} kvarh" if loss["kvarh"] else ""
            component = self.label("bill_line", "component", f"{loss['kind']}_loss")
            energy = f"{_number(loss['kwh'])} kWh{reactive}"
            yield f"  {loss['usage_point_id']}  {component}: {loss['formula']} = {energy}"
        for line in billed:
            component = self.label("bill_line", "component", line["component"])
            yield f"  {self.say('billed_loss')}: {component} {_number(line['quantity'])} {line['unit']}"

    def _energy(self) -> Iterator[str]:
        """Tell the billable energy where it is not simply that of the readings."""
        plain = len(self.told.points) == 1 and all(part["seg"] == 1 for part in self.told.energy)
        if not self.told.energy or (plain and not self.told.losses):
            return
        yield self._section("energy")
        for part in self.told.energy:
            period = self.label("bill_line", "period", part["period"])
            yield (
                f"  {part['usage_point_id']}  {part['seg_from']} – {part['seg_to']}  {period}: "
                f"{_number(part['kwh'])} kWh"
            )

    def _measured(self) -> Iterator[str]:
        power = self.told.power
        if power and power["power_factor"] is not None:
            yield self._section("power")
            yield (
                f"  {_number(power['wp'])} ÷ √({_number(power['wp'])}² + {_number(power['wq'])}²) = "
                f"{_number(power['power_factor'])}  {self.say('pf_standard')} {_number(power['standard'])}"
            )
        for row in self.told.demand:
            yield f"\n{self.say('demand')}: {_number(row['kw'])} kW"
        if self.told.capacity:
            yield self._section("running")
            for row in self.told.capacity:
                yield f"  {row['day_from']} – {row['day_to']}  {_number(row['kva'])} kVA"

    def _lines(self) -> Iterator[str]:
        yield self._section("lines")
        several = self.told.settlement["bills"] > 1
        for rated, billed in billexplain.beside(self.told):
            if all(line["price"] is None and line["amount"] == 0 for line in (*rated, *billed)) and all(
                line["component"] in ("transformer_loss", "line_loss") for line in (*rated, *billed)
            ):
                continue
            for line in rated:
                yield from self._rated(line)
            for line in billed:
                only = f" ({self.say('only_billed')})" if not rated else ""
                which = f" {line['bill_id']}" if several else ""
                place = "      " if rated else f"  {self._name(line)}: "
                product = f"{self._product(line)} = {_money(line['amount'])} CNY{only}"
                yield f"{place}{self.say('billed')}{which}: {product}"
            if rated and not billed and any(line["amount"] for line in rated):
                yield f"      {self.say('nothing')}"
            yield from self._gap(rated, billed)

    def _gap(self, rated: list[dict[str, Any]], billed: list[dict[str, Any]]) -> Iterator[str]:
        gap = sum((line["amount"] for line in billed), Decimal(0)) - sum(
            (line["amount"] for line in rated), Decimal(0)
        )
        if gap:
            yield f"      → {self.say('more' if gap > 0 else 'less')} {_money(abs(gap))} CNY"

    def _rated(self, line: Row) -> Iterator[str]:
        exact = f"{_number(line['exact'])} → " if line["exact"] != line["amount"] else ""
        yield f"  {self._name(line)}: {self._product(line)} = {exact}{_money(line['amount'])} CNY"
        if line["formula"] and line["formula"] != "kWh × price":
            yield f"      {self.say('formula')}: {line['formula']}"
        facts = [self._fact(price, single=len(line["prices"]) == 1) for price in line["prices"]]
        grade = f"{line['evidence']} {self.say('provisional') if line['provisional'] else ''}".rstrip()
        yield f"      {self.say('source')}: {'; '.join(facts) or line['source']} {grade}"

    def _fact(self, price: Row, *, single: bool) -> str:
        first, last = price["in_force_from"], price["in_force_to"]
        days = f"{first} – {last}" if last else self.say("since").format(first)
        value = "" if single else f"{price['item'] or price['component']} {_number(price['price'])} "
        paper = " ".join(part for part in (price["document"], price["clause"]) if part)
        return f"{value}{paper} ({days})".strip()

    def _name(self, line: Row) -> str:
        parts = [self.label("bill_line", "component", line["component"])]
        if line["period"] and line["period"] != "all":
            parts.append(self.label("bill_line", "period", line["period"]))
        if line["tier"]:
            parts.append(str(line["tier"]))
        if len(self.told.points) > 1 and line["usage_point_id"]:
            parts.append(str(line["usage_point_id"]))
        span = (line.get("started_on"), line.get("read_on"))
        settled = self.told.settlement
        if None not in span and span != (settled["started_on"], settled["read_on"]):
            parts.append(f"({span[0]} – {span[1]})")
        return " ".join(parts)

    def _product(self, line: Row) -> str:
        if line["component"] == "power_factor":
            return f"{_money(line['base_amount'] or 0)} × {_number(line['quantity'])} %"
        unit = self.label("bill_line", "unit", line["unit"]) if self.language == words.ZH else line["unit"]
        days = f" × {line['days']} d" if line["days"] is not None else ""
        price = f" × {_number(line['price'])}" if line["price"] is not None else ""
        return f"{_number(line['quantity'])} {unit}{price}{days}"

    def _totals(self) -> Iterator[str]:
        totals = self.told.totals
        gap = totals["difference"]
        word = "equal" if not gap else "too_much" if gap > 0 else "too_little"
        mark = f" {self.say('provisional')}" if totals["evidence"] in billexplain.PROVISIONAL else ""
        yield (
            f"\n{self.say('total')}: {self.say('rerated')} {_money(totals['amount'])} CNY "
            f"({totals['evidence']}{mark}), {self.say('billed')} {_money(totals['billed_amount'])} CNY, "
            f"{self.say('difference')} {_money(gap)} CNY ({self.say(word)})"
        )
        lines = sum((line["amount"] for line in self.told.billed), Decimal(0))
        if self.told.billed and lines != totals["billed_amount"]:
            yield self.say("lines_sum").format(_money(lines))
        if self.told.differences:
            yield self._section("causes")
        for row in self.told.differences:
            yield (
                f"  {self.label('bill_line', 'component', row['component'])}: "
                f"{_money(row['billed_amount'])} − {_money(row['rerated_amount'])} = "
                f"{_money(row['difference'])} CNY  "
                f"{self.label('bill_difference', 'cause', row['cause'])} ({row['cause']})"
            )
        if not self.told.differences:
            yield self.say("no_difference")
        yield f"\n{self.say('rounding')}\n{self.say('grades')}"


def _number(value: Any) -> str:
    """Return a number without the zeros its column adds, thousands separated."""
    if value is None:
        return "—"
    number = Decimal(value)
    whole = number.to_integral_value()
    return f"{number.quantize(Decimal(1)):,f}" if number == whole else f"{number.normalize():,f}"


def _money(value: Any) -> str:
    return f"{Decimal(value):,.2f}"


def listing(rows: list[dict[str, Any]], *, language: str) -> str:
    """Return bills that differ as a table."""
    table = contract_load.contract().table("bill_difference")
    heads = {
        words.ZH: ("账单", "户号", "年月", "账单金额", "复算", "差额", "组成", "疑似原因", "项数", "依据"),
        words.EN: (
            "bill", "customer", "period", "billed", "re-rated", "difference", "component", "cause", "lines",
            "grade",
        ),
    }[language]  # fmt: skip
    lines = [
        [
            row["bill_id"],
            row["customer_id"],
            row["billing_period"],
            _money(row["billed_amount"]),
            _money(row["rerated_amount"]),
            _money(row["difference"]),
            _label(table.column("component").labels, row["component"], language),
            _label(table.column("cause").labels, row["cause"], language),
            str(row["components"]),
            row["evidence"],
        ]
        for row in rows
    ]
    return console.table(heads, lines, right=(3, 4, 5, 8))


def by_cause(rows: list[dict[str, Any]], *, language: str) -> str:
    """Return sums by component and cause as a table."""
    table = contract_load.contract().table("bill_difference")
    heads = {
        words.ZH: ("组成", "疑似原因", "结算数", "多收", "少收", "差额"),
        words.EN: ("component", "cause", "settlements", "too much", "too little", "difference"),
    }[language]
    lines = [
        [
            _label(table.column("component").labels, row["component"], language),
            _label(table.column("cause").labels, row["cause"], language),
            f"{row['bills']:,}",
            _money(row["too_much"]),
            _money(row["too_little"]),
            _money(row["difference"]),
        ]
        for row in rows
    ]
    return console.table(heads, lines, right=(2, 3, 4, 5))


def reasons(counted: Mapping[str, int], *, language: str) -> str:
    """Return how many settlements are not rated for which reason, in words."""
    return ", ".join(f"{reason(name, language=language)} {number:,}" for name, number in counted.items())


def reason(name: str, *, language: str) -> str:
    """Return why a settlement is not rated, in words."""
    labels = contract_load.contract().table("rerated_gap").column("reason").labels
    return _label(labels, name, language)


def _label(labels: Mapping[str, Any], value: str, language: str) -> str:
    found = labels.get(value)
    return value if found is None else str(found.zh if language == words.ZH else found.en)
