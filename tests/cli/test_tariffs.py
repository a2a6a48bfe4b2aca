"""`mingcha tariffs`: what is printed, as JSON and in two languages, and how it leaves."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from .conftest import Run, three_parts

TESTS = Path(__file__).parents[1] / "tariffbook"
SOUND = TESTS / "sound.yaml"
HUBEI = "cn.hubei.agent.single.lt1.tou"


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand in a folder that is no workspace."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def own(workspace: Path) -> Path:
    (workspace / "tariffs").mkdir()
    (workspace / "tariffs" / "city.yaml").write_bytes(SOUND.read_bytes())
    return workspace


class TestList:
    def test_of_one_book_in_both_languages(self, mingcha: Run) -> None:
        chinese = mingcha("tariffs", "list", "--book", "cn.hubei")
        assert chinese.code == 0
        assert HUBEI in chinese.out
        assert "一般工商业" in chinese.out
        assert "[K?] 待核" in chinese.out
        english = mingcha("tariffs", "list", "--book", "cn.hubei", "--lang", "en").out
        assert "General industry and commerce" in english
        assert "[K?] to be verified" in english

    def test_on_a_day(self, mingcha: Run) -> None:
        def codes(on: str) -> set[str]:
            listed = mingcha("tariffs", "list", "--on", on, "--json").document["tariffs"]
            return {tariff["code"] for tariff in listed}

        assert HUBEI in codes("2026-01-31")
        assert HUBEI not in codes("2026-02-01")

    def test_says_what_is_made_up(self, mingcha: Run) -> None:
        assert "[虚构]" in mingcha("tariffs", "list", "--book", "demo.yunling").out
        listed = mingcha("tariffs", "list", "--book", "demo.yunling", "--json").document["tariffs"]
        assert all(tariff["fictional"] for tariff in listed)

    def test_has_the_books_of_the_workspace(self, mingcha: Run, own: Path) -> None:
        assert "my.city.shop" in mingcha("tariffs", "list", "-w", own).out
        assert "my.city.shop" not in mingcha("tariffs", "list").out

    def test_refuses_an_unknown_book_and_a_day_that_is_none(self, mingcha: Run) -> None:
        for asked in (("--book", "cn.hubai"), ("--on", "2026-13-01"), ("--lang", "fr")):
            ran = mingcha("tariffs", "list", *asked)
            assert ran.code == 2
            assert three_parts(ran.err)
        assert "cn.hubei" in mingcha("tariffs", "list", "--book", "cn.hubai").err


class TestShow:
    def test_prices_hours_documents(self, mingcha: Run) -> None:
        out = mingcha("tariffs", "show", HUBEI, "--on", "2026-01-15").out
        for words in ("0.782583", "CNY/kWh", "代理购电价格公告", "18:00–20:00", "[D]", "公布电价减"):
            assert words in out, words

    def test_tiers_and_what_is_to_be_verified(self, mingcha: Run) -> None:
        out = mingcha("tariffs", "show", "cn.hubei.residential", "--lang", "en").out
        for words in ("2160", "4800", "per year", "0.30", "to be verified", "Tier surcharge"):
            assert words in out, words

    def test_as_json(self, mingcha: Run) -> None:
        document = mingcha("tariffs", "show", HUBEI, "--json").document
        sharp = next(price for price in document["prices"] if price["period"] == "sharp")
        assert sharp["price"] == Decimal("0.782583")
        assert sharp["unit"] == "CNY/kWh"
        assert {"period": "sharp", "from": "20:00", "to": "22:00"} in document["programme"][0]["seasons"][0][
            "hours"
        ]
        residential = mingcha("tariffs", "show", "cn.hubei.residential", "--json").document
        assert residential["provisional"] is True
        assert residential["tiers"][0]["limits"][0]["upto"] == [2160, 4800]
        assert residential["tiers"][0]["document"] == "湖北省居民阶梯电价"
        assert residential["tiers"][0]["provisional"] is True
        assert document["programme"][0]["document"] == "鄂发改价管〔2024〕77号"

    def test_only_what_holds_on_the_day(self, mingcha: Run, own: Path) -> None:
        asked = ("tariffs", "show", "my.city.home", "-w", own, "--json")
        assert len(mingcha(*asked).document["prices"]) == 5
        prices = mingcha(*asked, "--on", "2026-07-01").document["prices"]
        assert [price["price"] for price in prices if price["component"] == "energy"] == [Decimal("0.56")]

    def test_hours_of_demand_stand_beside_those_of_energy(self, mingcha: Run, own: Path) -> None:
        file = own / "tariffs" / "city.yaml"
        text = file.read_text(encoding="utf-8")
        with_demand = text.replace(
            "    programme: hours\n", "    programme: hours\n    demand_programmes: [hours]\n"
        )
        file.write_text(with_demand, encoding="utf-8")
        asked = ("tariffs", "show", "my.city.shop", "-w", own)
        assert "需量时段" in mingcha(*asked).out
        document = mingcha(*asked, "--json").document
        assert document["demand_programmes"] == document["programme"]

    def test_refuses_an_unknown_code_and_a_day_outside(self, mingcha: Run) -> None:
        for asked in (("cn.hubei.agent",), (HUBEI, "--on", "2026-02-01")):
            ran = mingcha("tariffs", "show", *asked)
            assert ran.code == 2
            assert three_parts(ran.err)


class TestCheck:
    def test_of_the_shipped_books(self, mingcha: Run) -> None:
        ran = mingcha("tariffs", "check")
        assert (ran.code, ran.err) == (0, "")
        assert ran.out.endswith(" files, no mistakes\n")

    def test_tells_all_mistakes_of_all_files(self, mingcha: Run) -> None:
        broken = TESTS / "broken"
        ran = mingcha("tariffs", "check", broken / "gap.yaml", broken / "empty_file.yaml", SOUND, "--json")
        assert ran.code == 1
        assert (ran.document["files"], ran.document["mistakes"]) == (3, 2)
        assert {Path(one["file"]).name for one in ran.document["problems"]} == {"gap.yaml", "empty_file.yaml"}
        assert all(one["what"] and one["mend"] for one in ran.document["problems"])
        said = mingcha("tariffs", "check", broken / "gap.yaml")
        assert said.code == 1
        assert "there is a gap from 2026-06-01 to 2026-07-01 → add what was in force then" in said.out
        assert "1 file, 1 mistake\n" in said.out

    def test_looks_at_the_workspace(self, mingcha: Run, own: Path) -> None:
        assert mingcha("tariffs", "check", "-w", own).code == 0
        (own / "tariffs" / "codes.csv").write_text("tariff_id,tariff_code\nA,my.city.x\n", encoding="utf-8")
        ran = mingcha("tariffs", "check", "-w", own)
        assert ran.code == 1
        assert "codes.csv: line 2: no book has a tariff my.city.x" in ran.out

    def test_cannot_check_what_is_not_there(self, mingcha: Run, tmp_path: Path) -> None:
        ran = mingcha("tariffs", "check", tmp_path / "none.yaml")
        assert ran.code == 2
        assert three_parts(ran.err)

    def test_a_broken_book_of_the_workspace_stops_the_other_commands(self, mingcha: Run, own: Path) -> None:
        (own / "tariffs" / "bad.yaml").write_text("book: my.bad\n", encoding="utf-8")
        ran = mingcha("tariffs", "list", "-w", own)
        assert ran.code == 2
        assert three_parts(ran.err)


class TestStale:
    def test_documents_unchecked_and_entries_ended(self, mingcha: Run) -> None:
        ran = mingcha("tariffs", "stale", "--on", "2027-12-01", "--json")
        assert ran.code == 1
        found = {(one["book"], one["reason"], one["name"]) for one in ran.document["stale"]}
        assert ("cn.hubei", "unchecked", "ndrc-2026-1077") in found
        assert ("cn.hubei", "ended", f"tariffs {HUBEI}") in found
        assert not any(book.startswith("demo.") for book, _, _ in found)
        # nothing in force cites the January prices any more
        assert ("cn.hubei", "unchecked", "hb-agent-2026-01") not in found

    def test_a_check_is_good_for_the_days_said(self, mingcha: Run) -> None:
        def unchecked(days: str) -> int:
            document = mingcha("tariffs", "stale", "--on", "2026-12-01", "--days", days, "--json").document
            stale = [one for one in document["stale"] if one["book"] == "cn.hubei"]
            return sum(one["reason"] == "unchecked" for one in stale)

        assert unchecked("365") == 0
        # last checked on 21 November: ten days before 1 December
        assert unchecked("10") == 0
        assert unchecked("9") > 0

    def test_in_words(self, mingcha: Run) -> None:
        assert "已到期" in mingcha("tariffs", "stale", "--on", "2026-12-01").out
        assert "not checked" in mingcha("tariffs", "stale", "--on", "2028-01-01", "--lang", "en").out

    def test_nothing_stale_leaves_with_zero(self, mingcha: Run) -> None:
        ran = mingcha("tariffs", "stale", "--on", "2026-01-31", "--days", "100000")
        assert (ran.code, ran.out) == (0, "")
