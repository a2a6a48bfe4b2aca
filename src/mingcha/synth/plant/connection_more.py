"""Connection: CON-020, CON-301 (catalogue, area CON)."""

from __future__ import annotations

from datetime import date, timedelta

from mingcha.synth.plant import planter, rebilling


# CON-301 | supply_kind temporary, active, temporary_until < D (null: opened_on + 36 months, 6 before June
# 2024); within 30 days and not told → watch; left out: open ticket temporary_supply or closing
def cast_temporary(p: planter.Planter) -> None:
    """Choose shops of a building site whose supply is for a time only."""
    for name, many in (("past", 2), ("soon", 1), ("extended", 1), ("told", 1), ("later", 1)):
        p.take(f"con301_{name}", many, "kind = 'shop'")
    p.take("con301_no_term", 1, "kind = 'shop' AND opened_on < DATE '2022-01-01'")


def supply_for_a_time(p: planter.Planter) -> None:
    """Write the terms of the supply (CON-301)."""
    end = p.plan.data_date
    for name, days in (
        ("past", -60), ("extended", -45), ("soon", 20), ("told", 20), ("later", 31), ("no_term", None),
    ):  # fmt: skip
        term = "NULL" if days is None else f"DATE '{end + timedelta(days=days)}'"
        for person in p.cast[f"con301_{name}"]:
            p.con.execute(
                f"UPDATE t_customer SET supply_kind = 'temporary', temporary_until = {term} "
                f"WHERE customer_id = '{person.cid}'"
            )


def extend(p: planter.Planter) -> None:
    """Write the open ticket of an extension, and the notice that the term ends (CON-301)."""
    for person in p.cast["con301_extended"]:
        ticket = f"WX{person.n:08d}"
        p.insert(
            "ticket",
            {
                "ticket_id": ticket,
                "kind": "temporary_supply",
                "customer_id": person.cid,
                "org_id": person.station_org,
                "accepted_at": p.back(6),
                "promised_at": p.back(-20),
                "status": "open",
                "accepted_by": person.staff("L"),
            },
        )
        p.insert(
            "ticket_step",
            {"ticket_id": ticket, "step": "survey", "started_at": p.back(2), "due_at": p.back(-9)},
        )
    for person in p.cast["con301_told"]:
        p.insert(
            "notice",
            {
                "notice_id": f"NX{person.n:08d}",
                "customer_id": person.cid,
                "kind": "temporary_expiry",
                "sent_at": p.back(5),
                "method": "sms",
            },
        )
    for name, kind, reason, note in (
        ("past", "planted", "past_term", "the term ended 60 days ago"),
        ("no_term", "planted", "term_unknown_and_long", "no term on record, opened before 2022"),
        ("soon", "planted", "ends_soon", "ends in 20 days, and nobody told them"),
        ("extended", "innocent", "under_way", "over, and an extension is under way"),
        ("told", "innocent", "told", "ends in 20 days, and they were told"),
        ("later", "innocent", "threshold", "ends in 31 days"),
    ):
        for person in p.cast[f"con301_{name}"]:
            p.note(kind, "CON-301", ("customer", person.cid), person, (reason, note))


# CON-020 | sealed under a suspend ticket for < 15 days, and the charge reduced for it; or > 184 days in a
# calendar year, and charged on less afterwards
_STOPS = {"short": 8, "full": 10}
# who has let a transformer rest before may do so in M instead
_TWO_PART = "kind = 'industry' AND NOT on_demand AND status = 'active' AND trait IN ('standby', 'plain')"


def cast_suspended(p: planter.Planter) -> None:
    """Choose who lets one of two transformers rest for some days of M."""
    for name, days in _STOPS.items():
        for person in p.take(f"con020_{name}", 1, _TWO_PART, easy=False):
            p.retell(
                person, trait="'standby'", plain="false", kva2="kva1", cap="2 * kva1", cap0="2 * kva1",
                eff_on=f"DATE '{_rests(p)}'", eff_m=str(p.m),
                seal_to=f"DATE '{_rests(p) + timedelta(days=days)}'",
            )  # fmt: skip


def _rests(p: planter.Planter) -> date:
    return p.day(6)


def grant_short_stops(p: planter.Planter) -> None:
    """Reduce the capacity charge for stops of less than half a month (CON-020)."""
    whole = p.plan.end_month.days
    days = _STOPS["short"]
    for person in p.cast["con020_short"]:
        where = rebilling.where(p, person, "basic_capacity")
        p.con.execute(
            "INSERT INTO ln BY NAME SELECT * REPLACE (line_no + 50 AS line_no, quantity / 2 AS quantity, "
            f"{days} AS days, by_days(quantity / 2, price, {days}, {whole}) AS amount, "
            f"DATE '{_rests(p)}' AS day_from) FROM ln WHERE {where}"
        )
        p.con.execute(
            f"UPDATE ln SET days = {whole - days}, "
            f"amount = by_days(quantity, price, {whole - days}, {whole}) "
            f"WHERE {where} AND days IS NULL"
        )
        why = ("follows", "charged for less than counts as running")
        p.note("consequence", "PRI-042", ("customer", person.cid), person, why)
        rebilling.consequence(p, person, "a stop too short to be taken off")
    for name, kind, reason, note in (
        ("con020_short", "planted", "too_short", "eight days of rest taken off the charge"),
        ("con020_full", "innocent", "charged", "ten days of rest, charged in full"),
        ("honest_industry", "innocent", "in_order", "no rest at all"),
        ("pri042_sealed", "innocent", "threshold", "resting since before M, far below half a year"),
    ):
        for person in p.cast[name]:
            p.note(kind, "CON-020", ("customer", person.cid), person, (reason, note))
