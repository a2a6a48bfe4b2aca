"""Measure re-rating as ratios, all in one run on one machine, and write what came out.

    python benchmarks/rating.py --customers 20000 --months 12 --work /tmp/mingcha-bench

Three measures, each step a process of its own with its peak memory:

* rating every month of the books (the steps of the engine alone), beside one full scan of the columns the
  steps read, straight from the snapshot's files;
* `mingcha bills rerate --all`, which also compares with what was billed and keeps the result;
* NREL PySAM's Utilityrate5, one customer-year after another as its users run it: the model made, the load
  set, executed. A run gives twelve bills; a run and a twelfth of it are compared with one bill of ours.

Absolute seconds are only for scale. Results: benchmarks/results/rating-<customers>.json.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import subprocess
import sys
import time
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import run as whole

HERE = Path(__file__).parent
MINGCHA = whole.MINGCHA
RUNS = 300


def helper(name: str, kind: str, *arguments: str) -> whole.Step:
    """Time one of the measures below in a process of its own."""
    return whole.timed(name, [sys.executable, str(HERE / "rating.py"), kind, *arguments])


def rate(folder: Path) -> dict[str, Any]:
    """Rate every month of a workspace, one after the other, keeping nothing; return counts and seconds."""
    from mingcha.audit import rerating
    from mingcha.rating import engine
    from mingcha.rules import moments
    from mingcha.store import snapshots, workspace

    place = workspace.Workspace.open(folder)
    snapshot = snapshots.latest(place)
    assert snapshot is not None
    counts = {"settlements": 0, "lines": 0, "gaps": 0}
    steps: dict[str, float] = {}
    started = time.perf_counter()
    within = engine.Run()
    with rerating.prepared(workspace=place, snapshot=snapshot) as (con, _):
        for period in moments.months_of(snapshot, "bill"):
            rated = engine.rate(con, period=period, within=within)
            counts = {name: total + getattr(rated, name) for name, total in counts.items()}
            for step, seconds in rated.seconds.items():
                steps[step] = steps.get(step, 0) + seconds
    return {"seconds": time.perf_counter() - started, "steps": steps, **counts}


def columns_read(folder: Path) -> dict[str, list[str]]:
    """Return contract table -> columns that the steps read, by resolving every name in their text."""
    import sqlglot
    from sqlglot import exp
    from sqlglot.optimizer import qualify, scope

    from mingcha.audit import rerating
    from mingcha.contract import load as contract
    from mingcha.rating import engine, sections
    from mingcha.rules import moments
    from mingcha.store import snapshots, workspace

    place = workspace.Workspace.open(folder)
    snapshot = snapshots.latest(place)
    assert snapshot is not None
    with rerating.prepared(workspace=place, snapshot=snapshot) as (con, _):
        period = moments.months_of(snapshot, "bill")[0]
        engine.run(con, period=period, names=engine.STEPS, keep=True)
        schema: dict[str, dict[str, str]] = {}
        for table, column, kind in con.execute(
            "SELECT table_name, column_name, data_type FROM duckdb_columns() WHERE NOT internal"
        ).fetchall():
            schema.setdefault(table, {})[column] = kind
    found: dict[str, set[str]] = {}
    delivered = set(contract.contract().tables)
    for section in (one for step in engine.STEPS for one in sections.of(step)):
        text = sections.bind(section, sections.constants(period))
        tree = qualify.qualify(
            sqlglot.parse_one(text, read="duckdb"), schema=schema, dialect="duckdb", quote_identifiers=False
        )
        for part in scope.traverse_scope(tree):
            for column in part.columns:
                source = part.sources.get(column.table)
                if isinstance(source, exp.Table) and source.name in delivered:
                    found.setdefault(source.name, set()).add(column.name)
    return {table: sorted(columns) for table, columns in sorted(found.items())}


def scan(folder: Path) -> dict[str, Any]:
    """Aggregate once every column the steps read, straight from the files; return seconds and rows."""
    import duckdb

    from mingcha.store import snapshots, workspace

    snapshot = snapshots.latest(workspace.Workspace.open(folder))
    assert snapshot is not None
    read = columns_read(folder)
    con = duckdb.connect(config={"memory_limit": "5GB"})
    rows: dict[str, int] = {}
    started = time.perf_counter()
    for table, columns in read.items():
        files = [str(path) for path in snapshot.files(table)]
        there = [column for column in columns if column in snapshot.columns_delivered(table)]
        if files and there:
            # hashed, since a maximum is answered from the statistics of the file without reading it
            selected = ", ".join(f'bit_xor(hash("{column}"))' for column in there)
            found = con.execute(f"SELECT count(*), {selected} FROM read_parquet({files!r})").fetchone()
            rows[table] = found[0] if found else 0
    return {"seconds": time.perf_counter() - started, "rows": rows, "columns": read}


def outside(runs: int) -> dict[str, Any]:
    """Run PySAM for so many customer-years of a tiered rate by hours with demand; return seconds."""
    sys.path.insert(0, str(HERE.parent))
    from tests.rating.foreign import outside as judge
    from tests.rating.foreign import rates

    cases = [
        one for one in rates.cases(64, loads=1, seed=1) if one.kind == "tou_tiered" and one.demand != "none"
    ]
    loads = rates.load_years(8, seed=2)
    draw = random.Random(3)
    chosen = [(draw.choice(cases).rate, draw.choice(loads)) for _ in range(runs)]
    started = time.perf_counter()
    for rate_, load in chosen:
        judge.year(rate_, load)
    return {"seconds": time.perf_counter() - started, "runs": runs}


def measure(*, customers: int, months: int, work: Path, reuse: Path | None) -> dict[str, Any]:
    """Return the measures of one size; makes and takes in books first unless a workspace is given."""
    folder = reuse or _workspace(customers, months, work)
    helper("(warm the page cache)", "scan", str(folder))
    scanned = helper("scan of the columns read", "scan", str(folder))
    rated = helper("rating, steps alone", "rate", str(folder))
    rerated = whole.timed(
        "bills rerate --all", [*MINGCHA, "bills", "rerate", "--all", "-w", str(folder), "--json"]
    )
    sam = helper("PySAM, customer-years", "outside", str(RUNS))
    bills = sum(month["bills"] for month in rerated.answer["months"])
    per_bill = rated.answer["seconds"] / bills
    a_run = sam.answer["seconds"] / sam.answer["runs"]
    return {
        "customers": customers,
        "months": months,
        "bills": bills,
        "lines": rated.answer["lines"],
        "settlements_not_rated": rated.answer["gaps"],
        "rows_read": scanned.answer["rows"],
        "ratios": {
            "rating ÷ scan of the rows it reads": rated.answer["seconds"] / scanned.answer["seconds"],
            "rerate with comparison, kept ÷ scan": rerated.wall / scanned.answer["seconds"],
            "PySAM run (a customer's year) ÷ one bill": a_run / per_bill,
            "PySAM run ÷ 12 ÷ one bill": a_run / 12 / per_bill,
        },
        "bills_per_second": 1 / per_bill,
        "peak_gib": max(step.peak_gib for step in (rated, rerated)),
        "seconds_per_step": rated.answer["steps"],
        "columns_read": scanned.answer["columns"],
        "measured_at": datetime.now().astimezone().isoformat(timespec="seconds"),
        "steps": [
            {k: v for k, v in asdict(step).items() if k != "answer"}
            for step in (scanned, rated, rerated, sam)
        ],
    }


def _workspace(customers: int, months: int, work: Path) -> Path:
    books, folder = work / f"books-{customers}", work / f"workspace-{customers}"
    for old in (books, folder):
        shutil.rmtree(old, ignore_errors=True)
    size = ["--customers", str(customers), "--months", str(months), "--end", "2025-12", "--clean"]
    whole.timed("synth", [*MINGCHA, "synth", str(books), *size, "--seed", "1"])
    subprocess.run([*MINGCHA, "init", str(folder)], check=True, capture_output=True)
    whole.timed("ingest", [*MINGCHA, "data", "ingest", str(books), "-w", str(folder), "--json"])
    shutil.rmtree(books, ignore_errors=True)
    return folder


def main() -> None:
    """Measure one size and write a JSON file; with a word for it, do one of the measures."""
    kinds = {"rate": lambda text: rate(Path(text)), "scan": lambda text: scan(Path(text)),
             "outside": lambda text: outside(int(text))}  # fmt: skip
    if len(sys.argv) == 3 and sys.argv[1] in kinds:
        print(json.dumps(kinds[sys.argv[1]](sys.argv[2])))
        return
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--customers", type=int, default=20_000)
    parser.add_argument("--months", type=int, default=12)
    parser.add_argument("--work", type=Path, default=Path("/tmp/mingcha-bench"))
    parser.add_argument("--workspace", type=Path, help="books of that size taken in before")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    result = measure(
        customers=options.customers, months=options.months, work=options.work, reuse=options.workspace
    )
    (HERE / "results").mkdir(exist_ok=True)
    target = HERE / "results" / f"rating-{options.customers}.json"
    target.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(json.dumps(result["ratios"], indent=1, ensure_ascii=False))


if __name__ == "__main__":
    main()
