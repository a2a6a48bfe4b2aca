"""Collection: COL-002, COL-003, COL-007 (catalogue, area COL)."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from mingcha.synth.plant import edits, planter

_CASH = "kind = 'home' AND base BETWEEN 100 AND 400 AND pay IN ('counter', 'online')"


# COL-002 | instrument ≠ cash, kind in (payment, prepayment): no bank_statement with equal reference and
# amount within 3 working days; or amount differs; or the statement names another customer with an open
# bill of equal amount (name similarity < 0.9)
def cast_bank(p: planter.Planter) -> None:
    """Choose whose transfers cannot be found at the bank; their bills of M-1 are paid by hand below."""
    for name, many in (
        ("absent", 2), ("no_reference", 1), ("differs", 2), ("late", 1), ("other", 2), ("other_owner", 2),
        ("on_time", 1), ("own_name", 1), ("batch", 2), ("cash", 1),
    ):  # fmt: skip
        p.take(f"col002_{name}", many, "kind IN ('shop', 'works') AND base BETWEEN 300 AND 9000")


def leave_open(p: planter.Planter) -> None:
    """Keep the bills open that the cases pay by hand, or never (COL-002, COL-003)."""
    for name, people in p.cast.items():
        if name.startswith(("col002_", "col003_")):
            for person in people:
                edits.never_paid(p, person, (1,))
    for person, owner in zip(p.cast["col002_other"], p.cast["col002_other_owner"], strict=True):
        # the other's open bill asks for exactly the same amount
        row = p.con.execute(
            f"SELECT a.amount, a.amount - b.amount FROM t_bill a, t_bill b "
            f"WHERE a.bill_id = '{p.bill_id(person, 1)}' AND b.bill_id = '{p.bill_id(owner, 1)}'"
        ).fetchone()
        assert row is not None
        bill = p.bill_id(owner, 1)
        p.con.execute(f"UPDATE t_bill SET amount = {row[0]} WHERE bill_id = '{bill}'")
        p.insert(
            "bill_line",
            {
                "bill_id": bill,
                "line_no": 40,
                "component": "other",
                "quantity": 1,
                "unit": "item",
                "price": row[1],
                "amount": row[1],
            },
        )


def pay_by_transfer(p: planter.Planter) -> None:
    """Write the transfers of M (COL-002)."""
    for name in (
        "absent", "no_reference", "differs", "late", "other", "on_time", "own_name", "batch", "cash",
    ):  # fmt: skip
        for person in p.cast[f"col002_{name}"]:
            reference: str | None = f"NP{person.n:08d}"
            if name in ("no_reference", "cash"):
                reference = None
            if name == "batch":
                reference = f"NPB{p.cast['col002_batch'][0].n:08d}"
            p.con.execute(
                "INSERT INTO t_receipt BY NAME SELECT "
                f"'QX{person.n:08d}' AS receipt_id, customer_id, bill_id, at_hour(DATE "
                f"'{p.day(12)}', 10.5) AS received_at, "
                "amount, 'payment' AS kind, 'bank' AS channel, "
                f"'{'cash' if name == 'cash' else 'transfer'}' AS instrument, "
                f"{'NULL' if reference is None else repr(reference)} AS bank_reference, "
                f"'{person.staff('C')}' AS cashier_id, '{person.station_org}' AS station_org, "
                f"'{person.county_org}' AS county_org, n FROM t_bill WHERE bill_id = '{p.bill_id(person, 1)}'"
            )


def spoil_statements(p: planter.Planter) -> None:
    """Take statements away, shift them, or let them name somebody else (COL-002)."""
    plan = (
        ("absent", "planted", "not_in_bank", "no statement carries the reference"),
        (
            "no_reference",
            "planted",
            "no_reference",
            "a transfer without reference, and no such money at the bank",
        ),
        ("differs", "planted", "amount_differs", "the bank booked 10 CNY less"),
        ("late", "planted", "booked_late", "booked seven working days later"),
        ("other", "planted", "other_customer", "the payer has an open bill of the same amount"),
        ("on_time", "innocent", "threshold", "booked three working days later"),
        ("own_name", "innocent", "similar_name", "the payer's name is longer by a branch"),
        ("batch", "innocent", "batch", "two receipts, one statement of their sum"),
        ("cash", "innocent", "cash", "paid in cash: nothing to find at the bank"),
    )
    for name, kind, reason, note in plan:
        for person in p.cast[f"col002_{name}"]:
            p.note(kind, "COL-002", ("receipt", f"QX{person.n:08d}"), person, (reason, note))
    _change_statement(p, "differs", "amount = amount - 10")
    _change_statement(p, "late", f"booked_on = DATE '{_workday(p, 7)}'")
    _change_statement(p, "on_time", f"booked_on = DATE '{_workday(p, 3)}'")
    _change_statement(p, "own_name", "payer_name = payer_name || '一分店'", named=True)
    for person in p.cast["col002_absent"]:
        p.con.execute(f"DELETE FROM t_bank_statement WHERE reference = 'NP{person.n:08d}'")
    for person, owner in zip(p.cast["col002_other"], p.cast["col002_other_owner"], strict=True):
        p.con.execute(
            "UPDATE t_bank_statement SET payer_name = (SELECT name FROM t_customer WHERE "
            f"customer_id = '{owner.cid}') "
            f"WHERE reference = 'NP{person.n:08d}'"
        )
        p.con.execute(f"UPDATE t_customer SET name = name || '总店' WHERE customer_id = '{owner.cid}'")
        p.con.execute(
            "UPDATE t_bank_statement SET payer_name = payer_name || '总店' WHERE reference = "
            f"'NP{person.n:08d}'"
        )


def _change_statement(p: planter.Planter, name: str, change: str, *, named: bool = False) -> None:
    for person in p.cast[f"col002_{name}"]:
        where = f"reference = 'NP{person.n:08d}'"
        if named:
            p.con.execute(
                f"UPDATE t_bank_statement SET payer_name = (SELECT name FROM t_customer "
                f"WHERE customer_id = '{person.cid}') WHERE {where}"
            )
        p.con.execute(f"UPDATE t_bank_statement SET {change} WHERE {where}")


def _workday(p: planter.Planter, number: int) -> str:
    """Return the working day so many after the twelfth of M, by the calendar of the books."""
    row = p.con.execute(
        f"SELECT day FROM (SELECT CAST(DATE '{p.day(12)}' + CAST(i.range AS INTEGER) AS DATE) AS "
        "day FROM range(1, 30) i) d "
        "LEFT JOIN t_calendar_day c USING (day) "
        "WHERE coalesce(c.kind, CASE WHEN isodow(day) > 5 THEN 'rest' ELSE 'workday' END) = 'workday' "
        f"ORDER BY day LIMIT 1 OFFSET {number - 1}"
    ).fetchone()
    assert row is not None
    return str(row[0])


# COL-003 | received in the last 3 days of a month and reversed within the first 10 days of the next; or
# reversed and re-entered ≥ 2 times; left out: wrong-account correction with equal amount to another
# customer the same day
def cast_false_receipts(p: planter.Planter) -> None:
    """Choose whose receipts are undone."""
    for name, many in (
        ("tail", 3),
        ("again", 2),
        ("moved", 1),
        ("right", 1),
        ("early", 1),
        ("late", 1),
        ("once", 1),
    ):
        p.take(f"col003_{name}", many, _CASH)


def undo_receipts(p: planter.Planter) -> None:
    """Write receipts that are reversed (COL-003)."""
    for index, person in enumerate(p.cast["col003_tail"]):
        first = _receive(p, person, 1, p.at(p.end, -24 * (1 + index) + 15))
        _reverse(p, person, first, p.at(p.end, 24 * (1 + 3 * index) + 9.5))
        _undone(p, person, first, "planted", ("month_end", "received at the month's end, undone after it"))
    for person in p.cast["col003_again"]:
        last = ""
        for turn in range(2):
            last = _receive(p, person, turn, p.at(p.day(10 + 3 * turn), 10))
            _reverse(p, person, last, p.at(p.day(11 + 3 * turn), 16))
        _receive(p, person, 2, p.at(p.day(17), 10))
        _undone(p, person, last, "planted", ("reversed_again", "reversed and entered again twice"))
    (moved,), (right,) = p.cast["col003_moved"], p.cast["col003_right"]
    first = _receive(p, moved, 1, p.at(p.end, -5))
    _reverse(p, moved, first, p.at(p.end, 24 + 10))
    _receive(p, right, 1, p.at(p.end, 24 + 10.2), amount_of=moved, cashier=moved)
    _undone(p, moved, first, "innocent", ("wrong_account", "moved to the right account the same day"))
    for name, received, reversed_at, note in (
        (
            "early",
            p.at(p.end, -4 * 24 + 15),
            p.at(p.end, 24 + 9),
            "received four days before the month's end",
        ),
        ("late", p.at(p.end, -40 * 24), p.at(p.end, -20 * 24 + 1), "reversed on the eleventh"),
        ("once", p.at(p.day(14), 11), p.at(p.day(14), 12), "reversed once, the same day"),
    ):
        (person,) = p.cast[f"col003_{name}"]
        first = _receive(p, person, 1, received)
        _reverse(p, person, first, reversed_at)
        _undone(p, person, first, "innocent", ("threshold", note))


def _receive(
    p: planter.Planter,
    person: planter.Person,
    turn: int,
    moment: datetime,
    *,
    amount_of: planter.Person | None = None,
    cashier: planter.Person | None = None,
) -> str:
    """Write a cash payment of the bill before M's and return its id."""
    receipt = f"QY{person.n:08d}{turn}"
    p.con.execute(
        f"INSERT INTO t_receipt BY NAME SELECT '{receipt}' AS receipt_id, '{person.cid}' AS customer_id, "
        f"{repr(p.bill_id(person, 1)) if amount_of is None else 'NULL'} AS bill_id, TIMESTAMP "
        f"'{moment}' AS received_at, "
        "amount, 'payment' AS kind, 'counter' AS channel, 'cash' AS instrument, "
        f"'{(cashier or person).staff('C')}' AS cashier_id, '{person.station_org}' AS station_org, "
        f"'{person.county_org}' AS county_org, {person.n} AS n "
        f"FROM t_bill WHERE bill_id = '{p.bill_id(amount_of or person, 1)}'"
    )
    return receipt


def _reverse(p: planter.Planter, person: planter.Person, receipt: str, moment: datetime) -> None:
    p.con.execute(
        "INSERT INTO t_receipt BY NAME SELECT receipt_id || 'V' AS receipt_id, customer_id, bill_id, "
        f"TIMESTAMP '{moment}' AS received_at, -amount AS amount, 'reversal' AS kind, channel, "
        "instrument, cashier_id, "
        f"'{person.staff('M')}' AS approved_by, receipt_id AS reversed_receipt_id, station_org, "
        "county_org, n "
        f"FROM t_receipt WHERE receipt_id = '{receipt}'"
    )


def _undone(
    p: planter.Planter, person: planter.Person, receipt: str, kind: str, why: tuple[str, str]
) -> None:
    p.note(kind, "COL-003", ("receipt", receipt), person, why)


# COL-007 | transfer_out/transfer_in between customers with different id_number and account_group_id, or
# approved_by null; or ≥ 3 per customer in 12 months; left out: transfer_name ticket
def cast_transfers(p: planter.Planter) -> None:
    """Choose pairs between whom prepaid money moves; groups are pairs of one owner."""
    for name in ("unrelated", "unrelated_b", "unapproved", "often", "named", "group"):
        p.take(f"col007_{name}", 2, "kind IN ('shop', 'home')")


def group_accounts(p: planter.Planter) -> None:
    """Give pairs of accounts one owner (COL-007)."""
    for name in ("unapproved", "often", "group"):
        pair = p.cast[f"col007_{name}"]
        names = ", ".join(f"'{person.cid}'" for person in pair)
        p.con.execute(
            f"UPDATE t_customer SET account_group_id = 'AGP{pair[0].n:08d}' WHERE customer_id IN ({names})"
        )


def shuffle(p: planter.Planter) -> None:
    """Move prepaid money between accounts in M (COL-007)."""
    plan = (
        ("unrelated", 1, True, "planted", "unrelated", "two strangers' accounts"),
        ("unrelated_b", 1, True, "planted", "unrelated", "two strangers' accounts"),
        ("unapproved", 1, False, "planted", "not_approved", "one owner, but nobody approved it"),
        ("often", 3, True, "planted", "repeated", "three times within the year"),
        ("named", 1, True, "innocent", "transfer_name", "the account changed its holder in M"),
        ("group", 2, True, "innocent", "group", "one owner, approved, twice"),
    )
    for name, times, approved, kind, reason, note in plan:
        giver, taker = p.cast[f"col007_{name}"]
        for turn in range(times):
            # the last transfer lies in M, those before it in the months before
            moment = p.at(p.plan.end_month.add(-2 * (times - 1 - turn)).start, 24 * 14 + 11)
            boss = giver.county_staff("M", 2) if approved else None
            _transfer(p, giver, taker, f"{turn}", moment, approved_by=boss)
        last = times - 1
        p.note(kind, "COL-007", ("receipt", f"QS{giver.n:08d}{last}"), giver, (reason, note))
        p.note(
            "consequence" if kind == "planted" else "innocent",
            "COL-007",
            ("receipt", f"QS{taker.n:08d}{last}"),
            taker,
            (reason, f"{note}; the receiving side"),
        )


def _transfer(
    p: planter.Planter,
    giver: planter.Person,
    taker: planter.Person,
    turn: str,
    moment: datetime,
    *,
    approved_by: str | None,
) -> None:
    """Write both sides of a transfer of 180 CNY."""
    sides = ((giver, taker, -180, "transfer_out"), (taker, giver, 180, "transfer_in"))
    for person, other, amount, kind in sides:
        p.insert(
            "receipt",
            {
                "receipt_id": f"QS{person.n:08d}{turn}",
                "customer_id": person.cid,
                "received_at": moment,
                "amount": Decimal(amount),
                "kind": kind,
                "channel": "counter",
                "instrument": "other",
                "counterpart_customer_id": other.cid,
                "cashier_id": person.staff("C"),
                "approved_by": approved_by,
            },
        )


def name_change(p: planter.Planter) -> None:
    """Write the change of holder that explains a transfer (COL-007, innocent)."""
    for person in p.cast["col007_named"]:
        p.insert(
            "ticket",
            {
                "ticket_id": f"WN{person.n:08d}",
                "kind": "transfer_name",
                "customer_id": person.cid,
                "org_id": person.station_org,
                "accepted_at": p.at(p.day(4), 9),
                "promised_at": p.at(p.day(20), 9),
                "completed_at": p.at(p.day(13), 9),
                "status": "completed",
            },
        )
