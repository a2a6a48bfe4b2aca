"""Districts that lose: LOS-001, 002, 004, 006, 010 and USE-003 (catalogue, areas LOS and USE).

A fault of a district needs a quiet one: the gateways are chosen after all readings are spoilt, by how little
their daily loss rate sways.
"""

from __future__ import annotations

from dataclasses import dataclass

from mingcha.synth.plant import edits, planter

# what makes a bill smaller than what was collected: a district of such a customer may be named by LOS-010
SHORTENING = ("MET-002", "MET-016", "MET-017", "MET-020", "REA-", "PRI-080", "PRI-082", "CON-006", "CON-025")
# what makes a meter count too little for some days: its district may lose more on these
UNEVEN = ("MET-015", "MET-016", "MET-017", "USE-003", "USE-401")
LOW = 4.3
_RATE = """
    WITH d AS (
        SELECT c.dn, e.day, sum(e.import_kwh - coalesce(e.export_kwh, 0)) AS sold
        FROM t_daily_energy e JOIN c ON c.pstem || '1' = e.usage_point_id
        WHERE NOT c.hv AND e.day >= DATE '{first}' AND e.day < DATE '{end}' GROUP BY ALL
    )
    SELECT d.dn, 100 * (1 - CAST(sum(sold) AS DOUBLE) / sum(g.import_kwh)) AS pct
    FROM d JOIN t_daily_energy g ON g.usage_point_id = 'GD' || zeros(d.dn, 6) AND g.day = d.day
    GROUP BY d.dn HAVING sum(g.import_kwh) > 6000
    ORDER BY stddev(CAST(1 - sold / g.import_kwh AS DOUBLE)), d.dn
"""


@dataclass(frozen=True, slots=True)
class District:
    """A low-voltage district: its number and its loss of M in per cent."""

    dn: int
    pct: float

    @property
    def district_id(self) -> str:
        """Return the id in the books."""
        return f"D{self.dn:06d}"

    @property
    def gateway_id(self) -> str:
        """Return the point of its gateway."""
        return f"GD{self.dn:06d}"


# USE-003 | district with high loss; over 60 d (≥ 25) Pearson of import and loss, both less their regression
# on supply, ≤ −0.6 and slope −1.5 to −0.5; left out: gen, chg
def cast_thieves(p: planter.Planter) -> None:
    """Choose works that record a quarter of their use on every third day (USE-003)."""
    works = "kind IN ('works', 'school') AND base BETWEEN 3500 AND 15000"
    (first,) = p.take("use003", 1, works)
    # two in one district would hide behind each other
    elsewhere = f"{works} AND dn <> (SELECT x.dn FROM c x WHERE x.n = {first.n})"
    p.cast["use003"] = [first, *p.take("use003_second", 1, elsewhere)]
    for person in p.cast["use003"]:
        why = ("mirrors_loss", "a quarter of its use on every third day")
        p.note("planted", "USE-003", ("point", person.pid), person, why)


def record_less(p: planter.Planter) -> None:
    """Let a quarter of each third day be recorded; the gateway sees all of it (USE-003)."""
    for person in p.cast["use003"]:
        edits.change_days(
            p,
            person.pid,
            "(-0.75 * import_kwh)",
            mult=person.mult,
            reading_id=p.reading_id(person),
            where="date_diff('day', DATE '2020-01-01', day) % 3 = 0",
        )
        why = ("high_month", "works record too little on every third day")
        p.note("consequence", "LOS-001", ("district", _district(p, person.n)), None, why)


def spoil_districts(p: planter.Planter) -> None:
    """Change what gateways measure in the quietest districts (LOS-001, 002, 004, 006)."""
    # where a point is silent already, or works record too little, nothing is quiet
    taken = {_dn(p, person.n) for name in ("use003", "rea009_no_data") for person in p.cast.get(name, ())}
    sql = _RATE.format(first=p.day(1), end=p.end)
    found = [District(*row) for row in p.con.execute(sql).fetchall() if row[0] not in taken]
    # a week's jump must not make a high month of a district that loses much anyway
    low = [district for district in found if district.pct < LOW][:3]
    quiet = iter([district for district in found if district not in low])
    for _ in range(3):
        _high(p, next(quiet))
    for _ in range(3):
        _negative(p, next(quiet))
    for district in low:
        _jump(p, district)
    _stop_measuring(p, (next(quiet), next(quiet)), next(quiet), next(quiet))
    why = ("in_band", "loses what it may")
    for district in (next(quiet), next(quiet), next(quiet)):
        for rule in ("LOS-001", "LOS-002", "LOS-004", "LOS-006"):
            p.note("innocent", rule, ("district", district.district_id), None, why)


# LOS-001 | loss of the month ≥ 6 % or ≥ 6 % on ≥ 10 of 30 d
def _high(p: planter.Planter, district: District) -> None:
    edits.supply(p, district.gateway_id, "0.07 * import_kwh")
    _note(p, "planted", "LOS-001", district, ("high_month", "seven per cent more goes in than before"))
    _note(p, "consequence", "LOS-004", district, ("jump", "with the first day of the month"))
    for person in _lively(p, district):
        why = ("unmetered", "uses energy in a district whose loss comes from elsewhere")
        p.note("innocent", "USE-003", ("point", person), None, why)


def _lively(p: planter.Planter, district: District) -> list[str]:
    """Return the point in the district that takes most."""
    rows = p.con.execute(
        "SELECT pstem || '1' FROM c WHERE NOT hv AND status = 'active' AND kind IN ('works', 'shop', 'home') "
        f"AND dn = {district.dn} ORDER BY base DESC, n LIMIT 1"
    ).fetchall()
    return [str(row[0]) for row in rows]


# LOS-002 | loss of the month ≤ −1 % or on ≥ 5 of 30 d
def _negative(p: planter.Planter, district: District) -> None:
    edits.supply(p, district.gateway_id, "(-0.09 * import_kwh)")
    _note(p, "planted", "LOS-002", district, ("negative_month", "more is sold than goes in"))


# LOS-004 | daily loss > mean + 3 σ of the 30 d before and 1.5 points above it, on ≥ 3 d running; out
def _jump(p: planter.Planter, district: District) -> None:
    days = f"day >= DATE '{p.day(22)}' AND day < DATE '{p.day(29)}'"
    edits.supply(p, district.gateway_id, "0.05 * import_kwh", days)
    _note(p, "planted", "LOS-004", district, ("jump", "five points more for a week"))


# LOS-006 | no gateway in force; or its value missing, or cover < 98 %, on ≥ 3 of 7 d; left out: out
def _stop_measuring(
    p: planter.Planter, silent: tuple[District, District], gone: District, brief: District
) -> None:
    for district, first, last in ((silent[0], 9, 13), (silent[1], 20, 23), (brief, 9, 9)):
        p.con.execute(
            f"DELETE FROM t_daily_energy WHERE usage_point_id = '{district.gateway_id}' "
            f"AND day BETWEEN DATE '{p.day(first)}' AND DATE '{p.day(last)}'"
        )
    p.con.execute(
        f"UPDATE t_usage_point SET effective_to = DATE '{p.day(12)}' "
        f"WHERE usage_point_id = '{gone.gateway_id}'"
    )
    p.con.execute(
        f"DELETE FROM t_daily_energy WHERE usage_point_id = '{gone.gateway_id}' AND day >= DATE '{p.day(12)}'"
    )
    for district in silent:
        _note(p, "planted", "LOS-006", district, ("gateway_silent", "the gateway says nothing for days"))
    _note(p, "planted", "LOS-006", gone, ("no_gateway", "the gateway was taken down and not replaced"))
    _note(p, "innocent", "LOS-006", brief, ("persistence", "the gateway says nothing for one day"))


def _note(p: planter.Planter, kind: str, rule: str, district: District, why: tuple[str, str]) -> None:
    p.note(kind, rule, ("district", district.district_id), None, why)


# LOS-010 | billed energy of a district < collected over the same days − max(2 %, 100 kWh)
def cast_unbilled(p: planter.Planter) -> None:
    """Choose works whose bill of M is forgotten (LOS-010)."""
    large = "base > 0.05 * (SELECT sum(x.base) FROM c x WHERE x.dn = c.dn AND NOT x.hv)"
    # a neighbour billed by too high a multiplier would make up for the bill that is missing
    others = [person.n for name, people in p.cast.items() if name.startswith("met002") for person in people]
    apart = f"dn NOT IN (SELECT x.dn FROM c x WHERE x.n IN ({', '.join(map(str, [0, *others]))}))"
    p.take("los010", 3, f"kind IN ('works', 'school', 'shop') AND {large} AND {apart}")


def forget_bills(p: planter.Planter) -> None:
    """Forget the bills of large customers (LOS-010)."""
    for person in p.cast["los010"]:
        edits.drop_bills(p, person, (0,))
        district = _district(p, person.n)
        why = ("billed_below", "a large customer got no bill")
        p.note("planted", "LOS-010", ("district", district), None, why)
        why = ("not_billed", "read and not billed")
        p.note("consequence", "PRI-080", ("customer", person.cid), person, why)


def _dn(p: planter.Planter, n: int) -> int:
    row = p.con.execute(f"SELECT dn FROM c WHERE n = {n}").fetchone()
    assert row is not None
    return int(row[0])


def _district(p: planter.Planter, n: int) -> str:
    return f"D{_dn(p, n):06d}"


def name_traces(p: planter.Planter) -> None:
    """Note which districts may be named for a customer's fault (LOS-004, 006, 010), and which must not."""
    named = {case.subject_id for case in p.truth.cases if case.rule_id == "LOS-004"}
    for district in sorted(_of_faults(p, UNEVEN) - named):
        why = ("jump", "a meter of it counts too little for some days")
        p.note("consequence", "LOS-004", ("district", district), None, why)
    named = {case.subject_id for case in p.truth.cases if case.rule_id == "LOS-010"}
    for district in sorted(_of_faults(p, SHORTENING) - named):
        why = ("billed_below", "a customer of it is billed less than was collected")
        p.note("consequence", "LOS-010", ("district", district), None, why)
    named = {case.subject_id for case in p.truth.cases if case.rule_id in ("LOS-010", "LOS-002")}
    rows = p.con.execute("SELECT DISTINCT 'D' || zeros(dn, 6) FROM c WHERE NOT hv ORDER BY ALL").fetchall()
    for (district,) in [row for row in rows if row[0] not in named][:3]:
        p.note(
            "innocent",
            "LOS-010",
            ("district", district),
            None,
            ("agrees", "all that was collected is billed"),
        )
    for person in p.cast.get("rea009_no_data", ()):
        why = ("low_cover", "a point of it is silent")
        p.note("consequence", "LOS-006", ("district", _district(p, person.n)), None, why)


def _of_faults(p: planter.Planter, rules: tuple[str, ...]) -> set[str]:
    """Return the districts of the customers planted for these rules, or the beginnings of their ids."""
    people = {
        int(case.customer_id[1:])
        for case in p.truth.cases
        if case.kind == "planted" and case.customer_id and case.rule_id.startswith(rules)
    }
    return {_district(p, n) for n in people}
