"""Make the utility: chunk by chunk the whole chain from customers to ledger, with faults planted on the way.

The order of the steps is the order of the trade. Faults are planted between them, so that what follows
from a fault (a wrong reading is billed and paid) follows by itself.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from mingcha.kernel import errors, periods
from mingcha.synth import (
    billing,
    consumption,
    customers,
    engine,
    gateways,
    metering,
    money_in,
    network,
    organisation,
    processes,
    readings,
    supply,
    tariffs,
    truth,
    writing,
)
from mingcha.synth import plan as plans
from mingcha.synth.plant import chain, planter

Progress = Callable[[str], None]
END_MONTH = "2026-03"


@dataclass(frozen=True, slots=True)
class Made:
    """What was written: the folder, rows per table, and how many cases of each kind the truth names."""

    out: Path
    rows: dict[str, int]
    cases: dict[str, int]


def generate(
    *,
    out: Path,
    customers: int,
    months: int,
    seed: int,
    clean: bool = False,
    end_month: str = END_MONTH,
    data_date: date | None = None,
    daily_days: int | None = None,
    curve_share: Decimal | None = None,
    file_format: str = "parquet",
    memory: str = "5GB",
    threads: int | None = None,
    chunk_limit: int = plans.CHUNK,
    progress: Progress | None = None,
) -> Made:
    """Write a utility of `customers` over `months` billing months into the empty folder `out`.

    `end_month` is the last complete month, `data_date` the last day delivered (default: the tenth after
    it), `daily_days` how many days back daily values reach, `curve_share` the share of customers with
    load curves (fewer in big utilities unless said), `chunk_limit` how many customers are made at once. The
    same order gives the same books. Raises SetupError for an order that cannot be met.
    """
    month = periods.BillingMonth.parse(end_month)
    plan = plans.check(
        plans.Plan(
            out=out,
            customers=customers,
            months=months,
            seed=seed,
            clean=clean,
            end_month=month,
            data_date=data_date or plans.default_data_date(month),
            daily_days=daily_days or plans.default_daily_days(customers),
            curve_share=plans.default_curve_share(customers) if curve_share is None else curve_share,
            file_format=file_format,
            chunk_limit=chunk_limit,
        )
    )
    _check_out(out)
    out.mkdir(parents=True, exist_ok=True)
    spill = out / ".spill"
    try:
        return _make(plan, spill, memory, threads, progress or (lambda _: None))
    finally:
        shutil.rmtree(spill, ignore_errors=True)


def _check_out(out: Path) -> None:
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise errors.SetupError(
            f"{out} is there already and not an empty folder",
            why="files of an earlier utility would mix with the new ones",
            mend="name a new folder, or empty this one",
        )


def _make(plan: plans.Plan, spill: Path, memory: str, threads: int | None, progress: Progress) -> Made:
    con = engine.connect(plan=plan, folder=str(spill), memory=memory, threads=threads)
    try:
        organisation.build(con, plan)
        tariffs.build(con)
        chunks = plan.chunks()
        rows: dict[str, int] = {}
        book = truth.Truth()
        for number, (low, high) in enumerate(chunks):
            progress(f"customers {low} to {high - 1} of {plan.customers}")
            # faults are planted in the first chunk only: their number does not grow with the utility
            planting = number == 0 and not plan.clean
            _chunk(con, plan, low, high, chain.Chain(planter.Planter(con, plan, book)) if planting else None)
            part = None if len(chunks) == 1 else number
            counted = writing.write(
                con, out=plan.out, part=part, names=writing.tables_made(con), file_format=plan.file_format
            )
            for name, count in counted.items():
                rows[name] = rows.get(name, 0) + count
        book.write(path=plan.out / truth.FILE)
        return Made(out=plan.out, rows=rows, cases=book.counts())
    finally:
        con.close()


def _chunk(con: Any, plan: plans.Plan, low: int, high: int, planting: chain.Chain | None) -> None:
    """Make the tables of the customers numbered [low, high); `planting` is asked between the steps."""
    plant = planting.at if planting is not None else _nothing
    customers.build(con, plan, low, high)
    consumption.prepare(con)
    readings.prepare(con)
    money_in.prepare(con)
    plant("cast")
    customers.table(con, plan)
    network.build(con, plan)
    metering.build(con, plan)
    plant("metering")
    consumption.build(con)
    readings.build(con, plan)
    gateways.build(con, plan)
    plant("readings")
    billing.build(con, plan, plant)
    plant("bills")
    money_in.receipts(con, plan)
    plant("receipts")
    money_in.bank(con, plan)
    supply.build(con, plan)
    processes.build(con, plan)
    plant("books")


def _nothing(_: str) -> None:
    """Plant nothing: the books stay clean."""
