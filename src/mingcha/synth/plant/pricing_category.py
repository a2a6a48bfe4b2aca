"""Category, time of use and number of parts: PRI-001, PRI-002, PRI-004, PRI-031, PRI-041 (area PRI)."""

from __future__ import annotations

from mingcha.synth.plant import planter

HV_GENERAL = (
    "kind = 'hvgen' AND plain AND trait = 'plain' AND status = 'active' AND NOT low_side AND agent_factor = 1"
)
INDUSTRY = "kind = 'industry' AND plain AND trait = 'plain' AND status = 'active' AND agent_factor = 1"
LOW_SIDE = (
    "kind = 'hvgen' AND plain AND trait = 'plain' AND status = 'active' AND low_side AND agent_factor = 1 "
    "AND line_pct IS NULL"
)
_FARM = "kind = 'farm' AND n % 13 <> 0 AND base > 100"
_HOME = "kind = 'home' AND base BETWEEN 120 AND 400"


def contract(person: planter.Person) -> tuple[str, str]:
    """Return the subject of a finding about the customer's contract."""
    return "contract", f"K{person.n:08d}"


def cast_honest(p: planter.Planter) -> None:
    """Choose customers in whose books everything is in order: innocent of several rules at once."""
    p.take("honest_industry", 1, f"{INDUSTRY} AND NOT on_demand", easy=False)
    p.take("honest_trade", 1, HV_GENERAL, easy=False)
    p.take("honest_low_side", 1, LOW_SIDE, easy=False)
    p.take("honest_works", 1, "kind = 'works' AND cap BETWEEN 50 AND 90")


# PRI-001 | (usage_category, first digits of industry_code) outside the allowed matrix: agriculture with
# processing 13 to 15, residential with any industry, large_industrial with trade or services; left out: ent
# public_welfare, farm_irrigation; no industry code
def cast_industries(p: planter.Planter) -> None:
    """Choose whose trade is not what their price is for (PRI-001)."""
    for name, many in (("mill", 1), ("watered", 1), ("grower", 1)):
        p.take(f"pri001_{name}", many, _FARM)
    for name, many in (("inn", 1), ("welfare", 1), ("silent", 1)):
        p.take(f"pri001_{name}", many, _HOME)
    p.take("pri001_trade", 1, INDUSTRY, easy=False)


_TRADES = (
    ("mill", "C13", "planted", "business_on_farming", "grain milled at the price of agriculture"),
    ("inn", "H62", "planted", "business_on_residential", "a restaurant at the price of a home"),
    (
        "trade",
        "F51",
        "planted",
        "services_on_industrial",
        "a dealer at the price of large industry",
    ),
    ("watered", "C13", "innocent", "ent", "entitled to the price of irrigation"),
    ("welfare", "Q85", "innocent", "ent", "a public welfare home, entitled"),
    ("grower", "A01", "innocent", "fits", "grows crops at the price of agriculture"),
    ("silent", None, "innocent", "no_industry_code", "a home without a trade"),
)


def rename_industries(p: planter.Planter) -> None:
    """Write industry codes that contradict the price (PRI-001)."""
    for name, code, kind, reason, note in _TRADES:
        for person in p.cast[f"pri001_{name}"]:
            value = "NULL" if code is None else f"'{code}'"
            p.con.execute(f"UPDATE t_customer SET industry_code = {value} WHERE customer_id = '{person.cid}'")
            p.note(kind, "PRI-001", contract(person), person, (reason, note))


# PRI-002 | residential: kwh > 2000, or > 5 × median of the district's homes and > 800, in 3 of 6 periods;
# in the heating months the limit doubles; left out: ent many_members, shared_meter; charger
def cast_large_homes(p: planter.Planter) -> None:
    """Choose homes that use as much as a business (PRI-002)."""
    home = "kind = 'home' AND base BETWEEN 120 AND 400 AND cap = 12 AND rnd(n, 802) >= 0.02"
    always = range(-1, p.plan.months + 1)
    for index, person in enumerate(p.take("pri002_large", 3, home)):
        p.use(person, always, 4700.0 + 250 * index)
        _large(p, person, "planted", ("over_limit", "over 4,600 kWh in every month"))
    for person in p.take("pri002_family", 1, home):
        p.use(person, always, 4800.0)
        p.retell(person, many_members="true")
        _large(p, person, "innocent", ("ent", "a large household, entitled"))
    for person in p.take("pri002_charger", 1, home):
        p.use(person, always, 4800.0)
        _large(p, person, "innocent", ("charger", "charges a car at home"))
    for person in p.take("pri002_twice", 1, home):
        p.use(person, (p.m - 4, p.m - 5), 4800.0)
        _large(p, person, "innocent", ("persistence", "large in two of six months only"))
    for person in p.take("pri002_below", 1, home):
        p.use(person, always, 790.0)
        _large(p, person, "innocent", ("threshold", "790 kWh a month"))


def _large(p: planter.Planter, person: planter.Person, kind: str, why: tuple[str, str]) -> None:
    p.note(kind, "PRI-002", ("customer", person.cid), person, why)


# PRI-004 | agriculture: share of the off months in 12 > 0.25 with ≥ 1000 kWh a year; or load factor of the
# 30-day curve > 0.6 with a mean hour above 1 kW always; left out: livestock, aquaculture, greenhouse;
# ent farm_irrigation is tested by season only
MONTHS_FOR_A_YEAR = 12
_WINTER = (11, 12, 1, 2)


def cast_farms(p: planter.Planter) -> None:
    """Choose farms that use energy as no field does (PRI-004)."""
    if p.plan.months < MONTHS_FOR_A_YEAR:
        return
    crops = "kind = 'farm' AND n % 13 <> 0 AND base > 60"
    for person in p.take("pri004_winter", 3, crops):
        _by_season(p, person, winter=650.0, spring=300.0, summer=300.0)
        _farm(p, person, "planted", ("off_season", "more in winter than in summer"))
    for name, many, kind, why in (
        ("even", 1, "planted", ("even_load", "in season, but as even as a cold store all day")),
        ("pumped", 1, "innocent", ("ent", "as even, but entitled: a pumping station")),
    ):
        for person in p.take(f"pri004_{name}", many, crops):
            _by_season(p, person, winter=220.0, spring=2600.0, summer=2700.0)
            p.retell(person, grp="'flat'", base="2600", cap="20", cap0="20")
            p.watch(person)
            _farm(p, person, kind, why)
    for person in p.take("pri004_small", 1, crops):
        _by_season(p, person, winter=100.0, spring=60.0, summer=60.0)
        _farm(p, person, "innocent", ("threshold", "under 1,000 kWh a year"))
    for person in p.take("pri004_stable", 1, "kind = 'farm' AND n % 13 = 0 AND base > 100"):
        _farm(p, person, "innocent", ("allowed", "livestock eats all the year round"))
    for person in p.take("pri004_field", 1, crops):
        _farm(p, person, "innocent", ("in_season", "waters fields in summer"))


def _by_season(
    p: planter.Planter, person: planter.Person, *, winter: float, spring: float, summer: float
) -> None:
    for m in range(-1, p.plan.months + 1):
        month = p.plan.first_month.add(m).month
        p.use(person, (m,), winter if month in _WINTER else spring if month in (3, 4) else summer)


def _farm(p: planter.Planter, person: planter.Person, kind: str, why: tuple[str, str]) -> None:
    p.note(kind, "PRI-004", ("customer", person.cid), person, why)


def entitle(p: planter.Planter) -> None:
    """Write the entitlements and the charger that explain a price away (PRI-001, PRI-002, PRI-004)."""
    for name, kind in (
        ("pri001_watered", "farm_irrigation"), ("pri001_welfare", "public_welfare"),
        ("pri002_family", "many_members"), ("pri004_pumped", "farm_irrigation"),
    ):  # fmt: skip
        for person in p.cast.get(name, ()):
            p.insert(
                "entitlement",
                {
                    "entitlement_id": f"EP{person.n:08d}", "customer_id": person.cid, "kind": kind,
                    "document_number": f"PW{person.n:08d}", "valid_from": p.plan.first_month.add(-15).start,
                    "valid_to": None, "approved_by": person.county_staff("M"),
                },
            )  # fmt: skip
    for person in p.cast["pri002_charger"]:
        p.insert(
            "charger",
            {
                "charger_id": f"CP{person.n:08d}", "customer_id": person.cid, "rated_kw": 7,
                "public": False, "installed_on": p.plan.first_month.add(-6).start,
            },
        )  # fmt: skip


# PRI-031 | C&I, capacity ≥ 100 kVA, purchase_mode ≠ direct (from 2026-03-01), tou=false
def cast_no_tou(p: planter.Planter) -> None:
    """Choose businesses without time of use (PRI-031)."""
    for person in p.take("pri031", 3, HV_GENERAL, easy=False):
        p.retell(person, tou="false", tariff0="'GEN-10'", tariff1="'GEN-10'")
        p.note(
            "planted", "PRI-031", contract(person), person,
            ("tou_missing", "a business of 100 kVA or more at one price all day"),
        )  # fmt: skip
    p.take("pri031_direct", 1, f"{INDUSTRY} AND direct", easy=False)
    for person in p.cast["honest_works"]:
        p.note("innocent", "PRI-031", contract(person), person, ("threshold", "below 100 kVA"))
    for person in p.take("pri031_school", 1, "kind = 'school'"):
        p.note("innocent", "PRI-031", contract(person), person, ("category", "a school"))


def free_direct_user(p: planter.Planter) -> None:
    """Let a user who trades directly have no time of use in the contract (PRI-031, innocent)."""
    for person in p.cast["pri031_direct"]:
        p.con.execute(f"UPDATE t_contract SET tou = false WHERE contract_id = 'K{person.n:08d}'")
        p.note("innocent", "PRI-031", contract(person), person, ("direct", "trades directly"))


# PRI-041 | C&I, contract_capacity_kva ≥ 315, basic_charge_method=none; reverse (watch): kva_run < 315 all M
# after suspension or reduction and still two-part; left out: single-part before 2023-06-01 and unchanged;
# ent ev_charging
def cast_one_part(p: planter.Planter) -> None:
    """Choose who is billed in one part and should be in two, or the reverse (PRI-041)."""
    for kva, person in zip((315, 400, 500), p.take("pri041", 3, HV_GENERAL, easy=False), strict=True):
        _grow(p, person, kva, "DATE '2023-09-12'")
        p.note(
            "planted", "PRI-041", contract(person), person,
            ("two_part_due", f"{kva} kVA since 2023 and no basic charge"),
        )  # fmt: skip
    for person in p.take("pri041_before", 1, HV_GENERAL, easy=False):
        _grow(p, person, 400, "DATE '2019-05-06'")
        p.note("innocent", "PRI-041", contract(person), person, ("kept", "in one part since before 2023"))
    for person in p.cast["honest_trade"]:
        p.note("innocent", "PRI-041", contract(person), person, ("threshold", "250 kVA at most"))
    where = "kind = 'station' AND trait = 'plain' AND status = 'active'"
    for person in p.take("pri041_station", 1, where, easy=False):
        p.note("innocent", "PRI-041", contract(person), person, ("ent", "a public charging station"))


def _grow(p: planter.Planter, person: planter.Person, kva: int, opened: str) -> None:
    p.retell(person, kva1=str(kva), cap=str(kva), cap0=str(kva), opened_on=opened)
