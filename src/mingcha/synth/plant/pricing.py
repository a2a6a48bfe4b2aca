"""Pricing and billing: PRI-079, PRI-080, PRI-082 (catalogue, area PRI)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from mingcha.synth.plant import edits, planter

MONTHS_FOR_A_RHYTHM = 6
_HOME = "kind = 'home' AND base BETWEEN 120 AND 400"


# PRI-079 | ≥ 2 live_bill kind regular for one customer and period with a common point and overlapping reading
# interval; left out: instalment billing with disjoint intervals
def cast_twice(p: planter.Planter) -> None:
    """Choose who is billed twice."""
    p.take("pri079", 3, "kind IN ('home', 'shop') AND base BETWEEN 120 AND 600")
    p.take("pri079_void", 1, _HOME)
    p.take("pri079_supplementary", 1, _HOME)
    where = "kind = 'industry' AND trait = 'plain' AND NOT on_demand AND status = 'active'"
    for person in p.take("pri079_instalment", 1, where, easy=False):
        p.retell(person, trait="'instalment'", plain="false")


def bill_twice(p: planter.Planter) -> None:
    """Issue a second bill for M (PRI-079)."""
    for person in p.cast["pri079"]:
        second = _copy_bill(p, person, "regular")
        p.note(
            "planted",
            "PRI-079",
            ("bill", second),
            person,
            ("same_reading", "the same reading billed again a day later"),
        )
    (voided,) = p.cast["pri079_void"]
    second = _copy_bill(p, voided, "reissue")
    first = p.bill_id(voided)
    p.con.execute(f"UPDATE t_bill SET status = 'void' WHERE bill_id = '{first}'")
    p.con.execute(f"UPDATE t_bill SET original_bill_id = '{first}' WHERE bill_id = '{second}'")
    _twice_innocent(p, voided, second, ("reissue", "the first bill was voided"))
    (extra,) = p.cast["pri079_supplementary"]
    second = _copy_bill(p, extra, "supplementary")
    _twice_innocent(p, extra, second, ("not_regular", "the second bill is a supplementary one"))
    for person in p.cast["pri079_instalment"]:
        _twice_innocent(
            p, person, p.bill_id(person), ("instalment", "two settlements a month, one after the other")
        )


def _twice_innocent(p: planter.Planter, person: planter.Person, bill: str, why: tuple[str, str]) -> None:
    p.note("innocent", "PRI-079", ("bill", bill), person, why)


def _copy_bill(p: planter.Planter, person: planter.Person, kind: str) -> str:
    """Copy M's bill with its lines a day later and return the copy's id."""
    first = p.bill_id(person)
    second = f"{first[:-1]}7"
    p.con.execute(
        f"INSERT INTO t_bill BY NAME SELECT * REPLACE ('{second}' AS bill_id, '{kind}' AS kind, "
        f"issued_at + INTERVAL 1 DAY AS issued_at) FROM t_bill WHERE bill_id = '{first}'"
    )
    p.con.execute(
        f"INSERT INTO t_bill_line BY NAME SELECT * REPLACE ('{second}' AS bill_id) "
        f"FROM t_bill_line WHERE bill_id = '{first}'"
    )
    return second


# PRI-080 | reading[active].energy > 0 in period m ≤ M and no live_bill for m by day 5 of m+1; or
# live_bill before and after an empty m; left out: parent billed (sub points)
def cast_unbilled(p: planter.Planter) -> None:
    """Choose whose reading never became a bill."""
    p.take("pri080_not_billed", 3, _HOME)
    # a gap shows only where earlier bills show the customer's rhythm
    if p.plan.months >= MONTHS_FOR_A_RHYTHM:
        p.take("pri080_gap", 2, _HOME)
    p.take("pri080_void", 1, _HOME)
    p.take("pri080_fifth", 1, _HOME)
    p.take("pri080_zero", 1, _HOME)
    p.take("pri080_reissue", 1, _HOME)


def leave_unbilled(p: planter.Planter) -> None:
    """Leave out bills of months that were read (PRI-080)."""
    for name, months, kind, reason, note in (
        ("pri080_not_billed", (0,), "planted", "not_billed", "read in M, not billed by the fifth"),
        ("pri080_gap", (1,), "planted", "gap_read", "bills before and after, none for the month before M"),
        ("pri080_zero", (0,), "innocent", "no_energy", "nothing read, nothing billed"),
    ):
        for person in p.cast.get(name, ()):
            edits.drop_bills(p, person, months)
            _unbilled(p, person, kind, (reason, note))
    for person in p.cast["pri080_void"]:
        p.con.execute(f"UPDATE t_bill SET status = 'void' WHERE bill_id = '{p.bill_id(person)}'")
        _unbilled(p, person, "planted", ("not_billed", "the bill of M was voided and never issued again"))
    for person in p.cast["pri080_fifth"]:
        p.con.execute(
            f"UPDATE t_bill SET issued_at = at_hour(DATE '{p.end}' + 4, 16.0) WHERE bill_id = "
            f"'{p.bill_id(person)}'"
        )
        _unbilled(p, person, "innocent", ("threshold", "issued on the fifth"))
    for person in p.cast["pri080_reissue"]:
        second = _copy_bill(p, person, "reissue")
        first = p.bill_id(person)
        p.con.execute(f"UPDATE t_bill SET status = 'void' WHERE bill_id = '{first}'")
        p.con.execute(f"UPDATE t_bill SET original_bill_id = '{first}' WHERE bill_id = '{second}'")
        _unbilled(p, person, "innocent", ("reissue", "voided and issued again"))


def stop_use(p: planter.Planter) -> None:
    """Read nothing where nothing is billed (PRI-080, innocent)."""
    for person in p.cast["pri080_zero"]:
        p.con.execute(
            "UPDATE t_reading SET end_value = start_value, energy = 0 WHERE reading_id = "
            f"'{p.reading_id(person)}'"
        )
        p.con.execute(
            f"UPDATE t_daily_energy SET quality = 'estimated' WHERE usage_point_id = '{person.pid}'"
        )


def _unbilled(p: planter.Planter, person: planter.Person, kind: str, why: tuple[str, str]) -> None:
    p.note(kind, "PRI-080", ("customer", person.cid), person, why)


# PRI-082 | ticket_id null or evidence_count 0/null, or approved_by null; or cause=other with |amount| ≥ 1000;
# left out: policy batch with one ticket
def cast_adjustments(p: planter.Planter) -> None:
    """Choose who gets or pays an adjustment in M."""
    p.take("pri082", 10, _HOME)
    p.take("pri082_batch", 12, "kind = 'home'")


# note, planted or innocent, reason, cause, amount, with ticket, evidence, approved
_ADJUSTMENTS: tuple[tuple[str, str, str, str, str, bool, int | None, bool], ...] = (
    ("no ticket", "planted", "no_ticket", "misreading", "310.00", False, 2, True),
    ("no ticket, a charge", "planted", "no_ticket", "price", "95.20", False, 1, True),
    ("evidence of nought", "planted", "no_evidence", "misreading", "120.00", True, 0, True),
    ("evidence not stated", "planted", "no_evidence", "meter_fault", "88.00", True, None, True),
    ("not approved", "planted", "not_approved", "misreading", "240.00", True, 2, False),
    ("cause other, 1,000 CNY", "planted", "cause_other", "other", "1000.00", True, 2, True),
    ("cause other, 2,340 CNY", "planted", "cause_other", "other", "2340.00", True, 3, True),
    ("cause other, 999.99 CNY", "innocent", "threshold", "other", "999.99", True, 2, True),
    ("large, but in order", "innocent", "in_order", "price", "5200.00", True, 4, True),
    ("one piece of evidence", "innocent", "threshold", "misreading", "60.00", True, 1, True),
)


def write_adjustments(p: planter.Planter) -> None:
    """Write adjustments of M without ground, and some with (PRI-082)."""
    people = p.cast["pri082"]
    rows = zip(people, _ADJUSTMENTS, strict=True)
    for index, (person, (note, kind, reason, cause, amount, ticket, evidence, approved)) in enumerate(rows):
        _adjust(
            p, person,
            day=5 + index, cause=cause, amount=amount, ticket_id=f"WJ{person.n:08d}" if ticket else None,
            evidence_count=evidence, approved_by=person.county_staff("M") if approved else None,
        )  # fmt: skip
        if ticket:
            _refund_ticket(p, person, f"WJ{person.n:08d}", person.cid)
        p.note(
            kind,
            "PRI-082",
            ("adjustment", f"JP{person.n:08d}"),
            person,
            (reason, note),
            amount=Decimal(amount),
        )
    batch = p.cast["pri082_batch"]
    _refund_ticket(p, batch[0], "WJPOLICY", None)
    for person in batch:
        _adjust(
            p, person, day=20, cause="policy", amount="15.00", ticket_id="WJPOLICY", evidence_count=None,
            approved_by=person.county_staff("M"),
        )  # fmt: skip
        p.note(
            "innocent",
            "PRI-082",
            ("adjustment", f"JP{person.n:08d}"),
            person,
            ("policy_batch", "one of a policy batch under one ticket"),
        )


def _adjust(p: planter.Planter, person: planter.Person, *, day: int, cause: str, **rest: Any) -> None:
    amount = rest.pop("amount")
    p.insert(
        "adjustment",
        {
            "adjustment_id": f"JP{person.n:08d}",
            "customer_id": person.cid,
            "billing_period": p.period,
            "kind": "refund",
            "cause": cause,
            "energy_kwh": 0,
            "amount": Decimal(amount),
            "applied_at": p.at(p.day(day), 10),
            "applied_by": person.staff("L"),
            "approved_at": p.at(p.day(day), 15) if rest["approved_by"] else None,
            **rest,
        },
    )


def _refund_ticket(p: planter.Planter, person: planter.Person, ticket: str, customer: str | None) -> None:
    p.insert(
        "ticket",
        {
            "ticket_id": ticket,
            "kind": "refund",
            "customer_id": customer,
            "org_id": person.station_org,
            "accepted_at": p.at(p.day(2), 9),
            "promised_at": p.at(p.day(28), 9),
            "completed_at": p.at(p.day(24), 9),
            "status": "completed",
        },
    )
