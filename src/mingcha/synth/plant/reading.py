"""Reading: REA-001, 003, 005, 006, 007, 018 (catalogue, area REA); sudden and zero use are in `usage`."""

from __future__ import annotations

from mingcha.synth.plant import edits, planter, rebilling

_HOME = "kind = 'home' AND base BETWEEN 120 AND 400"


# REA-001 | end_value < register_active(read_on − 1) − 1 or > register_active(read_on) + 1; left out:
# quality ≠ measured; meter changed in between
def cast_wrong_ends(p: planter.Planter) -> None:
    """Choose readings that the daily indexes contradict."""
    p.take("rea001_over", 2, _HOME)
    p.take("rea001_under", 2, _HOME)
    p.take("rea001_near", 1, _HOME)
    p.take("rea001_quality", 1, _HOME)
    for person in p.take("rea001_swap", 1, _HOME):
        p.retell(person, trait="'swap'", plain="false", swap_on=f"DATE '{p.day(20)}'")


def write_wrong_ends(p: planter.Planter) -> None:
    """Move the end of M's reading off the daily index (REA-001)."""
    plan = (
        ("over", "40", "planted", "above_daily_index", "read 40 above the daily index"),
        ("under", "-25", "planted", "below_daily_index", "read 25 below the daily index"),
        ("near", "-0.9", "innocent", "threshold", "0.9 below the daily index"),
        ("quality", "35", "innocent", "not_measured", "the daily values were estimated"),
    )
    for name, units, kind, reason, note in plan:
        for person in p.cast[f"rea001_{name}"]:
            edits.shift_end(p, person, units)
            _note(p, "REA-001", person, kind, (reason, note))
    for person in p.cast["rea001_quality"]:
        p.con.execute(
            f"UPDATE t_daily_energy SET quality = 'estimated' WHERE usage_point_id = '{person.pid}' "
            f"AND day >= DATE '{p.day(25)}'"
        )
    for person in p.cast["rea001_swap"]:
        reading = p.reading_id(person, part=1)
        p.note(
            "innocent",
            "REA-001",
            ("reading", reading),
            person,
            ("meter_changed", "the day's index is already the next meter's"),
        )


# REA-003 | active customer, point in force all M, metering_method=meter, no reading[active] for M; left out:
# point opened or closed in M
def cast_unread(p: planter.Planter) -> None:
    """Choose points that nobody read in M."""
    p.take("rea003", 3, _HOME)
    for person in p.take("rea003_opened", 1, _HOME):
        p.retell(person, trait="'new'", plain="false", opened_on=f"DATE '{p.day(18)}'")
    for person in p.take("rea003_closed", 1, _HOME):
        closed = f"DATE '{p.day(6)}'"
        p.retell(
            person, trait="'closed'", plain="false", status="'closed'", closed_on=closed, energy_to=closed
        )
    p.take("rea003_fixed", 1, "kind = 'lamp'", easy=False)
    for person in p.take("rea003_asleep", 1, _HOME):
        p.retell(person, trait="'asleep'", plain="false", status="'suspended'",
                 energy_to=f"DATE '{p.plan.window_start}' - 90")  # fmt: skip


def leave_unread(p: planter.Planter) -> None:
    """Leave M's reading out (REA-003)."""
    plan = (
        ("rea003", "planted", "not_read", "read every month, not in M"),
        ("rea003_opened", "innocent", "opened", "opened on the 18th, first read next month"),
        ("rea003_closed", "innocent", "closed", "closed on the 6th, never read again"),
        ("rea003_fixed", "innocent", "fixed_quantity", "an unmetered lamp"),
        ("rea003_asleep", "innocent", "not_active", "the customer is suspended"),
    )
    for name, kind, reason, note in plan:
        for person in p.cast[name]:
            p.con.execute(
                f"DELETE FROM t_reading WHERE usage_point_id = '{person.pid}' AND billing_period "
                f"= '{p.period}'"
            )
            p.note(kind, "REA-003", ("point", person.pid), person, (reason, note))


# REA-005 | same meter and register: start_value ≠ end_value of the previous reading (0.01); first reading
# of a meter: start_value ≠ install_register; left out: estimated, then corrected by approved
# reading_change
def cast_wrong_starts(p: planter.Planter) -> None:
    """Choose readings that do not begin where they should."""
    p.take("rea005_above", 2, _HOME)
    p.take("rea005_below", 2, _HOME)
    p.take("rea005_corrected", 2, _HOME)
    p.take("rea005_hair", 1, _HOME)
    p.take("rea005_roll", 1, _HOME)
    for name, many in (("first", 1), ("first_fine", 1)):
        for person in p.take(f"rea005_{name}", many, _HOME):
            p.retell(person, trait="'swap'", plain="false", swap_on=f"DATE '{p.day(11)}'")


def write_wrong_starts(p: planter.Planter) -> None:
    """Move the start of M's reading (REA-005)."""
    plan = (
        ("above", "20", "planted", "above_last_end", "starts 20 above the last end"),
        ("below", "-20", "planted", "below_last_end", "starts 20 below the last end: counted twice"),
        ("first", "12", "planted", "first_above_installed", "installed at 0, first read from 12"),
        ("hair", "0.01", "innocent", "threshold", "0.01 apart"),
        ("first_fine", "0", "innocent", "agrees", "first reading of a new meter, as installed"),
    )
    for name, units, kind, reason, note in plan:
        for person in p.cast[f"rea005_{name}"]:
            p.con.execute(
                f"UPDATE t_reading SET start_value = start_value + ({units}), energy = energy - "
                f"({units}) * multiplier "
                f"WHERE reading_id = '{p.reading_id(person)}'"
            )
            _note(p, "REA-005", person, kind, (reason, note))
    for person in p.cast["rea005_first"]:
        p.note(
            "consequence",
            "MET-020",
            ("meter", person.meter),
            person,
            ("next_start", "the next meter's first reading does not start where it was installed"),
        )
    for person in p.cast["rea005_roll"]:
        edits.wrap_index(p, person, p.day(2))
        _note(
            p, "REA-005", person, "innocent", ("roll_over", "the register rolled over on the second day of M")
        )
    for person in p.cast["rea005_corrected"]:
        _correct_estimate(p, person)


def _correct_estimate(p: planter.Planter, person: planter.Person) -> None:
    """Let the reading before M be an estimate that an approved change put right (REA-005, innocent)."""
    before = p.reading_id(person, 1)
    p.con.execute(
        f"UPDATE t_reading SET end_value = end_value - 12, energy = energy - 12, method = 'estimated' "
        f"WHERE reading_id = '{before}'"
    )
    p.con.execute(
        "INSERT INTO t_reading_change BY NAME SELECT 'XP' || reading_id AS change_id, reading_id, "
        "'end_value' AS field, end_value AS old_value, end_value + 12 AS new_value, "
        f"at_hour(read_on, 15.2) AS changed_at, '{person.staff('R')}' AS changed_by, "
        f"'{person.staff('M')}' AS approved_by, '估抄后现场复核' AS reason FROM t_reading WHERE "
        f"reading_id = '{before}'"
    )
    _note(
        p, "REA-005", person, "innocent", ("corrected", "the estimate before it was corrected with approval")
    )


# REA-006 | |energy − (end − start + [end<start]·10^digits) × multiplier| > max(1 kWh, 0.1 %); left out:
# demand
def cast_wrong_arithmetic(p: planter.Planter) -> None:
    """Choose readings whose energy is not what the index says."""
    p.take("rea006_more", 2, _HOME)
    p.take("rea006_less", 1, _HOME)
    p.take("rea006_near", 1, _HOME)
    p.take("rea006_roll", 1, _HOME)
    p.take("rea006_permille", 1, "kind = 'wholesale'")


def write_wrong_arithmetic(p: planter.Planter) -> None:
    """Change M's energy and leave the indexes (REA-006)."""
    plan = (
        ("more", "energy + 60", "planted", "energy_above_index", "60 kWh more than the index moved"),
        ("less", "energy - 45", "planted", "energy_below_index", "45 kWh less than the index moved"),
        ("near", "energy + 0.9", "innocent", "threshold", "0.9 kWh apart"),
        ("permille", "energy * 1.0008", "innocent", "threshold", "0.08 % apart"),
    )
    for name, energy, kind, reason, note in plan:
        for person in p.cast[f"rea006_{name}"]:
            p.con.execute(
                f"UPDATE t_reading SET energy = round({energy}, 2) WHERE reading_id = "
                f"'{p.reading_id(person)}'"
            )
            _note(p, "REA-006", person, kind, (reason, note))
    for name in ("more", "less"):
        for person in p.cast[f"rea006_{name}"]:
            rebilling.consequence(p, person, "other kWh than the index moved")
    for name in ("near", "permille"):
        for person in p.cast[f"rea006_{name}"]:
            rebilling.near(p, person, "a hair more kWh than the index moved")
    for person in p.cast["rea006_roll"]:
        edits.wrap_index(p, person, p.day(15))
        _note(p, "REA-006", person, "innocent", ("roll_over", "the register rolled over in M"))


# REA-007 | end_value < start_value without roll-over; or energy < 0; or live_bill.energy_kwh < 0; left out:
# approved reading_change in the period; gen net-metered
def cast_negative(p: planter.Planter) -> None:
    """Choose readings that go backwards."""
    for name, many in (("backwards", 2), ("energy", 2), ("bill", 1), ("roll", 2), ("corrected", 1)):
        p.take(f"rea007_{name}", many, _HOME)
    for person in p.take("rea007_net", 1, _HOME):
        p.retell(
            person,
            trait="'pv_surplus'",
            plain="false",
            pv_kw="12",
            pv_on=f"DATE '{p.plan.window_start}' - 200",
        )


def write_negative(p: planter.Planter) -> None:
    """Let M's reading fall (REA-007); nothing is billed for it, or less than nothing."""
    for person in p.cast["rea007_backwards"]:
        _fall(p, person, "0")
        _note(p, "REA-007", person, "planted", ("backwards", "the end lies 20 below the start"))
    for person in p.cast["rea007_corrected"]:
        _fall(p, person, "0")
        _approve_change(p, person)
        _note(
            p, "REA-007", person, "innocent", ("corrected", "an approved change of the reading explains it")
        )
    for person in (*p.cast["rea007_backwards"], *p.cast["rea007_corrected"]):
        _note(p, "REA-001", person, "consequence", ("below_daily_index", "the daily index went on"))
        _sudden(p, person)
    for name, kind, reason, note in (
        ("energy", "planted", "negative_energy", "energy of −15 kWh"),
        ("net", "innocent", "net_metered", "energy of −15 kWh, but a net-metered generator"),
    ):
        for person in p.cast[f"rea007_{name}"]:
            _sudden(p, person)
            p.con.execute(
                f"UPDATE t_reading SET energy = -15, end_value = start_value - 15 "
                f"WHERE reading_id = '{p.reading_id(person)}'"
            )
            _note(p, "REA-007", person, kind, (reason, note))
            _note(p, "REA-001", person, "consequence", ("below_daily_index", "the daily index went on"))
    for person in p.cast["rea007_roll"]:
        edits.wrap_index(p, person, p.day(20))
        _note(p, "REA-007", person, "innocent", ("roll_over", "the register rolled over in M"))


def _sudden(p: planter.Planter, person: planter.Person) -> None:
    p.note(
        "consequence",
        "REA-008",
        ("customer", person.cid),
        person,
        ("drop", "what is left to bill is a sudden drop"),
    )


def _fall(p: planter.Planter, person: planter.Person, energy: str) -> None:
    p.con.execute(
        f"UPDATE t_reading SET end_value = start_value - 20, energy = {energy} "
        f"WHERE reading_id = '{p.reading_id(person)}'"
    )


def _approve_change(p: planter.Planter, person: planter.Person) -> None:
    p.insert(
        "reading_change",
        {
            "change_id": f"XC{person.n:08d}",
            "reading_id": p.reading_id(person),
            "field": "end_value",
            "old_value": 8,
            "new_value": 12,
            "changed_at": p.at(p.end, 15),
            "changed_by": person.staff("R"),
            "approved_by": person.staff("M"),
            "reason": "现场复核",
        },
    )


def bill_negative(p: planter.Planter) -> None:
    """Bill less than nothing although the reading is in order (REA-007)."""
    for person in p.cast["rea007_bill"]:
        p.con.execute(f"UPDATE t_bill SET energy_kwh = -30 WHERE bill_id = '{p.bill_id(person)}'")
        _note(p, "REA-007", person, "planted", ("negative_bill", "the bill states −30 kWh"))
        _sudden(p, person)


# REA-018 | reading_change with approved_by null or = changed_by; or changed_at after issued_at of the
# period's live_bill; or |new − old| × multiplier ≥ 500 with reason null
def cast_altered(p: planter.Planter) -> None:
    """Choose readings that somebody altered."""
    for name, many in (
        ("self", 2), ("unapproved", 2), ("after", 2), ("fine", 2), ("below", 1),
    ):  # fmt: skip
        p.take(f"rea018_{name}", many, _HOME)
    p.take("rea018_large", 2, "kind IN ('works', 'shop') AND base > 1500")
    p.take("rea018_explained", 1, "kind IN ('works', 'shop') AND base > 1500")


_BOSS, _NOBODY, _LATE = "M", None, 24 * 5 + 10.0
# case, approved by (a post of the station), hours after M's end, kWh, reason given, kind, reason, sentence
_CHANGES: tuple[tuple[str, str | None, float, int, str | None, str, str, str], ...] = (
    ("self", "R", 15.0, 40, "复核", "planted", "self_approved", "approved by the one who changed it"),
    ("unapproved", _NOBODY, 15.0, 40, "复核", "planted", "not_approved", "nobody approved it"),
    ("after", _BOSS, _LATE, 40, "复核", "planted", "after_bill", "changed after the bill was issued"),
    ("large", _BOSS, 15.0, 900, None, "planted", "large_without_reason", "900 kWh and no reason"),
    ("fine", _BOSS, 15.0, 40, "复核", "innocent", "in_order", "approved in time, with a reason"),
    ("explained", _BOSS, 15.0, 900, "倍率复核", "innocent", "explained", "900 kWh, with a reason"),
    ("below", _BOSS, 15.0, 499, None, "innocent", "threshold", "499 kWh and no reason"),
)


def alter_readings(p: planter.Planter) -> None:
    """Write changes of readings: unapproved, by oneself, after the bill, large without reason (REA-018)."""
    for name, approved, hours, kwh, text, kind, reason, note in _CHANGES:
        for person in p.cast[f"rea018_{name}"]:
            row = p.con.execute(
                f"SELECT end_value FROM t_reading WHERE reading_id = '{p.reading_id(person)}'"
            ).fetchone()
            assert row is not None
            units = kwh // person.mult
            p.insert(
                "reading_change",
                {
                    "change_id": f"XA{person.n:08d}",
                    "reading_id": p.reading_id(person),
                    "field": "end_value",
                    # an index cannot be below zero: the old value lies on the other side then
                    "old_value": row[0] - units if row[0] > units else row[0] + units,
                    "new_value": row[0],
                    "changed_at": p.at(p.end, hours),
                    "changed_by": person.staff("R"),
                    "approved_by": None if approved is None else person.staff(approved),
                    "reason": text,
                },
            )
            _note(p, "REA-018", person, kind, (reason, note))
    for person in p.cast["rea018_self"]:
        why = ("reading_change", "approved a change of a reading of their own")
        p.note("consequence", "CTL-001", ("staff", person.staff("R")), None, why)


def _note(p: planter.Planter, rule: str, person: planter.Person, kind: str, why: tuple[str, str]) -> None:
    p.note(kind, rule, ("reading", p.reading_id(person)), person, why)
