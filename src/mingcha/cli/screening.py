"""`mingcha rules run` and `mingcha data coverage`: what the rules find, and what they cannot check."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from mingcha.cli import choices, console, progress, session
from mingcha.kernel import errors

if TYPE_CHECKING:
    from mingcha.audit import screening
    from mingcha.kernel.periods import BillingMonth
    from mingcha.rules import record

PeriodOption = Annotated[
    str | None,
    typer.Option(
        "--period",
        metavar="YYYY-MM",
        help="Screened month; default: the last complete one.",
        show_default=False,
    ),
]
FromOption = Annotated[
    str | None,
    typer.Option("--from", metavar="YYYY-MM", help="First month of a range to screen.", show_default=False),
]
ToOption = Annotated[
    str | None,
    typer.Option("--to", metavar="YYYY-MM", help="Last month of the range.", show_default=False),
]
RulesOption = Annotated[
    list[str] | None,
    typer.Option(
        "--rules", metavar="GLOB", help="Only rules of this pattern or area, like 'MET-*'; may be repeated."
    ),
]
NoCacheOption = Annotated[
    bool, typer.Option("--no-cache", help="Ask every rule anew, also where nothing has changed.")
]

_BANDS = ("urgent", "order", "watch")
_HEADS = ("rule", "title", "findings", *_BANDS, "back", "penalty ≤", "refund", "exposed", "seconds")
_MONEY = ("back_cny", "penalty_cny", "refund_cny", "exposed_cny")


def run(
    current: session.Session,
    *,
    period: PeriodOption = None,
    from_: FromOption = None,
    to: ToOption = None,
    rules: RulesOption = None,
    snapshot: choices.SnapshotOption = None,
    no_cache: NoCacheOption = False,
    lang: choices.LanguageOption = None,
) -> None:
    """Screen the books 筛查: run the rules over a snapshot and write what they find.

    States every rule: run, skipped (with what is missing) or failed (with what went wrong).
    """
    from mingcha.audit import screening

    months = _months(period, from_, to)
    workspace = current.workspace()
    language = choices.language(current, lang)
    with progress.showing("screening") as show:
        made = screening.screen(
            workspace=workspace,
            made_at=current.now,
            periods=months,
            rules=rules or (),
            snapshot_id=snapshot,
            use_cache=not no_cache,
            progress=show,
        )
    if current.json:
        console.document(made.as_json())
    else:
        tell(made, language=language)


def tell(made: record.RunRecord, *, language: str) -> None:
    """Write a run as tables: what each rule found, what was skipped, what failed, and the sums."""
    console.out(console.table(_HEADS, [_row(entry, language) for entry in made.per_rule], right=range(2, 11)))
    _list("Skipped, because:", [(one.rule_id, one.because) for one in made.rules_skipped])
    _list("Failed, because:", [(one.rule_id, one.because) for one in made.rules_failed])
    _list(
        "Ran without these exclusions or columns:",
        [(entry.rule_id, ", ".join(entry.not_applied)) for entry in made.per_rule if entry.not_applied],
    )
    _list("Notes:", [(entry.rule_id, "; ".join(entry.notes)) for entry in made.per_rule if entry.notes])
    amounts = ", ".join(f"{name.removesuffix('_cny')} {made.money[name]:,.2f}" for name in _MONEY)
    console.out()
    console.out(
        f"Run {made.run_id} of snapshot {made.snapshot_id}, {_span(made.periods)}, "
        f"data up to {made.data_date}: "
        f"{made.rules_run} rules run, {len(made.rules_skipped)} skipped, {len(made.rules_failed)} failed, "
        f"{made.findings:,} findings, {made.seconds:.1f} s"
    )
    console.out(f"CNY, not to be added up: {amounts}")
    console.note("Next: mingcha findings list, mingcha findings show ID, mingcha report")


def coverage(
    current: session.Session,
    *,
    period: PeriodOption = None,
    snapshot: choices.SnapshotOption = None,
    lang: choices.LanguageOption = None,
) -> None:
    """Say what can be checked 覆盖情况: per rule, whether it can run, and if not what is missing."""
    from mingcha.audit import screening

    month = _months(period, None, None)
    language = choices.language(current, lang)
    covered = screening.coverage_of(
        workspace=current.workspace(), snapshot_id=snapshot, period=month[0] if month else None
    )
    if current.json:
        console.document(_document(covered))
    else:
        _tell_coverage(covered, language)


def _document(covered: screening.Coverage) -> dict[str, object]:
    return {
        "snapshot_id": covered.snapshot_id,
        "period": covered.period,
        "rules": [
            {
                "rule_id": one.rule_id,
                "title": one.title,
                "status": one.status,
                "can_run": one.runs,
                "missing": list(one.because),
                "without": list(one.not_applied),
                "notes": list(one.notes),
            }
            for one in covered.rules
        ],
    }


def _tell_coverage(covered: screening.Coverage, language: str) -> None:
    rows = [
        [
            one.rule_id,
            console.cut(one.title[language], 30),
            "yes" if one.runs else "no",
            _lack(one),
        ]
        for one in covered.rules
    ]
    console.out(console.table(["rule", "title", "runs", "missing"], rows))
    able = sum(one.runs for one in covered.rules)
    console.note(f"Snapshot {covered.snapshot_id}: {able} of {len(covered.rules)} rules can run.")


def _lack(one: screening.Covered) -> str:
    """Return what is missing; for a rule that runs, what it runs without and what to note."""
    without = (f"without {', '.join(one.not_applied)}",) if one.not_applied else ()
    return "; ".join((*one.because, *without, *one.notes))


def _row(entry: record.Entry, language: str) -> list[str]:
    return [
        entry.rule_id + ("*" if entry.status == "trial" else ""),
        console.cut(entry.title[language], 30),
        f"{entry.findings:,}",
        *(f"{entry.bands[band]:,}" if band in entry.bands else "" for band in _BANDS),
        *(f"{entry.money[name]:,.2f}" if entry.money[name] else "" for name in _MONEY),
        "cached" if entry.from_cache else f"{entry.seconds:.2f}",
    ]


def _list(head: str, lines: list[tuple[str, str]]) -> None:
    if lines:
        console.out()
        console.out(head)
        for name, said in lines:
            console.out(f"  {name}  {said}")


def _span(periods: tuple[str, ...]) -> str:
    return periods[0] if len(periods) == 1 else f"{periods[0]} to {periods[-1]}"


def _months(period: str | None, first: str | None, last: str | None) -> list[BillingMonth]:
    from mingcha.kernel.periods import BillingMonth

    if period is not None and (first or last):
        raise errors.Refusal(
            "--period and --from/--to contradict each other",
            why="either one month is screened or a range of them",
            mend="give --period YYYY-MM, or --from YYYY-MM --to YYYY-MM",
        )
    if period is not None:
        return [BillingMonth.parse(period)]
    if first is None and last is None:
        return []
    if first is None or last is None:
        raise errors.Refusal(
            "--from and --to belong together",
            why="a range of months needs both ends",
            mend="give --from YYYY-MM --to YYYY-MM, or one month with --period",
        )
    months = list(BillingMonth.parse(first).through(BillingMonth.parse(last)))
    if not months:
        raise errors.Refusal(
            f"--from {first} lies after --to {last}",
            why="a range that holds no month screens nothing",
            mend="give the earlier month first",
        )
    return months
