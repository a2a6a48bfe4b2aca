"""One bill told so that its customer can check it by hand: from readings to lines, billed ones beside.

The bill is rated anew for the telling, on the rows of its customer alone: what is told follows from the
snapshot and the tariff books as they are now, whether or not the month was re-rated before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mingcha.audit import deliveries, narrowing, rerating
from mingcha.kernel import errors
from mingcha.kernel.periods import BillingMonth
from mingcha.rating import compare
from mingcha.store.workspace import Workspace

if TYPE_CHECKING:
    import duckdb

Row = dict[str, Any]
_BY_PERIOD = "list_position(['sharp', 'peak', 'flat', 'valley', 'deep_valley'], period), period"
PROVISIONAL = ("[K+]", "[K?]")
"""Grades whose facts are still to be verified."""

_CONTRACTS = """
SELECT c.seg_from, c.seg_to, c.contract_id, c.tariff_id, t.tariff_code, t.title_zh, t.title_en, t.own,
    c.basic_charge_method, c.contract_demand_kw, c.contract_capacity_kva, c.pf_standard, c.purchase_mode,
    c.agent_factor, c.line_loss_pct, c.shift
FROM rt_contract AS c
LEFT JOIN rt_tariff AS t ON t.tariff_id = c.tariff_id AND t.in_force_from <= c.seg_from
    AND (t.in_force_to IS NULL OR t.in_force_to > c.seg_from)
WHERE c.sid = ? ORDER BY c.seg_from
"""
_READINGS = """
WITH found AS (
    SELECT p.main, r.usage_point_id, r.meter_id, r.register, r.started_on, r.read_on, r.start_value,
        r.end_value, r.multiplier AS stated_multiplier, u.multiplier,
        CASE WHEN r.end_value < r.start_value AND r.start_value > 0.9 * power(10, m.digits)
                AND r.end_value < 0.1 * power(10, m.digits)
            THEN CAST(power(10, m.digits) AS DECIMAL(18,4)) ELSE 0 END AS rolled
    FROM rt_settlement AS s
    JOIN rt_point AS p ON p.sid = s.sid
    JOIN reading AS r ON r.usage_point_id = p.usage_point_id AND r.billing_period = s.billing_period
        AND r.started_on < greatest(s.read_on, s.started_on + 1) AND r.read_on > s.started_on
        AND r.read_on <= s.read_on
    LEFT JOIN usage_point AS u ON u.usage_point_id = r.usage_point_id AND u.effective_from <= r.started_on
        AND (u.effective_to IS NULL OR u.effective_to > r.started_on)
    LEFT JOIN meter AS m ON m.meter_id = r.meter_id
    WHERE s.sid = ?
),
measured AS (
    SELECT *, CAST(end_value - start_value + rolled AS DECIMAL(20,4)) AS units FROM found
)
SELECT usage_point_id, meter_id, register, started_on, read_on, start_value, end_value, rolled,
    CAST(units AS DECIMAL(18,4)) AS units, multiplier, stated_multiplier,
    CAST(CAST(units * multiplier AS DECIMAL(18,2)) AS DECIMAL(18,4)) AS kwh
FROM measured ORDER BY main DESC, usage_point_id, started_on, register
"""
_POINTS = """
WITH used AS (
    SELECT sid, usage_point_id, sum(kwh) AS kwh FROM rt_energy GROUP BY sid, usage_point_id
)
SELECT p.usage_point_id, p.parent_usage_point_id, p.main, p.relation, p.metering_method, u.fixed_value,
    p.transformer_id, p.tariff_id, coalesce(e.kwh, 0) AS billable_kwh
FROM rt_point AS p
JOIN rt_settlement AS s ON s.sid = p.sid
LEFT JOIN used AS e ON e.sid = p.sid AND e.usage_point_id = p.usage_point_id
LEFT JOIN usage_point AS u ON u.usage_point_id = p.usage_point_id
    AND u.effective_from < greatest(s.read_on, s.started_on + 1)
    AND (u.effective_to IS NULL OR u.effective_to >= greatest(s.read_on, s.started_on + 1))
WHERE p.sid = ? ORDER BY p.main DESC, p.usage_point_id
"""
_POWER = """
SELECT w.wp, w.wq, f.power_factor, k.standard
FROM rt_power AS w
LEFT JOIN cmp_pf AS f ON f.sid = w.sid
LEFT JOIN (SELECT sid, max(pf_standard) AS standard FROM rt_contract GROUP BY sid) AS k ON k.sid = w.sid
WHERE w.sid = ?
"""
_LINES = f"""
SELECT line_no, usage_point_id, component, period, tier, quantity, unit, days, base_amount, price,
    amount + remainder AS exact, amount, tariff_id, tariff_code, formula, source, evidence,
    started_on, read_on
FROM {compare.KEPT}rerated_line WHERE customer_id = ? AND billing_period = ? AND seq = ? ORDER BY line_no
"""
_PRICES = """
SELECT DISTINCT p.tariff_id, p.component, p.item, p.period, p.tier, p.price, p.unit, p.document, p.clause,
    p.evidence, p.in_force_from, p.in_force_to
FROM rt_price AS p
JOIN rt_settlement AS s ON s.sid = ?
WHERE p.tariff_id IN (SELECT tariff_id FROM rt_line WHERE sid = ?) AND p.in_force_from < s.month_end
ORDER BY p.item, p.in_force_from
"""
_BILLED = """
SELECT bill_id, line_no, usage_point_id, component, period, tier, quantity, unit, days, base_amount, price,
    amount, tariff_id
FROM bill_line WHERE bill_id IN (SELECT unnest(?)) ORDER BY bill_id, line_no
"""
_DIFFERENCES = f"""
SELECT component, billed_amount, rerated_amount, difference, billed_quantity, rerated_quantity, billed_price,
    rerated_price, cause
FROM {compare.KEPT}bill_difference WHERE customer_id = ? AND billing_period = ? AND seq = ?
ORDER BY abs(difference) DESC, component
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """A bill and all it was calculated from; every list in the order in which it is told."""

    bill: Row
    live: bool
    settlement: Row = field(default_factory=dict)
    gaps: tuple[Row, ...] = ()
    contracts: tuple[Row, ...] = ()
    readings: tuple[Row, ...] = ()
    points: tuple[Row, ...] = ()
    energy: tuple[Row, ...] = ()
    losses: tuple[Row, ...] = ()
    power: Row = field(default_factory=dict)
    demand: tuple[Row, ...] = ()
    capacity: tuple[Row, ...] = ()
    lines: tuple[Row, ...] = ()
    """Each with `prices`: the facts its price rests on."""
    billed: tuple[Row, ...] = ()
    differences: tuple[Row, ...] = ()
    totals: Row = field(default_factory=dict)

    @property
    def rated(self) -> bool:
        """Return whether the bill could be rated."""
        return self.live and not self.gaps

    def as_json(self) -> Row:
        """Return it as plain values, in the words of `mingcha bills explain --json`."""
        return {
            "bill": self.bill,
            "live": self.live,
            "rated": self.rated,
            "settlement": self.settlement,
            "not_rated": list(self.gaps),
            "contracts": list(self.contracts),
            "readings": list(self.readings),
            "points": list(self.points),
            "energy": list(self.energy),
            "losses": list(self.losses),
            "power_factor": self.power,
            "demand": list(self.demand),
            "capacity": list(self.capacity),
            "lines": list(self.lines),
            "billed_lines": list(self.billed),
            "differences": list(self.differences),
            "totals": self.totals,
        }


def explain(*, workspace: Workspace, bill_id: str, snapshot_id: str | None = None) -> Explained:
    """Return the bill rated anew beside the billed one, or why it cannot be rated.

    Raises SetupError without a delivery, Refusal for a bill that is not there or when tables without which
    nothing can be rated were not delivered.
    """
    snapshot = deliveries.chosen(workspace=workspace, snapshot_id=snapshot_id)
    rerating.demand(snapshot)
    with rerating.prepared(workspace=workspace, snapshot=snapshot) as (con, _):
        bill = _bill(con, bill_id, snapshot.id)
        if not _rows(con, f"SELECT 1 FROM bill AS b WHERE b.bill_id = ? AND {rerating.LIVE}", bill_id):
            return Explained(bill=bill, live=False, billed=_billed(con, [bill_id]))
        narrowing.narrow(con, customers=[bill["customer_id"]])
        rerating.rate_month(con, period=BillingMonth.parse(bill["billing_period"]))
        return _told(con, bill)


def _bill(con: duckdb.DuckDBPyConnection, bill_id: str, snapshot_id: str) -> Row:
    found = _rows(
        con,
        "SELECT bill_id, customer_id, billing_period, kind, status, original_bill_id, issued_at, energy_kwh,"
        " power_factor, amount FROM bill WHERE bill_id = ?",
        bill_id,
    )
    if not found:
        raise errors.Refusal(
            f"there is no bill {bill_id} in snapshot {snapshot_id}",
            why="only a bill that was delivered can be explained",
            mend="look it up in the utility's books; `mingcha bills compare` lists bills that differ",
        )
    return found[0]


def _told(con: duckdb.DuckDBPyConnection, bill: Row) -> Explained:
    settlement = next(
        row
        for row in _rows(con, "SELECT * FROM rt_settlement")
        if bill["bill_id"] in row["bill_ids"].split(",")
    )
    sid = settlement["sid"]
    place = [settlement["customer_id"], settlement["billing_period"], settlement["seq"]]
    kept = compare.KEPT
    where = "customer_id = ? AND billing_period = ? AND seq = ?"
    gaps = _rows(con, f"SELECT reason, detail FROM {kept}rerated_gap WHERE {where} ORDER BY reason", *place)
    totals = _rows(
        con,
        "SELECT energy_kwh, power_factor, amount, billed_amount, billed_amount - amount AS difference,"
        f" evidence, own_prices FROM {kept}rerated_bill WHERE {where}",
        *place,
    )
    return Explained(
        bill=bill,
        live=True,
        settlement={name: value for name, value in settlement.items() if name != "sid"},
        gaps=tuple(gaps),
        contracts=tuple(_rows(con, _CONTRACTS, sid)),
        readings=_readings(con, sid),
        points=_points(con, sid),
        energy=_of(con, "rt_energy", sid, f"usage_point_id, seg, {_BY_PERIOD}"),
        losses=_of(con, "rt_loss", sid, "usage_point_id, kind DESC"),
        power=next(iter(_rows(con, _POWER, sid)), {}),
        demand=_of(con, "rt_demand", sid, "period"),
        capacity=_of(con, "rt_kva", sid, "day_from"),
        lines=_lines(con, sid, place),
        billed=_billed(con, settlement["bill_ids"].split(",")),
        differences=tuple(_rows(con, _DIFFERENCES, *place)),
        totals=totals[0] if totals else {},
    )


def _readings(con: duckdb.DuckDBPyConnection, sid: int) -> tuple[Row, ...]:
    """Return every reading of the settlement's points: indices, roll-over, multiplier, energy."""
    return tuple(_rows(con, _READINGS, sid))


def _points(con: duckdb.DuckDBPyConnection, sid: int) -> tuple[Row, ...]:
    """Return the points of the settlement, what the archive says of each, and what is billed for it."""
    return tuple(_rows(con, _POINTS, sid))


def _lines(con: duckdb.DuckDBPyConnection, sid: int, place: list[Any]) -> tuple[Row, ...]:
    """Return the re-rated lines, each with the facts its price rests on and whether one is to be verified."""
    prices = _rows(con, _PRICES, sid, sid)
    return tuple(
        {
            **line,
            "provisional": line["evidence"] in PROVISIONAL,
            "prices": [
                _fact(price) for price in prices if line["evidence"] != "market" and _carries(price, line)
            ],
        }
        for line in _rows(con, _LINES, *place)
    )


def _carries(price: Row, line: Row) -> bool:
    """Return whether a price of the books is (part of) the price of a line."""
    component = "basic_demand" if line["component"] == "basic_demand_over" else line["component"]
    component = "energy" if component == "discount" else component
    day, ended = line["started_on"], price["in_force_to"]
    return bool(
        price["tariff_id"] == line["tariff_id"]
        and price["component"] == component
        and price["period"] in (line["period"] or "all", "all")
        and (price["tier"] or 0) in (line["tier"] or 0, 0)
        and line["price"] is not None
        and (day is None or (price["in_force_from"] <= day and (ended is None or ended > day)))
    )


def _fact(price: Row) -> Row:
    names = ("item", "price", "unit", "document", "clause", "evidence", "in_force_from", "in_force_to")
    return {name: price[name] for name in names}


def _billed(con: duckdb.DuckDBPyConnection, bill_ids: list[str]) -> tuple[Row, ...]:
    return tuple(_rows(con, _BILLED, bill_ids))


def _of(con: duckdb.DuckDBPyConnection, table: str, sid: int, order: str) -> tuple[Row, ...]:
    found = _rows(con, f"SELECT * FROM {table} WHERE sid = ? ORDER BY {order}", sid)
    return tuple({name: value for name, value in row.items() if name != "sid"} for row in found)


def _rows(con: duckdb.DuckDBPyConnection, sql: str, *values: Any) -> list[Row]:
    result = con.execute(sql, list(values))
    names = [column[0] for column in result.description or []]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def beside(told: Explained) -> Iterator[tuple[list[Row], list[Row]]]:
    """Yield re-rated and billed lines that stand for the same: component, period and tier, in rated order.

    As many of one as of the other stand pairwise beside each other. Billed lines nothing rated stands beside
    come last, with an empty list before them.
    """
    groups: dict[tuple[str, str, int], tuple[list[Row], list[Row]]] = {}
    for place, lines in enumerate((told.lines, told.billed)):
        for line in lines:
            groups.setdefault(_same(line), ([], []))[place].append(line)
    for rated, billed in groups.values():
        if len(rated) == len(billed) > 1:
            yield from (([one], [other]) for one, other in zip(rated, billed, strict=True))
        else:
            yield rated, billed


def _same(line: Mapping[str, Any]) -> tuple[str, str, int]:
    return str(line["component"]), str(line["period"] or "all"), int(line["tier"] or 0)
