"""Phases that are lost: MET-401, 402 (catalogue, area MET); seen by curves and by the meter's own events."""

from __future__ import annotations

from mingcha.synth.plant import planter

_SHOP = "kind = 'shop' AND base BETWEEN 300 AND 1500"


# MET-401 | u_x < 0.78 Un with current, or < 0.60 Un without, or events voltage_loss/phase_loss: ≥ 24 h in
# 30 d; left out: out
def cast_voltages(p: planter.Planter) -> None:
    """Choose three-phase points that lose a voltage (MET-401)."""
    for name, many in (("loss", 2), ("break", 1), ("short", 1), ("outage", 1)):
        for person in p.take(f"met401_{name}", many, _SHOP):
            p.watch(person)
    p.take("met401_told", 1, _SHOP)
    p.take("met401_told_short", 1, _SHOP)


def lose_voltages(p: planter.Planter) -> None:
    """Take the voltage of a phase out of the curve, and what it would have measured (MET-401)."""
    plan = (
        (
            "loss",
            6,
            "u_a = 0.12 * u_a, p_kw = 0.7 * p_kw",
            "planted",
            "voltage_loss",
            "phase A dead",
        ),
        (
            "break",
            5,
            "u_b = 0.1 * u_b, i_b = 0",
            "planted",
            "phase_loss",
            "phase B broken",
        ),
        ("short", 1, "u_a = 0.12 * u_a", "innocent", "threshold", "without voltage for less than a day"),
        ("outage", 5, "u_a = 0.12 * u_a", "innocent", "out", "the line was out"),
    )
    for name, days, sets, kind, reason, note in plan:
        for index, person in enumerate(p.cast[f"met401_{name}"]):
            # a day less four hours where one day is asked for
            hours = 20 if days == 1 else 24 * days
            _curve(p, person, 9 + 2 * index, hours, sets)
            p.note(kind, "MET-401", ("point", person.pid), person, (reason, note))
    for person in p.cast["met401_told"]:
        why = ("voltage_loss", "the meter reports it: thirty hours in two events")
        p.note("planted", "MET-401", ("point", person.pid), person, why)
    for person in p.cast["met401_told_short"]:
        p.note("innocent", "MET-401", ("point", person.pid), person, ("threshold", "reported for six hours"))


def _curve(p: planter.Planter, person: planter.Person, number: int, hours: int, sets: str) -> None:
    """Change the curve for so many hours from a day of M on."""
    start = p.at(p.day(number), 0)
    p.con.execute(
        f"UPDATE t_load_curve SET {sets} WHERE usage_point_id = '{person.pid}' "
        f"AND \"at\" >= TIMESTAMP '{start}' AND \"at\" < TIMESTAMP '{start}' + INTERVAL {hours} HOUR"
    )


# MET-402 | with voltage, i_x < 0.5 % In while another phase > 5 % In on ≥ 8 points of ≥ 3 of 7 d; or events
# current_loss/open_current ≥ 24 h in 30 d; that phase carried ≥ 5 % In in the 60 d before, else watch; out
def cast_currents(p: planter.Planter) -> None:
    """Choose three-phase points that lose a current (MET-402)."""
    for name, many in (("lost", 2), ("two_days", 1), ("part", 1)):
        for person in p.take(f"met402_{name}", many, _SHOP):
            p.watch(person)
    p.take("met402_told", 1, _SHOP)
    p.take("met402_told_short", 1, _SHOP)


def lose_currents(p: planter.Planter) -> None:
    """Take the current of a phase out of the curve (MET-402)."""
    plan = (
        (
            "lost",
            8,
            "i_c = 0",
            "planted",
            "current_lost",
            "no current at phase C for a week",
        ),
        ("two_days", 2, "i_c = 0", "innocent", "persistence", "only two days"),
        ("part", 8, "i_c = 0.4 * i_c", "innocent", "threshold", "less current, but some"),
    )
    for name, days, sets, kind, reason, note in plan:
        for index, person in enumerate(p.cast[f"met402_{name}"]):
            _curve(p, person, 11 + 3 * index, 24 * days, sets)
            p.note(kind, "MET-402", ("point", person.pid), person, (reason, note))
    for person in p.cast["met402_told"]:
        why = ("meter_reports", "the meter reports an open current circuit for thirty hours")
        p.note("planted", "MET-402", ("point", person.pid), person, why)
    for person in p.cast["met402_told_short"]:
        p.note("innocent", "MET-402", ("point", person.pid), person, ("threshold", "reported for six hours"))


def report_phases(p: planter.Planter) -> None:
    """Write what the meters report of themselves, and the outage behind one of them (MET-401, MET-402)."""
    plan = (
        ("met401_told", "voltage_loss", ((8, 12), (19, 18))),
        ("met401_told_short", "voltage_loss", ((8, 6),)),
        ("met402_told", "open_current", ((10, 13), (21, 17))),
        ("met402_told_short", "current_loss", ((10, 6),)),
    )
    for name, kind, spells in plan:
        for person in p.cast[name]:
            for index, (number, hours) in enumerate(spells):
                start = p.at(p.day(number), 9.5)
                p.con.execute(
                    "INSERT INTO t_meter_event "
                    "(event_id, meter_id, usage_point_id, kind, phase, started_at, ended_at) VALUES "
                    f"('EQ{person.n:08d}{index}', '{person.meter}', '{person.pid}', '{kind}', 'A', "
                    f"TIMESTAMP '{start}', TIMESTAMP '{start}' + INTERVAL {hours} HOUR)"
                )
    for person in p.cast["met401_outage"]:
        p.insert(
            "outage",
            {
                "outage_id": f"OQ{person.n:08d}",
                "org_id": person.station_org,
                "customer_id": person.cid,
                "kind": "fault",
                "started_at": p.at(p.day(9), -1),
                "ended_at": p.at(p.day(14), 1),
                "customers_affected": 1,
            },
        )
