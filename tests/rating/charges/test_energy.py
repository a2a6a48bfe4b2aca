"""Prices per kWh: periods, items, the factor of agency purchase, prices of the market, holes in prices."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from tests.rating.charges.hand import DOCUMENT, Hand, amounts

D = Decimal
PERIODS = {"sharp": "1.1", "peak": "0.9", "flat": "0.6", "valley": "0.3"}


def agent(period: str = "2026-03") -> tuple[Hand, int]:
    """A tariff with prices by period, network prices for all hours; a settlement with kWh in each period."""
    hand = Hand(period)
    tariff = hand.tariff("T", pf_base=None)
    hand.rows["tb_tariff"][0]["price_basis"] = "agent"
    for name, price in PERIODS.items():
        hand.price(tariff, "energy", price, period=name)
    hand.price(tariff, "grid_loss", "0.013643")
    hand.price(tariff, "transmission", "0.1903")
    hand.price(tariff, "system", "0.082273")
    for item, price in (("renewable", "0.019"), ("reservoir", "0.0062"), ("rural", "0.02")):
        hand.price(tariff, "fund", price, item=item)
    sid = hand.settle()
    hand.point(sid, tariff=tariff)
    for name, kwh in (("valley", "400"), ("sharp", "100"), ("peak", "200.05"), ("flat", "300")):
        hand.energy(sid, kwh, tariff=tariff, period=name)
    hand.contract(sid, tariff=tariff)
    return hand, sid


def test_each_period_has_its_price_and_the_rest_goes_over_all_kwh() -> None:
    hand, _ = agent()
    lines = hand.rate()
    assert [(line["component"], line["period"], line["quantity"], line["amount"]) for line in lines] == [
        ("energy", "sharp", D("100"), D("110.00")),
        ("energy", "peak", D("200.05"), D("180.05")),
        ("energy", "flat", D("300"), D("180.00")),
        ("energy", "valley", D("400"), D("120.00")),
        ("grid_loss", "all", D("1000.05"), D("13.64")),
        ("transmission", "all", D("1000.05"), D("190.31")),
        ("system", "all", D("1000.05"), D("82.28")),
        ("fund", "all", D("1000.05"), D("45.20")),
    ]
    assert hand.gaps == []


def test_a_line_says_how_it_came_about() -> None:
    hand, _ = agent()
    fund = hand.rate()[-1]
    assert fund["formula"] == "kWh × (0.0190 + 0.0062 + 0.0200)"
    assert fund["price"] == D("0.0452")
    assert fund["source"] == f"{DOCUMENT} 附表"
    assert fund["exact"] == D("45.20226")
    assert fund["remainder"] == D("0.00226")
    assert (fund["tariff_id"], fund["tariff_code"], fund["unit"]) == ("T", "T", "kWh")
    assert (fund["seg_from"], fund["seg_to"]) == (date(2026, 3, 1), date(2026, 4, 1))


def test_evidence_is_the_weakest_of_the_items() -> None:
    hand, _ = agent()
    hand.rows["tb_price"][-1]["evidence"] = "[K?]"
    hand.rows["tb_price"][-2]["evidence"] = "[O]"
    assert [line["evidence"] for line in hand.rate()][-2:] == ["[S]", "[K?]"]


def test_another_component_may_depend_on_the_period() -> None:
    hand, _ = agent()
    hand.rows["tb_price"] = [row for row in hand.rows["tb_price"] if row["component"] != "grid_loss"]
    for name, price in (("sharp", "0.02"), ("peak", "0.015"), ("flat", "0.01"), ("valley", "0.005")):
        hand.price("T", "grid_loss", price, period=name)
    lost = [line for line in hand.rate() if line["component"] == "grid_loss"]
    assert [(line["period"], line["amount"]) for line in lost] == [
        ("sharp", D("2.00")), ("peak", D("3.00")), ("flat", D("3.00")), ("valley", D("2.00")),
    ]  # fmt: skip


def test_a_surcharge_per_kwh_is_an_other_line() -> None:
    hand, _ = agent()
    hand.price("T", "surcharge", "0.1")
    (line,) = [line for line in hand.rate() if line["component"] == "other"]
    assert line["amount"] == D("100.01")


def test_the_factor_multiplies_energy_alone() -> None:
    hand, _ = agent()
    hand.rows["rt_contract"][0] |= {"purchase_mode": "agent", "agent_factor": D("1.5")}
    lines = hand.rate()
    assert amounts(lines, "energy") == [D("165.00"), D("270.07"), D("270.00"), D("180.00")]
    assert amounts(lines, "transmission") == [D("190.31")]
    assert lines[0]["price"] == D("1.65")
    assert lines[0]["formula"] == "kWh × (1.100000 × 1.50)"


def test_the_factor_leaves_a_child_on_a_fixed_price_alone() -> None:
    hand, sid = agent()
    hand.rows["rt_contract"][0] |= {"purchase_mode": "agent", "agent_factor": D("1.5")}
    hand.price(hand.tariff("HOME"), "energy", "0.558")
    hand.point(sid, "P1-home", tariff="HOME", main=False)
    hand.energy(sid, "10", tariff="HOME", usage_point_id="P1-home")
    assert amounts([line for line in hand.rate() if line["usage_point_id"] == "P1-home"]) == [D("5.58")]


class TestMarket:
    """Direct trading: the energy price is the bill's, the rest of the tariff's."""

    def traded(self) -> Hand:
        hand, _ = agent()
        hand.rows["tb_price"] = [row for row in hand.rows["tb_price"] if row["component"] != "energy"]
        hand.rows["tb_tariff"][0]["price_basis"] = "market"
        hand.rows["rt_contract"][0] |= {"purchase_mode": "direct", "agent_factor": D("1.5")}
        hand.add("bill", bill_id="B1", customer_id="C1", billing_period="2026-03", kind="regular")
        hand.add("bill", bill_id="B2", customer_id="C1", billing_period="2026-03", kind="refund")
        self.billed(hand, "all", ("1000.05", "0.41", "410.02"))
        self.billed(hand, "all", ("7", "9", "63"), bill_id="B2")
        return hand

    def billed(self, hand: Hand, period: str, figures: tuple[str, str, str], *, bill_id: str = "B1") -> None:
        """A line of a bill: kWh, price and amount."""
        kwh, price, amount = map(D, figures)
        number = len(hand.rows.get("bill_line", [])) + 1
        hand.add("bill_line", bill_id=bill_id, usage_point_id="P1", line_no=number, component="energy",
                 period=period, quantity=kwh, price=price, amount=amount, unit="kWh")  # fmt: skip

    def test_hands_the_price_of_the_bill_on(self) -> None:
        lines = self.traded().rate()
        energy = [line for line in lines if line["component"] == "energy"]
        assert [(line["period"], line["price"]) for line in energy] == [(name, D("0.41")) for name in PERIODS]
        assert {(line["source"], line["evidence"]) for line in energy} == {("market settlement", "own")}
        assert amounts(lines, "transmission") == [D("190.31")]

    def test_prefers_the_line_of_the_period(self) -> None:
        hand = self.traded()
        self.billed(hand, "valley", ("400", "0.2", "80"))
        prices = {line["period"]: line["price"] for line in hand.rate() if line["component"] == "energy"}
        assert prices == {"sharp": D("0.41"), "peak": D("0.41"), "flat": D("0.41"), "valley": D("0.2")}

    def test_several_prices_are_averaged_by_kwh(self) -> None:
        hand = self.traded()
        self.billed(hand, "all", ("1000", "0.5", "500"))
        line = hand.rate()[0]
        assert line["price"] == D("0.45499863")
        assert line["formula"] == "kWh × mean market price of the bill"

    def test_without_a_line_there_is_no_price(self) -> None:
        hand = self.traded()
        hand.rows["bill_line"] = []
        assert hand.rate() == []
        assert hand.gaps == [(1, "no_market_price")]


class TestHoles:
    """A day or a period without price: no lines, and a reason."""

    def test_of_a_tariff(self) -> None:
        hand, _ = agent()
        hand.rows["tb_price"] = []
        assert hand.rate() == []
        assert hand.gaps == [(1, "no_price")]

    def test_of_a_period(self) -> None:
        hand, _ = agent()
        hand.rows["tb_price"] = [row for row in hand.rows["tb_price"] if row["period"] != "valley"]
        hand.rate()
        assert hand.con.execute("SELECT reason, detail FROM rt_gap").fetchall() == [
            ("no_price", "T energy valley 2026-03-01")
        ]

    def test_between_two_prices(self) -> None:
        hand, _ = agent()
        for row in hand.rows["tb_price"]:
            if row["component"] == "system":
                row["in_force_to"] = date(2026, 2, 1)
        hand.price("T", "system", "0.09", in_force_from=date(2026, 4, 1))
        assert hand.rate() == []
        assert hand.con.execute("SELECT detail FROM rt_gap").fetchall() == [("T system flat 2026-03-01",)]

    def test_before_the_first_price_a_component_was_not_charged(self) -> None:
        hand, _ = agent()
        for row in hand.rows["tb_price"]:
            if row["component"] == "system":
                row["in_force_from"] = date(2026, 4, 1)
        assert amounts(hand.rate(), "system") == []
        assert hand.gaps == []

    def test_do_not_matter_without_kwh(self) -> None:
        hand, _ = agent()
        hand.rows["tb_price"] = []
        for row in hand.rows["rt_energy"]:
            row["kwh"] = D(0)
        assert hand.rate() == []
        assert hand.gaps == []

    def test_of_one_settlement_leave_the_others(self) -> None:
        hand, _ = agent()
        other = hand.settle(sid=2, customer="C2")
        hand.tariff("NONE")
        hand.point(other, tariff="NONE")
        hand.energy(other, "5", tariff="NONE")
        assert {line["sid"] for line in hand.rate()} == {1}
        assert hand.gaps == [(2, "no_price")]


def test_the_price_is_that_of_the_segment() -> None:
    hand = Hand()
    tariff = hand.tariff("T")
    hand.price(tariff, "energy", "0.5", in_force_to=date(2026, 3, 11))
    hand.price(tariff, "energy", "0.6", in_force_from=date(2026, 3, 11))
    sid = hand.settle()
    hand.point(sid, tariff=tariff)
    hand.energy(sid, "100", tariff=tariff, seg_to=date(2026, 3, 11))
    hand.energy(sid, "210", tariff=tariff, seg=2, seg_from=date(2026, 3, 11))
    lines = hand.rate()
    assert [(line["line_no"], line["price"], line["amount"]) for line in lines] == [
        (1001, D("0.5"), D("50.00")), (21001, D("0.6"), D("126.00")),
    ]  # fmt: skip


def test_lines_of_points_and_segments_are_numbered_apart() -> None:
    hand, sid = agent()
    hand.price(hand.tariff("HOME"), "energy", "0.558")
    hand.point(sid, "P0-child", tariff="HOME", main=False)
    hand.energy(sid, "10", tariff="HOME", usage_point_id="P0-child")
    numbers = [(line["line_no"], line["usage_point_id"]) for line in hand.rate()]
    assert len({number for number, _ in numbers}) == len(numbers) == 9
    assert numbers[-1] == (2001001, "P0-child")


def test_losses_are_shown_without_money() -> None:
    hand, sid = agent()
    hand.add("rt_loss", sid=sid, usage_point_id="P1", kind="transformer", kwh=D("12.34"), formula="P0·T + …")
    line = hand.rate()[-1]
    assert (line["component"], line["quantity"], line["amount"]) == (
        "transformer_loss",
        D("12.34"),
        D("0.00"),
    )
    assert line["formula"] == "P0·T + …"


def test_amounts_of_millions_do_not_overflow() -> None:
    hand = Hand()
    tariff = hand.tariff("T", pf_base="energy")
    hand.price(tariff, "energy", "1.23456789")
    since = date(1983, 12, 2)
    hand.add("tb_pf", standard=D("0.90"), pf=D("0.71"), pct=D("9.5"), in_force_from=since, evidence="[S]")
    sid = hand.settle()
    hand.point(sid, tariff=tariff)
    hand.energy(sid, "123456789.12", tariff=tariff)
    hand.contract(sid, tariff=tariff, pf_standard="0.90")
    hand.add("rt_power", sid=sid, wp=D("123456789.12"), wq=D("123456789.12"))
    assert amounts(hand.rate()) == [D("152415787.65"), D("14479499.83")]
