"""The tables rating reads from the tariff book and those its steps make: names, columns and types, once.

`BOOK` are the `tb_*` tables that must be there before rating starts (`tariffbook.tables` makes them).
`QUANTITIES` and `CHARGES` are the `rt_*` tables of the two halves, in the order in which they are made. A
section of a step file must give exactly these columns in this order; the engine says so when it does not.

Conventions of all of them: kWh and kvarh DECIMAL(18,4), prices DECIMAL(18,8), money DECIMAL(18,2); days are
half-open intervals `[from, to)`; `sid` numbers the settlements of the rated month from 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

Columns = tuple[tuple[str, str], ...]

KWH = "DECIMAL(18,4)"
PRICE = "DECIMAL(18,8)"
MONEY = "DECIMAL(18,2)"
PERCENT = "DECIMAL(9,4)"
FACTOR = "DECIMAL(18,6)"


def _columns(text: str, **kinds: str) -> Columns:
    """Return the columns named in the text, VARCHAR unless said otherwise: `name` or `name:KIND`."""
    short = {
        "kwh": KWH, "price": PRICE, "money": MONEY, "pct": PERCENT, "factor": FACTOR, "int": "INTEGER",
        "big": "BIGINT", "date": "DATE", "bool": "BOOLEAN", **kinds,
    }  # fmt: skip
    pairs = (part.partition(":") for part in text.split())
    return tuple((name, short.get(kind, kind) if kind else "VARCHAR") for name, _, kind in pairs)


BOOK: Mapping[str, Columns] = MappingProxyType({
    "tb_tariff": _columns(
        "tariff_code book currency title_zh title_en in_force_from:date in_force_to:date usage_category"
        " parts voltage_kv_from:volt voltage_kv_to:volt programme_id tier_id tier_basis tier_measure pf_base"
        " entitlement price_basis",
        volt="DECIMAL(12,4)",
    ),
    "tb_price": _columns(
        "tariff_code component item period tier:int in_force_from:date in_force_to:date known_on:date"
        " price:price unit document clause evidence"
    ),
    "tb_tier": _columns(
        "tier_id period tier:int moy:int upto_kwh:kwh in_force_from:date in_force_to:date members:int"
        " member_kwh:kwh"
    ),
    "tb_programme": _columns(
        "programme_id moy:int day_kind minute_from:int minute_to:int period in_force_from:date"
            " in_force_to:date"
    ),
    # Programmes whose periods have a maximum demand each (interval data only).
    "tb_demand_programme": _columns("tariff_code programme_id"),
    "tb_parameter": _columns(
        "book name value number:price unit in_force_from:date in_force_to:date document clause evidence"
    ),
    "tb_pf": _columns(
        "standard:ratio pf:ratio pct:pct in_force_from:date in_force_to:date document evidence",
        ratio="DECIMAL(4,2)",
    ),
    "tb_transformer": _columns(
        "series capacity_kva:kwh no_load_loss_kw:kwh load_loss_kw:kwh no_load_current_pct:kwh"
        " impedance_pct:kwh document evidence"
    ),
    "tb_code": _columns("tariff_id tariff_code"),
})  # fmt: skip

QUANTITIES: Mapping[str, Columns] = MappingProxyType({
    # One row per utility tariff id and interval. tariff_code and book are NULL when no book holds it: then
    # it is the utility's own row of `tariff` (own = true). usage_category: all of them, comma list.
    "rt_tariff": _columns(
        "tariff_id tariff_code book currency title_zh title_en in_force_from:date in_force_to:date"
        " usage_category parts voltage_kv_from:volt voltage_kv_to:volt programme_id tier_id tier_basis"
        " tier_measure pf_base entitlement price_basis own:bool",
        volt="DECIMAL(12,4)",
    ),
    # Like tb_price by utility tariff id; own prices carry evidence 'own', item '' and the tariff's document.
    "rt_price": _columns(
        "tariff_id tariff_code component item period tier:int in_force_from:date in_force_to:date"
        " known_on:date price:price unit document clause evidence"
    ),
    # Parameters made ready: one row per (book, name, interval) without overlaps, the book's own value, else
    # that of cn.rules, else the default of `rating.parameters`. Tariffs of the utility's own: book 'own'.
    "rt_parameter": _columns(
        "book name value number:price unit in_force_from:date in_force_to:date document clause evidence"
    ),
    "rt_settlement": _columns(
        "sid:big customer_id billing_period seq:int last:bool bill_id bill_ids bills:int started_on:date"
        " read_on:date month_start:date month_end:date"
    ),
    # All points of the settlement that are rated, main ones and children; attributes as in force on the last
    # day. tariff_id: of the contract for a main point (NULL when there is none), else of the point itself.
    "rt_point": _columns(
        "sid:big usage_point_id parent_usage_point_id main:bool relation metering_method transformer_id"
        " tariff_id"
    ),
    # Billable kWh per point, segment and period ('all' for tariffs without periods), after structure, losses
    # and splitting. seg numbers the segments of one point from 1; seg_from/seg_to are days [from, to).
    "rt_energy": _columns(
        "sid:big usage_point_id seg:int seg_from:date seg_to:date tariff_id period kwh:kwh"
    ),
    "rt_loss": _columns("sid:big usage_point_id kind kwh:kwh kvarh:kwh formula"),
    # Only settlements whose contract names a power-factor standard and that have main points.
    "rt_power": _columns("sid:big wp:kwh wq:kwh"),
    # The month's maximum demand of the customer, in its last settlement only; period 'all'.
    "rt_demand": _columns("sid:big period kw:kwh"),
    # Versions of the contract cut to the wider of billing month and reading interval. capacity_kva is as the
    # contract says (may be NULL); contract_capacity_kva is that, else the customer's. book: of the tariff.
    "rt_contract": _columns(
        "sid:big seg_from:date seg_to:date contract_id tariff_id basic_charge_method contract_demand_kw:kwh"
        " capacity_kva:kwh pf_standard:ratio purchase_mode agent_factor:factor contract_capacity_kva:kwh"
        " line_loss_pct:pct shift:int book",
        ratio=FACTOR,
    ),
    # Last settlement only, customers with a basic charge: constant stretches of running kVA over the billing
    # month ∩ [opened_on, closed_on), adjoining, also where it is 0.
    "rt_kva": _columns("sid:big day_from:date day_to:date kva:kwh"),
    # Points on a tariff with annual tiers. kwh: in their earlier billing periods of the year. months: of
    # service in the year, January (or the month of opening) to December, both counted: 12, or fewer in the
    # year of opening; limits are annual × months ÷ 12. A gap history_short stands where complete is false.
    "rt_prior": _columns("sid:big usage_point_id kwh:kwh months:int complete:bool"),
    # One row per settlement and reason; the engine keeps the first detail.
    "rt_gap": _columns("sid:big reason detail"),
})  # fmt: skip

CHARGES: Mapping[str, Columns] = MappingProxyType({
    "rt_line": _columns(
        "sid:big line_no:int usage_point_id component period tier:int quantity:kwh unit days:int"
        " base_amount:money price:price exact:exact amount:money remainder:price tariff_id tariff_code"
        " formula source evidence seg_from:date seg_to:date",
        exact="DECIMAL(38,12)",
    ),
    "rt_feed_in": _columns("generator_id billing_period fed_in_kwh:kwh price:price amount:money"),
})  # fmt: skip

CARRIED: Mapping[str, Columns] = MappingProxyType({
    # What earlier periods of the year held, per point and customer: empty, or what rq_past of the month
    # before was. billing_period is NULL where the periods are added up. See steps/prior.sql.
    "rt_past": _columns(
        "usage_point_id customer_id billing_period first_on:date last_on:date days:big kwh:kwh first_part:big"
    ),
})  # fmt: skip
"""What a month takes over from the month rated before it."""

KEPT: Mapping[str, Columns] = MappingProxyType({**QUANTITIES, **CHARGES})
"""The tables that stay in the connection after rating; other tables of the steps are dropped."""

GAPS = (
    "no_reading", "no_contract", "no_tariff", "no_price", "no_multiplier", "negative_energy",
    "no_period_registers", "history_short", "no_transformer_data", "no_capacity", "no_demand",
    "no_market_price", "unsupported",
)  # fmt: skip
"""The reasons for which a settlement is not rated."""

PERIODS = ("sharp", "peak", "flat", "valley", "deep_valley")
"""Periods in the order in which they take shares; the last one there is takes the remainder."""


def create(name: str) -> str:
    """Return `CREATE OR REPLACE TEMP TABLE` for an empty table of this module, by name.

    >>> create("tb_code")
    'CREATE OR REPLACE TEMP TABLE tb_code (tariff_id VARCHAR, tariff_code VARCHAR)'
    """
    columns = {**BOOK, **KEPT, **CARRIED}[name]
    return (
        f"CREATE OR REPLACE TEMP TABLE {name} ({', '.join(f'{column} {kind}' for column, kind in columns)})"
    )
