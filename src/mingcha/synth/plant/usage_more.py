"""Use that should not be: USE-001, 005, 101, 401 (catalogue, area USE)."""

from __future__ import annotations

from mingcha.synth.plant import edits, planter

# USE-005 compares with the same three months a year before and the six months before the fall
MONTHS_FOR_A_FALL = 15
# the highest quarter of an hour of a shop against its mean
SHOP_PEAK = 1.7
_HOME = "kind = 'home' AND base BETWEEN 150 AND 300"


# USE-101 | no generator; export ≥ 5 kWh on ≥ 3 of 7 d, ≥ 80 % of it 08–17 h; without curve on ≥ 10 of 30 d;
# left out: pv_connection ticket open ≤ 30 d
def cast_exporting(p: planter.Planter) -> None:
    """Choose homes that feed back without a generator in the books (USE-101)."""
    for name, many in (("sun", 2), ("ticket", 1), ("weak", 2)):
        for person in p.take(f"use101_{name}", many, _HOME):
            p.watch(person)
    p.take("use101_blind", 1, _HOME)


def feed_back(p: planter.Planter) -> None:
    """Let the sun flow back through the meters, and through the gateways above them (USE-101)."""
    plan = (
        ("sun", "9 + 4 * rnd2({n}, {day}, 971)", "planted", "by_daylight", "9 to 13 kWh back each day"),
        ("blind", "8 + 4 * rnd2({n}, {day}, 971)", "planted", "no_curve", "the same, without a curve"),
        (
            "ticket",
            "10 + 4 * rnd2({n}, {day}, 971)",
            "innocent",
            "connection_under_way",
            "applied for",
        ),
        ("weak", "1 + 3 * rnd2({n}, {day}, 971)", "innocent", "threshold", "under 5 kWh a day"),
    )
    for name, kwh, kind, reason, note in plan:
        for person in p.cast[f"use101_{name}"]:
            _export(p, person, kwh.format(n=person.n, day="date_diff('day', DATE '2020-01-01', day)"))
            p.note(kind, "USE-101", ("customer", person.cid), person, (reason, note))


def _export(p: planter.Planter, person: planter.Person, kwh: str) -> None:
    """Feed back `kwh` (SQL) on each day; by daylight in the curve, off the supply of the district."""
    pid = person.pid
    p.con.execute(
        f"UPDATE t_daily_energy SET export_kwh = CAST(round({kwh}, 2) AS DECIMAL(18,2)) "
        f"WHERE usage_point_id = '{pid}'"
    )
    fed = (
        "(SELECT any_value(e.export_kwh) FROM t_daily_energy e "
        f"WHERE e.usage_point_id = '{pid}' AND e.day = t_daily_energy.day)"
    )
    edits.supply(p, edits.gateway(p, person), f"coalesce(-{fed}, 0)")
    # half a sine from nine to four: 28 quarters of an hour, which add up to 17.8 of the highest
    slot = '(extract(hour FROM "at") * 4 + extract(minute FROM "at") // 15 - 36)'
    p.con.execute(
        f"UPDATE t_load_curve AS l SET p_kw = -round(CAST(d.export_kwh AS DOUBLE) * 4 "
        f"* sin(pi() * ({slot} + 0.5) / 28) / 17.83, 4), q_kvar = 0, pf = -1 FROM t_daily_energy AS d "
        f"WHERE l.usage_point_id = '{pid}' AND d.usage_point_id = '{pid}' AND d.day = CAST(l.\"at\" AS DATE) "
        f"AND {slot} BETWEEN 0 AND 27"
    )


def apply_for_connection(p: planter.Planter) -> None:
    """Write the application that explains what flows back (USE-101, innocent)."""
    for person in p.cast["use101_ticket"]:
        p.insert(
            "ticket",
            {
                "ticket_id": f"WP{person.n:08d}",
                "kind": "pv_connection",
                "customer_id": person.cid,
                "org_id": person.station_org,
                "accepted_at": p.at(p.day(14), 10),
                "promised_at": p.back(-12),
                "status": "open",
            },
        )
        p.insert(
            "ticket_step",
            {
                "ticket_id": f"WP{person.n:08d}",
                "step": "survey",
                "started_at": p.back(3),
                "due_at": p.back(-8),
            },
        )


# USE-401 | cover_open or terminal_open, nobody of the utility there within ± 1 d; mean daily import of 14 d
# after < 0.7 × 14 d before
def cast_opened(p: planter.Planter) -> None:
    """Choose whose meter is opened (USE-401)."""
    for name, many in (("fell", 3), ("same", 1), ("little", 1), ("visited", 1)):
        p.take(f"use401_{name}", many, _HOME)


def count_less(p: planter.Planter) -> None:
    """Count less from the day after the opening on (USE-401)."""
    plan = (
        ("fell", "0.5", "planted", "fell_after_opening", "half as much since the cover was opened"),
        ("same", "1", "innocent", "threshold", "opened, and as much as before"),
        ("little", "0.85", "innocent", "threshold", "opened, and 15 % less"),
        ("visited", "0.5", "innocent", "attended", "opened by an inspection on the same day"),
    )
    for name, share, kind, reason, note in plan:
        for index, person in enumerate(p.cast[f"use401_{name}"]):
            if share != "1":
                edits.lessen(p, person, p.day(17 + index), share)
            p.note(kind, "USE-401", ("meter", person.meter), person, (reason, note))


def write_openings(p: planter.Planter) -> None:
    """Write the openings, and the inspection that made one of them (USE-401)."""
    for name in ("fell", "same", "little", "visited"):
        for index, person in enumerate(p.cast[f"use401_{name}"]):
            kind = "terminal_open" if index == 1 else "cover_open"
            p.con.execute(
                "INSERT INTO t_meter_event (event_id, meter_id, usage_point_id, kind, started_at) VALUES "
                f"('EO{person.n:08d}', '{person.meter}', '{person.pid}', '{kind}', "
                f"at_hour(DATE '{p.day(16 + index)}', 22.4))"
            )
    for person in p.cast["use401_visited"]:
        p.insert(
            "inspection_record",
            {
                "record_id": f"IP{person.n:08d}",
                "customer_id": person.cid,
                "inspected_on": p.day(16),
                "inspector_ids": f"{person.county_staff('V', 1)},{person.county_staff('V', 2)}",
                "night": False,
                "kind": "routine",
                "approved_by": person.county_staff("M", 1),
                "filed_on": p.day(18),
                "result": "normal",
            },
        )


# USE-005 | kwh of the last 3 periods each < 0.5 × same month last year and < 0.6 × mean of the 6
# before, while the median of the same category in the district or station fell < 10 %
def cast_fallen(p: planter.Planter) -> None:
    """Choose who uses less for good, as far as the window holds a year before it (USE-005)."""
    if p.plan.months < MONTHS_FOR_A_FALL:
        return
    plan = (
        ("alone", 3, (2, 1, 0), 0.38, "planted", "fell_alone", "38 % of before for three months"),
        ("near", 2, (2, 1, 0), 0.66, "innocent", "threshold", "two thirds of before"),
        ("two", 1, (1, 0), 0.45, "innocent", "threshold", "for two months only"),
    )
    for name, many, fallen, share, kind, reason, note in plan:
        for person in p.take(f"use005_{name}", many, "kind = 'home' AND base BETWEEN 180 AND 300"):
            p.use(person, [m for m in range(-1, p.m) if p.m - m not in fallen], 260.0)
            p.use(person, [p.m - before for before in fallen], 260.0 * share)
            p.use(person, (p.m + 1,), 260.0 * share)
            p.retell(person, base="260")
            p.note(kind, "USE-005", ("customer", person.cid), person, (reason, note))


# USE-001 | on ≥ 3 of 30 d ≥ 2 consecutive points of kva > 1.05 × contract; watch: > 0.8 × running on ≥ 7 d
# running; billed by demand: not asked
def cast_overloaded(p: planter.Planter) -> None:
    """Choose shops that take more than they contracted for (USE-001)."""
    plan = (
        ("over", 2, 1.45, "planted", "over_contract", "well above the contract each day at noon"),
        ("heavy", 1, 1.0, "planted", "heavily_loaded", "close to the contract each day"),
        ("near", 3, 0.52, "innocent", "threshold", "three quarters of the contract at most"),
    )
    for name, many, share, kind, reason, note in plan:
        for person in p.take(f"use001_{name}", many, "kind = 'shop' AND cap BETWEEN 10 AND 15"):
            p.watch(person)
            row = p.con.execute(f"SELECT pf FROM c WHERE n = {person.n}").fetchone()
            assert row is not None
            kwh = round(person.cap * share * float(row[0]) * 30.4 * 24 / SHOP_PEAK, 1)
            p.use(person, range(-1, p.plan.months + 1), kwh)
            p.retell(person, base=str(kwh))
            p.note(kind, "USE-001", ("customer", person.cid), person, (reason, note))


def stay_below(p: planter.Planter) -> None:
    """Hold the curve of the heavily loaded below their contract on every day (USE-001)."""
    for person in p.cast["use001_heavy"]:
        day = 'CAST("at" AS DATE)'
        p.con.execute(
            "UPDATE t_load_curve AS l SET p_kw = round(l.p_kw * d.part, 4), "
            f"q_kvar = round(l.q_kvar * d.part, 4) FROM (SELECT {day} AS day, "
            f"least(1, {person.cap} * 0.98 / max(CAST(p_kw / pf AS DOUBLE))) AS part "
            f"FROM t_load_curve WHERE usage_point_id = '{person.pid}' GROUP BY {day}) AS d "
            f"WHERE l.usage_point_id = '{person.pid}' AND d.day = CAST(l.\"at\" AS DATE)"
        )
