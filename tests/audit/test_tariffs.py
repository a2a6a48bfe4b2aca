"""A workspace's own books and codes stand beside the shipped ones."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from mingcha.audit import tariffs
from mingcha.kernel import errors

SOUND = Path(__file__).parents[1] / "tariffbook" / "sound.yaml"
TARIFFS = """
CREATE TABLE tariff AS SELECT * FROM (VALUES
    ('SHOP', '某发改价格〔2026〕1号'), ('SHOP', '某发改价格〔2025〕9号'), ('X-1', NULL),
    ('RES', '云岭发改价格〔2023〕12号')
) AS t(tariff_id, document)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "tariffs").mkdir()
    (tmp_path / "tariffs" / "city.yaml").write_bytes(SOUND.read_bytes())
    return tmp_path


@pytest.fixture
def con() -> duckdb.DuckDBPyConnection:
    made = duckdb.connect(":memory:")
    made.execute(TARIFFS)
    return made


def write(folder: Path, text: str) -> Path:
    path = folder / "tariffs" / "codes.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_own_books_and_codes_are_installed(folder: Path, con: duckdb.DuckDBPyConnection) -> None:
    write(folder, "tariff_id,tariff_code\nX-1,my.city.home\n\n")
    prepared = tariffs.prepare(con, folder=folder)
    expected = [("RES", "demo.yunling.res"), ("SHOP", "my.city.shop"), ("X-1", "my.city.home")]
    assert con.execute("FROM tb_code ORDER BY ALL").fetchall() == expected
    assert list(prepared.codes) == expected
    assert "my.city.shop" in prepared.books.codes


def test_without_a_folder_there_are_the_shipped_books(tmp_path: Path) -> None:
    assert tariffs.files(folder=tmp_path) == []
    assert "my.city" not in tariffs.books_of(folder=tmp_path).books
    assert tariffs.books_of(folder=None).books == tariffs.books_of(folder=tmp_path).books


def test_the_digest_changes_with_the_codes_and_the_books(
    folder: Path, con: duckdb.DuckDBPyConnection
) -> None:
    digests = [tariffs.prepare(con, folder=folder).digest for _ in range(2)]
    write(folder, "tariff_id,tariff_code\nX-1,my.city.home\n")
    digests.append(tariffs.prepare(con, folder=folder).digest)
    book = folder / "tariffs" / "city.yaml"
    book.write_text(book.read_text(encoding="utf-8").replace('"0.56"', '"0.57"'), encoding="utf-8")
    digests.append(tariffs.prepare(con, folder=folder).digest)
    assert digests[0] == digests[1]
    assert len(set(digests)) == 3


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "line 1: the header is not tariff_id,tariff_code"),
        ("id,code\nA,my.city.home\n", "line 1: the header is not tariff_id,tariff_code"),
        ("tariff_id,tariff_code\nA\n", "line 2: has not two values"),
        ("tariff_id,tariff_code\nA,\n", "line 2: has not two values"),
        ("tariff_id,tariff_code\nA,my.city.home\n\nA,my.city.shop\n", "line 4: A stands twice"),
        ("tariff_id,tariff_code\nA,my.city.hme\n", "line 2: no book has a tariff my.city.hme"),
    ],
)
def test_mistakes_of_the_codes_are_told_with_their_line(folder: Path, text: str, says: str) -> None:
    path = write(folder, text)
    with pytest.raises(errors.BookError) as caught:
        tariffs.listed_codes(folder=folder, books=tariffs.books_of(folder=folder))
    assert f"codes.csv: {says}" in caught.value.what
    assert [str(one) for one in tariffs.mistakes(folder=folder, paths=[path])[1]] == [
        str(one) for one in tariffs.mistakes(folder=folder)[1]
    ]


def test_codes_that_are_no_text_are_told(folder: Path) -> None:
    write(folder, "").write_bytes("tariff_id,tariff_code\n居民,my.city.home\n".encode("gb18030"))
    (mistake,) = tariffs.mistakes(folder=folder)[1]
    assert "cannot be read as CSV in UTF-8" in str(mistake)


def test_a_file_may_refer_to_another_of_the_workspace(folder: Path, tmp_path: Path) -> None:
    text = SOUND.read_text(encoding="utf-8")
    head, _, _ = text.partition("parameters:")
    shop = text.partition("  - code: my.city.shop")[2]
    other = (
        head.replace("my.city", "my.town")
        + "tariffs:\n  - code: my.town.shop"
        + shop.replace("programme: hours", "programme: my.city/hours").replace(
            "price: energy", "price: my.city/energy"
        )
    )
    file = tmp_path / "tariffs" / "town.yaml"
    file.write_text(other, encoding="utf-8")
    assert tariffs.mistakes(folder=folder, paths=[file])[1] == []
    assert tariffs.mistakes(folder=folder)[1] == []
    alone = tariffs.mistakes(folder=None, paths=[file])[1]
    assert {one.what for one in alone} == {
        "there is no programme my.city/hours",
        "there is no price table my.city/energy",
    }
