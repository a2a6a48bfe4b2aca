"""What was learnt from bills, written as the draft of a tariff book and as a table of exceptions."""

from __future__ import annotations

import csv
import re
import tempfile
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, TextIO

from mingcha.audit import inferring
from mingcha.findings import jsontext
from mingcha.kernel import errors
from mingcha.tariffbook import load, writing

_DOCUMENT = "bills"
_UNKNOWN_PRICE = "no price could be learnt: 0 stands for it"
_HEAD = (
    "A draft: tier limits learnt from bills by `mingcha tariffs infer`. It says what was billed, not what "
    "the published tariff allows.",
    "Before use: put the document's real number, titles, voltages and prices in; every price here is 0 "
    "because none could be learnt. `mingcha tariffs check FILE` checks it.",
)


def draft(learned: inferring.Learned, *, book: str, country: str, currency: str) -> str:
    """Return the draft of a tariff book as YAML, loadable as it is; raises BookError for an unfit name."""
    return checked(writing.text(_book(learned, book, country, currency), head=_HEAD))


def checked(text: str) -> str:
    """Return the text of a book as it is; raises BookError naming every mistake when it does not load."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "draft.yaml"
        path.write_text(text, encoding="utf-8")
        load.only([path])
    return text


def codes(learned: inferring.Learned, *, book: str) -> list[tuple[str, str]]:
    """Return (utility's tariff id, code in the draft) pairs, as WORKSPACE/tariffs/codes.csv takes them."""
    return [(tariff.tariff_id, _code(book, tariff)) for tariff in learned.tariffs]


def summary(learned: inferring.Learned) -> dict[str, Any]:
    """Return the result as a document for programs."""
    return {
        "snapshot": learned.snapshot_id,
        "bills": learned.bills,
        "without_tier_lines": learned.without_lines,
        "judged": learned.judged,
        "reproduced": learned.reproduced,
        "registers": {
            name: getattr(learned.registers, name) for name in inferring.Registers.__dataclass_fields__
        },
        "tariffs": [
            {
                "tariff_id": tariff.tariff_id,
                "bills": tariff.bills,
                "reproduced": tariff.reproduced,
                "above_first_tier": tariff.divided,
                "above_first_tier_reproduced": tariff.divided_reproduced,
                "spans": [
                    {
                        "since": span.since,
                        "until": span.until,
                        "monthly_limits_kwh": [writing.number(limit) for limit in span.ladder],
                        "change_between": list(span.between or ()),
                        "bills": span.bills,
                        "not_reproduced_by_division": span.missed,
                    }
                    for span in tariff.spans
                ],
                "exceptions": tariff.reasons,
            }
            for tariff in learned.tariffs
        ],
    }


def write_exceptions(rows: Iterable[dict[str, Any]], stream: TextIO, *, kind: str) -> int:
    """Write exceptions as `csv` or as `json` (one object a line); return how many."""
    written = 0
    table: csv.DictWriter[str] | None = None
    for row in rows:
        written += 1
        if kind == "json":
            stream.write(jsontext.dumps(row) + "\n")
            continue
        if table is None:
            table = csv.DictWriter(stream, list(row), lineterminator="\n")
            table.writeheader()
        table.writerow(row)
    return written


def _book(learned: inferring.Learned, book: str, country: str, currency: str) -> dict[str, Any]:
    if not re.fullmatch(r"[a-z][a-z0-9_.-]*", book):
        raise errors.BookError(
            f"{book!r} cannot be the name of a book",
            why="tariff codes begin with it",
            mend="use small letters, digits and points, like my.utility",
        )
    first = min((tariff.first_day for tariff in learned.tariffs), default=date.min)
    last = learned.data_date or first
    share = Decimal(100 * learned.reproduced) / max(1, learned.judged)
    note = (
        f"{learned.reproduced} of {learned.judged} bills with tiers are reproduced exactly "
        f"({share:.2f} %) from index, multiplier, months and these limits."
    )
    tiered = [tariff for tariff in learned.tariffs if any(span.ladder for span in tariff.spans)]
    title = {"zh": "由账单推得的阶梯", "en": "Tiers learnt from bills"}
    return {
        "book": book,
        "title": title,
        "country": country,
        "currency": currency,
        "documents": [
            {
                "id": _DOCUMENT,
                "number": f"inferred from the bills of {first} to {last}",
                "title": title,
                "issued_on": None,
                "known_on": last,
                "evidence": "[D]",
                "note": writing.words(f"{learned.snapshot_id}: {note}"),
            }
        ],
        "tiers": [_ladder(tariff) for tariff in tiered],
        "tariffs": [_tariff(tariff, book, currency) for tariff in learned.tariffs],
    }


def _ladder(tariff: inferring.Tariff) -> dict[str, Any]:
    entries = []
    for span in tariff.spans:
        reproduced = span.bills - span.missed
        clause = f"{reproduced} of {span.bills} bills divide so"
        if span.between is not None:
            clause += f"; changed after {span.between[0]}, by {span.between[1]}"
        limits = [writing.number(limit) for limit in span.ladder]
        entries.append(
            {
                **writing.dated(span.since or tariff.first_day, span.until, _DOCUMENT, clause),
                "basis": "monthly",
                "measure": "total",
                "limits": [{"months": list(range(1, 13)), "upto": limits}],
            }
        )
    return {"id": _plain(tariff), "entries": entries}


def _tariff(tariff: inferring.Tariff, book: str, currency: str) -> dict[str, Any]:
    ladder = any(span.ladder for span in tariff.spans)
    prices: list[dict[str, Any]] = []
    for span in tariff.spans if ladder else ():
        entry = writing.dated(span.since or tariff.first_day, span.until, _DOCUMENT, _UNKNOWN_PRICE)
        prices.append({**entry, "evidence": "[K?]", "values": [Decimal(0)] * (len(span.ladder) + 1)})
    if not ladder:
        entry = writing.dated(tariff.first_day, None, _DOCUMENT, _UNKNOWN_PRICE)
        prices.append({**entry, "evidence": "[K?]", "values": Decimal(0)})
    return {
        "code": _code(book, tariff),
        "title": {"zh": f"电价 {tariff.tariff_id}", "en": f"Tariff {tariff.tariff_id}"},
        "known_as": [tariff.tariff_id],
        "usage_categories": ["other"],
        "voltage_kv": [Decimal(0), None],
        "parts": "single",
        "in_force_from": tariff.first_day,
        "in_force_to": None,
        **({"tiers": _plain(tariff)} if ladder else {}),
        "price_basis": "utility",
        "components": [{"component": "energy", "unit": f"{currency}/kWh", "entries": prices}],
    }


def _plain(tariff: inferring.Tariff) -> str:
    return "t" + re.sub(r"[^A-Za-z0-9_.-]", "-", tariff.tariff_id)


def _code(book: str, tariff: inferring.Tariff) -> str:
    return f"{book}.{_plain(tariff)}"
