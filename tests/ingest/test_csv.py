"""Separated text: every encoding, every separator, and everything that can be wrong with a file."""

from __future__ import annotations

import csv
import gzip
import io
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mingcha.ingest.sources import blocks, csvfile, parts
from mingcha.ingest.sources import options as opts
from mingcha.kernel import errors

HEADER = "户号,户名,地址\n"
WANG = "1001,王小明,解放路1号\n"
LI = "1002,李娜,人民路2号\n"


class Read:
    """What staging a file gave: rows as (line, values), broken rows as (line, reason, column, value)."""

    def __init__(self, path: Path, folder: Path, options: opts.ReadOptions) -> None:
        part = csvfile.CsvPart(path=path, label=path.name, names=(path.stem,))
        self.probe = part.probe(options)
        self.staged = part.stage(options=options, folder=folder, number=3)
        table = pq.read_table(self.staged.path)
        self.columns = table.column_names[1:]
        lines = [parts.line_number(row) for row in table.column(0).to_pylist()]
        assert all(parts.file_number(row) == 3 for row in table.column(0).to_pylist())
        values = zip(*(column.to_pylist() for column in table.columns[1:]), strict=True)
        self.rows = list(zip(lines, values, strict=True))
        self.broken: list[tuple[Any, ...]] = []
        self.texts: list[str] = []
        if self.staged.broken:
            for row in pq.read_table(self.staged.broken).to_pylist():
                line = parts.line_number(row[parts.ROW])
                self.broken.append((line, row["reason"], row["column"], row["value"]))
                self.texts.append(row["text"])
        assert self.staged.rows == len(self.rows)
        assert self.staged.broken_rows == len(self.broken)


def read(tmp_path: Path, data: bytes | str, name: str = "用 户.csv", **options: Any) -> Read:
    path = tmp_path / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return Read(path, tmp_path, opts.ReadOptions(**options))


class TestEncodings:
    @pytest.mark.parametrize(
        ("encoding", "found"),
        [
            ("utf-8", "utf-8"),
            ("utf-8-sig", "utf-8"),
            ("gbk", "gb18030"),
            ("gb18030", "gb18030"),
            ("utf-16", "utf-8"),
            ("utf-32", "utf-8"),
        ],
    )
    def test_is_found_without_being_told(self, tmp_path: Path, encoding: str, found: str) -> None:
        got = read(tmp_path, (HEADER + WANG + LI).encode(encoding))
        assert got.columns == ["户号", "户名", "地址"]
        assert got.rows == [(2, ("1001", "王小明", "解放路1号")), (3, ("1002", "李娜", "人民路2号"))]
        assert got.staged.facts["encoding"] == found

    def test_reads_characters_only_gb18030_has(self, tmp_path: Path) -> None:
        got = read(tmp_path, (HEADER + "1,㐱𠀀,路\n").encode("gb18030"))
        assert got.rows == [(2, ("1", "㐱𠀀", "路"))]

    @pytest.mark.parametrize("declared", ["big5", "utf-16-le", "latin-1"])
    def test_declared_is_obeyed(self, tmp_path: Path, declared: str) -> None:
        text = "a,b\n1,é\n" if declared == "latin-1" else "a,b\n1,電\n"
        got = read(tmp_path, text.encode(declared), encoding=declared)
        assert got.rows[0][1][1] in ("é", "電")

    def test_settles_at_the_first_line_that_is_not_ascii(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(blocks, "BLOCK", 64)
        monkeypatch.setattr(blocks.line_blocks, "__kwdefaults__", {"size": 64})
        text = "a,b\n" + "1,x\n" * 100 + "2,电表\n"
        got = read(tmp_path, text.encode("gbk"))
        assert got.rows[-1] == (102, ("2", "电表"))
        assert len(got.rows) == 101
        assert got.staged.facts["encoding"] == "gb18030"

    @pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
    def test_a_bad_byte_late_condemns_its_row_only(self, tmp_path: Path, encoding: str) -> None:
        good = (HEADER + WANG * 40).encode(encoding)
        got = read(tmp_path, good + b"1003,\xff\xff,x\n" + LI.encode(encoding))
        assert got.broken == [(42, "bad_encoding", "户名", r"\xff\xff")]
        assert got.texts == [r"1003,\xff\xff,x"]
        assert [line for line, _ in got.rows] == [*range(2, 42), 43]

    @pytest.mark.parametrize(
        ("data", "declared"),
        [
            ((HEADER + WANG + LI).encode("gbk"), "utf-8"),
            (("a,b\n" + "1,王小明\n2,李娜\n3,张三\n").encode("gbk"), "utf-8"),
            (("k,v\n" + "".join(f"{i},\xff\xfe\xfd\n" for i in range(9))).encode("latin-1"), None),
        ],
    )
    def test_a_file_in_another_encoding_is_refused(
        self, tmp_path: Path, data: bytes, declared: str | None
    ) -> None:
        with pytest.raises(errors.DataError) as caught:
            read(tmp_path, data, encoding=declared)
        assert "用 户.csv" in caught.value.what
        assert "encoding" in caught.value.mend

    def test_a_nul_condemns_its_row(self, tmp_path: Path) -> None:
        got = read(tmp_path, "a,b\n" + "1,2\n" * 20 + "3,x\x00y\n4,5\n")
        assert got.broken == [(22, "bad_encoding", "b", r"x\x00y")]
        assert got.rows[-1] == (23, ("4", "5"))


class TestSeparators:
    @pytest.mark.parametrize("delimiter", opts.DELIMITERS)
    def test_are_found(self, tmp_path: Path, delimiter: str) -> None:
        got = read(tmp_path, delimiter.join("abc") + "\n" + delimiter.join("123") + "\n", name="t.txt")
        assert got.columns == ["a", "b", "c"]
        assert got.rows == [(2, ("1", "2", "3"))]
        assert got.staged.facts["delimiter"] == delimiter

    def test_a_comma_in_semicolon_text_does_not_mislead(self, tmp_path: Path) -> None:
        got = read(tmp_path, 'id;name, title;amount\n1;"a;b";1,5\n2;c;2,5\n')
        assert got.columns == ["id", "name, title", "amount"]
        assert got.rows == [(2, ("1", "a;b", "1,5")), (3, ("2", "c", "2,5"))]

    def test_declared_one_may_be_any_character(self, tmp_path: Path) -> None:
        assert read(tmp_path, "a^b\n1^2\n", delimiter="^").rows == [(2, ("1", "2"))]

    def test_gbk_text_may_hold_the_separator_as_second_byte(self, tmp_path: Path) -> None:
        text = "a|b\n1|" + b"\x81\x7c".decode("gbk") + "\n"
        got = read(tmp_path, text.encode("gbk"), encoding="gbk")
        assert got.rows == [(2, ("1", b"\x81\x7c".decode("gbk")))]

    def test_excel_hint_is_not_a_header(self, tmp_path: Path) -> None:
        got = read(tmp_path, "sep=;\na;b\n1;2\n")
        assert got.rows == [(3, ("1", "2"))]

    def test_one_column(self, tmp_path: Path) -> None:
        got = read(tmp_path, "户号\n1\n\n2\n")
        assert got.rows == [(2, ("1",)), (4, ("2",))]
        assert got.broken == []


class TestLines:
    def test_quoted_line_ends_keep_the_numbers_exact(self, tmp_path: Path) -> None:
        got = read(tmp_path, 'a,b\n1,"x\ny\r\nz"\n2,"say ""hi"""\n\n3,c\n')
        assert got.rows == [(2, ("1", "x\ny\r\nz")), (5, ("2", 'say "hi"')), (7, ("3", "c"))]

    @pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
    def test_any_line_end(self, tmp_path: Path, end: str) -> None:
        got = read(tmp_path, end.join(["a,b", "1,2", '"3","4"', ""]))
        assert got.rows == [(2, ("1", "2")), (3, ("3", "4"))]

    def test_wrong_field_counts_are_put_aside(self, tmp_path: Path) -> None:
        got = read(tmp_path, "a,b\n1\n1,2\n1,2,3\n4,5\n")
        assert got.broken == [
            (2, "wrong_field_count", None, "1 ≠ 2"),
            (4, "wrong_field_count", None, "3 ≠ 2"),
        ]
        assert [line for line, _ in got.rows] == [3, 5]

    def test_a_stray_quote_does_not_swallow_the_rows_after_it(self, tmp_path: Path) -> None:
        got = read(tmp_path, 'a,b\n1,"open\n2,x\n3,y\n')
        assert got.broken == [(2, "truncated", None, None)]
        assert [line for line, _ in got.rows] == [3, 4]

    def test_a_quote_that_closes_in_the_wrong_place_condemns_its_line(self, tmp_path: Path) -> None:
        got = read(tmp_path, 'a,b\n1,"open\n2,x\n3,"y"\n4,z\n')
        assert got.broken == [(2, "wrong_field_count", None, None)]
        assert [line for line, _ in got.rows] == [3, 4, 5]

    @pytest.mark.parametrize("tail", ['3,"cut of', "3"])
    def test_a_cut_off_end_is_put_aside(self, tmp_path: Path, tail: str) -> None:
        got = read(tmp_path, "a,b\n1,2\n" + tail)
        assert got.broken == [(3, "truncated", None, None)]
        assert got.rows == [(2, ("1", "2"))]

    def test_a_complete_last_line_without_end_is_a_row(self, tmp_path: Path) -> None:
        got = read(tmp_path, "a,b\n1,2\n3,4")
        assert got.rows[-1] == (3, ("3", "4"))
        assert got.staged.notes == ("last_line_open",)

    def test_a_declared_header_line(self, tmp_path: Path) -> None:
        got = read(tmp_path, "2026年3月电费明细\n\na,b\n1,2\n", header_line=3)
        assert got.columns == ["a", "b"]
        assert got.rows == [(4, ("1", "2"))]

    def test_a_header_with_line_ends_in_quotes(self, tmp_path: Path) -> None:
        got = read(tmp_path, '"电量\n(kWh)",b\n1,2\n')
        assert got.columns == ["电量\n(kWh)", "b"]
        assert got.rows == [(3, ("1", "2"))]

    def test_no_rows_is_no_fault(self, tmp_path: Path) -> None:
        got = read(tmp_path, "a,b\n")
        assert got.rows == []
        assert got.columns == ["a", "b"]

    def test_gzip(self, tmp_path: Path) -> None:
        got = read(tmp_path, gzip.compress((HEADER + WANG).encode("gbk")), name="用户.csv.gz")
        assert got.rows == [(2, ("1001", "王小明", "解放路1号"))]


class TestRefusals:
    @pytest.mark.parametrize(
        ("data", "name", "words"),
        [
            (b"", "a.csv", "empty"),
            (b"\n\n \n", "a.csv", "empty"),
            (b"\xef\xbb\xbf", "a.csv", "empty"),
            (b"a,b,A\n1,2,3\n", "a.csv", "more than once"),
            (b"PK\x03\x04rest", "a.csv", "zip archive"),
            (b"PAR1rest", "a.csv", "Parquet"),
            ("a,b\n1,2\n".encode("utf-16-le"), "a.csv", "UTF-16"),
            (
                gzip.compress(b"a,b\n" + bytes(range(48, 58)) * 4000, mtime=0)[:60],
                "a.csv.gz",
                "cannot be unpacked",
            ),
            (b"no gzip at all", "a.csv.gz", "cannot be unpacked"),
            (b'"a,b\n1,2\n', "a.csv", "does not read as a line of column names"),
        ],
    )
    def test_say_what_why_and_how_to_mend(self, tmp_path: Path, data: bytes, name: str, words: str) -> None:
        with pytest.raises(errors.DataError, match=words) as caught:
            read(tmp_path, data, name=name)
        assert caught.value.what.startswith(name)
        assert caught.value.why
        assert caught.value.mend

    def test_an_endless_line_is_refused_before_it_fills_the_memory(self, tmp_path: Path) -> None:
        path = tmp_path / "长.csv"
        with path.open("wb") as stream:
            stream.write(b"a,b\n1,2\n3," + b"x" * 5000)
            stream.truncate(10 * 1024**3)  # a sparse file of 10 GiB, of which little may be read
        with pytest.raises(errors.DataError, match="longer than 1 MiB"):
            Read(path, tmp_path, opts.ReadOptions(max_line_mib=1))

    def test_an_endless_record_in_quotes_stays_bounded(self, tmp_path: Path) -> None:
        text = 'a,b\n1,"never closed\n' + "2,x\n" * 400_000
        got = read(tmp_path, text, max_line_mib=1)
        assert got.broken == [(2, "truncated", None, None)]
        assert len(got.rows) == 400_000

    def test_a_gzip_bomb_is_refused(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(blocks, "_GZIP_FREE", 1024 * 1024)
        with pytest.raises(errors.DataError, match="unpacks to more than"):
            read(tmp_path, gzip.compress(b"a,b\n" + b"1,2\n" * 2_000_000), name="a.csv.gz")


fields = st.text(alphabet=st.sampled_from("ab12 ,;\"\n\r'王，"), max_size=6)
right = st.lists(fields, min_size=3, max_size=3)
wrong = st.lists(st.just("x"), min_size=1, max_size=5).filter(lambda row: len(row) != 3)


class TestBothWays:
    @settings(max_examples=150, deadline=None)
    @given(rows=st.lists(right | wrong, max_size=12), size=st.integers(16, 80))
    def test_what_a_csv_writer_wrote_is_read_back(
        self, tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]], size: int
    ) -> None:
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_ALL)
        writer.writerow(["a", "b", "c"])
        expected = []
        line = 2
        for row in rows:
            writer.writerow(row)
            if len(row) == 3:
                expected.append((line, tuple(row)))
            text = ",".join(row)
            line += 1 + text.count("\n") + text.count("\r") - text.count("\r\n")
        folder = tmp_path_factory.mktemp("both")
        path = folder / "t.csv"
        path.write_bytes(out.getvalue().encode())
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(blocks.line_blocks, "__kwdefaults__", {"size": size})
            got = Read(path, folder, opts.ReadOptions())
        assert got.rows == expected
        assert len(got.broken) == sum(len(row) != 3 for row in rows)

    @settings(max_examples=200, deadline=None)
    @example(data='a",,"\n', size=8)
    @given(data=st.text(alphabet=st.sampled_from('ab,"\n'), max_size=60), size=st.integers(8, 40))
    def test_fast_and_careful_agree_on_any_text(
        self, tmp_path_factory: pytest.TempPathFactory, data: str, size: int
    ) -> None:
        folder = tmp_path_factory.mktemp("agree")
        path = folder / "t.csv"
        path.write_text("x,y\n" + data, encoding="utf-8")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(blocks.line_blocks, "__kwdefaults__", {"size": size})
            fast = Read(path, folder, opts.ReadOptions())
            patch.setattr(csvfile._Scan, "_fast", lambda *_: False)
            careful = Read(path, folder, opts.ReadOptions())
        assert fast.rows == careful.rows
        assert fast.broken == careful.broken
        assert len(fast.rows) + len(fast.broken) == 0 or data.strip("\n")
