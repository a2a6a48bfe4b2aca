"""The delivery itself: DAT-014 (catalogue, area DAT)."""

from __future__ import annotations

from mingcha.synth.plant import planter

# of the payments of M so many in a thousand name a bill that is not delivered: twice what is let pass
_SHARE = 2


# DAT-014 | share of rows whose reference (customer_id, usage_point_id, meter_id, bill_id) does not resolve
# > 0.1 %; rows ± 30 % of the median of three deliveries; newest date late
def pay_for_lost_bills(p: planter.Planter) -> None:
    """Let payments of M name bills that were left out of the delivery (DAT-014)."""
    many = -(-p.plan.customers * _SHARE // 1000)
    p.con.execute(
        "INSERT INTO t_receipt BY NAME SELECT 'QN' || zeros(n, 8) AS receipt_id, cid AS customer_id, "
        f"'BX{p.period.replace('-', '')}' || zeros(n, 8) AS bill_id, "
        f"at_hour(DATE '{p.day(12)}' + CAST(n % 9 AS INTEGER), 10.5) AS received_at, "
        "CAST(60 + n % 40 AS DECIMAL(18,2)) AS amount, 'payment' AS kind, 'counter' AS channel, "
        "'cash' AS instrument, 'E' || station_org || 'C1' AS cashier_id, station_org, county_org, n "
        f"FROM c WHERE plain AND kind = 'home' AND pay <> 'prepaid' ORDER BY rnd(n, 952), n LIMIT {many}"
    )
    why = ("references_broken", f"{_SHARE} payments in a thousand name a bill that is not there")
    p.note("planted", "DAT-014", ("table", "receipt"), None, why)


def measure_lost_point(p: planter.Planter) -> None:
    """Write one daily value of a point nobody knows: too little to matter (DAT-014, innocent)."""
    p.insert(
        "daily_energy",
        {
            "usage_point_id": "P999999991",
            "day": p.day(15),
            "import_kwh": 3,
            "register_active": 100,
            "quality": "measured",
        },
    )
    for table, reason, note in (
        ("daily_energy", "threshold", "one value of a point nobody knows"),
        ("bill", "in_order", "every customer is there"),
        ("contract", "in_order", "every customer is there"),
    ):
        p.note("innocent", "DAT-014", ("table", table), None, (reason, note))
