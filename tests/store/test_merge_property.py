"""Whatever is delivered in whatever order: the lake holds what a dictionary by key would hold."""

from __future__ import annotations

import tempfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
from hypothesis import given, settings
from hypothesis import strategies as st

from mingcha.store import snapshots, upkeep, workspace

from .conftest import MADE_AT, seen, values

_COLUMNS = ("reading_id", "billing_period", "usage_point_id", "energy", "reader_staff_id")
_MONTHS = ("2026-01", "2026-02", "2026-03")

# A delivery: rows by key, and which of the two optional columns it holds.
_rows = st.dictionaries(
    st.sampled_from([f"R{n}" for n in range(8)]),
    st.tuples(st.sampled_from(_MONTHS), st.integers(0, 2), st.sampled_from([None, "S1", "S2"])),
    min_size=1,
    max_size=8,
)
_deliveries = st.lists(st.tuples(_rows, st.booleans(), st.booleans(), st.booleans()), min_size=1, max_size=5)


@given(_deliveries)
@settings(max_examples=60, deadline=None)
def test_a_lake_holds_what_a_dictionary_would(deliveries: list[Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        ws = workspace.Workspace.create(Path(folder))
        con = ws.connect(memory_limit="300MB", threads=1)
        model: dict[str, dict[str, Any]] = {}
        history = []
        for rows, with_energy, with_reader, expensive in deliveries:
            held = _held(with_energy=with_energy, with_reader=with_reader)
            delivered = [
                dict(zip(_COLUMNS, (key, month, f"P{key}", energy, reader), strict=True))
                for key, (month, energy, reader) in rows.items()
            ]
            before = dict(model)
            expected = _expect(model, delivered, held)
            snapshot, made = _deliver(ws, con, delivered, held, expensive=expensive)
            assert (made.added, made.corrected, made.unchanged) == expected
            history.append((snapshot, dict(model)))
            _sharing(con, history, before)
        for snapshot, state in history:
            assert _state(con, snapshot) == _tuples(state)
            assert upkeep.verify(snapshot) == ()
        assert upkeep.unused(ws).files == ()
        con.close()


def _held(*, with_energy: bool, with_reader: bool) -> tuple[str, ...]:
    optional = (("energy",) if with_energy else ()) + (("reader_staff_id",) if with_reader else ())
    return (*_COLUMNS[:3], *optional)


def _expect(
    model: dict[str, dict[str, Any]], delivered: list[dict[str, Any]], held: tuple[str, ...]
) -> tuple[int, int, int]:
    """Put the delivered rows into the model and return how many are new, changed and unchanged."""
    counts = [0, 0, 0]
    for row in delivered:
        given_values = {name: row[name] for name in held}
        old = model.get(row["reading_id"])
        blank: dict[str, Any] = dict.fromkeys(_COLUMNS)
        new = {**(old or blank), **given_values}
        counts[0 if old is None else (1 if new != old else 2)] += 1
        model[row["reading_id"]] = new
    return counts[0], counts[1], counts[2]


def _deliver(
    ws: workspace.Workspace,
    con: duckdb.DuckDBPyConnection,
    delivered: list[dict[str, Any]],
    held: tuple[str, ...],
    *,
    expensive: bool,
) -> tuple[snapshots.Snapshot, snapshots.Merge]:
    source = f"SELECT {'DISTINCT ' if expensive else ''}{', '.join(held)} FROM ({values(delivered)})"
    with snapshots.Draft(ws, made_at=MADE_AT) as draft:
        made = draft.add_rows(table="reading", source=source, con=con)
        return draft.commit(), made


def _sharing(con: duckdb.DuckDBPyConnection, history: list[Any], before: dict[str, dict[str, Any]]) -> None:
    """A file none of whose rows changed is the same file in the next snapshot."""
    if len(history) < 2:
        return
    (old, _), (new, after) = history[-2:]
    for path in old.files("reading"):
        keys = con.execute("SELECT reading_id FROM read_parquet(?)", [str(path)]).fetchall()
        untouched = all(before[key] == after[key] for (key,) in keys)
        assert untouched == (path in new.files("reading"))


def _state(con: duckdb.DuckDBPyConnection, snapshot: snapshots.Snapshot) -> list[tuple[Any, ...]]:
    return sorted(seen(con, snapshot, "reading", *_COLUMNS))


def _tuples(state: dict[str, dict[str, Any]]) -> list[tuple[Any, ...]]:
    rows = []
    for row in state.values():
        energy = None if row["energy"] is None else Decimal(row["energy"])
        rows.append(tuple(energy if name == "energy" else row[name] for name in _COLUMNS))
    return sorted(rows)
