"""The table files say exactly what the published contract page says: columns, nulls, keys, sets of values."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from mingcha.contract import load

SHARED = Path(os.environ.get("MINGCHA_SHARED") or Path(__file__).parents[3] / "shared")
PAGE = SHARED / "spec" / "data_contract.md"
#: "(as usage_category)" and "as in `bill_line`" on the page: the set of another column.
ELSEWHERE = {
    "ticket.requested_category": "customer.usage_category",
    "inspection_record.found_category": "customer.usage_category",
    "usage_point.category": "customer.usage_category",
    "contract.usage_category": "customer.usage_category",
    "tariff.usage_category": "customer.usage_category",
    "tariff.entitlement_kind": "entitlement.kind",
    "instrument_transformer.owner": "meter.owner",
    "tariff_price.component": "bill_line.component",
    "tariff_price.period": "bill_line.period",
    "tariff_price.unit": "bill_line.unit",
}


@dataclass(frozen=True)
class Published:
    """One column as the page has it."""

    nullable: bool
    values: tuple[str, ...]


def published(line: str) -> tuple[str, list[str], dict[str, Published]] | None:
    """Return table, key and columns of a line such as "`bus` — PK bus_id; substation_id; voltage_kv"."""
    match = re.match(r"`(\w+)` — (.*)$", line)
    if not match:
        return None
    table, body = match.group(1), match.group(2).split(" — ")[0].strip()
    columns: dict[str, Published] = {}
    late = re.search(r"\. PK \((.*?)\)$", body)
    key = late.group(1).split(", ") if late else []
    for part in (body[: late.start()] if late else body).split("; "):
        if part.startswith("PK "):
            key = part.removeprefix("PK ").strip("()").split(", ")
            columns |= {name: Published(nullable=False, values=()) for name in key}
            continue
        found = re.match(r"(\w+)(\?)?(?: \((.*?)\))?(\?)?( for gateways)?$", part)
        assert found, f"{table}: {part!r}"
        name, before, inside, after, gateways = found.groups()
        values = tuple(inside.split("|")) if inside and "|" in inside else ()
        columns[name] = Published(nullable=bool(before or after or gateways), values=values)
    return table, key, columns


@pytest.mark.shared
def test_contract_is_the_published_one() -> None:
    if not PAGE.exists():
        pytest.skip(f"the published contract page is not at {PAGE}; set MINGCHA_SHARED")
    text = PAGE.read_text(encoding="utf-8").split("## Notes on meaning")[0]
    tables = load.contract().tables
    pages = [found for line in text.splitlines() if (found := published(line))]
    assert {name for name, _, _ in pages} == set(tables)
    for name, key, columns in pages:
        assert list(tables[name].key) == key, name
        assert set(tables[name].column_names) == set(columns), name
        for column in tables[name].columns:
            where = f"{name}.{column.name}"
            assert column.nullable == columns[column.name].nullable, where
            known = tuple(column.enum) or tuple(str(number) for number in column.allowed)
            if where in ELSEWHERE:
                assert (
                    known
                    == tables[ELSEWHERE[where].split(".")[0]].column(ELSEWHERE[where].split(".")[1]).enum
                )
            else:
                assert known == columns[column.name].values, where
