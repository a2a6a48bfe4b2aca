"""Collection: COL-010, COL-012, COL-019 (catalogue, area COL); late payment by hand, for others too."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from mingcha.synth.plant import edits, planter

_HOME = "kind = 'home' AND base BETWEEN 100 AND 400"
# a bill of more than a thousand CNY in every month of the year
_LARGE = "kind IN ('shop', 'works') AND base BETWEEN 2500 AND 12000"

# case → which bills, counted back from M, nobody pays unless it is done here
_OPEN = {
    "col010_nobody": (1,), "col010_self": (1,), "col010_often": (1, 3), "col010_once": (1,),
    "col010_charged": (1,),
    "col012_old": (4,), "col012_silent": (2,), "col012_disputed": (4,), "col012_small": (4,),
    "col019_twice": (1,), "col019_nothing": (1,), "col019_open": (1,), "col019_refunded": (1,),
    "col019_undone": (1,), "col019_halves": (1,),
}  # fmt: skip


def reaches(p: planter.Planter, before: int) -> bool:
    """Return whether the window holds bills so many months before M."""
    return p.plan.months > before


def keep_open(p: planter.Planter) -> None:
    """Keep the bills open that are paid by hand below, or never (COL-010, COL-012, COL-019)."""
    for name, before in _OPEN.items():
        for person in p.cast.get(name, []):
            edits.never_paid(p, person, before)


def pay_cash(
    p: planter.Planter,
    person: planter.Person,
    before: int,
    moment: datetime,
    *,
    receipt: str,
    amount: str = "amount",
) -> str:
    """Write a payment in cash of the bill `before` months before M and return its id.

    `receipt` begins the id, `amount` is SQL over the bill.
    """
    ident = f"{receipt}{person.n:08d}{before}"
    p.con.execute(
        f"INSERT INTO t_receipt BY NAME SELECT '{ident}' AS receipt_id, '{person.cid}' AS customer_id, "
        f"bill_id, TIMESTAMP '{moment}' AS received_at, CAST({amount} AS DECIMAL(18,2)) AS amount, "
        "'payment' AS kind, 'counter' AS channel, 'cash' AS instrument, "
        f"'{person.staff('C')}' AS cashier_id, '{person.station_org}' AS station_org, "
        f"'{person.county_org}' AS county_org, {person.n} AS n "
        f"FROM t_bill WHERE bill_id = '{p.bill_id(person, before)}'"
    )
    return ident


def pay_late(
    p: planter.Planter,
    person: planter.Person,
    before: int,
    day: date,
    *,
    waived: bool = False,
    approved_by: str = "NULL",
    hour: float = 15,
) -> None:
    """Pay a bill in cash on a day after it was due, with the late fee or without; it is reckoned lawfully.

    `approved_by` is SQL over the bill.
    """
    pay_cash(p, person, before, p.at(day, hour), receipt="QZ")
    bill = p.bill_id(person, before)
    rate = "0.001" if person.kind == "home" else "0.002"
    p.con.execute(
        "INSERT INTO t_late_fee BY NAME WITH f AS (SELECT bill_id, customer_id, issued_by, "
        f"date_diff('day', due_on, DATE '{day}') AS days, amount FROM t_bill WHERE bill_id = '{bill}') "
        f"SELECT 'LF' || substr(bill_id, 2) AS late_fee_id, bill_id, days, "
        f"CAST(round(amount * {rate} * days, 2) AS DECIMAL(18,2)) AS computed, "
        f"CAST({'0' if waived else f'round(amount * {rate} * days, 2)'} AS DECIMAL(18,2)) AS charged, "
        f"CAST({f'round(amount * {rate} * days, 2)' if waived else '0'} AS DECIMAL(18,2)) AS waived, "
        f"{approved_by} AS approved_by, customer_id, DATE '{day}' AS day, {person.n} AS n FROM f"
    )
    if not waived:
        p.con.execute(
            "INSERT INTO t_receipt BY NAME SELECT 'QL' || substr(bill_id, 2) AS receipt_id, customer_id, "
            f"bill_id, TIMESTAMP '{p.at(day, hour + 0.1)}' AS received_at, charged AS amount, "
            "'late_fee' AS kind, 'counter' AS channel, 'cash' AS instrument, "
            f"'{person.staff('C')}' AS cashier_id, '{person.station_org}' AS station_org, "
            f"'{person.county_org}' AS county_org, n "
            f"FROM t_late_fee WHERE bill_id = '{bill}'"
        )


def due(p: planter.Planter, person: planter.Person, before: int) -> date:
    """Return when the bill so many months before M falls due."""
    row = p.con.execute(f"SELECT due_on FROM t_bill WHERE bill_id = '{p.bill_id(person, before)}'").fetchone()
    assert row is not None
    found: date = row[0]
    return found


# COL-010 | late_fee.waived > 0 and (approved_by null or = bill.issued_by; or ≥ 2 waivers per customer in 12
# months)
def cast_waivers(p: planter.Planter) -> None:
    """Choose whose late fee is waived."""
    for name, many in (("nobody", 2), ("self", 1), ("often", 1), ("once", 2), ("charged", 1)):
        if reaches(p, max(_OPEN[f"col010_{name}"])):
            p.take(f"col010_{name}", many, f"{_HOME} AND read_day = 1")


def waive(p: planter.Planter) -> None:
    """Pay bills some days late, with a late fee or without (COL-010)."""
    plan = (
        ("nobody", True, "NULL", "planted", "not_approved", "waived, and nobody approved it"),
        ("self", True, "issued_by", "planted", "own_bill", "waived by whoever issued the bill"),
        ("often", True, None, "planted", "repeated", "waived twice within the year"),
        ("once", True, None, "innocent", "threshold", "waived once, with approval"),
        ("charged", False, "NULL", "innocent", "in_order", "late, and charged in full"),
    )
    for name, waived, approval, kind, reason, note in plan:
        for person in p.cast.get(f"col010_{name}", []):
            boss = approval or f"'{person.county_staff('M')}'"
            for before in _OPEN[f"col010_{name}"]:
                day = due(p, person, before) + timedelta(days=8)
                pay_late(p, person, before, day, waived=waived, approved_by=boss)
            p.note(kind, "COL-010", ("bill", p.bill_id(person, 1)), person, (reason, note))


# COL-019 | receipts of one bill above its amount, or two equal payments within 2 days, not refunded; or
# status paid and less received; or received 5 days ago and still open
def cast_statuses(p: planter.Planter) -> None:
    """Choose whose bill and receipts do not agree."""
    for name, many in (
        ("twice", 2), ("nothing", 1), ("open", 1), ("refunded", 1), ("undone", 1), ("halves", 1),
    ):  # fmt: skip
        p.take(f"col019_{name}", many, f"{_HOME} AND read_day = 1")


def pay_oddly(p: planter.Planter) -> None:
    """Pay bills twice, in halves, or pay back what came twice (COL-019)."""
    for name in ("twice", "refunded", "undone", "halves"):
        for person in p.cast[f"col019_{name}"]:
            amount = "ceil(amount * 50) / 100" if name == "halves" else "amount"
            pay_cash(p, person, 1, p.at(p.day(12), 10), receipt="QD", amount=amount)
            second = pay_cash(p, person, 1, p.at(p.day(13), 16), receipt="QE", amount=amount)
            if name in ("refunded", "undone"):
                _give_back(p, person, second, refund=name == "refunded")
    for person in p.cast["col019_open"]:
        pay_cash(p, person, 1, p.at(p.day(12), 10), receipt="QD")


def _give_back(p: planter.Planter, person: planter.Person, receipt: str, *, refund: bool) -> None:
    kind = "'refund' AS kind" if refund else "'reversal' AS kind, receipt_id AS reversed_receipt_id"
    moment = p.at(p.day(18), 10) if refund else p.at(p.day(13), 16.5)
    p.con.execute(
        "INSERT INTO t_receipt BY NAME SELECT receipt_id || 'V' AS receipt_id, customer_id, bill_id, "
        f"TIMESTAMP '{moment}' AS received_at, -amount AS amount, {kind}, channel, instrument, cashier_id, "
        f"'{person.county_staff('M')}' AS approved_by, station_org, county_org, n "
        f"FROM t_receipt WHERE receipt_id = '{receipt}'"
    )


def misstate(p: planter.Planter) -> None:
    """Write a status that the receipts do not bear out (COL-019)."""
    for name, status in (("nothing", "paid"), ("open", "open")):
        for person in p.cast[f"col019_{name}"]:
            p.con.execute(f"UPDATE t_bill SET status = '{status}' WHERE bill_id = '{p.bill_id(person, 1)}'")
    for name, kind, reason, note in (
        ("twice", "planted", "paid_twice", "paid on the 12th and once more on the 13th"),
        ("nothing", "planted", "paid_not_received", "marked paid, and no money came"),
        ("open", "planted", "received_still_open", "paid on the 12th and still open"),
        ("refunded", "innocent", "refunded", "paid twice, the second payment given back"),
        ("undone", "innocent", "reversed", "paid twice, the second payment reversed at once"),
        ("halves", "innocent", "in_parts", "two equal payments that make up the bill"),
    ):
        for person in p.cast[f"col019_{name}"]:
            p.note(kind, "COL-019", ("customer", person.cid), person, (reason, note))


# COL-012 | unpaid bills more than 90 days late, ≥ 1000 CNY; or more than 30 days late and neither reminded
# nor cut off; left out: disputed
def cast_arrears(p: planter.Planter) -> None:
    """Choose who owes for long, as far as the window holds it; one is cut off for it, lawfully."""
    p.take("col012_silent", 2, f"{_HOME} AND read_day = 1")
    if not reaches(p, 4):
        return
    p.take("col012_old", 2, f"{_LARGE} AND read_day = 1")
    p.take("col012_disputed", 1, f"{_LARGE} AND read_day = 1")
    p.take("col012_small", 1, f"{_HOME} AND read_day = 1")
    # little use, as with everybody who is cut off: no sudden fall of it
    for person in p.take("col012_cut", 1, "kind = 'home' AND base BETWEEN 30 AND 90 AND read_day = 1"):
        day = f"DATE '{cutting_day(p, 12)}'"
        p.retell(person, trait="'cutnow'", plain="false", pay="'online'", cut_on=day, energy_to=day)


def cutting_day(p: planter.Planter, number: int) -> date:
    """Return the first day of M, from this number on, on which supply may be cut."""
    row = p.con.execute(f"SELECT min(day) FROM cutting_day WHERE day >= DATE '{p.day(number)}'").fetchone()
    assert row is not None
    found: date = row[0]
    return found


def chase(p: planter.Planter) -> None:
    """Take reminders away, and write the dispute (COL-012)."""
    for name, before in (("silent", 2), ("cut", 3)):
        for person in p.cast.get(f"col012_{name}", []):
            p.con.execute(f"DELETE FROM t_notice WHERE bill_id = '{p.bill_id(person, before)}'")
    for person in p.cast.get("col012_disputed", []):
        p.insert(
            "service_request",
            {
                "request_id": f"SX{person.n:08d}",
                "customer_id": person.cid,
                "org_id": person.station_org,
                "category": "enquiry",
                "topic": "price",
                "received_at": p.back(20),
                "responded_at": p.back(19),
            },
        )
    for name, kind, reason, note in (
        ("old", "planted", "old_arrears", "reminded, and open for more than 90 days"),
        ("silent", "planted", "not_chased", "open for more than 30 days, and nobody reminded them"),
        ("disputed", "innocent", "disputed", "old, and a question about the price is still open"),
        ("small", "innocent", "threshold", "old, reminded, and less than 1000 CNY"),
        ("cut", "innocent", "cut", "not reminded in writing, but cut off for it"),
    ):
        for person in p.cast.get(f"col012_{name}", []):
            p.note(kind, "COL-012", ("customer", person.cid), person, (reason, note))
