"""The utility as an employer: organisation tree, staff, their roles, and the days that are special."""

from __future__ import annotations

from typing import Any

from mingcha.synth import engine
from mingcha.synth import plan as plans

PROVINCE = "99"

# letter of the staff id, post, how many per unit, level of the unit, roles
POSTS: tuple[tuple[str, str, int, str, tuple[str, ...]], ...] = (
    ("R", "reader", 4, "station", ("read_meter", "change_reading")),
    ("C", "cashier", 2, "station", ("collect",)),
    ("L", "clerk", 2, "station", ("apply_adjustment", "change_archive")),
    ("I", "installer", 3, "station", ("install_meter", "issue_seal")),
    ("M", "manager", 1, "station", ("approve_reading", "approve_archive")),
    ("B", "biller", 4, "county", ("bill",)),
    ("K", "biller", 2, "county", ("reconcile", "issue_invoice")),
    ("V", "inspector", 3, "county", ()),
    ("M", "manager", 2, "county", ("approve_adjustment", "approve_archive")),
)


def build(con: Any, plan: plans.Plan) -> None:
    """Write `org` (units by number) and the tables org_unit, staff, staff_role and calendar_day."""
    sizes = plan.sizes
    engine.run(
        con,
        "organisation",
        "org",
        stations=-(-plan.customers // sizes.station),
        per_county=sizes.stations_per_county,
        per_city=sizes.counties_per_city,
        province=PROVINCE,
    )
    posts = [(letter, post, many, level) for letter, post, many, level, _ in POSTS]
    engine.fill(con, "posts", "letter VARCHAR, post VARCHAR, many INTEGER, level VARCHAR", posts)
    roles = [(letter, level, role) for letter, _, _, level, names in POSTS for role in names]
    engine.fill(con, "post_roles", "letter VARCHAR, level VARCHAR, role VARCHAR", roles)
    engine.run(con, "organisation", "staff")
    days = sorted(engine.holidays().items())
    engine.fill(con, "t_calendar_day", "day DATE, kind VARCHAR", days)
