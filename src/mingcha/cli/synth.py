"""`mingcha synth`: a utility that does not exist, with faults that do."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mingcha.cli import console, progress, session

OutArgument = Annotated[Path, typer.Argument(metavar="OUT", help="Folder to write to; new or empty.")]
CustomersOption = Annotated[int, typer.Option("--customers", help="How many customers.")]
MonthsOption = Annotated[int, typer.Option("--months", help="How many billing months of history.")]
SeedOption = Annotated[int, typer.Option("--seed", help="The same seed gives the same books.")]
CleanOption = Annotated[bool, typer.Option("--clean", help="Plant no faults: books without any finding.")]
EndOption = Annotated[str, typer.Option("--end", metavar="YYYY-MM", help="The last complete billing month.")]
FormatOption = Annotated[str, typer.Option("--format", metavar="parquet|csv", help="Format of the files.")]

SEED = 20260401
MONTHS = 16
CUSTOMERS = 5000
END = "2026-03"


def synth(
    current: session.Session,
    out: OutArgument,
    *,
    customers: CustomersOption = CUSTOMERS,
    months: MonthsOption = MONTHS,
    seed: SeedOption = SEED,
    clean: CleanOption = False,
    end: EndOption = END,
    format_: FormatOption = "parquet",
) -> None:
    """Make a synthetic utility 合成电力公司: coherent books, planted faults named in truth.csv."""
    from mingcha.synth import generate

    with progress.showing("making the utility") as show:
        made = generate.generate(
            out=out,
            customers=customers,
            months=months,
            seed=seed,
            clean=clean,
            end_month=end,
            file_format=format_,
            progress=show,
        )
    if current.json:
        console.document({"out": str(made.out), "rows": made.rows, "cases": made.cases})
        return
    total = sum(made.rows.values())
    console.out(f"{len(made.rows)} tables, {total:,} rows in {made.out}")
    if made.cases:
        console.out(f"{sum(made.cases.values()):,} cases in {made.out / 'truth.csv'}")
    console.note(f"Next: mingcha data ingest {made.out} -w WORKSPACE")
