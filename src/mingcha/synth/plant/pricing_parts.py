"""Capacity and power factor: PRI-042, PRI-055, PRI-057 (area PRI)."""

from __future__ import annotations

from mingcha.synth.plant import planter, rebilling
from mingcha.synth.plant.pricing_category import HV_GENERAL, INDUSTRY, LOW_SIDE, contract


# PRI-042 | basic_charge_method=capacity, kva_run constant in M: Σ live_line[basic_capacity].quantity <
# kva_run − 1, or no line; yields to CON-021, CON-014; cold standby is not due
def cast_capacity(p: planter.Planter) -> None:
    """Choose who pays for less capacity than runs (PRI-042)."""
    where = f"{INDUSTRY} AND NOT on_demand"
    for name, many in (("short", 2), ("left_out", 1), ("hair", 1)):
        p.take(f"pri042_{name}", many, where, easy=False)
    for person in p.take("pri042_sealed", 1, where, easy=False):
        p.retell(
            person, trait="'standby'", plain="false", kva2="kva1", cap="2 * kva1", cap0="2 * kva1",
            eff_on=f"DATE '{p.day(1)}' - 40", eff_m=str(p.m - 2), seal_to=f"DATE '{p.end}' + 300",
        )  # fmt: skip


def charge_capacity(p: planter.Planter) -> None:
    """Charge less capacity than runs (PRI-042)."""
    for person in p.cast["pri042_short"]:
        rebilling.requantity(p, person, "basic_capacity", "quantity - 100")
    for person in p.cast["pri042_left_out"]:
        rebilling.drop(p, person, "basic_capacity")
    for person in p.cast["pri042_hair"]:
        rebilling.requantity(p, person, "basic_capacity", "quantity - 0.9")
    for name in ("short", "left_out", "hair"):
        for person in p.cast[f"pri042_{name}"]:
            rebilling.consequence(p, person, "capacity that is not charged")
    for name, kind, reason, note in (
        ("pri042_short", "planted", "short", "100 kVA less than runs"),
        ("pri042_left_out", "planted", "no_line", "no capacity in the bill at all"),
        ("pri042_hair", "innocent", "threshold", "0.9 kVA less than runs"),
        ("honest_industry", "innocent", "in_order", "charged for all that runs"),
        ("pri042_sealed", "innocent", "sealed", "one transformer of two is sealed all month"),
    ):
        for person in p.cast[name]:
            p.note(kind, "PRI-042", ("customer", person.cid), person, (reason, note))


# PRI-055 | capacity ≥ 100 and power_factor_standard ≠ table: hv and (large_industrial or industry 06–46) and
# > 160 kVA 0.90; agriculture, wholesale 0.80; other 0.85; exactly 160 kVA → watch
def cast_standards(p: planter.Planter) -> None:
    """Choose contracts with another power-factor standard than is due (PRI-055)."""
    for name, where, standard, what in (
        ("low", INDUSTRY, "0.85", ("planted", "too_low", "0.85 for an industry, 0.90 is due")),
        ("lowest", INDUSTRY, "0.80", ("planted", "too_low", "0.80 for an industry, 0.90 is due")),
        ("high", HV_GENERAL, "0.90", ("planted", "too_high", "0.90 for a trade, 0.85 is due")),
    ):
        for person in p.take(f"pri055_{name}", 1, where, easy=False):
            p.retell(person, pf_std=standard)
            p.note(what[0], "PRI-055", contract(person), person, (what[1], what[2]))
    for person in p.take("pri055_workshop", 1, HV_GENERAL, easy=False):
        p.retell(person, kva1="100", cap="100", cap0="100")
        why = ("threshold", "a factory of 100 kVA: 0.85 is due")
        p.note("innocent", "PRI-055", contract(person), person, why)
    for name, why in (
        ("honest_works", ("threshold", "below 100 kVA: no standard is due")),
        ("honest_industry", ("in_order", "0.90 for an industry")),
    ):
        for person in p.cast[name]:
            p.note("innocent", "PRI-055", contract(person), person, why)


def name_workshop(p: planter.Planter) -> None:
    """Write the trade of the factory that is small enough for the lower standard (PRI-055, innocent)."""
    for person in p.cast["pri055_workshop"]:
        p.con.execute(f"UPDATE t_customer SET industry_code = 'C33' WHERE customer_id = '{person.cid}'")


# PRI-057 | PF of Wp and |reactive_import| + |reactive_export|, losses added; percentage ≠ quantity (0.01), or
# quantity × base_amount ÷ 100 ≠ amount; left out: Wp=0
def cast_factors(p: planter.Planter) -> None:
    """Choose whose power factor is charged wrongly (PRI-057)."""
    p.take("pri057_table", 1, INDUSTRY, easy=False)
    p.take("pri057_reverse", 1, INDUSTRY, easy=False)
    p.take("pri057_loss", 1, LOW_SIDE, easy=False)
    p.take("pri057_hair", 1, HV_GENERAL, easy=False)


def compensate(p: planter.Planter) -> None:
    """Set the reactive energy on which the wrong power factors rest (PRI-057).

    One customer gives back a third of what it draws. Another draws 0.6 kvarh per kWh: around a factor of
    0.86 every hundredth has its own percentage, so that the transformer's share shows.
    """
    for person in p.cast["pri057_loss"]:
        p.con.execute(
            "UPDATE t_reading r SET end_value = r.start_value + q.units, energy = q.units * r.multiplier "
            "FROM (SELECT round((end_value - start_value) * 0.60, 2) AS units FROM t_reading "
            f"WHERE usage_point_id = '{person.pid}' AND register = 'active' "
            f"AND billing_period = '{p.period}') q "
            f"WHERE r.usage_point_id = '{person.pid}' AND r.register = 'reactive_import' "
            f"AND r.billing_period = '{p.period}'"
        )
    for person in p.cast["pri057_reverse"]:
        p.con.execute(
            "UPDATE t_reading r SET end_value = r.start_value + q.units, energy = q.units * r.multiplier "
            "FROM (SELECT round((end_value - start_value) * 0.33, 2) AS units FROM t_reading "
            f"WHERE usage_point_id = '{person.pid}' AND register = 'reactive_import' "
            f"AND billing_period = '{p.period}') q "
            f"WHERE r.usage_point_id = '{person.pid}' AND r.register = 'reactive_export' "
            f"AND r.billing_period = '{p.period}'"
        )


def forget_reactive(p: planter.Planter) -> None:
    """Leave reactive energy out of account: what was given back, and what the transformer takes (PRI-057)."""
    for person in p.cast["pri057_reverse"]:
        p.con.execute(
            f"UPDATE bs SET kvarh = (SELECT sum(energy) FROM t_reading WHERE usage_point_id = '{person.pid}' "
            f"AND register = 'reactive_import' AND billing_period = '{p.period}') "
            f"WHERE n = {person.n} AND m = {p.m} AND inst = 2"
        )
    for person in p.cast["pri057_loss"]:
        p.con.execute(f"UPDATE bs SET loss_kvarh = 0 WHERE n = {person.n} AND m = {p.m} AND inst = 2")


def charge_factors(p: planter.Planter) -> None:
    """Take a percentage that the table does not give (PRI-057)."""
    for name, change in (("table", "pct + 1.5"), ("hair", "pct + 0.005")):
        for person in p.cast[f"pri057_{name}"]:
            p.con.execute(f"UPDATE bf SET pct = {change} WHERE n = {person.n} AND m = {p.m} AND inst = 2")
    for name in ("table", "reverse", "loss", "hair"):
        for person in p.cast[f"pri057_{name}"]:
            rebilling.consequence(p, person, "the percentage of the power factor")
    for name, kind, reason, note in (
        ("pri057_table", "planted", "table", "1.5 points more than the table gives"),
        ("pri057_reverse", "planted", "reverse_reactive", "the reactive energy given back was left out"),
        ("pri057_loss", "planted", "transformer_reactive", "what the transformer takes was left out"),
        ("pri057_hair", "innocent", "threshold", "0.005 points off"),
        ("honest_industry", "innocent", "in_order", "as the table gives"),
        ("honest_low_side", "innocent", "in_order", "with what the transformer takes"),
    ):
        for person in p.cast[name]:
            p.note(kind, "PRI-057", ("bill", p.bill_id(person)), person, (reason, note))
