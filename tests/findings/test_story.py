"""The story of a finding in both languages, with personal data masked."""

import duckdb
import pytest

from mingcha.contract import ddl, load
from mingcha.findings import model, queries, sources, story, words
from mingcha.kernel import errors

ARTICLE = words.Article(
    topic=words.Text("倍率退补", "Multiplier refunds"),
    document=words.Text("供电营业规则", "Supply rules"),
    article="80",
    summary=words.Text("从差错之日起退补", "from the day of the error"),
    in_force_from="2024-06-01",
)


def told(con: duckdb.DuckDBPyConnection, rule: words.RuleWords, language: str) -> story.Story:
    return story.tell(
        finding=queries.one(con=con, finding_id="F0000000000000001"),
        rule=rule,
        language=language,
        articles=[ARTICLE],
        private={"payer_name"},
    )


class TestTell:
    def test_fills_the_texts_from_evidence_columns_and_parameters(
        self, con: duckdb.DuckDBPyConnection, rule: words.RuleWords
    ) -> None:
        chinese, english = told(con, rule, "zh"), told(con, rule, "en")
        assert chinese.expected == "应为 30 倍"
        assert chinese.found == "实为 40 倍，容差 0.001"
        assert english.matters == "15.00 CNY lost"
        assert english.reason == "multiplier differs"
        assert chinese.subject == "计量点 P1 · 用户 C1 · 单位 O1"
        assert english.period == "2026-03-01 to 2026-04-01 (not included)"

    def test_states_all_four_amounts_and_what_was_not_estimated(
        self, con: duckdb.DuckDBPyConnection, rule: words.RuleWords
    ) -> None:
        money = {fact.name: fact.text for fact in told(con, rule, "en").money}
        assert money == {
            "energy_kwh": "1,234.5 kWh",
            "back_cny": "15.00 CNY",
            "penalty_cny": "not estimated",
            "refund_cny": "not estimated",
            "exposed_cny": "not estimated",
        }

    def test_masks_personal_evidence_and_names_what_was_not_applied(
        self, con: duckdb.DuckDBPyConnection, rule: words.RuleWords
    ) -> None:
        english = told(con, rule, "en")
        assert {fact.title: fact.text for fact in english.evidence}["Payer"] == "张**"
        assert english.not_applied == ("changes that a ticket explains",)
        assert [(fact.title, fact.text) for fact in english.parameters] == [("Tolerance", "0.001%")]

    def test_evidence_in_one_line(self, con: duckdb.DuckDBPyConnection, rule: words.RuleWords) -> None:
        finding = queries.one(con=con, finding_id="F0000000000000001")
        line = story.evidence_text(finding=finding, rule=rule, language="zh", private={"payer_name"})
        assert line == "档案倍率：40；应有倍率：30；付款人：张**"


class TestFinding:
    def test_tells_its_rows_and_whether_another_desk_knows(self, con: duckdb.DuckDBPyConnection) -> None:
        finding = queries.one(con=con, finding_id="F0000000000000001")
        key = {"usage_point_id": "P1", "effective_from": "2025-01-01"}
        assert finding.rows == (model.RowKey("usage_point", key),)
        assert finding.known_upstream

    @pytest.mark.parametrize("text", ["[1]", "{", "3"])
    def test_refuses_evidence_that_is_no_object(self, text: str) -> None:
        with pytest.raises(errors.DataError, match="F1"):
            model.read_evidence(text, of="F1")


class TestSourceRows:
    KEY = model.RowKey("customer", {"customer_id": "C1"})

    @pytest.fixture
    def books(self, con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
        table = load.contract().tables["customer"]
        con.execute(ddl.create_table(table=table))
        known = {
            "customer_id": "C1",
            "name": "张三丰",
            "phone": "13812345678",
            "id_number": "430102",
            "status": "active",
        }
        names, values = zip(
            *((column.name, known.get(column.name, column.example)) for column in table.columns), strict=True
        )
        con.execute(
            f"INSERT INTO customer ({', '.join(names)}) VALUES ({', '.join('?' for _ in names)})", values
        )
        return con

    def test_are_shown_with_titles_units_and_enum_words_and_masked(
        self, books: duckdb.DuckDBPyConnection
    ) -> None:
        (row,) = sources.fetch(con=books, rows=[self.KEY], language="en")
        cells = {cell.column: cell.text for cell in row.cells}
        assert (cells["name"], cells["phone"], cells["id_number"]) == ("张**", "138****5678", "(withheld)")
        assert cells["customer_id"] == "C1"
        assert cells["status"].endswith("(active)")
        assert cells["contract_capacity_kva"].endswith(" kVA")

    def test_a_row_the_snapshot_does_not_hold_has_no_cells(self, books: duckdb.DuckDBPyConnection) -> None:
        (row,) = sources.fetch(
            con=books, rows=[model.RowKey("customer", {"customer_id": "C9"})], language="zh"
        )
        assert row.cells == ()

    def test_days_in_keys_are_compared_as_days(self, con: duckdb.DuckDBPyConnection) -> None:
        table = load.contract().tables["calendar_day"]
        con.execute(ddl.create_table(table=table))
        con.execute("INSERT INTO calendar_day VALUES (DATE '2026-05-01', 'holiday')")
        (row,) = sources.fetch(
            con=con, rows=[model.RowKey("calendar_day", {"day": "2026-05-01"})], language="zh"
        )
        assert [cell.column for cell in row.cells] == ["day", "kind"]

    @pytest.mark.parametrize("key", [model.RowKey("nothing", {"a": 1}), model.RowKey("customer", {"no": 1})])
    def test_refuses_what_the_contract_does_not_have(
        self, con: duckdb.DuckDBPyConnection, key: model.RowKey
    ) -> None:
        with pytest.raises(errors.BookError, match="the contract has none"):
            sources.fetch(con=con, rows=[key], language="zh")

    def test_a_name_that_is_open_somewhere_is_not_private_by_itself(self) -> None:
        private = sources.private_names()
        assert {"phone", "id_number", "payer_account"} <= private
        assert not {"name", "customer_id", "amount"} & private
