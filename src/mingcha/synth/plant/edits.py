"""Rewriting books so that they still hang together: one index moved moves what follows from it."""

from __future__ import annotations

from datetime import date

from mingcha.synth.plant import planter


def shift_index(p: planter.Planter, person: planter.Person, day: date, units: str) -> None:
    """Move the index from `day` on by `units` (SQL): daily values, and the end and energy of M's reading."""
    p.con.execute(
        f"UPDATE t_daily_energy SET register_active = register_active + ({units}) "
        f"WHERE usage_point_id = '{person.pid}' AND day >= DATE '{day}'"
    )
    shift_end(p, person, units)


def shift_end(p: planter.Planter, person: planter.Person, units: str) -> None:
    """Move the end of M's reading by `units` (SQL), and its energy with it."""
    p.con.execute(
        f"UPDATE t_reading SET end_value = end_value + ({units}), energy = energy + ({units}) * multiplier "
        f"WHERE reading_id = '{p.reading_id(person)}'"
    )


def set_day(p: planter.Planter, person: planter.Person, day: date, kwh: str) -> None:
    """Set the import of a day (SQL for kWh); index and reading follow."""
    row = p.con.execute(
        f"SELECT CAST((({kwh}) - import_kwh) / {person.mult} AS DECIMAL(18,2)) FROM t_daily_energy "
        f"WHERE usage_point_id = '{person.pid}' AND day = DATE '{day}'"
    ).fetchone()
    assert row is not None, f"no daily value of {person.pid} on {day}"
    p.con.execute(
        f"UPDATE t_daily_energy SET import_kwh = import_kwh + CAST({row[0]} AS DECIMAL(18,2)) * "
        f"{person.mult} "
        f"WHERE usage_point_id = '{person.pid}' AND day = DATE '{day}'"
    )
    shift_index(p, person, day, str(row[0]))


def wrap_index(p: planter.Planter, person: planter.Person, day: date) -> None:
    """Re-number all indexes of the main point so that the register rolls over on `day`, lawfully."""
    span = 10**person.digits
    row = p.con.execute(
        f"SELECT {span} - register_active - 1 FROM t_daily_energy "
        f"WHERE usage_point_id = '{person.pid}' AND day = DATE '{day}' - 1"
    ).fetchone()
    assert row is not None
    for table, columns in (
        ("t_daily_energy", ("register_active",)),
        ("t_reading", ("start_value", "end_value")),
    ):
        for column in columns:
            moved = f"{column} + ({row[0]})"
            p.con.execute(
                f"UPDATE {table} SET {column} = CASE WHEN {moved} >= {span} THEN {moved} - {span} "
                f"ELSE {moved} END "
                f"WHERE usage_point_id = '{person.pid}'"
            )


def drop_bills(p: planter.Planter, person: planter.Person, before: tuple[int, ...]) -> None:
    """Remove the bills of the months numbered backwards from M, before anybody pays them."""
    for month in before:
        bill = p.bill_id(person, month)
        for table in ("t_bill_line", "t_bill_check", "t_bill"):
            p.con.execute(f"DELETE FROM {table} WHERE bill_id = '{bill}'")


def never_paid(p: planter.Planter, person: planter.Person, before: tuple[int, ...]) -> None:
    """Let the bills of these months stay open."""
    for month in before:
        p.con.execute(f"INSERT INTO never_paid VALUES ('{p.bill_id(person, month)}')")


def change_days(
    p: planter.Planter, pid: str, kwh: str, *, mult: int, reading_id: str, where: str = "true"
) -> None:
    """Add `kwh` (SQL) to the import of each day since M began on which `where` holds.

    Indexes follow, and M's reading.
    """
    p.con.execute(
        "CREATE OR REPLACE TABLE added AS SELECT day, CAST(round(CASE WHEN "
        f"day >= DATE '{p.day(1)}' AND ({where}) THEN CAST({kwh} AS DOUBLE) ELSE 0 END / {mult}, 2) "
        "AS DECIMAL(18,2)) AS units "
        f"FROM t_daily_energy WHERE usage_point_id = '{pid}'"
    )
    p.con.execute(
        f"UPDATE t_daily_energy AS d SET import_kwh = d.import_kwh + a.units * {mult}, "
        "register_active = d.register_active + a.upto FROM (SELECT day, units, "
        "CAST(sum(units) OVER (ORDER BY day) AS DECIMAL(18,2)) AS upto FROM added) AS a "
        f"WHERE d.usage_point_id = '{pid}' AND a.day = d.day"
    )
    row = p.con.execute(
        f"SELECT CAST(coalesce(sum(units), 0) AS DECIMAL(18,2)) FROM added WHERE day < DATE '{p.end}'"
    ).fetchone()
    assert row is not None
    p.con.execute(
        f"UPDATE t_reading SET end_value = end_value + ({row[0]}), energy = energy + ({row[0]}) * multiplier "
        f"WHERE reading_id = '{reading_id}'"
    )
    p.con.execute("DROP TABLE added")


def lessen(p: planter.Planter, person: planter.Person, day: date, share: str) -> None:
    """Leave from `day` on only a `share` of the import of the main point, in daily values and M's reading."""
    change_days(
        p,
        person.pid,
        f"(-(1 - {share}) * import_kwh)",
        mult=person.mult,
        reading_id=p.reading_id(person),
        where=f"day >= DATE '{day}'",
    )


def gateway(p: planter.Planter, person: planter.Person) -> str:
    """Return the gateway of the district of a customer."""
    row = p.con.execute(f"SELECT 'GD' || zeros(dn, 6) FROM c WHERE n = {person.n}").fetchone()
    assert row is not None
    return str(row[0])


def supply(p: planter.Planter, gateway_id: str, kwh: str, where: str = "true") -> None:
    """Add `kwh` (SQL) to what a district's gateway measures on the days on which `where` holds."""
    reading = f"R{p.month().replace('-', '')}{gateway_id}A"
    change_days(p, gateway_id, kwh, mult=120, reading_id=reading, where=where)
