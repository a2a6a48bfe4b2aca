"""Metering: MET-001, 002, 015, 016, 017, 020 (catalogue, area MET)."""

from __future__ import annotations

from mingcha.synth.plant import edits, planter, rebilling

_CT_HOME = "kind IN ('works', 'school') AND ct0 = ct1"
_ON_THE_WALL = "kind = 'works' AND plain AND status = 'active'"


# MET-001 | k = CT of one phase × PT (1 if none); |multiplier/k − 1| > 0.001; phases disagree → MET-004;
# an open meter_change ticket explains it
def cast_ratios(p: planter.Planter) -> None:
    """Choose points whose transformers on the wall differ from the archive."""
    p.take("met001_ct", 2, _ON_THE_WALL, easy=False)
    p.take("met001_pt", 1, "kind = 'hvgen' AND NOT low_side AND plain AND status = 'active'", easy=False)
    p.take("met001_phase", 1, _ON_THE_WALL, easy=False)
    p.take("met001_ticket", 1, _ON_THE_WALL, easy=False)
    p.take("met001_removed", 1, _ON_THE_WALL, easy=False)
    p.take("met001_tiny", 1, _ON_THE_WALL, easy=False)


def hang_other_ratios(p: planter.Planter) -> None:
    """Change the ratings on the wall and leave the archive as it is (MET-001)."""
    for person in p.cast["met001_ct"]:
        _rate(p, person, "CT", "primary_rating * 2")
        _met001(p, person, "planted", ("archive_too_low", "CTs of double the ratio hang there"))
    for person in p.cast["met001_pt"]:
        _rate(p, person, "PT", "6000")
        _met001(p, person, "planted", ("archive_too_high", "PTs 6000/100 instead of 10000/100"))
    (phase,), (ticket,) = p.cast["met001_phase"], p.cast["met001_ticket"]
    _rate(p, phase, "CT", "primary_rating * 2", "AND phase = 'B'")
    _met001(p, phase, "innocent", ("phases_disagree", "one phase differs: a case for MET-004"))
    _rate(p, ticket, "CT", "primary_rating * 2")
    _met001(p, ticket, "innocent", ("chg", "a meter change is under way"))
    (removed,), (tiny,) = p.cast["met001_removed"], p.cast["met001_tiny"]
    p.con.execute(
        "INSERT INTO t_instrument_transformer BY NAME SELECT * REPLACE (it_id || 'X' AS it_id, "
        f"primary_rating * 2 AS primary_rating, DATE '{p.day(1)}' - 700 AS removed_on) "
        f"FROM t_instrument_transformer WHERE usage_point_id = '{removed.pid}'"
    )
    _met001(p, removed, "innocent", ("removed", "the other ratio was taken down long ago"))
    p.con.execute(
        "UPDATE t_instrument_transformer SET secondary_rating = 5.003 "
        f"WHERE usage_point_id = '{tiny.pid}' AND kind = 'CT'"
    )
    _met001(p, tiny, "innocent", ("threshold", "ratios 0.06 % apart"))


def open_meter_change(p: planter.Planter) -> None:
    """Write the open meter change that explains a ratio (MET-001, innocent)."""
    for person in p.cast["met001_ticket"]:
        p.insert(
            "ticket",
            {
                "ticket_id": f"WM{person.n:08d}",
                "kind": "meter_change",
                "customer_id": person.cid,
                "org_id": person.station_org,
                "accepted_at": p.back(6),
                "promised_at": p.back(-10),
                "status": "open",
            },
        )
        p.insert(
            "ticket_step",
            {
                "ticket_id": f"WM{person.n:08d}",
                "step": "meter_install",
                "started_at": p.back(3),
                "due_at": p.back(-8),
            },
        )


def _rate(p: planter.Planter, person: planter.Person, kind: str, rating: str, more: str = "") -> None:
    p.con.execute(
        f"UPDATE t_instrument_transformer SET primary_rating = {rating} "
        f"WHERE usage_point_id = '{person.pid}' AND kind = '{kind}' {more}"
    )


def _met001(p: planter.Planter, person: planter.Person, kind: str, why: tuple[str, str]) -> None:
    p.note(kind, "MET-001", ("point", person.pid), person, why)


# MET-002 | reading.multiplier ≠ usage_point.multiplier in force on started_on (0.001); left out: multiplier
# changed inside the interval and two readings exist
def cast_billed_multiplier(p: planter.Planter) -> None:
    """Choose points billed with another multiplier than the archive's."""
    p.take("met002", 3, _CT_HOME)
    p.take("met002_changed", 1, _CT_HOME)
    p.take("met002_split", 1, _CT_HOME)
    p.take("met002_unsplit", 1, _CT_HOME)
    p.take("met002_tiny", 1, _CT_HOME)


def bill_with_other_multiplier(p: planter.Planter) -> None:
    """Bill M with a multiplier that the archive does not hold (MET-002)."""
    factors = (("* 2", "billed_too_high"), ("/ 2", "billed_too_low"), ("+ 10", "billed_too_high"))
    for person, (factor, reason) in zip(p.cast["met002"], factors, strict=True):
        reading = p.reading_id(person)
        p.con.execute(
            f"UPDATE t_reading SET multiplier = {person.mult} {factor} WHERE reading_id = '{reading}'"
        )
        p.con.execute(
            "UPDATE t_reading SET energy = (end_value - start_value) * multiplier WHERE "
            f"reading_id = '{reading}'"
        )
        p.note(
            "planted",
            "MET-002",
            ("reading", reading),
            person,
            (reason, f"billed with {person.mult} {factor}, the archive says {person.mult}"),
        )
    _bill_across_changes(p)
    for name in ("met002", "met002_changed", "met002_unsplit"):
        for person in p.cast[name]:
            rebilling.consequence(p, person, "billed with another multiplier")
    for person in p.cast["met002_tiny"]:
        rebilling.near(p, person, "billed with a multiplier 0.0005 apart")


def _bill_across_changes(p: planter.Planter) -> None:
    """Bill a hair beside the archive, and across changes of it, split and unsplit (MET-002)."""
    (tiny,) = p.cast["met002_tiny"]
    reading = p.reading_id(tiny)
    p.con.execute(
        f"UPDATE t_reading SET multiplier = multiplier + 0.0005, "
        f"energy = (end_value - start_value) * (multiplier + 0.0005) WHERE reading_id = '{reading}'"
    )
    p.note("innocent", "MET-002", ("reading", reading), tiny, ("threshold", "0.0005 apart"))
    for name, cut, change in (("met002_split", 16, 16), ("met002_changed", 15, 16)):
        (person,) = p.cast[name]
        _cut_reading(p, person, cut)
        _change_multiplier(p, person, change)
        p.note(
            "innocent",
            "MET-002",
            ("reading", p.reading_id(person)),
            person,
            ("two_readings", "the multiplier changed inside M and two readings were taken"),
        )
    (unsplit,) = p.cast["met002_unsplit"]
    _change_multiplier(p, unsplit, 16)
    p.note(
        "planted",
        "MET-002",
        ("reading", p.reading_id(unsplit)),
        unsplit,
        (
            "change_not_split",
            "the multiplier changed on the 16th, the whole month was billed with the new one",
        ),
    )


def _cut_reading(p: planter.Planter, person: planter.Person, day: int) -> None:
    """Cut M's reading in two at a day of M."""
    reading, first = p.reading_id(person), p.reading_id(person, part=1)
    p.con.execute(
        f"INSERT INTO t_reading BY NAME SELECT * REPLACE ('{first}' AS reading_id, 1 AS part, "
        f"(SELECT register_active FROM t_daily_energy WHERE usage_point_id = '{person.pid}' "
        f"AND day = DATE '{p.day(day)}' - 1) AS end_value, DATE '{p.day(day)}' AS read_on, "
        "'manual' AS method) "
        f"FROM t_reading WHERE reading_id = '{reading}'"
    )
    p.con.execute(
        f"UPDATE t_reading SET start_value = (SELECT end_value FROM t_reading WHERE reading_id = '{first}'), "
        f"started_on = DATE '{p.day(day)}' WHERE reading_id = '{reading}'"
    )
    p.con.execute(
        f"UPDATE t_reading SET energy = (end_value - start_value) * multiplier WHERE reading_id = '{first}'"
    )


def _change_multiplier(p: planter.Planter, person: planter.Person, number: int) -> None:
    """Change multiplier and CTs on a day of M; the month's last reading is billed with the new one."""
    new, day = person.mult + 10, f"DATE '{p.day(number)}'"
    p.con.execute(
        f"UPDATE t_reading SET multiplier = {new}, energy = (end_value - start_value) * {new} "
        f"WHERE reading_id = '{p.reading_id(person)}'"
    )
    p.con.execute(
        f"INSERT INTO t_usage_point BY NAME SELECT * REPLACE ({day} AS effective_from, {new} AS multiplier) "
        f"FROM t_usage_point WHERE usage_point_id = '{person.pid}' AND effective_to IS NULL"
    )
    p.con.execute(
        f"UPDATE t_usage_point SET effective_to = {day} "
        f"WHERE usage_point_id = '{person.pid}' AND effective_from < {day} AND effective_to IS NULL"
    )
    p.con.execute(
        f"INSERT INTO t_instrument_transformer BY NAME SELECT * REPLACE (it_id || 'N' AS it_id, "
        f"{new} * 5 AS primary_rating, {day} AS installed_on) FROM t_instrument_transformer "
        f"WHERE usage_point_id = '{person.pid}'"
    )
    p.con.execute(
        f"UPDATE t_instrument_transformer SET removed_on = {day} "
        f"WHERE usage_point_id = '{person.pid}' AND installed_on < {day}"
    )


# MET-015 | import_kwh > contract_capacity_kva × 24 × 1.2, or event fly/register_jump with that day > 5 ×
# median of 30 days; left out: curve agrees with capacity breach
def cast_runaways(p: planter.Planter) -> None:
    """Choose meters that run away."""
    p.take("met015_capacity", 3, "kind = 'home' AND base BETWEEN 150 AND 400 AND cap = 8")
    p.take("met015_event", 3, "kind = 'home' AND base BETWEEN 150 AND 300")
    p.take("met015_below", 1, "kind = 'home' AND base BETWEEN 150 AND 400 AND cap = 8")
    p.take("met015_quiet", 2, "kind = 'home' AND base BETWEEN 150 AND 300")
    for person in p.take("met015_breach", 1, "kind = 'home' AND base BETWEEN 150 AND 400 AND cap = 8"):
        p.watch(person)


def run_away(p: planter.Planter) -> None:
    """Let meters count more than can have flowed (MET-015)."""
    for index, person in enumerate(p.cast["met015_capacity"]):
        edits.set_day(p, person, p.day(8 + 5 * index), str(250 + 20 * index))
        _met015(p, person, "planted", ("over_capacity", "more than capacity × 24 h × 1.2 on a day"))
    for index, person in enumerate(p.cast["met015_event"]):
        edits.set_day(p, person, p.day(7 + 6 * index), "9 * import_kwh")
        _met015(p, person, "planted", ("jump_with_event", "the event, and nine times a normal day"))
    for person in p.cast["met015_below"]:
        edits.set_day(p, person, p.day(11), "230.00")
        _met015(p, person, "innocent", ("threshold", "just under 8 kVA × 24 h × 1.2"))
    for person in p.cast["met015_quiet"]:
        _met015(p, person, "innocent", ("threshold", "the event, but an ordinary day"))
    for person in p.cast["met015_breach"]:
        day = p.day(19)
        edits.set_day(p, person, day, "260.00")
        p.con.execute(
            f"UPDATE t_load_curve SET p_kw = 10.8333, i_a = 53.0 "
            f"WHERE usage_point_id = '{person.pid}' AND CAST(\"at\" AS DATE) = DATE '{day}'"
        )
        _met015(
            p, person, "innocent", ("curve_agrees", "the load curve shows the same breach: over-capacity use")
        )


def write_events(p: planter.Planter) -> None:
    """Write the events that runaway and standing meters reported (MET-015, MET-016)."""
    for index, person in enumerate(p.cast["met015_event"]):
        _event(p, person, "fly" if index == 0 else "register_jump", p.day(7 + 6 * index))
    for person in p.cast["met015_quiet"]:
        _event(p, person, "register_jump", p.day(17))
    for index, person in enumerate(p.cast["met016_event"]):
        _event(p, person, "meter_stop", p.day(6 + index))


def _event(p: planter.Planter, person: planter.Person, kind: str, day: object) -> None:
    p.con.execute(
        "INSERT INTO t_meter_event (event_id, meter_id, usage_point_id, kind, started_at) VALUES "
        f"('EP{person.n:08d}', '{person.meter}', '{person.pid}', '{kind}', at_hour(DATE '{day}', 13.4))"
    )


def _met015(p: planter.Planter, person: planter.Person, kind: str, why: tuple[str, str]) -> None:
    p.note(kind, "MET-015", ("point", person.pid), person, why)


# MET-016 | import 0 and index unchanged while ≥ 8 curve points show u > 0.8 Un and i > max(0.1 A, 0.5 % In),
# ≥ 3 days running; or event meter_stop; left out: out, gen exporting at those points
def cast_stopped(p: planter.Planter) -> None:
    """Choose meters that stand still."""
    for name, many in (("curve", 3), ("short", 1), ("dark", 1), ("outage", 1), ("small", 1)):
        for person in p.take(f"met016_{name}", many, "kind = 'home' AND base BETWEEN 150 AND 400"):
            p.watch(person)
    p.take("met016_event", 3, "kind = 'home' AND base BETWEEN 150 AND 400")


def stand_still(p: planter.Planter) -> None:
    """Let meters stand while current flows (MET-016)."""
    plan = (
        ("curve", 4, None, "planted", "load_while_still", "four days without advance under load"),
        ("short", 2, None, "innocent", "persistence", "only two days"),
        ("dark", 5, "0.000", "innocent", "no_current", "nobody at home: no current either"),
        ("outage", 4, None, "innocent", "out", "the line was out"),
        ("small", 4, "0.020", "innocent", "threshold", "the current is below what starts the meter"),
    )
    for name, days, current, kind, reason, note in plan:
        for person in p.cast[f"met016_{name}"]:
            for number in range(10, 10 + days):
                _stop(p, person, number, current)
            p.note(kind, "MET-016", ("point", person.pid), person, (reason, note))
    for index, person in enumerate(p.cast["met016_event"]):
        for number in range(7 + index, 11 + index):
            edits.set_day(p, person, p.day(number), "0.00")
        why = ("event_and_no_energy", "the meter says so itself, and counts nothing for days")
        p.note("planted", "MET-016", ("point", person.pid), person, why)


def _stop(p: planter.Planter, person: planter.Person, number: int, current: str | None) -> None:
    day = p.day(number)
    edits.set_day(p, person, day, "0.00")
    amps = current or "greatest(i_a, 1.2)"
    p.con.execute(
        f"UPDATE t_load_curve SET i_a = {amps}, p_kw = {amps} * u_a * 0.92 / 1000 "
        f"WHERE usage_point_id = '{person.pid}' AND CAST(\"at\" AS DATE) = DATE '{day}'"
    )


def line_out(p: planter.Planter) -> None:
    """Write the outage that explains a standing meter (MET-016, innocent)."""
    for person in p.cast["met016_outage"]:
        p.insert(
            "outage",
            {
                "outage_id": f"OP{person.n:08d}",
                "org_id": person.station_org,
                "customer_id": person.cid,
                "kind": "fault",
                "started_at": p.at(p.day(10), -1),
                "ended_at": p.at(p.day(14), 1),
                "customers_affected": 1,
            },
        )


# MET-017 | register_active(d) < register_active(d−1) − 0.01, not roll-over; left out: meter_install on d
def cast_backwards(p: planter.Planter) -> None:
    """Choose indexes that fall."""
    p.take("met017_lasting", 2, "kind = 'home' AND base BETWEEN 200 AND 240")
    p.take("met017_dip", 2, "kind = 'home' AND base > 100")
    p.take("met017_roll", 2, "kind = 'home' AND base > 100")
    p.take("met017_hair", 1, "kind = 'home' AND base > 100")
    for person in p.take("met017_swap", 2, "kind = 'home' AND base > 100"):
        p.retell(person, trait="'swap'", plain="false", swap_on=f"DATE '{p.day(13)}'")


def run_backwards(p: planter.Planter) -> None:
    """Let daily indexes fall, for good or for a day (MET-017)."""
    for person in p.cast["met017_lasting"]:
        edits.shift_index(p, person, p.day(16), "-125")
        _met017(p, person, "planted", ("runs_back", "the index lost 125 on the 16th"))
        why = ("drop", "the energy lost with the index is a sudden drop")
        p.note("consequence", "REA-008", ("customer", person.cid), person, why)
    for person in p.cast["met017_dip"]:
        _dip(p, person, "50")
        _met017(p, person, "planted", ("transient", "50 lower for one day"))
    for person in p.cast["met017_roll"]:
        edits.wrap_index(p, person, p.day(14))
        _met017(p, person, "innocent", ("roll_over", "the register rolled over on the 14th"))
    for person in p.cast["met017_hair"]:
        _dip(p, person, "import_kwh + 0.01")
        _met017(p, person, "innocent", ("threshold", "0.01 lower, within tolerance"))
    for person in p.cast["met017_swap"]:
        _met017(p, person, "innocent", ("meter_install", "a new meter starts at its own index"))


def _dip(p: planter.Planter, person: planter.Person, units: str) -> None:
    p.con.execute(
        f"UPDATE t_daily_energy SET register_active = register_active - ({units}) "
        f"WHERE usage_point_id = '{person.pid}' AND day = DATE '{p.day(18)}'"
    )


def _met017(p: planter.Planter, person: planter.Person, kind: str, why: tuple[str, str]) -> None:
    p.note(kind, "MET-017", ("point", person.pid), person, why)


# MET-020 | remove_register vs register_active of the last day before removed_at: difference < −1 or > 1.5 ×
# mean daily use × (days + 1); or next meter's first start_value ≠ install_register (1); missing → estimated
def cast_removals(p: planter.Planter) -> None:
    """Choose meters taken down in M."""
    for name, many in (("low", 2), ("high", 2), ("next", 2), ("fine", 2), ("tolerance", 1), ("missing", 1)):
        for index, person in enumerate(p.take(f"met020_{name}", many, "kind = 'home' AND base > 150")):
            p.retell(person, trait="'swap'", plain="false", swap_on=f"DATE '{p.day(14 + 3 * index)}'")


def write_wrong_removals(p: planter.Planter) -> None:
    """Write removal indexes that the daily values contradict (MET-020)."""
    plan = (
        ("low", "-8", "planted", "below_last_value", "8 below the index of the day before"),
        ("high", "+ 150", "planted", "above_use", "150 above what the day can have used"),
        ("tolerance", "-0.80", "innocent", "threshold", "0.8 below"),
    )
    for name, units, kind, reason, note in plan:
        for person in p.cast[f"met020_{name}"]:
            _set_removal(p, person, units)
            p.note(kind, "MET-020", ("meter", person.meter), person, (reason, note))
    _write_next_meters(p)


def _write_next_meters(p: planter.Planter) -> None:
    """Start a next meter elsewhere than it was installed; leave honest changes as they are (MET-020)."""
    for person in p.cast["met020_next"]:
        p.con.execute(
            "UPDATE t_meter_install SET install_register = install_register + 25 WHERE meter_id "
            f"= '{person.next_meter}'"
        )
        p.note(
            "planted",
            "MET-020",
            ("meter", person.meter),
            person,
            ("next_start_differs", "the next meter was installed at 25 and read from 0"),
        )
        p.note(
            "consequence",
            "REA-005",
            ("reading", p.reading_id(person)),
            person,
            ("first_reading", "its first reading does not start where it was installed"),
        )
    for person in p.cast["met020_fine"]:
        p.note("innocent", "MET-020", ("meter", person.meter), person, ("agrees", "an honest change"))
    for person in p.cast["met020_missing"]:
        p.con.execute(f"UPDATE t_meter_install SET remove_register = NULL WHERE meter_id = '{person.meter}'")
        p.note(
            "innocent",
            "MET-020",
            ("meter", person.meter),
            person,
            ("missing", "removal index not written; the last reading agrees with the daily index"),
        )


def _set_removal(p: planter.Planter, person: planter.Person, units: str) -> None:
    """Set the removal index off the daily index of the day before, and the last reading with it."""
    row = p.con.execute(
        f"SELECT d.register_active {units} FROM t_daily_energy d JOIN t_meter_install i USING "
        "(usage_point_id) "
        f"WHERE i.meter_id = '{person.meter}' AND d.day = CAST(i.removed_at AS DATE) - 1"
    ).fetchone()
    assert row is not None
    p.con.execute(f"UPDATE t_meter_install SET remove_register = {row[0]} WHERE meter_id = '{person.meter}'")
    p.con.execute(
        f"UPDATE t_reading SET energy = energy + {row[0]} - end_value, end_value = {row[0]} "
        f"WHERE reading_id = '{p.reading_id(person, part=1)}'"
    )
