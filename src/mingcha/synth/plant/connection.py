"""Connection and changes: CON-002, CON-006, CON-011, CON-025 (catalogue, area CON)."""

from __future__ import annotations

from datetime import timedelta

from mingcha.synth.plant import edits, planter


# CON-002 | status=open and (promised_at < D, or an unfinished step with due_at < D, or no step started or
# finished within the last 15 days); an unfinished step with waiting_days > 0 counts as waiting, band watch
def cast_stuck_tickets(p: planter.Planter) -> None:
    """Choose whose tickets get stuck."""
    p.take("con002", 14, "kind = 'home'")


# name, planted or innocent, reason, promised (days from D), step started, finished, due, waiting days
_TICKETS: tuple[tuple[str, str, str, int, int, int | None, int, int], ...] = (
    ("promised three weeks ago", "planted", "promise_overdue", -21, -2, None, 6, 0),
    ("promised yesterday", "planted", "promise_overdue", -1, -3, -2, 6, 0),
    ("survey due four days ago", "planted", "step_overdue", 12, -9, None, -4, 0),
    ("survey due yesterday", "planted", "step_overdue", 12, -9, None, -1, 0),
    ("nobody touched it for 30 days", "planted", "stuck", 25, -30, None, 9, 0),
    ("last step ended 17 days ago", "planted", "stuck", 25, -22, -17, -15, 0),
    ("late, but waiting for the customer", "planted", "promise_overdue", -3, -5, None, 7, 4),
    ("promised for the data date itself", "innocent", "threshold", 0, -3, None, 4, 0),
    ("last step 14 days ago", "innocent", "threshold", 25, -14, None, 9, 0),
    ("step due on the data date", "innocent", "threshold", 12, -9, None, 0, 0),
    ("due long ago, but that step was finished", "innocent", "finished", 12, -9, -6, -8, 0),
)


def write_stuck_tickets(p: planter.Planter) -> None:
    """Write open tickets that are late, stuck or waiting, and some that only look so (CON-002)."""
    people = p.cast["con002"]
    for person, (note, kind, reason, promised, started, finished, due, waiting) in zip(
        people, _TICKETS, strict=False
    ):
        ticket = f"WP{person.n:08d}"
        _open_ticket(p, person, ticket, accepted=min(started, promised) - 20, promised=promised)
        p.insert(
            "ticket_step",
            {
                "ticket_id": ticket,
                "step": "survey",
                "started_at": p.back(-started),
                "finished_at": None if finished is None else p.back(-finished),
                "due_at": p.back(-due),
                "waiting_days": waiting,
                "staff_id": person.staff("I"),
            },
        )
        p.note(kind, "CON-002", ("ticket", ticket), person, (reason, note))
    for person, status in zip(people[len(_TICKETS) :], ("completed", "archived", "cancelled"), strict=True):
        ticket = f"WP{person.n:08d}"
        _open_ticket(p, person, ticket, accepted=-60, promised=-30)
        done = ", completed_at = promised_at + INTERVAL 5 DAY" if status != "cancelled" else ""
        p.con.execute(f"UPDATE t_ticket SET status = '{status}'{done} WHERE ticket_id = '{ticket}'")
        p.note("innocent", "CON-002", ("ticket", ticket), person, ("not_open", f"late but {status}"))


def _open_ticket(
    p: planter.Planter, person: planter.Person, ticket: str, *, accepted: int, promised: int
) -> None:
    p.insert(
        "ticket",
        {
            "ticket_id": ticket,
            "kind": "relocate",
            "customer_id": person.cid,
            "org_id": person.station_org,
            "accepted_at": p.back(-accepted),
            "promised_at": p.back(-promised),
            "status": "open",
            "accepted_by": person.staff("L"),
        },
    )


# CON-006 | sale point with more than 10 kWh in the last 35 days and (no customer in status active, or active
# since more than one full period and no live_bill in M and M-1); parent billed in total is left out
def cast_unbilled(p: planter.Planter) -> None:
    """Choose who uses energy that no account answers for."""
    for person in p.take("con006_pending", 3, "kind IN ('home', 'shop')"):
        p.retell(person, status="'pending'")
    p.take("con006_nobody", 1, "kind = 'shop'")
    p.take("con006_not_billed", 3, "kind = 'home' AND base > 60")
    for person in p.take("con006_trickle", 2, "kind = 'home'"):
        p.retell(person, status="'pending'")
        p.use(person, range(-1, p.plan.months + 1), 5.0)
    p.take("con006_parent", 2, "kind = 'home' AND base > 60")
    # opened inside M: its first reading and bill come next month
    for person in p.take("con006_new", 2, "kind = 'home' AND base > 60"):
        p.retell(
            person,
            trait="'new'",
            opened_on=f"DATE '{p.day(12)}'",
            plain="false",
        )


def detach_points(p: planter.Planter) -> None:
    """Take the customer off one point, and hang two points below a neighbour's (CON-006)."""
    (nobody,) = p.cast["con006_nobody"]
    p.con.execute(f"UPDATE t_usage_point SET customer_id = NULL WHERE usage_point_id = '{nobody.pid}'")
    p.con.execute(f"UPDATE t_customer SET status = 'pending' WHERE customer_id = '{nobody.cid}'")
    host = p.cast["con006_nobody"][0].n
    for person in p.cast["con006_parent"]:
        row = p.con.execute(
            "SELECT pstem || '1' FROM c WHERE kind = 'shop' AND plain AND station_org = ? AND n "
            "<> ? ORDER BY n LIMIT 1",
            [person.station_org, host],
        ).fetchone()
        assert row is not None
        p.con.execute(
            f"UPDATE t_usage_point SET parent_usage_point_id = '{row[0]}', relation = 'sub_added' "
            f"WHERE usage_point_id = '{person.pid}'"
        )


def unread_points(p: planter.Planter) -> None:
    """Points that nobody's book names are not read (CON-006)."""
    for name in ("con006_pending", "con006_nobody", "con006_trickle", "con006_new"):
        for person in p.cast[name]:
            p.con.execute(f"DELETE FROM t_reading WHERE usage_point_id = '{person.pid}'")


def unbill(p: planter.Planter) -> None:
    """Leave out the bills of M and M-1, or all of them where the neighbour pays (CON-006)."""
    for person in p.cast["con006_not_billed"]:
        edits.drop_bills(p, person, (0, 1))
        p.note(
            "planted",
            "CON-006",
            ("point", person.pid),
            person,
            ("active_not_billed", "active for years, no bill in M and M-1"),
        )
        p.note(
            "consequence",
            "PRI-080",
            ("customer", person.cid),
            person,
            ("not_billed", "the readings of the unbilled months stand in the books"),
        )
    for person in p.cast["con006_parent"]:
        edits.drop_bills(p, person, tuple(range(p.plan.months)))
        for rule, subject in (("CON-006", ("point", person.pid)), ("PRI-080", ("customer", person.cid))):
            p.note("innocent", rule, subject, person, ("parent", "billed in the parent's total"))
    for name, reason, note in (
        ("con006_pending", "customer_pending", "customer still pending"),
        ("con006_nobody", "no_customer", "point without customer"),
    ):
        for person in p.cast[name]:
            p.note("planted", "CON-006", ("point", person.pid), person, (reason, note))
    for name, note in (
        ("con006_trickle", "pending, but under 10 kWh in 35 days"),
        ("con006_new", "opened in M, first bill not yet due"),
    ):
        for person in p.cast[name]:
            p.note("innocent", "CON-006", ("point", person.pid), person, ("threshold", note))


# CON-011 | hv with a dedicated transformer; |Σ capacity not removed − contract| > 1 kVA, or
# |kva_run(D) − running capacity| > 1 kVA; chg: capacity tickets, suspend, resume
def cast_transformers(p: planter.Planter) -> None:
    """Choose high-voltage customers whose transformers contradict the contract."""
    hv = "kind IN ('industry', 'hvgen') AND plain AND status = 'active' AND NOT on_demand"
    p.take("con011_bigger", 3, hv, easy=False)
    p.take("con011_sealed", 3, hv, easy=False)
    p.take("con011_ticket", 2, hv, easy=False)
    p.take("con011_rounding", 1, hv, easy=False)


def change_transformers(p: planter.Planter) -> None:
    """Make transformers bigger than contracted, or sealed while charged as running (CON-011)."""
    for person in p.cast["con011_bigger"]:
        _grow(p, person, 85)
        p.note(
            "planted",
            "CON-011",
            ("customer", person.cid),
            person,
            ("connected_above_contract", "transformer 85 kVA bigger than the contract"),
        )
    for person in p.cast["con011_sealed"]:
        _seal(p, person)
        p.note(
            "planted",
            "CON-011",
            ("customer", person.cid),
            person,
            ("running_below_archive", "sealed 40 days ago, running capacity untouched, no ticket"),
        )
    _explain_transformers(p)


def _explain_transformers(p: planter.Planter) -> None:
    """Let open tickets explain the difference, or rounding (CON-011, innocent)."""
    growing, sealing = p.cast["con011_ticket"]
    _grow(p, growing, 100)
    _seal(p, sealing)
    for person, kind in ((growing, "capacity_increase"), (sealing, "suspend")):
        _open_ticket(p, person, f"WC{person.n:08d}", accepted=-12, promised=20)
        p.con.execute(f"UPDATE t_ticket SET kind = '{kind}' WHERE ticket_id = 'WC{person.n:08d}'")
        p.insert(
            "ticket_step",
            {
                "ticket_id": f"WC{person.n:08d}",
                "step": "survey",
                "started_at": p.back(2),
                "due_at": p.back(-9),
            },
        )
        p.note(
            "innocent",
            "CON-011",
            ("customer", person.cid),
            person,
            ("chg", f"an open {kind} ticket explains it"),
        )
    for person in p.cast["con011_rounding"]:
        _grow(p, person, 1)
        p.note("innocent", "CON-011", ("customer", person.cid), person, ("threshold", "exactly 1 kVA apart"))


def _grow(p: planter.Planter, person: planter.Person, kva: int) -> None:
    p.con.execute(
        f"UPDATE t_transformer SET capacity_kva = capacity_kva + {kva} WHERE transformer_id = "
        f"'TD{person.n:08d}1'"
    )
    _charged_otherwise(p, person)


def _seal(p: planter.Planter, person: planter.Person) -> None:
    day = p.plan.data_date - timedelta(days=40)
    transformer = f"TD{person.n:08d}1"
    p.con.execute(
        f"UPDATE t_transformer_status SET effective_to = DATE '{day}' "
        f"WHERE transformer_id = '{transformer}' AND effective_to IS NULL"
    )
    p.insert("transformer_status", {"transformer_id": transformer, "effective_from": day, "status": "sealed"})
    why = ("energy", "sealed, and the meter behind it goes on counting")
    p.note("consequence", "CON-019", ("transformer", transformer), person, why)
    _charged_otherwise(p, person)


def _charged_otherwise(p: planter.Planter, person: planter.Person) -> None:
    """Note that the bill of M charges another capacity or loss than these transformers come to."""
    why = ("follows", "charged for the transformers in the contract")
    p.note("consequence", "PRI-042", ("customer", person.cid), person, why)
    for rule in ("PRI-057", "PRI-075"):
        p.note("consequence", rule, ("bill", p.bill_id(person)), person, why)


# CON-025 | customer closed, or point ended; more than 5 kWh after closed_on + 1 day within 30 days; left out:
# point reassigned to another active customer
def cast_closed(p: planter.Planter) -> None:
    """Choose who goes on using after closing."""
    for name, many in (("con025_closed", 3), ("con025_small", 2), ("con025_stopped", 1)):
        for person in p.take(name, many, "kind = 'home' AND base > 100"):
            p.retell(
                person,
                trait="'closed'",
                plain="false",
                status="'closed'",
                closed_on=f"DATE '{p.day(9)}'",
                energy_to=f"DATE '{p.day(9)}'",
            )
    p.take("con025_ended", 2, "kind = 'works' AND plain AND n % 4 = 0", easy=False)
    # the new holder of a point: the old one closed when M began
    for person in p.take("con025_reassigned", 2, "kind = 'home' AND base > 100"):
        p.retell(person, opened_on=f"DATE '{p.day(1)}'")


def go_on_using(p: planter.Planter) -> None:
    """Write daily energy after the closing day; the meter was never taken down (CON-025)."""
    for name, kwh, last in (
        ("con025_closed", "6.00", None),
        ("con025_small", "0.10", None),
        ("con025_stopped", "6.00", p.day(10)),
    ):
        for person in p.cast[name]:
            _daily_after(p, person, kwh, last or p.plan.data_date)
            p.con.execute(
                "UPDATE t_meter_install SET removed_at = NULL, remove_register = NULL "
                f"WHERE usage_point_id = '{person.pid}'"
            )
            p.con.execute(f"UPDATE t_meter SET status = 'installed' WHERE meter_id = '{person.meter}'")
    for person in p.cast["con025_ended"]:
        sub = f"{person.pid[:-1]}3"
        p.con.execute(
            f"UPDATE t_usage_point SET effective_to = DATE '{p.day(10)}' WHERE usage_point_id = '{sub}'"
        )
        p.con.execute(
            f"DELETE FROM t_reading WHERE usage_point_id = '{sub}' AND billing_period = '{p.period}'"
        )
        p.note(
            "planted",
            "CON-025",
            ("point", sub),
            person,
            ("point_ended", "the sub point ended on the 10th and goes on measuring"),
        )
    notes = (
        ("con025_closed", "planted", "customer_closed", "closed on the 9th, 6 kWh a day since"),
        ("con025_small", "innocent", "threshold", "closed, 0.1 kWh a day since"),
        ("con025_stopped", "innocent", "threshold", "the last use lies on the day after closing"),
    )
    for name, kind, reason, note in notes:
        for person in p.cast[name]:
            p.note(kind, "CON-025", ("point", person.pid), person, (reason, note))


def _daily_after(p: planter.Planter, person: planter.Person, kwh: str, last: object) -> None:
    p.con.execute(
        "INSERT INTO t_daily_energy (usage_point_id, day, import_kwh, register_active, quality, n, k, pk) "
        f"WITH base AS (SELECT max(day) AS day, max(register_active) AS x FROM t_daily_energy "
        f"WHERE usage_point_id = '{person.pid}') "
        f"SELECT '{person.pid}', CAST(base.day + CAST(i.range AS INTEGER) AS DATE), {kwh}, x + "
        f"{kwh} * i.range, "
        f"'measured', {person.n}, 1, {person.pk} FROM base, range(1, 40) i "
        f"WHERE CAST(base.day + CAST(i.range AS INTEGER) AS DATE) <= DATE '{last}'"
    )


def hand_over(p: planter.Planter) -> None:
    """Give the earlier life of two points to a customer who closed when M began (CON-025, innocent)."""
    for person in p.cast["con025_reassigned"]:
        old = f"C9{person.cid[2:]}"
        columns = p.con.execute("SELECT column_name FROM (DESCRIBE t_customer)").fetchall()
        names = [f'"{name}"' for (name,) in columns]
        changed = {
            '"customer_id"': f"'{old}'",
            '"status"': "'closed'",
            '"opened_on"': "DATE '2015-05-05'",
            '"closed_on"': f"DATE '{p.day(1)}'",
        }
        p.con.execute(
            f"INSERT INTO t_customer ({', '.join(names)}) SELECT "
            f"{', '.join(changed.get(n, n) for n in names)} "
            f"FROM t_customer WHERE customer_id = '{person.cid}'"
        )
        p.con.execute(
            f"INSERT INTO t_usage_point BY NAME SELECT * REPLACE (DATE '2015-05-05' AS effective_from, "
            f"'{old}' AS customer_id, DATE '{p.day(1)}' AS effective_to) "
            f"FROM t_usage_point WHERE usage_point_id = '{person.pid}'"
        )
        p.note(
            "innocent",
            "CON-025",
            ("point", person.pid),
            person,
            ("reassigned", "the point belongs to the next customer"),
        )


def hand_over_bills(p: planter.Planter) -> None:
    """The bills before M were the old holder's (CON-025, innocent)."""
    for person in p.cast["con025_reassigned"]:
        p.con.execute(
            f"UPDATE t_bill SET customer_id = 'C9{person.cid[2:]}' WHERE n = {person.n} AND "
            f"billing_period < '{p.period}'"
        )
