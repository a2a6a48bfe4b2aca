"""Charging wrongly: rewriting lines of a bill before it is added up, so that what follows from them follows.

All of this works at the station `charges`, on `ln`: the lines of every bill but the power factor, whose
percentage is taken of them afterwards.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from mingcha.synth.plant import planter

PER_KWH = ("grid_loss", "transmission", "system", "fund")


def where(p: planter.Planter, person: planter.Person, component: str, more: str = "") -> str:
    """Return the condition on `ln` for a component of the main point in M's bill."""
    return f"n = {person.n} AND m = {p.m} AND inst = 2 AND k = 1 AND component = '{component}' {more}"


def charged(p: planter.Planter, person: planter.Person, component: str | None = None) -> Decimal:
    """Return what M's bill charges so far under a component, or altogether."""
    name = "" if component is None else f" AND component = '{component}'"
    row = p.con.execute(
        f"SELECT CAST(coalesce(sum(amount), 0) AS DECIMAL(18,2)) FROM ln WHERE n = {person.n} "
        f"AND m = {p.m} AND inst = 2{name}"
    ).fetchone()
    assert row is not None
    return Decimal(row[0])


def too_much(
    p: planter.Planter, person: planter.Person, component: str | None, edit: Callable[[], None]
) -> Decimal:
    """Run `edit` and return by how much it raised what is charged under the component."""
    before = charged(p, person, component)
    edit()
    after = charged(p, person, component)
    assert after != before, f"{person.cid}: nothing changed under {component}"
    return after - before


def reprice(p: planter.Planter, person: planter.Person, component: str, price: str, more: str = "") -> None:
    """Charge a component at another price (SQL); the amounts follow."""
    p.con.execute(
        f"UPDATE ln SET price = {price}, amount = cny(quantity, {price}) WHERE "
        + where(p, person, component, more)
    )


def requantity(
    p: planter.Planter, person: planter.Person, component: str, quantity: str, more: str = ""
) -> None:
    """Charge another quantity (SQL) of a component; the amounts follow."""
    p.con.execute(
        f"UPDATE ln SET quantity = {quantity}, amount = cny({quantity}, price) WHERE "
        + where(p, person, component, more)
    )


def recount(p: planter.Planter, person: planter.Person, kwh: str) -> None:
    """Charge other kWh (SQL of the energy `quantity` of a line) by period; the parts per kWh follow."""
    requantity(p, person, "energy", kwh)
    total = (
        f"(SELECT sum(x.quantity) FROM ln x WHERE x.n = {person.n} AND x.m = {p.m} AND x.inst = 2 "
        "AND x.k = 1 AND x.component = 'energy')"
    )
    for component in PER_KWH:
        requantity(p, person, component, total)


def drop(p: planter.Planter, person: planter.Person, component: str) -> None:
    """Leave a component out of M's bill."""
    p.con.execute("DELETE FROM ln WHERE " + where(p, person, component))


def as_metered(p: planter.Planter, person: planter.Person) -> None:
    """Charge what the main meter's registers say, no loss added and nothing taken off."""
    recount(
        p,
        person,
        "(SELECT CASE ln.period WHEN 'sharp' THEN e1 WHEN 'peak' THEN e2 WHEN 'valley' THEN e4 "
        "WHEN 'flat' THEN e - e1 - e2 - e4 ELSE e END FROM bi WHERE bi.n = ln.n AND bi.m = ln.m "
        "AND bi.inst = ln.inst AND bi.k = 1)",
    )


def without_loss(p: planter.Planter, person: planter.Person) -> None:
    """Leave the transformer loss out of M's bill: its line, its kWh, and its share of the power factor."""
    as_metered(p, person)
    drop(p, person, "transformer_loss")
    p.con.execute(f"UPDATE bs SET loss = 0, loss_kvarh = 0 WHERE n = {person.n} AND m = {p.m} AND inst = 2")
    why = ("follows", "the power factor lacks the loss as well")
    p.note("consequence", "PRI-057", ("bill", p.bill_id(person)), person, why)


def consequence(p: planter.Planter, person: planter.Person, note: str) -> None:
    """Note that the re-rating may find M's bill different as well (PRI-075)."""
    p.note("consequence", "PRI-075", ("bill", p.bill_id(person)), person, ("follows", note))


def near(p: planter.Planter, person: planter.Person, note: str) -> None:
    """Note that the re-rating differs from M's bill by less than the rule minds (PRI-075)."""
    p.note("innocent", "PRI-075", ("bill", p.bill_id(person)), person, ("threshold", note))
