"""Measure speed and size as ratios, all in one run on one machine, and write what came out.

    python benchmarks/run.py --customers 1000000 --months 12 --work /tmp/mingcha-bench

Each step is a process of its own, timed from outside, with its peak memory from the operating
system. The yardsticks stand beside what they measure: a plain DuckDB copy of the same files for
intake, one full scan of the columns the rules read for the rules. Absolute seconds are only for
scale; the ratios are what the issue asks for. Results: benchmarks/results/<customers>.json.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
MINGCHA = [sys.executable, "-m", "mingcha"]


@dataclass(frozen=True)
class Step:
    """One timed process: wall and processor seconds, peak resident memory in GiB, its JSON answer."""

    name: str
    wall: float
    cpu: float
    peak_gib: float
    answer: Any


def timed(name: str, command: list[str]) -> Step:
    """Run a command to its end and return what it took; a failing command ends the benchmark."""
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - started
    if process.returncode != 0:
        raise SystemExit(f"{name}: exit {process.returncode}: {' '.join(command)}\n{output[-2000:]}")
    answer = json.loads(output) if output.strip().startswith("{") else None
    step = Step(name, wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024**2, answer)
    print(f"{name:<28} {step.wall:8.1f} s wall {step.cpu:8.1f} s cpu {step.peak_gib:6.2f} GiB", flush=True)
    return step


def yardstick(name: str, kind: str, *arguments: str) -> Step:
    """Time one of the plain DuckDB measures of `benchmarks/yardsticks.py` in its own process."""
    return timed(name, [sys.executable, str(HERE / "yardsticks.py"), kind, *arguments])


def measure(*, customers: int, months: int, work: Path) -> dict[str, Any]:
    """Return every step and ratio for one size of utility."""
    books, workspace = work / f"books-{customers}", work / f"workspace-{customers}"
    steps: list[Step] = []
    if not books.exists():
        steps.append(
            timed(
                "synth",
                [
                    *MINGCHA,
                    "synth",
                    str(books),
                    "--customers",
                    str(customers),
                    "--months",
                    str(months),
                    "--seed",
                    "1",
                ],
            )
        )
    shutil.rmtree(workspace, ignore_errors=True)
    shutil.rmtree(work / "copy", ignore_errors=True)
    subprocess.run([*MINGCHA, "init", str(workspace)], check=True, capture_output=True)
    yardstick("(warm the page cache)", "copy", str(books), str(work / "copy"))
    copy = yardstick("plain copy", "copy", str(books), str(work / "copy"))
    shutil.rmtree(work / "copy", ignore_errors=True)
    ingest = timed("ingest", [*MINGCHA, "data", "ingest", str(books), "-w", str(workspace), "--json"])
    scan = yardstick("scan of the columns read", "scan", str(workspace))
    first = timed("rules, first run", [*MINGCHA, "rules", "run", "-w", str(workspace), "--json"])
    second = timed("rules, second run", [*MINGCHA, "rules", "run", "-w", str(workspace), "--json"])
    steps += [copy, ingest, scan, first, second]
    rows = {t["table"]: t["accepted"] for t in ingest.answer["tables"]}
    return {
        "customers": customers,
        "months": months,
        "rows": rows,
        "ratios": {
            "ingest ÷ plain copy": ingest.wall / copy.wall,
            "rules ÷ scan": first.wall / scan.answer["seconds"],
            "second run ÷ first run": second.wall / first.wall,
        },
        "peak_gib": max(step.peak_gib for step in (ingest, first)),
        "findings": first.answer["findings"],
        "per_rule": first.answer["per_rule"],
        "scan_seconds": scan.answer["seconds"],
        "steps": [{k: v for k, v in asdict(step).items() if k != "answer"} for step in steps],
    }


def main() -> None:
    """Measure one or several sizes and write a JSON file for each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--customers", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--months", type=int, default=12)
    parser.add_argument("--work", type=Path, default=Path("/tmp/mingcha-bench"))
    parser.add_argument("--keep", action="store_true", help="keep books and workspaces")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    (HERE / "results").mkdir(exist_ok=True)
    for customers in options.customers:
        result = measure(customers=customers, months=options.months, work=options.work)
        (HERE / "results" / f"{customers}.json").write_text(
            json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
        )
        print(json.dumps(result["ratios"], indent=1, ensure_ascii=False))
        if not options.keep:
            shutil.rmtree(options.work / f"workspace-{customers}", ignore_errors=True)


if __name__ == "__main__":
    main()
