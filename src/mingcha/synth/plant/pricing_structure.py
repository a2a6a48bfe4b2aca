"""Points, codes and losses: PRI-010, PRI-017, PRI-065, PRI-086 (area PRI)."""

from __future__ import annotations

from mingcha.synth.plant import planter, rebilling
from mingcha.synth.plant.pricing_category import LOW_SIDE

_WORKS = "kind = 'works' AND plain AND trait = 'plain' AND status = 'active' AND agent_factor = 1"
_ALONE = f"{_WORKS} AND n % 4 <> 0 AND fixed_kwh IS NULL AND fixed_share IS NULL"
_WITH_SUB = f"{_WORKS} AND n % 4 = 0"
_SHOP = "kind = 'shop' AND base BETWEEN 200 AND 1500 AND agent_factor = 1"


def _point(
    p: planter.Planter, rule: str, point: str, person: planter.Person, what: tuple[str, str, str]
) -> None:
    p.note(what[0], rule, ("point", point), person, (what[1], what[2]))


# PRI-010 | Σ fixed_value of sub points (fixed_quantity) ≥ kwh of the parent point in M, parent kwh > 0; or
# Σ fixed_ratio shares ≥ 1
def cast_fixed(p: planter.Planter) -> None:
    """Choose points of which as much is fixed as they use (PRI-010)."""
    quantity = ("planted", "quantity_over_total", "more kWh are fixed than the meter counts")
    ratio = ("planted", "share_over_one", "the fixed shares make up the whole")
    below = ("innocent", "threshold", "the fixed parts leave some for the main price")
    plan = (
        ("much", 2, {"fixed_kwh": "40000"}, quantity),
        ("whole", 1, {"fixed_share": "1.0"}, ratio),
        ("most", 1, {"fixed_kwh": "round(base * 0.55)"}, below),
        ("share", 1, {"fixed_share": "0.95"}, below),
        ("both", 1, {"fixed_kwh": "round(base * 0.3)", "fixed_share": "0.90"}, below),
    )
    for name, many, columns, what in plan:
        for person in p.take(f"pri010_{name}", many, _ALONE, easy=False):
            p.retell(person, **columns)
            _point(p, "PRI-010", person.pid, person, what)


# PRI-017 | main sale point (no parent) tariff_id ≠ contract.tariff_id in force; or
# live_line[energy].tariff_id ≠ usage_point.tariff_id in force; left out: chg price_change inside M
def cast_codes(p: planter.Planter) -> None:
    """Choose who is not billed by the price of the contract (PRI-017)."""
    p.take("pri017_point", 1, _SHOP)
    p.take("pri017_billed", 2, _SHOP)
    p.take("pri017_home", 1, "kind = 'home' AND base BETWEEN 120 AND 400")
    p.take("pri017_ticket", 1, _SHOP)
    p.take("pri017_sub", 1, _WITH_SUB, easy=False)
    for person in p.take("pri017_use", 1, "kind = 'home' AND base BETWEEN 120 AND 400"):
        p.retell(
            person, trait="'recat'", plain="false", eff_m=str(p.m), eff_on=f"DATE '{p.day(12)}'",
            tariff1="'GEN-1'", category="'general'",
        )  # fmt: skip


def change_codes(p: planter.Planter) -> None:
    """Let points hold another price code than the contract (PRI-017)."""
    for name in ("point", "ticket"):
        for person in p.cast[f"pri017_{name}"]:
            p.con.execute(f"UPDATE t_usage_point SET tariff_id = 'OTH' WHERE usage_point_id = '{person.pid}'")
    for name, what in (
        ("point", ("planted", "archive_differs", "the point holds the price OTH, the contract GEN-1")),
        ("billed", ("planted", "bill_differs", "billed in M at the price of agriculture")),
        ("home", ("planted", "bill_differs", "billed in M at the price of shared meters, without tiers")),
        ("ticket", ("innocent", "chg", "the price changed in M under a ticket")),
        ("sub", ("innocent", "sub_point", "the sub point has a price of its own")),
        ("use", ("innocent", "change_of_use", "became a business on the 12th: both prices in one bill")),
    ):
        for person in p.cast[f"pri017_{name}"]:
            _point(p, "PRI-017", person.pid, person, what)


def bill_by_other_codes(p: planter.Planter) -> None:
    """Bill M by the price of another tariff (PRI-017)."""
    for name, code in (("billed", "AGR"), ("home", "RES-H")):
        for person in p.cast[f"pri017_{name}"]:
            for component in (*rebilling.PER_KWH, "tier"):
                rebilling.drop(p, person, component)
            price = f"(SELECT p_all FROM tw WHERE tariff_id = '{code}' AND pv_to = DATE '9999-01-01')"
            rebilling.reprice(p, person, "energy", price)
            p.con.execute(f"UPDATE ln SET tariff_id = '{code}' WHERE n = {person.n} AND m = {p.m}")
            rebilling.consequence(p, person, f"billed by {code}")


def write_price_ticket(p: planter.Planter) -> None:
    """Write the price change that explains two codes (PRI-017, innocent)."""
    for person in p.cast["pri017_ticket"]:
        p.insert(
            "ticket",
            {
                "ticket_id": f"WQ{person.n:08d}", "kind": "price_change", "customer_id": person.cid,
                "org_id": person.station_org, "accepted_at": p.at(p.day(6), 9),
                "promised_at": p.at(p.day(20), 9), "completed_at": p.at(p.day(11), 9),
                "archived_at": p.at(p.day(12), 9), "status": "archived", "proposed_tariff_id": "GEN-1",
            },
        )  # fmt: skip


# PRI-065 | hv customer on own transformer, metering_side=low, and (loss_billed=none or no
# live_line[transformer_loss] in M); left out: transformer not running all M
def cast_losses(p: planter.Planter) -> None:
    """Choose whose transformer loss nobody bills (PRI-065)."""
    for person in p.take("pri065_none", 2, LOW_SIDE, easy=False):
        p.retell(person, loss_billed="false")
    p.take("pri065_missing", 2, LOW_SIDE, easy=False)


def leave_losses(p: planter.Planter) -> None:
    """Leave the transformer loss out of bills (PRI-065)."""
    for person in p.cast["pri065_missing"]:
        rebilling.without_loss(p, person)
        rebilling.consequence(p, person, "the transformer loss is left out")
    for name, what in (
        ("pri065_none", ("planted", "not_set", "metered on the low side, no loss agreed in the archive")),
        ("pri065_missing", ("planted", "no_line", "metered on the low side, no loss in M's bill")),
        ("honest_low_side", ("innocent", "billed", "metered on the low side, and the loss is billed")),
        ("honest_trade", ("innocent", "high_side", "metered on the high side")),
        ("honest_works", ("innocent", "public_transformer", "has no transformer of its own")),
    ):
        for person in p.cast[name]:
            _point(p, "PRI-065", person.pid, person, what)


# PRI-086 | parent kwh < Σ sub kwh − 1 %; or relation=sub_deducted and the parent's billed quantity not
# reduced by the subs; or sub in force without parent in force; left out: loss between them ≤ 2 %
def cast_subs(p: planter.Planter) -> None:
    """Choose main and sub meters that contradict each other (PRI-086)."""
    for name, many in (("more", 1), ("undeducted", 2), ("orphan", 1), ("near", 1), ("added", 1), ("fine", 1)):
        p.take(f"pri086_{name}", many, _WITH_SUB, easy=False)
    for name, times in (("more", 1.3), ("near", 1.004)):
        for person in p.cast[f"pri086_{name}"]:
            row = p.con.execute(f"SELECT base FROM c WHERE n = {person.n}").fetchone()
            assert row is not None
            for m in range(-1, p.plan.months + 1):
                kwh = round(float(row[0]) * (1 + 0.01 * (m % 3)))
                p.use(person, (m,), kwh)
                below = kwh * times if m == p.m else kwh / 20
                p.con.execute(f"INSERT INTO kwh_override VALUES ({person.n * 8 + 3}, {m}, {below})")


def _sub(person: planter.Person) -> str:
    return f"{person.pid[:-1]}3"


def hang_subs(p: planter.Planter) -> None:
    """Hang sub points where they do not belong (PRI-086)."""
    for person in p.cast["pri086_orphan"]:
        p.con.execute(
            f"UPDATE t_usage_point SET parent_usage_point_id = (SELECT min(pstem) || '1' FROM c WHERE "
            f"status = 'closed' AND trait = 'gone') WHERE usage_point_id = '{_sub(person)}'"
        )
    for person in p.cast["pri086_added"]:
        p.con.execute(
            f"UPDATE t_usage_point SET relation = 'sub_added' WHERE usage_point_id = '{_sub(person)}'"
        )


def bill_subs(p: planter.Planter) -> None:
    """Charge the main point for what its sub point was charged already (PRI-086)."""
    for name in ("undeducted", "added"):
        for person in p.cast[f"pri086_{name}"]:
            rebilling.as_metered(p, person)
    for person in (*p.cast["pri086_undeducted"], *p.cast["pri086_orphan"]):
        rebilling.consequence(p, person, "what the sub point used")
    for name, subject, what in (
        ("more", 0, ("planted", "sub_above_parent", "the sub point counts 30 % more than the main point")),
        (
            "undeducted",
            0,
            ("planted", "not_deducted", "the sub point's kWh are charged twice"),
        ),
        ("orphan", 1, ("planted", "parent_not_in_force", "the sub point hangs below a point long ended")),
        ("near", 0, ("innocent", "threshold", "0.4 % more than the main point")),
        ("added", 0, ("innocent", "sub_added", "the sub point is added, not deducted")),
        ("fine", 0, ("innocent", "deducted", "deducted as agreed")),
    ):
        for person in p.cast[f"pri086_{name}"]:
            _point(p, "PRI-086", _sub(person) if subject else person.pid, person, what)
