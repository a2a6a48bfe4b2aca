"""Service: SRV-007 (catalogue, area SRV)."""

from __future__ import annotations

from datetime import date, timedelta

from mingcha.synth.plant import collection_more, edits, planter

_HOME = "kind = 'home' AND base BETWEEN 100 AND 400 AND read_day = 1"

# case → the bill, counted back from M, that was not paid until the supply was cut for it
_DEBT = {"nothing": 1, "early": 2, "no_notice": 3, "night": 3, "unapproved": 3, "lawful": 3, "seven": 3}


# SRV-007 | cause arrears: nothing unpaid at cut_at; oldest due within 30 days; notice < 7 days or reminder
# < 30 minutes before; at night, on or before a day of rest; nobody approved
def cast_cuts(p: planter.Planter) -> None:
    """Choose who is cut off in M, as far as the window holds the debt."""
    for name, many in (
        ("nothing", 2), ("early", 1), ("no_notice", 1), ("night", 1), ("unapproved", 1), ("lawful", 1),
        ("seven", 1),
    ):  # fmt: skip
        if collection_more.reaches(p, _DEBT[name]):
            p.take(f"srv007_{name}", many, _HOME)


def owe(p: planter.Planter) -> None:
    """Keep the bills open for which supply is cut (SRV-007)."""
    for name, before in _DEBT.items():
        for person in p.cast.get(f"srv007_{name}", []):
            edits.never_paid(p, person, (before,))


def _day(p: planter.Planter) -> date:
    return collection_more.cutting_day(p, 16)


def _paid_at(name: str) -> float:
    return 21.5 if name == "night" else 15


def settle(p: planter.Planter) -> None:
    """Pay the debt the day supply was cut; those who owe nothing paid before (SRV-007)."""
    for name, before in _DEBT.items():
        for person in p.cast.get(f"srv007_{name}", []):
            if name == "nothing":
                collection_more.pay_cash(p, person, before, p.at(p.day(9), 10), receipt="QD")
            else:
                collection_more.pay_late(p, person, before, _day(p), hour=_paid_at(name))


def cut(p: planter.Planter) -> None:
    """Write the disconnections of M (SRV-007)."""
    for name, kind, reason, note in (
        ("nothing", "planted", "nothing_owed", "every bill was paid a week before"),
        ("early", "planted", "too_early", "the debt was fifteen days old"),
        ("no_notice", "planted", "no_notice", "told in writing three days before"),
        ("night", "planted", "bad_time", "cut at nine in the evening"),
        ("unapproved", "planted", "not_approved", "nobody approved it"),
        ("lawful", "innocent", "in_order", "told, reminded, approved, by day"),
        ("seven", "innocent", "threshold", "told seven days before, reminded thirty minutes before"),
    ):
        for person in p.cast.get(f"srv007_{name}", []):
            _cut(p, person, name)
            p.note(kind, "SRV-007", ("customer", person.cid), person, (reason, note))
    for person in p.cast.get("col012_cut", []):
        why = ("in_order", "cut off for an old debt, told before, and still without supply")
        p.note("innocent", "SRV-007", ("customer", person.cid), person, why)


def _cut(p: planter.Planter, person: planter.Person, name: str) -> None:
    day = _day(p)
    hour = 21.0 if name == "night" else 9.5
    told = {"no_notice": 3, "seven": 7}.get(name, 9)
    reminded = p.at(day, hour - 0.5) if name == "seven" else p.at(day - timedelta(days=1), 9)
    # who pays in the afternoon is supplied again the same day; who was cut at night, the next morning
    back = p.at(day + timedelta(days=1), 8) if name == "night" else p.at(day, 17)
    p.insert(
        "disconnection",
        {
            "disconnection_id": f"DX{person.n:08d}",
            "customer_id": person.cid,
            "cause": "arrears",
            "method": "remote",
            "notified_at": p.at(day - timedelta(days=told), 9),
            "reminded_at": reminded,
            "approved_by": None if name == "unapproved" else person.county_staff("M", 2),
            "cut_at": p.at(day, hour),
            "paid_at": None if name == "nothing" else p.at(day, _paid_at(name)),
            "restored_at": back,
        },
    )
