"""The plain measures the benchmarks compare with: a DuckDB copy of files, a scan of columns.

Run by benchmarks/run.py, each in a process of its own: `copy FROM TO`, `scan WORKSPACE`.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import duckdb

from mingcha.rules import book
from mingcha.store import snapshots, workspace


def copy(source: Path, target: Path) -> dict[str, float]:
    """Copy every Parquet file of a folder through DuckDB, unchanged and unsorted; return the seconds."""
    target.mkdir(parents=True, exist_ok=True)
    con = duckdb.connect(config={"memory_limit": "5GB", "temp_directory": str(target)})
    started = time.perf_counter()
    for file in sorted(source.rglob("*.parquet")):
        out = target / f"{file.parent.name}-{file.name}"
        con.execute(f"COPY (SELECT * FROM read_parquet('{file}')) TO '{out}' (FORMAT parquet)")
    return {"seconds": time.perf_counter() - started}


def columns_read() -> dict[str, set[str]]:
    """Return table -> columns that the live rules and their relations read, by what they declare."""
    loaded = book.load()
    needs: dict[str, set[str]] = {}
    todo = [rule.sheet.needs for rule in loaded.rules.values()]
    seen: set[str] = set()
    while todo:
        for name, columns in todo.pop().items():
            if name in loaded.relations:
                if name not in seen:
                    seen.add(name)
                    todo.append(loaded.relations[name].sheet.needs)
            else:
                needs.setdefault(name, set()).update(columns)
    return needs


def scan(folder: Path) -> dict[str, float]:
    """Aggregate once every column the rules read, straight from the snapshot's files; return the seconds."""
    snapshot = snapshots.latest(workspace.Workspace.open(folder))
    assert snapshot is not None
    con = duckdb.connect(config={"memory_limit": "5GB"})
    started = time.perf_counter()
    for table, columns in columns_read().items():
        files = [str(path) for path in snapshot.files(table)]
        delivered = [c for c in sorted(columns) if c in snapshot.columns_delivered(table)]
        if files and delivered:
            selected = ", ".join(f'max("{column}")' for column in delivered)
            con.execute(f"SELECT {selected} FROM read_parquet({files!r})").fetchall()
    return {"seconds": time.perf_counter() - started}


if __name__ == "__main__":
    kind, *paths = sys.argv[1:]
    result = copy(Path(paths[0]), Path(paths[1])) if kind == "copy" else scan(Path(paths[0]))
    print(json.dumps(result))
