"""The database the utility is made in: chance that depends on the seed alone, and the calendar tables.

Rows are made by set operations in DuckDB. Chance is a hash of (number, salt, seed) computed with plain
integer arithmetic, so that the same order gives the same books with every version and thread count.
"""

from __future__ import annotations

import functools
import math
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb

from mingcha.synth import plan as plans

SEASONS: dict[str, tuple[float, ...]] = {
    # share of an average month, January to December
    "home": (1.15, 1.00, 0.90, 0.82, 0.85, 1.00, 1.30, 1.35, 1.05, 0.82, 0.84, 1.05),
    "business": (1.02, 0.88, 0.95, 0.93, 0.97, 1.05, 1.18, 1.20, 1.05, 0.94, 0.93, 1.00),
    "industry": (0.97, 0.80, 1.00, 1.02, 1.02, 1.03, 1.05, 1.05, 1.03, 1.02, 1.02, 1.01),
    "farm": (0.20, 0.22, 0.55, 1.15, 1.55, 1.75, 1.80, 1.60, 1.10, 0.80, 0.30, 0.20),
    "flat": (1.0,) * 12,
    "sun": (0.70, 0.80, 1.00, 1.15, 1.20, 1.15, 1.20, 1.15, 1.05, 0.95, 0.80, 0.75),
}
# weight of a Saturday, a Sunday and a holiday against a working day
WEEK: dict[str, tuple[float, float, float]] = {
    "home": (1.15, 1.20, 1.15),
    "business": (0.95, 0.85, 0.75),
    "industry": (0.90, 0.75, 0.65),
    "farm": (1.0, 1.0, 1.0),
    "flat": (1.0, 1.0, 1.0),
    "sun": (1.0, 1.0, 1.0),
}
# hour of the strongest use and how peaked the day is, for the 15-minute shape
SHAPE: dict[str, tuple[float, float]] = {
    "home": (20.0, 0.8),
    "business": (14.0, 0.7),
    "industry": (11.0, 0.3),
    "farm": (10.0, 0.9),
    "flat": (12.0, 0.04),
    "sun": (12.5, 0.95),
}
_HOLIDAYS = (
    # first day, last day (both in): the State Council's arrangement for 2025 and 2026
    ("2025-01-01", "2025-01-01"), ("2025-01-28", "2025-02-04"), ("2025-04-04", "2025-04-06"),
    ("2025-05-01", "2025-05-05"), ("2025-05-31", "2025-06-02"), ("2025-10-01", "2025-10-08"),
    ("2026-01-01", "2026-01-03"), ("2026-02-15", "2026-02-23"), ("2026-04-04", "2026-04-06"),
    ("2026-05-01", "2026-05-05"), ("2026-06-19", "2026-06-21"), ("2026-09-25", "2026-09-27"),
    ("2026-10-01", "2026-10-07"),
)  # fmt: skip
_MADE_UP = (
    "2025-01-26", "2025-02-08", "2025-04-27", "2025-09-28", "2025-10-11",
    "2026-01-04", "2026-02-14", "2026-02-28", "2026-05-09", "2026-09-20", "2026-10-10",
)  # fmt: skip


def connect(*, plan: plans.Plan, folder: str, memory: str = "5GB", threads: int | None = None) -> Any:
    """Return a database in memory, spilling into `folder`, that knows chance and the calendar of `plan`."""
    con = duckdb.connect(
        config={"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}
    )
    con.execute(f"SET memory_limit = '{memory}'")
    con.execute("SET temp_directory = ?", [folder])
    if threads is not None:
        con.execute(f"SET threads = {int(threads)}")
    run(con, "engine", seed=plan.seed % 1_000_003)
    _months(con, plan)
    _weights(con, plan)
    _seasons(con)
    _cutting_days(con, plan)
    return con


@functools.cache
def _script(name: str) -> dict[str, str]:
    """Return the sections of `sql/<name>.sql` by the name behind `-- ::`, in their order."""
    text = (Path(__file__).parent / "sql" / f"{name}.sql").read_text(encoding="utf-8")
    sections: dict[str, str] = {}
    for part in text.split("-- :: ")[1:]:
        title, _, body = part.partition("\n")
        sections[title.strip()] = body
    return sections


def run(con: Any, script: str, *sections: str, **values: Any) -> None:
    """Run sections of `sql/<script>.sql`, all in their order when none is named.

    `{name}` in the text is replaced by the value of that name.
    """
    parts = _script(script)
    for section in sections or tuple(parts):
        con.execute(parts[section].format(**values))


def fill(con: Any, table: str, columns: str, rows: list[tuple[Any, ...]]) -> None:
    """Create `table` with the typed `columns` and insert `rows` in their order."""
    con.execute(f"CREATE OR REPLACE TABLE {table} ({columns})")
    append(con, table, rows)


def append(con: Any, table: str, rows: list[tuple[Any, ...]]) -> None:
    """Insert `rows` into `table`, in its column order."""
    if not rows:
        return
    import pyarrow as pa

    names = [f"c{i}" for i in range(len(rows[0]))]
    con.register("rows_in", pa.table({name: [row[i] for row in rows] for i, name in enumerate(names)}))
    con.execute(f"INSERT INTO {table} SELECT {', '.join(names)} FROM rows_in")
    con.unregister("rows_in")


def holidays() -> dict[date, str]:
    """Return the days that are not what their weekday says: 'holiday', or 'workday' for made-up weekends."""
    found = {date.fromisoformat(day): "workday" for day in _MADE_UP}
    for first, last in _HOLIDAYS:
        day = date.fromisoformat(first)
        while day <= date.fromisoformat(last):
            found[day] = "holiday"
            day += timedelta(days=1)
    return found


def _months(con: Any, plan: plans.Plan) -> None:
    """Write `mo`: month −1 stands before the window, month `months` is the running one."""
    rows = []
    for index in range(-1, plan.months + 1):
        month = plan.first_month.add(index)
        rows.append((index, str(month), month.start, month.end, month.days, month.month))
    fill(con, "mo", "m INTEGER, ym VARCHAR, d0 DATE, d1 DATE, days INTEGER, moy INTEGER", rows)


def _weights(con: Any, plan: plans.Plan) -> None:
    """Write `cw` (share of a month gone after d days) and `dw` (its days inside the daily window)."""
    special = holidays()
    rows = []
    daily = []
    for grp, (saturday, sunday, holiday) in WEEK.items():
        for index in range(-1, plan.months + 1):
            month = plan.first_month.add(index)
            days = [month.start + timedelta(days=i) for i in range(month.days)]
            weights = [_weight(day, special, saturday, sunday, holiday) for day in days]
            gone = 0.0
            rows.append((grp, index, 0, 0.0))
            for number, (day, weight) in enumerate(zip(days, weights, strict=True), start=1):
                before, gone = gone, gone + weight
                after = 1.0 if number == month.days else gone / sum(weights)
                rows.append((grp, index, number, after))
                if plan.daily_from <= day <= plan.data_date:
                    daily.append((grp, day, index, number, before / sum(weights), after))
    fill(con, "cw", "grp VARCHAR, m INTEGER, d INTEGER, w DOUBLE", rows)
    fill(con, "dw", "grp VARCHAR, day DATE, m INTEGER, d INTEGER, w0 DOUBLE, w1 DOUBLE", daily)


def _weight(day: date, special: dict[date, str], saturday: float, sunday: float, holiday: float) -> float:
    if special.get(day) == "holiday":
        return holiday
    if special.get(day) == "workday":
        return 1.0
    return {5: saturday, 6: sunday}.get(day.weekday(), 1.0)


def _cutting_days(con: Any, plan: plans.Plan) -> None:
    """Write `cutting_day`: working days followed by a working day, on which a supply may be cut."""
    special = holidays()
    days = [
        plan.window_start + timedelta(days=i)
        for i in range((plan.end_month.end - plan.window_start).days + 60)
    ]
    works = {day: special.get(day, "rest" if day.weekday() > 4 else "workday") == "workday" for day in days}
    good = [(day,) for day in days[:-1] if works[day] and works[day + timedelta(days=1)]]
    fill(con, "cutting_day", "day DATE", good)


def _seasons(con: Any) -> None:
    rows = [(grp, i + 1, f) for grp, factors in SEASONS.items() for i, f in enumerate(factors)]
    fill(con, "season", "grp VARCHAR, moy INTEGER, f DOUBLE", rows)
    slots = []
    for grp, (top, depth) in SHAPE.items():
        values = [_shape(grp, slot / 4, top, depth) for slot in range(96)]
        slots += [(grp, slot, value / sum(values)) for slot, value in enumerate(values)]
    fill(con, "shape", "grp VARCHAR, slot INTEGER, f DOUBLE", slots)


def _shape(grp: str, hour: float, top: float, depth: float) -> float:
    if grp == "sun":
        return max(0.0, math.sin((hour - 6) / 12 * math.pi)) if 6 <= hour <= 18 else 0.0
    return 1.0 + depth * math.cos((hour - top) / 24 * 2 * math.pi)
