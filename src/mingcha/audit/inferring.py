"""Tier limits learnt from the bills of a utility whose tariffs nobody has written down.

Needs bill lines with tiers, and readings. Per tariff id the command learns, from what was billed, the
monthly limits of the tiers and the day they changed, and how an index becomes energy (multiplier, digits at
which a register starts again). Then it recomputes every bill's tier energies from index × multiplier, months
and limits, counts those reproduced exactly, and gives each of the others a reason.

The search looks at the billed energy and its division; indexes are used only in the check afterwards. What
is learnt is therefore a summary of practice, not of the law: grade [D].
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from mingcha.audit import deliveries, tierlimits
from mingcha.kernel import errors
from mingcha.store import snapshots
from mingcha.store.workspace import Workspace

if TYPE_CHECKING:
    import duckdb

Progress = Callable[[str], None]

TIERS = 6
"""The most tiers a ladder may have here."""
LADDERS = 12
"""How many ladders are tried per tariff: those most bills show."""
SEEN = 20
"""A ladder is tried when so many bills show it."""
_DIGITS = (4, 5, 6, 7)
#: Reasons of bills that are not reproduced, in the order in which they are asked.
REASONS = (
    "several_tariffs", "no_reading", "index_fell", "standing_index", "multiplier_not_applied",
    "netted", "billed_less", "billed_more", "whole_average", "not_divided", "other_months", "other_span",
    "other_tariff", "unexplained",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Tariff:
    """What was learnt of one tariff id, and how many of its bills that reproduces."""

    tariff_id: str
    spans: tuple[tierlimits.Span, ...]
    first_day: date
    bills: int
    divided: int
    """Bills with energy in the second tier or above."""
    reproduced: int
    divided_reproduced: int
    reasons: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Registers:
    """How an index becomes energy: readings by what reproduces their energy exactly."""

    readings: int
    multiplied: int
    """end − start, times the multiplier."""
    multiplier_above_one: int
    of_these_multiplied: int
    of_these_not_multiplied: int
    fallen: int
    rolled_over: int
    digits: int
    """Digits of a register at least; a register with a larger index has as many as that index."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """The whole result, read from the connection it was made on."""

    snapshot_id: str
    data_date: date | None
    tariffs: tuple[Tariff, ...]
    registers: Registers
    bills: int
    without_lines: int
    """Live bills without a tier line: nothing was billed, nothing to reproduce."""

    @property
    def judged(self) -> int:
        """Return the number of bills with tier lines."""
        return sum(tariff.bills for tariff in self.tariffs)

    @property
    def reproduced(self) -> int:
        """Return how many of them come out exactly."""
        return sum(tariff.reproduced for tariff in self.tariffs)


def learn(
    *,
    workspace: Workspace,
    con: duckdb.DuckDBPyConnection,
    snapshot_id: str | None = None,
    progress: Progress | None = None,
) -> Learned:
    """Return what the bills of a snapshot say about tiers; the tables `inf_*` stay on the connection.

    Raises SetupError without a delivery, Refusal where no line has a tier, or no line names its tariff.
    """
    tell = progress or (lambda _: None)
    snapshot = deliveries.chosen(workspace=workspace, snapshot_id=snapshot_id)
    snapshots.attach(con, snapshot, tables={"bill", "bill_line", "reading"})
    _readings(con, tell)
    _bills(con, tell)
    spans = _search(con, tell)
    _judge(con, spans, tell)
    return Learned(
        snapshot_id=snapshot.id,
        data_date=_one(con, "SELECT max(day) FROM inf_bill"),
        tariffs=tuple(_tariffs(con, spans)),
        registers=_registers(con),
        bills=_one(con, "SELECT count(*) FROM inf_live"),
        without_lines=_one(con, "SELECT count(*) FROM inf_live ANTI JOIN inf_line USING (bill_id)"),
    )


def exceptions(con: duckdb.DuckDBPyConnection) -> Iterator[dict[str, Any]]:
    """Yield the bills not reproduced, each with its reason and the numbers to see it by; after `learn`."""
    quantities = ", ".join(f"q{i}" for i in range(1, TIERS + 1))
    cursor = con.execute(
        "SELECT bill_id, tariff_id, usage_point_id, billing_period, day AS issued_on, months, start_value,"
        f" end_value, multiplier, computed AS index_kwh, total AS billed_kwh, {quantities},"
        " array_to_string(CAST(ladder AS VARCHAR[]), ' ') AS monthly_limits, reason, fits"
        " FROM inf_judged WHERE reason IS NOT NULL ORDER BY tariff_id, day, bill_id"
    )
    names = [column[0] for column in cursor.description or ()]
    while rows := cursor.fetchmany(10_000):
        yield from (dict(zip(names, row, strict=True)) for row in rows)


def _one(con: duckdb.DuckDBPyConnection, sql: str) -> Any:
    row = con.execute(sql).fetchone()
    return row[0] if row else None


def _readings(con: duckdb.DuckDBPyConnection, tell: Progress) -> None:
    """Make `inf_digits` and `inf_reading`: energy computed from the index, the whole months between."""
    tell("reading indexes")
    con.execute("""
        CREATE TEMP TABLE inf_top AS
        SELECT meter_id,
            length(CAST(CAST(floor(max(greatest(start_value, end_value))) AS BIGINT) AS VARCHAR)) AS size
        FROM reading WHERE register = 'active' GROUP BY meter_id""")
    proved = {
        digits: _one(
            con,
            f"""SELECT count(*) FROM reading JOIN inf_top USING (meter_id)
                WHERE register = 'active' AND end_value < start_value
                AND energy = CAST(
                    (end_value - start_value + CAST(power(10, greatest({digits}, size)) AS BIGINT))
                    * multiplier AS DECIMAL(18,4))""",
        )
        for digits in _DIGITS
    }
    digits = max(_DIGITS, key=lambda one: (proved[one], -one))
    con.execute(f"CREATE TEMP TABLE inf_digits AS SELECT {digits} AS digits")
    # The rule of the register: a fall from its top tenth into its bottom tenth is a passing of the top.
    con.execute(f"""
        CREATE TEMP TABLE inf_reading AS
        WITH sized AS (
            SELECT *, CAST(power(10, greatest({digits}, size)) AS DECIMAL(18,4)) AS turn
            FROM reading JOIN inf_top USING (meter_id) WHERE register = 'active')
        SELECT reading_id, usage_point_id, billing_period, start_value, end_value, multiplier, energy,
            started_on, read_on, CAST(end_value - start_value AS DECIMAL(18,4)) AS step,
            CASE WHEN end_value >= start_value
                THEN CAST((end_value - start_value) * multiplier AS DECIMAL(18,4))
                WHEN start_value * 10 > turn * 9 AND end_value * 10 < turn
                THEN CAST((end_value - start_value + turn) * multiplier AS DECIMAL(18,4)) END AS computed
        FROM sized""")


def _bills(con: duckdb.DuckDBPyConnection, tell: Progress) -> None:
    """Make `inf_line`, `inf_live` and `inf_bill`: one row per bill with tiers, with its reading."""
    tell("joining bills and readings")
    tiered = _one(con, "SELECT max(tier) FROM bill_line WHERE tier >= 1 AND unit = 'kWh'")
    if tiered is None or tiered > TIERS:
        raise errors.Refusal(
            f"bill lines show {tiered or 'no'} tiers",
            why=f"limits can be learnt from lines that say how much was billed in each of 2 to {TIERS} tiers",
            mend="map `tier` and `quantity` of the bill lines (docs/howto/map-your-data.md)",
        )
    sums = ", ".join(
        f"CAST(coalesce(sum(quantity) FILTER (tier = {i}), 0) AS DECIMAL(18,4)) AS q{i}"
        for i in range(1, TIERS + 1)
    )
    # Where surcharges have lines of their own, they carry the energy of the tiers; else the energy lines do.
    con.execute(f"""
        CREATE TEMP TABLE inf_line AS
        WITH chosen AS (
            SELECT coalesce(max(component) FILTER (component = 'tier'), 'energy') AS component
            FROM bill_line WHERE tier >= 1)
        SELECT bill_id, min(tariff_id) AS tariff_id, count(DISTINCT tariff_id) AS tariffs,
            min(usage_point_id) AS usage_point_id, count(DISTINCT usage_point_id) AS points, {sums},
            CAST(sum(quantity) AS DECIMAL(18,4)) AS total
        FROM bill_line JOIN chosen USING (component) WHERE tier >= 1 AND unit = 'kWh' GROUP BY bill_id""")
    if _one(con, "SELECT count(*) FROM inf_line WHERE tariff_id IS NOT NULL") == 0:
        raise errors.Refusal(
            "no bill line names its tariff",
            why="limits differ from tariff to tariff and can only be learnt apart",
            mend="map `tariff_id` of the bill lines (docs/howto/map-your-data.md)",
        )
    con.execute("""
        CREATE TEMP TABLE inf_live AS
        SELECT bill_id, billing_period, CAST(issued_at AS DATE) AS day FROM bill
        WHERE kind IN ('regular', 'reissue') AND status <> 'void' AND bill_id NOT IN (
            SELECT original_bill_id FROM bill WHERE kind = 'void' AND original_bill_id IS NOT NULL)""")
    _pair(con)


def _pair(con: duckdb.DuckDBPyConnection) -> None:
    """Make `inf_bill`: a bill takes the reading of its point, day and energy, of several alike in order.

    A bill left over takes all readings of its point and month, if it is the only bill of that month.
    """
    con.execute("""
        CREATE TEMP TABLE inf_open AS
        SELECT bill.*, line.* EXCLUDE (bill_id),
            count(*) OVER (PARTITION BY usage_point_id, billing_period) AS beside,
            row_number() OVER (
                PARTITION BY usage_point_id, billing_period, day, total ORDER BY bill_id) AS nth
        FROM inf_live AS bill JOIN inf_line AS line USING (bill_id)""")
    con.execute("""
        CREATE TEMP TABLE inf_nth AS
        SELECT *, row_number() OVER (PARTITION BY usage_point_id, billing_period, read_on, energy
                                     ORDER BY reading_id) AS nth
        FROM inf_reading""")
    con.execute("""
        CREATE TEMP TABLE inf_sum AS
        SELECT usage_point_id, billing_period, min(started_on) AS started_on, max(read_on) AS read_on,
            min(start_value) AS start_value, max(end_value) AS end_value, max(multiplier) AS multiplier,
            CASE WHEN count(computed) = count(*) THEN sum(computed) END AS computed, sum(step) AS step
        FROM inf_reading GROUP BY ALL""")
    columns = ("started_on", "read_on", "start_value", "end_value", "multiplier", "computed", "step")
    taken = ", ".join(
        f"CASE WHEN r.nth IS NOT NULL THEN r.{name} WHEN beside = 1 THEN t.{name} END AS {name}"
        for name in columns
    )
    con.execute(f"""
        CREATE TEMP TABLE inf_bill AS
        WITH joined AS (
            SELECT a.*, {taken} FROM inf_open AS a
            LEFT JOIN inf_nth AS r ON r.usage_point_id = a.usage_point_id
                AND r.billing_period = a.billing_period AND r.read_on = a.day
                AND r.energy = a.total AND r.nth = a.nth
            LEFT JOIN inf_sum AS t ON t.usage_point_id = a.usage_point_id
                AND t.billing_period = a.billing_period)
        SELECT *, CASE WHEN read_on IS NOT NULL
            THEN CAST(greatest(1, datediff('month', started_on, read_on)) AS INTEGER) END AS months
        FROM joined""")


def _fits(total: str, months: str) -> str:
    """Return SQL that says whether the billed division is the one of limits × months.

    `u1`… are cumulative limits in kWh per month, NULL where there are no further tiers.
    """
    top = "CAST(1e13 AS DECIMAL(18,4))"
    ends = ["0", *(f"coalesce(u{i} * {months}, {top})" for i in range(1, TIERS)), top]
    return " AND ".join(
        f"q{i} = greatest(0, least({total}, {ends[i]}) - {ends[i - 1]})" for i in range(1, TIERS + 1)
    )


def _search(con: duckdb.DuckDBPyConnection, tell: Progress) -> dict[str, list[tierlimits.Span]]:
    """Return the spans of each tariff: the ladders bills show, tried against every bill of every day."""
    tell("looking for the ladders bills show")
    _ladders(con)
    tell("trying every ladder on every bill")
    limits = ", ".join(f"ladder[{i}] AS u{i}" for i in range(1, TIERS))
    rows = con.execute(f"""
        WITH tried AS (SELECT tariff_id, place, {limits} FROM inf_ladder)
        SELECT b.tariff_id, b.day, t.place, count(*), count(*) FILTER (NOT ({_fits("total", "months")}))
        FROM inf_bill AS b JOIN tried AS t USING (tariff_id)
        WHERE tariffs = 1 AND points = 1 AND months IS NOT NULL GROUP BY ALL""").fetchall()
    ladders: dict[str, list[tierlimits.Ladder]] = {}
    for tariff, ladder in con.execute(
        "SELECT tariff_id, ladder FROM inf_ladder ORDER BY 1, place"
    ).fetchall():
        ladders.setdefault(tariff, []).append(tuple(ladder))
    missed: dict[str, dict[date, list[int]]] = {}
    bills: dict[str, dict[date, int]] = {}
    for tariff, day, place, count, wrong in rows:
        missed.setdefault(tariff, {}).setdefault(day, [0] * len(ladders[tariff]))[place - 1] = wrong
        bills.setdefault(tariff, {})[day] = count
    return {
        tariff: tierlimits.spans(ladders=ladders[tariff], missed=missed[tariff], bills=bills[tariff])
        for tariff in sorted(missed)
    }


def _ladders(con: duckdb.DuckDBPyConnection) -> None:
    """Make `inf_ladder`: per tariff the ladders most bills show, and the one without limits.

    A bill shows a limit where it has energy above it: the energy up to there by the months.
    """
    shown = ", ".join(
        f"CASE WHEN {_sum(i + 1, TIERS)} > 0 THEN CAST(({_sum(1, i)}) / months AS DECIMAL(18,4)) END"
        for i in range(1, TIERS)
    )
    con.execute(f"""
        CREATE TEMP TABLE inf_ladder AS
        WITH counted AS (
            SELECT tariff_id, [e FOR e IN [{shown}] IF e IS NOT NULL] AS ladder, count(*) AS n FROM inf_bill
            WHERE tariffs = 1 AND points = 1 AND months IS NOT NULL GROUP BY ALL),
        ranked AS (
            SELECT *, row_number() OVER (PARTITION BY tariff_id ORDER BY n DESC, ladder) AS place FROM counted
            WHERE n >= {SEEN} AND len(ladder) > 0),
        kept AS (
            SELECT tariff_id, ladder, place FROM ranked WHERE place < {LADDERS}
            UNION ALL SELECT DISTINCT tariff_id, [], 0 FROM counted)
        SELECT tariff_id, ladder, row_number() OVER (PARTITION BY tariff_id ORDER BY place) AS place
        FROM kept""")


def _sum(first: int, last: int) -> str:
    return " + ".join(f"q{i}" for i in range(first, last + 1))


def _judge(con: duckdb.DuckDBPyConnection, spans: dict[str, list[tierlimits.Span]], tell: Progress) -> None:
    """Make `inf_judged`: every bill recomputed from index, multiplier and months; reason NULL is exact."""
    tell("recomputing every bill")
    limits = " ".join(f"u{i} DECIMAL(18,4)," for i in range(1, TIERS))
    con.execute(
        "CREATE TEMP TABLE inf_span (tariff_id VARCHAR, since DATE, until DATE,"
        f" {limits} ladder DECIMAL(18,4)[])"
    )
    for tariff, found in spans.items():
        for span in found:
            ends: list[Decimal | None] = [*span.ladder, *[None] * (TIERS - 1 - len(span.ladder))]
            con.execute(
                f"INSERT INTO inf_span VALUES ({', '.join('?' * (TIERS + 3))})",
                [tariff, span.since or date.min, span.until or date.max, *ends, list(span.ladder)],
            )
    con.execute(f"""
        CREATE TEMP TABLE inf_checked AS
        SELECT b.*, s.* EXCLUDE (tariff_id, since, until), since, until,
            coalesce({_fits("computed", "months")}, false) AS exact,
            coalesce({_fits("total", "months")}, false) AS division
        FROM inf_bill AS b LEFT JOIN inf_span AS s
        ON s.tariff_id = b.tariff_id AND s.since <= b.day AND b.day < s.until""")
    con.execute(f"CREATE TEMP TABLE inf_judged AS {_reasons()}")


def _reasons() -> str:
    """Return SQL that adds to each bill `reason` (NULL: reproduced) and `fits`, what would have fitted.

    `whole_average`: the number of tiers follows from the whole kWh of the monthly average, so that up to
    months − 1 kWh above a limit stay in the tier below it. `netted`: the energy of another register of the
    point, read on the same day, is taken off (energy fed in, say).
    """
    limits = ", ".join(f"u{i}" for i in range(1, TIERS))
    average = " + ".join(f"CASE WHEN average > u{i} THEN 1 ELSE 0 END" for i in range(1, TIERS))
    ends = " ".join(f"WHEN {i} THEN u{i}" for i in range(1, TIERS))
    top = " ".join(f"WHEN {i} THEN q{i + 1} = total - {f'u{i}' if i else '0'} * months" for i in range(TIERS))
    return f"""
    WITH wrong AS (SELECT *, floor(total / months) AS average FROM inf_checked
                   WHERE NOT exact AND NOT division AND tariffs = 1 AND points = 1 AND total = computed),
    whole AS (SELECT *, {average} AS full_tiers FROM wrong),
    day_of_point AS (
        SELECT usage_point_id, read_on, sum(computed) AS computed_of_day FROM inf_reading
        GROUP BY usage_point_id, read_on HAVING count(*) > 1),
    averaged AS (
        SELECT bill_id FROM whole WHERE full_tiers < len(ladder) AND CASE full_tiers {top} END
        AND CASE full_tiers + 1 {ends} END * months < total),
    other_months AS (
        SELECT bill_id, min(CASE WHEN q2 > 0 THEN abs(n - months) ELSE n END) AS far,
            min_by(n, CASE WHEN q2 > 0 THEN abs(n - months) ELSE n END) AS n
        FROM wrong, range(1, 121) AS r(n) WHERE {_fits("total", "CAST(n AS INTEGER)")} GROUP BY bill_id),
    other_ladder AS (
        SELECT w.bill_id, bool_or(s.tariff_id = w.tariff_id) AS own,
            min(array_to_string(CAST(s.ladder AS VARCHAR[]), ' ')) AS fits
        FROM (SELECT * EXCLUDE ({limits}, ladder, since, until) FROM wrong) AS w, inf_span AS s
        WHERE len(s.ladder) > 0 AND {_fits("total", "months")} GROUP BY w.bill_id)
    SELECT c.*, CASE
        WHEN exact THEN NULL
        WHEN tariffs <> 1 OR points <> 1 THEN 'several_tariffs'
        WHEN months IS NULL THEN 'no_reading'
        WHEN computed IS NULL THEN 'index_fell'
        WHEN total <> computed AND computed = 0 THEN 'standing_index'
        WHEN total <> computed AND total = step THEN 'multiplier_not_applied'
        WHEN total = computed - (r.computed_of_day - computed) THEN 'netted'
        WHEN total < computed THEN 'billed_less'
        WHEN total > computed THEN 'billed_more'
        WHEN a.bill_id IS NOT NULL THEN 'whole_average'
        WHEN q2 = 0 THEN 'not_divided'
        WHEN m.n IS NOT NULL THEN 'other_months'
        WHEN l.own THEN 'other_span'
        WHEN l.bill_id IS NOT NULL THEN 'other_tariff'
        ELSE 'unexplained' END AS reason,
        CASE WHEN reason IN ('not_divided', 'other_months') THEN CAST(m.n AS VARCHAR) || ' months'
        WHEN reason IN ('other_span', 'other_tariff') THEN l.fits END AS fits
    FROM inf_checked AS c LEFT JOIN averaged AS a USING (bill_id) LEFT JOIN other_months AS m USING (bill_id)
    LEFT JOIN other_ladder AS l USING (bill_id) LEFT JOIN day_of_point AS r
        ON r.usage_point_id = c.usage_point_id AND r.read_on = c.read_on AND c.total < c.computed
    """


def _tariffs(con: duckdb.DuckDBPyConnection, spans: dict[str, list[tierlimits.Span]]) -> Iterator[Tariff]:
    reasons: dict[str, dict[str, int]] = {}
    for tariff, reason, count in con.execute(
        "SELECT tariff_id, reason, count(*) FROM inf_judged WHERE reason IS NOT NULL"
        " GROUP BY ALL ORDER BY 3 DESC, 2"
    ).fetchall():
        reasons.setdefault(tariff, {})[reason] = count
    for tariff, first, bills, divided, exact, divided_exact in con.execute(
        "SELECT tariff_id, min(coalesce(started_on, day)), count(*), count(*) FILTER (q1 < total),"
        " count(*) FILTER (exact), count(*) FILTER (exact AND q1 < total) FROM inf_judged"
        " WHERE tariff_id IS NOT NULL GROUP BY tariff_id ORDER BY count(*) DESC, tariff_id"
    ).fetchall():
        yield Tariff(
            tariff_id=tariff,
            spans=tuple(spans.get(tariff, ())),
            first_day=first,
            bills=bills,
            divided=divided,
            reproduced=exact,
            divided_reproduced=divided_exact,
            reasons=reasons.get(tariff, {}),
        )


def _registers(con: duckdb.DuckDBPyConnection) -> Registers:
    row = con.execute(
        "SELECT count(*), count(*) FILTER (energy = computed AND end_value >= start_value),"
        " count(*) FILTER (multiplier > 1), count(*) FILTER (multiplier > 1 AND energy = computed),"
        " count(*) FILTER (multiplier > 1 AND energy = step AND step > 0),"
        " count(*) FILTER (end_value < start_value), count(*) FILTER (end_value < start_value"
        " AND energy = computed), (SELECT digits FROM inf_digits) FROM inf_reading"
    ).fetchone()
    assert row is not None
    return Registers(
        readings=row[0], multiplied=row[1], multiplier_above_one=row[2], of_these_multiplied=row[3],
        of_these_not_multiplied=row[4], fallen=row[5], rolled_over=row[6], digits=row[7],
    )  # fmt: skip
