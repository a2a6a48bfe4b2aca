"""The same order gives the same books, whatever the threads; another seed gives others."""

from __future__ import annotations

from pathlib import Path

import pytest

from mingcha.synth import generate

from .conftest import CUSTOMERS, MONTHS, Books

SMALL = {"customers": 400, "months": 4, "clean": True}


def test_twice_the_same_order_is_byte_for_byte_the_same(tmp_path: Path) -> None:
    for name, threads in (("one", 1), ("two", 2)):
        generate.generate(out=tmp_path / name, seed=9, threads=threads, **SMALL)  # type: ignore[arg-type]
    files = sorted(path.name for path in (tmp_path / "one").iterdir())
    different = [
        name
        for name in files
        if (tmp_path / "one" / name).read_bytes() != (tmp_path / "two" / name).read_bytes()
    ]
    assert len(files) > 50
    assert different == []


def test_another_seed_gives_other_books(tmp_path: Path) -> None:
    for seed in (1, 2):
        generate.generate(out=tmp_path / str(seed), seed=seed, **SMALL)  # type: ignore[arg-type]
    one, two = (Books(tmp_path / str(seed)).fingerprint("reading") for seed in (1, 2))
    assert one != two


@pytest.mark.slow
def test_planting_is_repeatable_too(planted: Books, tmp_path: Path) -> None:
    generate.generate(out=tmp_path / "again", customers=CUSTOMERS, months=MONTHS, seed=3)
    again = Books(tmp_path / "again")
    assert again.tables == planted.tables
    assert [t for t in sorted(again.tables) if again.fingerprint(t) != planted.fingerprint(t)] == []
    assert (tmp_path / "again" / "truth.csv").read_bytes() == (planted.folder / "truth.csv").read_bytes()


@pytest.mark.slow
def test_made_in_pieces_it_is_the_same_utility(tmp_path: Path) -> None:
    order = {"customers": 15_500, "months": 3, "seed": 5, "clean": True, "daily_days": 12}
    generate.generate(out=tmp_path / "whole", **order)  # type: ignore[arg-type]
    generate.generate(out=tmp_path / "pieces", chunk_limit=15_360, **order)  # type: ignore[arg-type]
    whole, pieces = Books(tmp_path / "whole"), Books(tmp_path / "pieces")
    assert len(list((tmp_path / "pieces" / "bill").iterdir())) == 2
    assert whole.tables == pieces.tables
    for table in sorted(whole.tables):
        pieces.con.execute(
            f"CREATE VIEW other AS SELECT * FROM read_parquet('{whole.folder}/{table}.parquet')"
        )
        missing = pieces.one(f"SELECT count(*) FROM (SELECT * FROM other EXCEPT ALL SELECT * FROM {table})")
        assert (table, missing) == (table, 0)
        assert pieces.one(f"SELECT count(*) FROM {table}") == pieces.one("SELECT count(*) FROM other")
        pieces.con.execute("DROP VIEW other")
