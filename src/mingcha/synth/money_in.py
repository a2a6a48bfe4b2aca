"""What comes in: receipts for the bills, how they reach the bank, prepayments, late fees, invoices, ledger.

Everything that is not cash reaches the bank the day after, in one transfer per payer or in one batch
per station, channel and day; cash is paid in by each cashier. So every receipt can be found.
"""

from __future__ import annotations

from typing import Any

from mingcha.synth import engine
from mingcha.synth import plan as plans


def _values(plan: plans.Plan) -> dict[str, Any]:
    return {"months": plan.months, "data_date": plan.data_date.isoformat()}


def prepare(con: Any) -> None:
    """Write the empty `never_paid` (bill_id): bills for which no receipt is made."""
    con.execute("CREATE OR REPLACE TABLE never_paid (bill_id VARCHAR)")


def receipts(con: Any, plan: plans.Plan) -> None:
    """Write receipt, late_fee, write_off and notice for the bills as they stand."""
    engine.run(con, "money_in", "due", "receipts", "slips", "transfers", "late", **_values(plan))


def bank(con: Any, plan: plans.Plan) -> None:
    """Set what each bill's status is, and write statements, deposits, balances, invoices and the ledger."""
    engine.run(con, "money_in", "status", "bank", "books", **_values(plan))
