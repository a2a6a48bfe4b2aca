"""Internal control and data: CTL-001 and DAT-009 (catalogue, areas CTL and DAT)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from mingcha.synth.plant import planter

_HOME = "kind = 'home' AND base BETWEEN 120 AND 400"


# CTL-001 | adjustment.applied_by = approved_by; reading_change, archive_change changed_by = approved_by;
# bill.issued_by = checked_by; receipt(reversal, transfer_*) cashier_id = approved_by; left out: system
# accounts; metering fields belong to MET-026. Self-approved reading changes are planted as REA-018.
def cast_self_approval(p: planter.Planter) -> None:
    """Choose the customers on whose books somebody approves their own act."""
    for name in ("adjustment", "archive", "bill", "receipt", "metering"):
        p.take(f"ctl001_{name}", 1, _HOME)


def approve_own_bill(p: planter.Planter) -> None:
    """Let a biller check a bill of their own, issued in M for the month before (CTL-001)."""
    (person,) = p.cast["ctl001_bill"]
    staff = _hire(p, person, "SB", "biller", county=True)
    p.con.execute(
        f"UPDATE t_bill SET issued_by = '{staff}', checked_by = '{staff}' WHERE bill_id = "
        f"'{p.bill_id(person, 1)}'"
    )
    _self(p, staff, "bill", "issued and checked a bill")


def approve_own_acts(p: planter.Planter) -> None:
    """Let people approve what they did themselves, each with a staff id of their own (CTL-001)."""
    (person,) = p.cast["ctl001_adjustment"]
    staff = _hire(p, person, "SA", "clerk")
    p.insert(
        "adjustment",
        {
            "adjustment_id": f"JC{person.n:08d}", "customer_id": person.cid, "billing_period": p.period,
            "kind": "refund", "cause": "price", "energy_kwh": 0, "amount": Decimal("150.00"),
            "applied_at": p.at(p.day(9), 10), "applied_by": staff, "approved_at": p.at(p.day(9), 11),
            "approved_by": staff, "evidence_count": 2, "ticket_id": f"WJC{person.n:08d}",
        },
    )  # fmt: skip
    p.insert(
        "ticket",
        {
            "ticket_id": f"WJC{person.n:08d}", "kind": "refund", "customer_id": person.cid,
            "org_id": person.station_org, "accepted_at": p.at(p.day(7), 9), "promised_at": p.at(p.day(20), 9),
            "completed_at": p.at(p.day(9), 15), "status": "completed",
        },
    )  # fmt: skip
    _self(p, staff, "adjustment", "applied and approved an adjustment")
    _approve_archive_changes(p)
    _self(p, "SYSTEM", "system_account", "the nightly batch", "innocent")
    biller = p.cast["ctl001_bill"][0].county_staff("B")
    _self(p, biller, "two_people", "issues bills that others check", "innocent")


def _approve_archive_changes(p: planter.Planter) -> None:
    """Let clerks approve their own changes of the archive; a metering field is MET-026's (CTL-001)."""
    for name, object_type, field, kind in (
        ("archive", "customer", "phone", "planted"),
        ("metering", "usage_point", "multiplier", "innocent"),
    ):
        (person,) = p.cast[f"ctl001_{name}"]
        staff = _hire(p, person, "SC", "clerk")
        p.insert(
            "archive_change",
            {
                "change_id": f"AP{person.n:08d}", "object_type": object_type,
                "object_id": person.cid if object_type == "customer" else person.pid, "field": field,
                "old_value": "1", "new_value": "2", "changed_at": p.at(p.day(16), 10), "changed_by": staff,
                "approved_by": staff,
            },
        )  # fmt: skip
        if name == "metering":
            why = ("no_ticket", "the multiplier was changed without a ticket")
            p.note("consequence", "CTL-009", ("contract", f"K{person.n:08d}"), person, why)
        note = "changed and approved an archive field"
        _self(p, staff, "archive_change" if kind == "planted" else "metering_field", note, kind)


def reverse_own_receipt(p: planter.Planter) -> None:
    """Let a cashier approve a reversal of their own (CTL-001)."""
    (person,) = p.cast["ctl001_receipt"]
    staff = _hire(p, person, "SR", "cashier")
    rows = (("", Decimal("66.00"), "payment", 10.0), ("V", Decimal("-66.00"), "reversal", 10.4))
    for suffix, amount, kind, hour in rows:
        p.insert(
            "receipt",
            {
                "receipt_id": f"QC{person.n:08d}{suffix}", "customer_id": person.cid,
                "received_at": p.at(p.day(18), hour), "amount": amount, "kind": kind, "channel": "counter",
                "instrument": "cash", "cashier_id": staff, "approved_by": staff if suffix else None,
                "reversed_receipt_id": f"QC{person.n:08d}" if suffix else None,
            },
        )  # fmt: skip
    _self(p, staff, "receipt", "reversed a receipt and approved it")


def system_bill(p: planter.Planter) -> None:
    """Let the nightly batch issue and check a bill (CTL-001, innocent)."""
    (person,) = p.cast["ctl001_adjustment"]
    p.con.execute(
        "UPDATE t_bill SET issued_by = 'SYSTEM', checked_by = 'SYSTEM' WHERE bill_id = "
        f"'{p.bill_id(person, 1)}'"
    )


def _hire(p: planter.Planter, person: planter.Person, tag: str, post: str, *, county: bool = False) -> str:
    """Write a member of staff for this case alone and return the id."""
    org = person.county_org if county else person.station_org
    staff = f"E{org}{tag}{person.n:08d}"
    p.insert("staff", {"staff_id": staff, "name": "测试员", "org_id": org, "post": post})
    return staff


def _self(p: planter.Planter, staff: str, reason: str, note: str, kind: str = "planted") -> None:
    p.note(kind, "CTL-001", ("staff", staff), None, (reason, note))


# DAT-009 | active customer with a metered sale point and no meter_install open at D; meter.status ≠ installed
# while an install is open, or installed with none; transformer_status running on a closed customer; feeder
# stopped with point_day energy; left out: ≤ 3 days
def cast_contradictions(p: planter.Planter) -> None:
    """Choose whose archive contradicts itself."""
    for name, many in (("no_meter", 2), ("fresh", 1), ("stock", 1), ("scrapped", 1), ("swapped", 1)):
        p.take(f"dat009_{name}", many, _HOME)
    for person in (*p.cast["dat009_swapped"],):
        p.retell(person, trait="'swap'", plain="false", swap_on=f"DATE '{p.day(3)}'")
    hv = "kind IN ('hvgen', 'industry') AND trait = 'plain' AND status = 'active' AND NOT on_demand"
    for name, many in (("closed", 2), ("closed_fine", 1)):
        for person in p.take(f"dat009_{name}", many, hv, easy=False):
            closed = f"DATE '{p.plan.end_month.add(-2).start}' + 9"
            p.retell(
                person, trait="'closed'", plain="false", status="'closed'", closed_on=closed, energy_to=closed
            )
    p.take("dat009_feeder", 1, _HOME)
    p.take("dat009_fixed", 1, "kind = 'lamp'", easy=False)


def move_to_stopped_feeder(p: planter.Planter) -> None:
    """Hang a customer on a feeder that is stopped (DAT-009)."""
    for person in p.cast["dat009_feeder"]:
        row = p.con.execute("SELECT 'FS' || zeros(sn // 2, 5) FROM c WHERE n = ?", [person.n]).fetchone()
        assert row is not None
        for table, key in (
            ("t_customer", f"customer_id = '{person.cid}'"),
            ("t_usage_point", f"usage_point_id = '{person.pid}'"),
        ):
            p.con.execute(f"UPDATE {table} SET feeder_id = '{row[0]}' WHERE {key}")
        _contradicts(
            p, person, "planted", ("stopped_feeder_delivers", "the feeder is stopped, the meter runs")
        )


def contradict(p: planter.Planter) -> None:
    """Let meters and transformers be where they cannot be (DAT-009)."""
    for person in p.cast["dat009_no_meter"]:
        _take_down(p, person, 7)
        _contradicts(p, person, "planted", ("no_meter_installed", "meter taken down a week ago, none put up"))
    for person in p.cast["dat009_fresh"]:
        _take_down(p, person, 2)
        _contradicts(p, person, "innocent", ("grace", "taken down two days ago"))
    for name, status in (("stock", "in_stock"), ("scrapped", "scrapped")):
        for person in p.cast[f"dat009_{name}"]:
            p.con.execute(f"UPDATE t_meter SET status = '{status}' WHERE meter_id = '{person.meter}'")
            _contradicts(
                p, person, "planted", ("meter_not_installed_status", f"the hanging meter is {status}")
            )
    for person in p.cast["dat009_swapped"]:
        p.con.execute(f"UPDATE t_meter SET status = 'installed' WHERE meter_id = '{person.meter}'")
        _contradicts(
            p, person, "planted", ("meter_installed_nowhere", "the removed meter is still installed")
        )
    _contradict_transformers(p)
    for person in p.cast["dat009_fixed"]:
        _contradicts(p, person, "innocent", ("not_metered", "an unmetered lamp has no meter"))


def _contradict_transformers(p: planter.Planter) -> None:
    """Let transformers of closed accounts run on (DAT-009)."""
    for person in p.cast["dat009_closed"]:
        p.con.execute(
            f"DELETE FROM t_transformer_status WHERE transformer_id LIKE 'TD{person.n:08d}%' AND "
            "status = 'removed'"
        )
        p.con.execute(
            "UPDATE t_transformer_status SET effective_to = NULL WHERE transformer_id LIKE "
            f"'TD{person.n:08d}%'"
        )
        _contradicts(
            p, person, "planted", ("transformer_on_closed", "closed two months ago, transformer running")
        )
        p.note(
            "consequence",
            "CON-011",
            ("customer", person.cid),
            person,
            ("running_above_archive", "the transformer of a closed account still runs"),
        )
    for person in p.cast["dat009_closed_fine"]:
        _contradicts(p, person, "innocent", ("removed", "closed, and the transformer taken away"))


def _take_down(p: planter.Planter, person: planter.Person, days: int) -> None:
    """Take the meter down so many days before the data date, at the index of the day before."""
    day = p.plan.data_date - timedelta(days=days)
    p.con.execute(
        f"UPDATE t_meter_install SET removed_at = at_hour(DATE '{day}', 0.5), remove_register = "
        f"(SELECT register_active FROM t_daily_energy WHERE usage_point_id = '{person.pid}' AND "
        f"day = DATE '{day}' - 1) "
        f"WHERE meter_id = '{person.meter}'"
    )
    p.con.execute(f"UPDATE t_meter SET status = 'removed' WHERE meter_id = '{person.meter}'")
    p.con.execute(f"DELETE FROM t_daily_energy WHERE usage_point_id = '{person.pid}' AND day >= DATE '{day}'")


def _contradicts(p: planter.Planter, person: planter.Person, kind: str, why: tuple[str, str]) -> None:
    p.note(kind, "DAT-009", ("customer", person.cid), person, why)
