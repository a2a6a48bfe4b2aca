"""How much is used: REA-008 and REA-009 (catalogue, area REA); cast before consumption is made."""

from __future__ import annotations

from mingcha.synth.plant import planter

# REA-008 looks at the same month last year and needs the month before it to know how long that bill was
MONTHS_FOR_A_YEAR = 14
# REA-009 looks at a year before, or of zeros
MONTHS_OF_ZERO = 12


# REA-008 | kwh(M) vs mean(M−1..M−3) and vs same month last year: both > +200 % or both < −60 %; the
# larger side ≥ 100 kWh; left out: chg, new, hol, ticket meter_change, district moved alike
def cast_sudden(p: planter.Planter) -> None:
    """Choose who suddenly uses much more or much less, as far as the window holds last year's month."""
    if p.plan.months < MONTHS_FOR_A_YEAR:
        return
    home = "kind = 'home' AND base BETWEEN 150 AND 300"
    for person in p.take("rea008_surge", 3, home):
        _jump(p, person, 5.0)
        _note(p, person, "planted", ("surge", "five times as much as before"))
    for person in p.take("rea008_drop", 3, home):
        _jump(p, person, 0.2)
        _note(p, person, "planted", ("drop", "a fifth of what it was"))
    for person in p.take("rea008_near", 2, home):
        _jump(p, person, 2.8)
        _note(p, person, "innocent", ("threshold", "2.8 times as much: +180 %"))
    for person in p.take("rea008_small", 1, "kind = 'home' AND base < 100"):
        _level(p, person, 22.0)
        p.use(person, (p.m,), 90.0)
        _note(p, person, "innocent", ("threshold", "four times as much, but under 100 kWh"))
    for person in p.take("rea008_season", 1, home):
        _level(p, person, 150.0)
        p.use(person, (p.m, p.m - 12), 900.0)
        _note(p, person, "innocent", ("same_last_year", "as high in the same month last year"))
    for person in p.take("rea008_swap", 1, home):
        _jump(p, person, 5.0)
        p.retell(person, trait="'swap'", plain="false", swap_on=f"DATE '{p.day(8)}'")
        _note(p, person, "innocent", ("chg", "the meter was changed in M"))


def _jump(p: planter.Planter, person: planter.Person, times: float) -> None:
    """Use 200 kWh a month, and so many times as much in M."""
    _level(p, person, 200.0)
    p.use(person, (p.m,), 200.0 * times)


def _level(p: planter.Planter, person: planter.Person, kwh: float) -> None:
    p.use(person, [m for m in range(-1, p.m) if m != p.m - 12], kwh)
    p.use(person, (p.m + 1,), kwh)
    p.retell(person, base=str(kwh))


def _note(p: planter.Planter, person: planter.Person, kind: str, why: tuple[str, str]) -> None:
    p.note(kind, "REA-008", ("customer", person.cid), person, why)


# REA-009 | kwh=0 in 3 of 3 periods. Reasons: no_data; vacant; occupied (water_use > 1 m³ or occupied, no
# second account); suspect (mean of 12 before ≥ 30 and voltage present …); idle_charger (12 of 12); left
# out: status suspended, disconnection open. Plain vacancy is named by the catalogue but accuses nobody:
# it is not planted.
def cast_zero(p: planter.Planter) -> None:
    """Choose who uses nothing, as far as the window holds a year."""
    if p.plan.months < MONTHS_OF_ZERO:
        return
    # four months of zero, so that the last one is no sudden drop as well
    zero = range(p.m - 3, p.plan.months + 1)
    home = "kind = 'home' AND base BETWEEN 120 AND 300"
    for person in p.take("rea009_suspect", 3, home):
        p.watch(person)
        p.use(person, zero, 0.0)
        _zero(
            p,
            person,
            "planted",
            ("suspect", "used energy for a year, then nothing, with voltage at the meter"),
        )
    # a silent meter tells only where other idle meters of the station report: one beside each of two suspects
    p.cast["rea009_no_data"] = [
        *p.take(
            "rea009_silent_a", 1, f"{home} AND station_org = '{p.cast['rea009_suspect'][0].station_org}'"
        ),
        *p.take(
            "rea009_silent_b", 1, f"{home} AND station_org = '{p.cast['rea009_suspect'][1].station_org}'"
        ),
    ]
    for person in p.cast["rea009_no_data"]:
        p.use(person, zero, 0.0)
        _zero(p, person, "planted", ("no_data", "nothing billed and nothing collected"))
    for person in p.take("rea009_occupied", 2, "kind = 'home' AND base < 100"):
        p.use(person, range(-1, p.plan.months + 1), 0.0)
        _zero(p, person, "planted", ("occupied", "nothing billed, but 9 m³ of water a month"))
    for person in p.take("rea009_idle", 2, "kind = 'pile' AND plain AND status = 'active'", easy=False):
        p.use(person, range(-1, p.plan.months + 1), 0.0)
        _zero(p, person, "planted", ("idle_charger", "a charging account without a kWh for a year"))
    _cast_zero_innocents(p, home)


def _cast_zero_innocents(p: planter.Planter, home: str) -> None:
    zero = range(p.m - 3, p.plan.months + 1)
    # small enough that the fall to zero is no sudden change as well
    for person in p.take("rea009_two", 2, "kind = 'home' AND base BETWEEN 50 AND 80"):
        p.use(person, (p.m - 1, p.m), 0.0)
        _zero(p, person, "innocent", ("threshold", "only two months of zero"))
    for person in p.take("rea009_cut", 1, home):
        p.use(person, zero, 0.0)
        _zero(p, person, "innocent", ("disconnected", "cut off for arrears since December"))
        why = ("fell_alone", "uses nothing since it was cut off")
        p.note("consequence", "USE-005", ("customer", person.cid), person, why)
    for person in p.take("rea009_asleep", 1, home):
        p.retell(person, trait="'asleep'", plain="false", status="'suspended'",
                 energy_to=f"DATE '{p.plan.window_start}' - 90")  # fmt: skip
        _zero(p, person, "innocent", ("suspended", "the supply is suspended"))


def silence(p: planter.Planter) -> None:
    """Drop the daily values of the silent meters (REA-009, no_data)."""
    for person in p.cast.get("rea009_no_data", ()):
        p.con.execute(f"DELETE FROM t_daily_energy WHERE usage_point_id = '{person.pid}'")


def write_facts(p: planter.Planter) -> None:
    """Write what others know of the idle customers: water used, supply cut (REA-009)."""
    for person in p.cast.get("rea009_occupied", ()):
        p.insert(
            "external_fact",
            {
                "source": "water",
                "source_id": f"WP{person.n:08d}",
                "customer_id": person.cid,
                "premises_id": f"PR{person.n:08d}",
                "kind": "water_use",
                "valid_from": p.day(1),
                "valid_to": p.end,
                "value": "9",
            },
        )
    for person in p.cast.get("rea009_cut", ()):
        cut = p.plan.end_month.add(-4).start
        p.insert(
            "disconnection",
            {
                "disconnection_id": f"DP{person.n:08d}",
                "customer_id": person.cid,
                "cause": "arrears",
                "method": "remote",
                "notified_at": p.at(cut, -200),
                "reminded_at": p.at(cut, -30),
                "approved_by": person.county_staff("M", 2),
                "cut_at": p.at(cut, 10),
            },
        )


def _zero(p: planter.Planter, person: planter.Person, kind: str, why: tuple[str, str]) -> None:
    p.note(kind, "REA-009", ("customer", person.cid), person, why)
