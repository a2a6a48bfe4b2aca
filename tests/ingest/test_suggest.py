"""The proposed mapping: read back as it stands, right where names are known, silent where they are not."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mingcha.contract import load, templates
from mingcha.ingest.mapping import model, reading
from mingcha.ingest.suggestion import suggest
from mingcha.kernel import errors


def proposed(folder: Path) -> dict[str, model.TableRule]:
    """Return the tables of the proposal by our name, after reading it back."""
    text = suggest.suggest(source=folder)
    return {table.to: table for table in reading.parse(text=text, source="proposal").tables}


class TestSuggest:
    def test_knows_trade_names_in_chinese_also_in_gb18030(self, tmp_path: Path) -> None:
        text = "户号,户名,用电类别,立户日期\nC1,张三,居民生活,2020年1月5日\n"
        (tmp_path / "用户档案.csv").write_bytes(text.encode("gb18030"))
        columns = proposed(tmp_path)["customer"].columns
        assert columns["customer_id"].column == "户号"
        assert columns["opened_on"].column == "立户日期"
        assert columns["usage_category"].values == {"居民生活": "residential"}

    def test_knows_physical_names_of_marketing_systems(self, tmp_path: Path) -> None:
        (tmp_path / "R_DATA.csv").write_text("MP_ID|LAST_MR_NUM|THIS_READ|MR_DATE\nP1|10|20|2026-03-01\n")
        columns = proposed(tmp_path)["reading"].columns
        assert {name: rule.column for name, rule in columns.items()} == {
            "usage_point_id": "MP_ID",
            "start_value": "LAST_MR_NUM",
            "end_value": "THIS_READ",
            "read_on": "MR_DATE",
        }

    def test_sees_that_days_come_first(self, tmp_path: Path) -> None:
        (tmp_path / "clients.csv").write_text("client_id,creation_date\nA,31/12/1994\nB,05/02/2001\n")
        assert proposed(tmp_path)["customer"].columns["opened_on"].date_format == "%d/%m/%Y"

    def test_proposes_the_second_table_of_a_wide_source(self, tmp_path: Path) -> None:
        table = pa.table(
            {
                "client_id": ["A", "B"],
                "invoice_date": ["2019-01-02", "2019-02-03"],
                "counter_number": ["1", "2"],
                "counter_coefficient": [1, 1],
                "old_index": [5, 6],
                "new_index": [7, 9],
            }
        )
        pq.write_table(table, tmp_path / "invoices.parquet")
        tables = proposed(tmp_path)
        assert set(tables) == {"bill", "reading"}
        assert tables["reading"].columns["start_value"].column == "old_index"

    @pytest.mark.parametrize("name", ["customer", "reading", "bill", "receipt", "daily_energy", "ticket"])
    def test_finds_every_column_of_our_own_templates(self, name: str, tmp_path: Path) -> None:
        table = load.contract().tables[name]
        example = ",".join(f'"{column.example}"' for column in table.columns)
        template = templates.csv_template(table=table).lstrip("\ufeff").splitlines()[0]
        (tmp_path / f"{name}.csv").write_text(f"{template}\n{example}\n", encoding="utf-8")
        columns = proposed(tmp_path)[name].columns
        assert {our: rule.column for our, rule in columns.items()} == {c: c for c in table.column_names}

    def test_leaves_a_source_like_none_of_ours_to_a_person(self, tmp_path: Path) -> None:
        (tmp_path / "zzz.csv").write_text("a;b\n1;x\n")
        text = suggest.suggest(source=tmp_path)
        assert "# zzz.csv is like none of our tables" in text
        assert reading.parse(text=text, source="proposal").tables == ()

    def test_names_what_may_not_be_empty_and_was_not_found(self, tmp_path: Path) -> None:
        (tmp_path / "customer.csv").write_text("customer_id\nC1\n")
        text = suggest.suggest(source=tmp_path)
        assert "# usage_category: {constant:" in text
        assert "assumed: true" in text

    def test_a_folder_of_nothing_is_told_so(self, tmp_path: Path) -> None:
        with pytest.raises(errors.DataError, match="holds nothing that can be read"):
            suggest.suggest(source=tmp_path)
