"""`mingcha bills …`: bills calculated anew, one explained, all compared."""

from __future__ import annotations

import sys
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mingcha.cli import choices, console, progress, session
from mingcha.findings import words
from mingcha.kernel import errors

if TYPE_CHECKING:
    from mingcha.audit import differences, rerating
    from mingcha.kernel.periods import BillingMonth

HELP = "Bills calculated anew 复算: re-rate, explain one, compare all."

PeriodsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--period",
        metavar="YYYY-MM",
        help="Billing month; may be repeated; default: the last complete one.",
        show_default=False,
    ),
]
CustomersOption = Annotated[
    list[str] | None,
    typer.Option(
        "--customer",
        metavar="ID",
        help="Only this customer, shown and not kept; may be repeated.",
        show_default=False,
    ),
]
AllOption = Annotated[bool, typer.Option("--all", help="All months that have bills.")]
ToleranceOption = Annotated[
    str,
    typer.Option("--tolerance", metavar="CNY", help="Differences up to this amount count as none."),
]
FormatOption = Annotated[
    str | None,
    typer.Option(
        "--format",
        metavar="table|csv|json|xlsx",
        help="table to read, the others one row per differing component; default: from FILE, else table.",
        show_default=False,
    ),
]
LimitOption = Annotated[
    int | None,
    typer.Option("--limit", min=0, help="At most so many bills, 0 for all; default: 50, with --json all."),
]
BillArgument = Annotated[str, typer.Argument(metavar="BILL_ID", help="The bill to explain.")]

FORMATS = ("table", "csv", "json", "xlsx")
_SHOWN = 50
_RERATED = words.Text(
    "{period}: 现行账单 {bills:,} = 已复算 {rated:,} + 未能复算 {not_rated:,}；"
    "账单 {billed} 元，复算 {amount} 元，差额 {difference} 元；{differing:,} 次结算有差异；"
    "待核 {provisional:,}，系统内电价 {own:,}；{seconds:.1f} s{kept}",
    "{period}: live bills {bills:,} = rated {rated:,} + not rated {not_rated:,}; billed {billed} CNY, "
    "re-rated {amount} CNY, difference {difference} CNY; {differing:,} settlements differ; "
    "to be verified {provisional:,}, own prices {own:,}; {seconds:.1f} s{kept}",
)
_KEPT = words.Text("（此前已复算）", " (made before)")
_WITHOUT = words.Text("以下未交付，按没有计算：{}", "Not delivered, and calculated as if there were none: {}")
_WHY = words.Text("  未能复算：", "  Not rated: ")


def rerate(
    current: session.Session,
    *,
    period: PeriodsOption = None,
    customer: CustomersOption = None,
    all_: AllOption = False,
    snapshot: choices.SnapshotOption = None,
    lang: choices.LanguageOption = None,
) -> None:
    """Calculate bills anew 复算电费: from readings, contracts and the tariff book, kept for the rules.

    Every live bill is either rated or named with the reason why it cannot be. A month rated before under the
    same snapshot, prices and engine is taken as it is.
    """
    from mingcha.audit import rerating

    months = _months(period)
    _contradiction(all_=all_, months=months, customers=customer)
    workspace = current.workspace()
    language = choices.language(current, lang)
    if customer:
        _of_customers(current, customer, months, snapshot, language)
        return
    with progress.showing("re-rating") as show:
        made = rerating.rerate(
            workspace=workspace,
            made_at=current.now,
            periods=months,
            every=all_,
            snapshot_id=snapshot,
            progress=show,
        )
    if current.json:
        console.document(
            {
                "snapshot_id": made.snapshot_id,
                "months": [month.as_json() for month in made.months],
                "without": list(made.without),
            }
        )
        return
    for month in made.months:
        for line in told(month, language=language):
            console.out(line)
    if made.without:
        console.out(_WITHOUT.of(language).format(", ".join(made.without)))
    console.note("Next: mingcha bills compare, mingcha bills explain BILL_ID, mingcha rules run")


def told(month: rerating.Month, *, language: str) -> list[str]:
    """Return what came of a re-rated month as lines of text."""
    from mingcha.cli import billtext

    lines = [
        _RERATED.of(language).format(
            period=month.period,
            bills=month.bills,
            rated=month.rated,
            not_rated=month.not_rated,
            billed=f"{month.billed_amount:,.2f}",
            amount=f"{month.amount:,.2f}",
            difference=f"{month.billed_amount - month.amount:,.2f}",
            differing=month.differing,
            provisional=month.provisional,
            own=month.own_prices,
            seconds=month.seconds,
            kept=_KEPT.of(language) if month.kept else "",
        )
    ]
    if month.reasons:
        lines.append(_WHY.of(language) + billtext.reasons(month.reasons, language=language))
    return lines


def _contradiction(*, all_: bool, months: list[BillingMonth], customers: list[str] | None) -> None:
    if all_ and (months or customers):
        raise errors.Refusal(
            "--all and --period or --customer contradict each other",
            why="either all bills of all months are rated, or those that are named",
            mend="leave one of them out",
        )


def _of_customers(
    current: session.Session,
    customers: list[str],
    months: list[BillingMonth],
    snapshot: str | None,
    language: str,
) -> None:
    from mingcha.audit import differences
    from mingcha.cli import billtext

    with progress.showing("re-rating") as show:
        rows = differences.of_customers(
            workspace=current.workspace(),
            customers=customers,
            periods=months,
            snapshot_id=snapshot,
            progress=show,
        )
    if current.json:
        console.document({"bills": rows})
        return
    heads = {
        words.ZH: ("户号", "年月", "账单", "账单金额", "复算", "差额", "依据", "未能复算的原因"),
        words.EN: (
            "customer",
            "period",
            "bills",
            "billed",
            "re-rated",
            "difference",
            "grade",
            "not rated: why",
        ),
    }[language]
    lines = [
        [
            row["customer_id"],
            row["billing_period"],
            row["bill_ids"],
            *("" if row[name] is None else f"{row[name]:,.2f}" for name in _AMOUNTS),
            row["evidence"] or "",
            f"{billtext.reason(row['reason'], language=language)}: {row['detail']}" if row["reason"] else "",
        ]
        for row in rows
    ]
    console.out(console.table(heads, lines, right=(3, 4, 5)))


_AMOUNTS = ("billed_amount", "rerated_amount", "difference")


def explain(
    current: session.Session,
    bill_id: BillArgument,
    *,
    snapshot: choices.SnapshotOption = None,
    lang: choices.LanguageOption = None,
) -> None:
    """Explain a bill 账单释疑: so that its customer can check it by hand, the billed one beside.

    A bill that cannot be rated is told with the reason.
    """
    from mingcha.audit import billexplain
    from mingcha.cli import billtext

    language = choices.language(current, lang)
    explained = billexplain.explain(workspace=current.workspace(), bill_id=bill_id, snapshot_id=snapshot)
    if current.json:
        console.document(explained.as_json())
    else:
        console.out(billtext.page(explained, language=language))


def compare(
    current: session.Session,
    *,
    period: PeriodsOption = None,
    tolerance: ToleranceOption = "0.10",
    format_: FormatOption = None,
    out: choices.OutOption = None,
    limit: LimitOption = None,
    snapshot: choices.SnapshotOption = None,
    lang: choices.LanguageOption = None,
) -> None:
    """Compare bills with their re-rating 账单比对: sums by component and cause, and the bills that differ.

    Months that are not re-rated yet are re-rated first.
    """
    from mingcha.audit import differences

    kind = _kind(current, format_, out)
    limited = _amount(tolerance)
    language = choices.language(current, lang)
    with (
        progress.showing("re-rating") as show,
        differences.opened(
            workspace=current.workspace(),
            made_at=current.now,
            periods=_months(period),
            snapshot_id=snapshot,
            progress=show,
        ) as found,
    ):
        if kind == "table":
            _tell(current, found, limited, limit, language)
        elif out is not None:
            written = found.export(tolerance=limited, target=out, kind=kind, language=language)
            _written(current, out, kind, written)
        else:
            sys.stdout.flush()
            found.stream(tolerance=limited, stream=sys.stdout.buffer, kind=kind)


def _kind(current: session.Session, asked: str | None, out: Path | None) -> str:
    suffix = out.suffix.lower().removeprefix(".") if out is not None else ""
    kind = asked or (suffix if suffix in FORMATS else "csv" if out is not None else "table")
    choices.one_of("--format", kind, FORMATS)
    if kind == "table" and out is not None:
        raise errors.Refusal(
            "--format table is for the screen, not for a file",
            why="its columns are cut to a terminal",
            mend="choose csv, json or xlsx, or leave --out away",
        )
    if kind == "xlsx" and out is None:
        raise errors.Refusal(
            "xlsx needs a file",
            why="a workbook is not text",
            mend="name one with --out FILE.xlsx",
        )
    return kind


def _tell(
    current: session.Session,
    found: differences.Differences,
    tolerance: Decimal,
    limit: int | None,
    language: str,
) -> None:
    from mingcha.cli import billtext

    sums, over = found.by_cause(tolerance), found.count(tolerance)
    if current.json:
        head: dict[str, Any] = {
            "snapshot_id": found.snapshot_id,
            "tolerance_cny": tolerance,
            "months": [month.as_json() for month in found.months],
            "by_cause": sums,
            "over_tolerance": over,
        }
        console.document_of_rows(head, "bills", found.bills(tolerance, limit=limit or 0))
        return
    for month in found.months:
        for line in told(month, language=language):
            console.out(line)
    if sums:
        console.out()
        console.out(billtext.by_cause(sums, language=language))
    rows = list(found.bills(tolerance, limit=_SHOWN if limit is None else limit))
    if rows:
        console.out()
        console.out(billtext.listing(rows, language=language))
    console.note(_over(over, tolerance, language))
    if len(rows) < over:
        console.note(f"{over - len(rows):,} more: --limit 0 shows all, --format csv --out FILE writes them.")


def _over(over: int, tolerance: Decimal, language: str) -> str:
    said = words.Text("{:,} 次结算的差异超过 {} 元。", "{:,} settlements differ by more than {} CNY.").of(
        language
    )
    return said.format(over, tolerance)


def _written(current: session.Session, out: Path, kind: str, rows: int) -> None:
    if current.json:
        console.document({"out": str(out), "format": kind, "rows": rows})
    else:
        console.note(f"{rows:,} rows written to {out}")


def _months(periods: list[str] | None) -> list[BillingMonth]:
    from mingcha.kernel.periods import BillingMonth

    return [BillingMonth.parse(period) for period in periods or ()]


def _amount(text: str) -> Decimal:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal(-1)
    if not amount.is_finite() or amount < 0 or amount >= Decimal(10) ** 12:
        raise errors.Refusal(
            f"--tolerance {text}: not an amount",
            why="differences are measured in CNY, and up to the tolerance they count as none",
            mend="give an amount such as 0.10, or 0 for every difference",
        )
    return amount


COMMANDS: dict[str, session.Command] = {"rerate": rerate, "explain": explain, "compare": compare}
