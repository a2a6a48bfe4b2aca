"""What a rate says becomes the tariff it means; what cannot be stated is said."""

from __future__ import annotations

import json
import os
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from mingcha.kernel import errors
from mingcha.tariffbook import load, model, urdb

SHARED = Path(os.environ.get("MINGCHA_SHARED") or Path(__file__).parents[4] / "shared")
PUBLISHED = SHARED / "data" / "urdb" / "PGE_BEV-2-S_2025-09-08.json"
YEAR = tuple(range(1, 13))


def rate(**more: Any) -> dict[str, Any]:
    """A rate of one price for all hours, in force since 2018."""
    return {
        "label": "abc123",
        "utility": "Made Light & Power",
        "name": "Small",
        "startdate": 1514786400,
        "sector": "Commercial",
        "approved": True,
        "energyratestructure": [[{"rate": 0.1, "adj": 0.02}]],
        **more,
    }


def grid(*hours: tuple[int, int, int]) -> list[list[int]]:
    """The same day for twelve months: period 0, and (period, from, to)."""
    row = [0] * 24
    for period, start, end in hours:
        row[start:end] = [period] * (end - start)
    return [list(row) for _ in YEAR]


def read(given: dict[str, Any], **more: Any) -> urdb.Imported:
    return urdb.read(json.dumps(given), source="made.json", **more)


def tariff(imported: urdb.Imported, folder: Path) -> tuple[load.Books, model.Book, model.Tariff]:
    """The written file, loaded as any tariff book is."""
    path = folder / "rate.yaml"
    path.write_text(imported.text, encoding="utf-8")
    books = load.only([path])
    return books, books.book_of(imported.code), books.tariff(imported.code)


def prices(imported: urdb.Imported, folder: Path) -> dict[tuple[str, str, str, int], str]:
    books, _, _ = tariff(imported, folder)
    found = books.prices(imported.code)
    return {(one.component, one.item, one.period, one.tier): f"{one.price:f}" for one in found}


class TestEnergy:
    def test_rate_and_adjustment_are_one_price(self, tmp_path: Path) -> None:
        given = read(rate())
        assert prices(given, tmp_path) == {("energy", "", "all", 0): "0.12"}
        assert given.blocking == given.not_covered == ()

    def test_the_head_of_the_file(self, tmp_path: Path) -> None:
        _, book, found = tariff(read(rate(enddate=1546322400)), tmp_path)
        assert (book.country, book.currency, book.book) == ("US", "USD", "us.urdb.abc123")
        assert (found.in_force_from, found.in_force_to) == (date(2018, 1, 1), date(2019, 1, 1))
        assert (found.usage_categories, found.parts, found.known_as) == (("general",), "single", ("abc123",))
        assert book.documents[0].number == "URDB abc123"
        assert book.documents[0].evidence == "[S]"

    def test_a_rate_nobody_approved_is_to_be_verified(self, tmp_path: Path) -> None:
        _, book, _ = tariff(read(rate(approved=False)), tmp_path)
        assert book.documents[0].evidence == "[K+]"

    def test_hours_by_their_labels(self, tmp_path: Path) -> None:
        given = read(
            rate(
                energyratestructure=[[{"rate": 0.1}], [{"rate": 0.3}], [{"rate": 0.9}]],
                energytoulabels=["Off-Peak", "Peak", "Never"],
                energyweekdayschedule=grid((1, 16, 21)),
                energyweekendschedule=grid(),
            )
        )
        _, book, found = tariff(given, tmp_path)
        assert prices(given, tmp_path) == {
            ("energy", "", "off_peak", 0): "0.1",
            ("energy", "", "peak", 0): "0.3",
        }
        (entry,) = book.programmes[0].entries
        assert found.programme == "hours"
        assert [(s.days, s.hours["off_peak"]) for s in entry.seasons] == [
            ("any", ((0, 960), (1260, 1440))),
            ("rest", ((0, 1440),)),
            ("holiday", ((0, 1440),)),
        ]
        assert given.not_covered == ("holidays: the rate names none; they are taken as weekends",)

    def test_labels_that_do_not_tell_periods_apart(self, tmp_path: Path) -> None:
        given = read(
            rate(
                energyratestructure=[[{"rate": 0.1}], [{"rate": 0.3}]],
                energytoulabels=["Peak", "Peak"],
                energyweekdayschedule=grid((1, 16, 21)),
                energyweekendschedule=grid((1, 16, 21)),
            )
        )
        assert set(prices(given, tmp_path)) == {("energy", "", "p0", 0), ("energy", "", "p1", 0)}

    def test_tiers_by_season(self, tmp_path: Path) -> None:
        summer = [[1 if month in (6, 7, 8) else 0] * 24 for month in YEAR]
        given = read(
            rate(
                energyratestructure=[
                    [{"rate": 0.1, "max": 300}, {"rate": 0.2}],
                    [{"rate": 0.1, "max": 500}, {"rate": 0.2, "max": 900.5}, {"rate": 0.4}],
                ],
                energyweekdayschedule=summer,
                energyweekendschedule=summer,
            )
        )
        _, book, found = tariff(given, tmp_path)
        (entry,) = book.tiers[0].entries
        assert (found.tiers, entry.basis, entry.measure) == ("monthly", "monthly", "total")
        assert {limit.months: limit.upto for limit in entry.limits} == {
            (1, 2, 3, 4, 5, 9, 10, 11, 12): (Decimal(300),),
            (6, 7, 8): (Decimal(500), Decimal("900.5")),
        }
        assert prices(given, tmp_path)["energy", "", "p1", 3] == "0.4"

    def test_a_period_with_one_price_takes_the_tiers_of_the_others(self, tmp_path: Path) -> None:
        given = read(
            rate(
                energyratestructure=[[{"rate": 0.1}], [{"rate": 0.2, "max": 100}, {"rate": 0.3}]],
                energyweekdayschedule=grid((1, 8, 20)),
                energyweekendschedule=grid((1, 8, 20)),
            )
        )
        found = prices(given, tmp_path)
        assert found["energy", "", "p0", 1] == found["energy", "", "p0", 2] == "0.1"
        assert given.blocking == ()


class TestCharges:
    def test_flat_demand(self, tmp_path: Path) -> None:
        given = read(rate(flatdemandstructure=[[{"rate": 1.91}]], flatdemandmonths=[0] * 12))
        _, _, found = tariff(given, tmp_path)
        assert prices(given, tmp_path)["basic_demand", "flat", "all", 0] == "1.91"
        assert (found.parts, found.demand_programmes) == ("two", ())

    def test_flat_demand_by_month(self, tmp_path: Path) -> None:
        months = [0] * 5 + [1] * 4 + [0] * 3
        given = read(rate(flatdemandstructure=[[{"rate": 0}], [{"rate": 12.5}]], flatdemandmonths=months))
        _, book, found = tariff(given, tmp_path)
        assert found.demand_programmes == ("demand_months",)
        assert prices(given, tmp_path)["basic_demand", "flat", "f1", 0] == "12.5"
        seasons = book.programmes[0].entries[0].seasons
        assert {season.months: tuple(season.hours) for season in seasons} == {
            (1, 2, 3, 4, 5, 10, 11, 12): ("f0",),
            (6, 7, 8, 9): ("f1",),
        }

    def test_demand_by_hour_beside_energy_by_other_hours(self, tmp_path: Path) -> None:
        given = read(
            rate(
                energyratestructure=[[{"rate": 0.1}], [{"rate": 0.3}]],
                energyweekdayschedule=grid((1, 16, 21)),
                energyweekendschedule=grid((1, 16, 21)),
                demandratestructure=[[{"rate": 3}], [{"rate": 9}]],
                demandweekdayschedule=grid((1, 12, 18)),
                demandweekendschedule=grid((1, 12, 18)),
                flatdemandstructure=[[{"rate": 2}]],
            )
        )
        _, _, found = tariff(given, tmp_path)
        assert (found.programme, found.demand_programmes) == ("hours", ("demand_hours",))
        demand = {
            key[1:3]: price for key, price in prices(given, tmp_path).items() if key[0] == "basic_demand"
        }
        assert demand == {("flat", "all"): "2", ("hours", "d0"): "3", ("hours", "d1"): "9"}

    @pytest.mark.parametrize(
        ("amount", "unit", "price", "per"),
        [
            (12.5, "$/month", "12.5", "USD/month"),
            (0.4, "$/day", "0.4", "USD/day"),
            (120, "$/year", "10", "USD/month"),
        ],
    )
    def test_fixed_charge(self, tmp_path: Path, amount: float, unit: str, price: str, per: str) -> None:
        books, _, _ = tariff(read(rate(fixedchargefirstmeter=amount, fixedchargeunits=unit)), tmp_path)
        (fixed,) = [one for one in books.prices("us.urdb.abc123") if one.component == "fixed"]
        assert (f"{fixed.price:f}", fixed.unit) == (price, per)


class TestNotCovered:
    @pytest.mark.parametrize(
        ("more", "words"),
        [
            ({"minmonthlycharge": 8.5}, "a minimum bill of 8.5 $/month (minmonthlycharge)"),
            ({"mincharge": 3, "minchargeunits": "$/day"}, "a minimum bill of 3 $/day (mincharge)"),
            ({"demandreactivepowercharge": 0.52}, "a charge on reactive power of 0.52 $/kvar"),
            ({"fixedchargeeaaddl": 2}, "2 for each further meter"),
            ({"energyratestructure": [[{"rate": 0.1, "sell": 0.05}]]}, "energy sold back"),
        ],
    )
    def test_is_listed_and_written_into_the_file(
        self, tmp_path: Path, more: dict[str, Any], words: str
    ) -> None:
        given = read(rate(**more))
        assert given.blocking == ()
        assert any(words in one for one in given.not_covered)
        _, book, _ = tariff(given, tmp_path)
        assert book.documents[0].note is not None
        assert words in book.documents[0].note.en
        assert "Not covered" in given.text.splitlines()[1] + given.text.splitlines()[2]

    @pytest.mark.parametrize(
        ("more", "words"),
        [
            ({"energyratestructure": []}, "no price of energy is given"),
            ({"energyratestructure": [[{"rate": 0.1, "unit": "kWh/kW"}]]}, "energy priced per kWh/kW"),
            (
                {"energyratestructure": [[{"rate": 0.1}], [{"rate": 0.2}]]},
                "the hours of the 2 energy",
            ),
            ({"flatdemandstructure": [[{"rate": 1, "max": 50}, {"rate": 2}]]}, "tiers of demand"),
            ({"flatdemandstructure": [[{"rate": 1}]], "flatdemandunit": "hp"}, "demand in hp"),
            ({"demandratestructure": [[{"rate": 1}]], "demandrateunit": "kVA"}, "demand in kVA"),
            ({"demandratchetpercentage": [0, 0, 0.5]}, "demand also counts earlier months"),
            ({"lookbackpercent": 50}, "demand also counts earlier months"),
            ({"fueladjustmentsmonthly": [0, 0.01]}, "adjustments of the energy price by month"),
            ({"coincidentratestructure": [[{"rate": 4}]]}, "demand at the hour of the system's peak"),
            ({"fixedchargefirstmeter": 1, "fixedchargeunits": "$/kW"}, "fixed charge 1 $/kW"),
        ],
    )
    def test_is_blocking_where_energy_or_demand_would_be_wrong(
        self, more: dict[str, Any], words: str
    ) -> None:
        assert any(words in one for one in read(rate(**more)).blocking)

    def test_different_limits_at_different_hours(self) -> None:
        given = read(
            rate(
                energyratestructure=[
                    [{"rate": 0.1, "max": 100}, {"rate": 0.2}],
                    [{"rate": 0.1, "max": 200}, {"rate": 0.2}],
                ],
                energyweekdayschedule=grid((1, 8, 20)),
                energyweekendschedule=grid((1, 8, 20)),
            )
        )
        assert "different tier limits by the hour in month 1" in given.blocking


class TestWhichRate:
    def test_by_label_or_place(self) -> None:
        two = json.dumps({"items": [rate(), rate(label="other", name="Large")]})
        assert urdb.read(two, source="x", label="other").name == "Large"
        assert urdb.read(two, source="x", item=1).name == "Small"
        with pytest.raises(
            errors.Refusal, match=r"2 rates fit; it holds 2 \(1: abc123 Small, 2: other Large\)"
        ):
            urdb.read(two, source="x")
        with pytest.raises(errors.Refusal, match="0 rates fit"):
            urdb.read(two, source="x", label="none")

    def test_no_start(self) -> None:
        with pytest.raises(errors.Refusal, match="does not say since when"):
            read(rate(startdate=None))
        assert "in_force_from: 2020-01-01" in read(rate(startdate=None), since=date(2020, 1, 1)).text

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("not json", "is not JSON"),
            ("[]", "holds no rates"),
            ("3", "holds no rates"),
            (json.dumps(rate(energyratestructure=[[]])), "energyratestructure is not a list of periods"),
            (json.dumps(rate(energyweekdayschedule=[[0] * 24])), "has not one row for each of 12 months"),
            (json.dumps(rate(energyweekdayschedule=[[0] * 23] * 12)), "is not 24 numbers of periods below 1"),
            (json.dumps(rate(energyweekdayschedule=[[1] * 24] * 12)), "is not 24 numbers of periods below 1"),
            (
                json.dumps(rate(flatdemandstructure=[[{"rate": 1}]], flatdemandmonths=[3] * 12)),
                "flatdemandmonths",
            ),
        ],
    )
    def test_no_such_json(self, text: str, words: str) -> None:
        with pytest.raises(errors.DataError, match=words):
            urdb.read(text, source="x")


@pytest.mark.shared
def test_a_published_rate(tmp_path: Path) -> None:
    if not PUBLISHED.is_file():
        pytest.skip(f"the published rate is not at {PUBLISHED}; set MINGCHA_SHARED")
    given = urdb.read(PUBLISHED.read_text(encoding="utf-8"), source=PUBLISHED.name)
    assert prices(given, tmp_path) == {
        ("energy", "", "off_peak", 0): "0.18081",
        ("energy", "", "super_off_peak", 0): "0.15754",
        ("energy", "", "peak", 0): "0.39404",
        ("basic_demand", "flat", "all", 0): "1.91",
        ("fixed", "", "all", 0): "447.44",
    }
    assert given.not_covered == ("a charge on reactive power of 0.52 $/kvar (demandreactivepowercharge)",)
