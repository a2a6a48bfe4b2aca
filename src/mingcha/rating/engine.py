"""Rating a month: two lists of named steps, each some SELECTs over contract tables and the tariff book.

The connection must show the contract tables (empty where nothing was delivered) and the `tb_*` tables of
`tables.BOOK`. After `rate` the `rt_*` tables of `tables` stand in it as temporary tables; what the steps made
on the way is dropped. Same input, same rows: nothing depends on the order in which rows are stored.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mingcha.kernel import errors
from mingcha.kernel.periods import BillingMonth
from mingcha.rating import parameters, sections, tables

if TYPE_CHECKING:
    import duckdb

QUANTITIES: tuple[str, ...] = (
    "prices", "settlements", "contracts", "registers", "structure", "losses", "segments", "power", "demand",
    "capacity", "prior",
)  # fmt: skip
"""What was used: settlements, kWh per point, segment and period, losses, demand, running capacity."""

CHARGES: tuple[str, ...] = (
    "energy", "tiers", "basic", "power_factor", "funds", "discounts", "totals", "feed_in",
)  # fmt: skip
"""What it costs: one line per price."""

STEPS: tuple[str, ...] = (*QUANTITIES, *CHARGES)

INTERVALS: tuple[str, ...] = ("interval_input", "interval")
"""Run between the two where a tariff has periods that no register has: both out of load curves."""

PAST = "rq_past"
"""The section whose table the next month takes over as rt_past."""

Progress = Callable[[str, int, int], None]
"""Called with the step being run, how many are done, and how many there are."""


@dataclass(frozen=True, slots=True)
class Rated:
    """What a rating came to: settlements of the month, lines, settlements not rated, seconds per step."""

    period: BillingMonth
    settlements: int
    lines: int
    gaps: int
    seconds: Mapping[str, float]


@dataclass(slots=True)
class Run:
    """What stays in a connection between the months of one run: same contract tables, same tariff book.

    `standing` are the tables of sections marked `once`; `past` is the month whose rq_past stands as rt_past.
    The rows of a month are those of rating it by itself; it is only quicker, most of all month after month.
    """

    standing: set[str] = field(default_factory=set)
    past: BillingMonth | None = None

    @property
    def tables(self) -> frozenset[str]:
        """Return the tables that must stay in the connection until the next month."""
        return frozenset(self.standing | {"rt_past"})

    def past_from(self, period: BillingMonth) -> BillingMonth | None:
        """Return from which earlier period on readings are still to be added; None: from the year's first."""
        held = self.past
        return held if held is not None and held.year == period.year and held <= period else None


def rate(
    con: duckdb.DuckDBPyConnection,
    *,
    period: BillingMonth,
    progress: Progress | None = None,
    within: Run | None = None,
) -> Rated:
    """Rate all live bills of the month anew; leaves `rt_*` tables in the connection.

    `within` is the same object for each month of a run in which no table changes: what is the same for all
    of them is made once.

    `lines` counts rows of rt_line, `gaps` settlements that have at least one row in rt_gap and therefore no
    line. Raises BookError when a step or a `tb_*` table is missing or wrong.
    """
    seconds: dict[str, float] = {}
    for part in (QUANTITIES, INTERVALS, CHARGES):
        if part is not INTERVALS or _by_intervals(con):
            told = _part(progress, len(seconds))
            seconds |= run(con, period=period, names=part, progress=told, within=within)
    if progress is not None:
        progress("", len(seconds), len(seconds))
    return Rated(
        period=period,
        settlements=_count(con, "SELECT count(*) FROM rt_settlement"),
        lines=_count(con, "SELECT count(*) FROM rt_line"),
        gaps=_count(con, "SELECT count(DISTINCT sid) FROM rt_gap"),
        seconds=seconds,
    )


def run(
    con: duckdb.DuckDBPyConnection,
    *,
    period: BillingMonth,
    names: Iterable[str],
    progress: Progress | None = None,
    keep: bool = False,
    within: Run | None = None,
) -> dict[str, float]:
    """Run the named steps in their order and return seconds per step.

    A list that begins with the first step starts anew; any other goes on from the `rt_*` tables that are
    there, so that each half can be run alone. `keep` leaves what the steps made on the way. `within`: as in
    `rate`.
    """
    wanted = tuple(names)
    told = progress or (lambda *_: None)
    carried, within = within is not None, within or Run()
    values = sections.constants(period, past_from=within.past_from(period))
    if wanted[:1] == QUANTITIES[:1]:
        _prepare(con)
        if within.past_from(period) is None:
            con.execute(tables.create("rt_past"))
            within.past = None
    seconds: dict[str, float] = {}
    made: list[str] = []
    for number, name in enumerate(wanted):
        told(name, number, len(wanted))
        started = time.perf_counter()
        for section in sections.of(name):
            if section.name in within.standing:
                continue
            _make(con, section, sections.bind(section, values))
            if section.once and carried:
                within.standing.add(section.name)
            elif not section.is_gap:
                made.append(section.name)
        seconds[name] = time.perf_counter() - started
    if carried and PAST in made:
        con.execute("DROP TABLE rt_past")
        con.execute(f"ALTER TABLE {PAST} RENAME TO rt_past")
        within.past = period
    for table in made:
        if table not in tables.KEPT and not keep:
            con.execute(f"DROP TABLE IF EXISTS {table}")
    told("", len(wanted), len(wanted))
    return seconds


def _part(progress: Progress | None, before: int) -> Progress | None:
    """Return what tells of a part of the steps as of the whole, so many being done before."""
    if progress is None:
        return None
    told = progress

    def tell(step: str, done: int, _: int) -> None:
        if step:
            told(step, before + done, max(len(STEPS), before + done + 1))

    return tell


def _by_intervals(con: duckdb.DuckDBPyConnection) -> bool:
    """Return whether a point of the month is on a tariff that registers cannot serve."""
    named = ", ".join(f"'{period}'" for period in ("all", *tables.PERIODS))
    served = (
        f"SELECT tariff_id FROM rt_price WHERE period NOT IN ({named}) UNION SELECT t.tariff_id"
        " FROM rt_tariff AS t JOIN tb_demand_programme AS d ON d.tariff_code = t.tariff_code"
    )
    return bool(_count(con, f"SELECT count(*) FROM rt_point WHERE tariff_id IN ({served})"))


def _prepare(con: duckdb.DuckDBPyConnection) -> None:
    parameters.install(con)
    con.execute(tables.create("rt_gap"))


def _make(con: duckdb.DuckDBPyConnection, section: sections.Section, sql: str) -> None:
    """Make the table of a section, or add its gaps: one per settlement and reason, the first detail kept."""
    import duckdb

    try:
        if section.is_gap:
            con.execute(
                "INSERT INTO rt_gap SELECT g.sid, g.reason, min(g.detail)"
                f" FROM ({sql}) AS g(sid, reason, detail) WHERE NOT EXISTS (SELECT 1 FROM rt_gap AS known"
                " WHERE known.sid = g.sid AND known.reason = g.reason) GROUP BY g.sid, g.reason"
            )
            return
        con.execute(f"CREATE OR REPLACE TEMP TABLE {section.name} AS {sql}")
    except duckdb.InterruptException:
        raise
    except duckdb.Error as error:
        lines = " / ".join(line for line in str(error).splitlines() if line.strip())
        raise errors.BookError(
            f"{section.place}: {lines}",
            why="a bill rated without one of its steps would be wrong without saying so",
            mend="make the tables of the contract and of the tariff book there first, or correct the step",
        ) from error
    _check(con, section)


def _check(con: duckdb.DuckDBPyConnection, section: sections.Section) -> None:
    declared = tables.KEPT.get(section.name)
    if declared is None:
        return
    given = tuple((row[0], row[1]) for row in con.execute(f"DESCRIBE {section.name}").fetchall())
    if given != declared:
        pairs = zip(given, declared, strict=False)
        odd = ", ".join(f"{have} for {want}" for have, want in pairs if have != want)
        raise errors.BookError(
            f"{section.place}: its columns are not those of {section.name}: {odd or 'their number'}",
            why="the other steps and the stored tables are built on these columns and types",
            mend="give the columns of rating.tables in their order, with a CAST where the type differs",
        )


def _count(con: duckdb.DuckDBPyConnection, sql: str) -> int:
    # Fetched to the end: a result that is not leaves the connection busy.
    return int(con.execute(sql).fetchall()[0][0])
