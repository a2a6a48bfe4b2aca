"""The price book of the synthetic utility: round figures in the shape of a published table, no real province.

A market price is its parts: energy (the only part that moves with the time of use), grid loss,
transmission, system operation and funds; a catalogue price (residential, agriculture) is one figure
with the funds inside.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from mingcha.synth import engine

IN_FORCE = date(2023, 6, 1)
PURCHASE = Decimal("0.384470")
LOSS = Decimal("0.013643")
SYSTEM = Decimal("0.082273")
FUND = Decimal("0.045200")
RATIOS = {
    "sharp": Decimal("2.00"),
    "peak": Decimal("1.49"),
    "flat": Decimal("1.00"),
    "valley": Decimal("0.45"),
}
TIER_1_KWH = 180
TIER_2_KWH = 400
TIER_ADD = {1: Decimal("0.000000"), 2: Decimal("0.050000"), 3: Decimal("0.300000")}


@dataclass(frozen=True, slots=True)
class Tariff:
    """One tariff of the utility: what it prices and its parts in CNY per unit."""

    tariff_id: str
    name: str
    usage_category: str
    kv_from: str
    kv_to: str | None
    energy: dict[str, Decimal]
    transmission: Decimal | None = None
    parts: str = "single"
    tiered: bool = False
    capacity: Decimal | None = None
    demand: Decimal | None = None
    entitlement: str | None = None

    @property
    def tou(self) -> bool:
        """Return whether the energy price depends on the time of use."""
        return "all" not in self.energy


def _floating() -> dict[str, Decimal]:
    return {name: (PURCHASE * ratio).quantize(Decimal("0.000001")) for name, ratio in RATIOS.items()}


def _fixed(price: str) -> dict[str, Decimal]:
    return {"all": Decimal(price)}


def _of(prices: dict[str, str]) -> dict[str, Decimal]:
    return {name: Decimal(price) for name, price in prices.items()}


TARIFFS: tuple[Tariff, ...] = (
    Tariff("RES", "居民生活 一户一表 阶梯", "residential", "0", "1", _fixed("0.558000"), tiered=True),
    Tariff(
        "RES-T", "居民生活 一户一表 阶梯 峰谷", "residential", "0", "1",
        _of({"peak": "0.588000", "valley": "0.308000"}), tiered=True,
    ),
    Tariff("RES-H", "居民生活 合表", "residential", "0", "1", _fixed("0.578000")),
    Tariff("SCH", "学校教学用电 居民合表", "school", "0", "1", _fixed("0.578000")),
    Tariff("AGR", "农业生产", "agriculture", "0", "1", _fixed("0.563200")),
    Tariff(
        "PILE", "居民充电桩 分时", "ev_charging", "0", "1",
        _of({"sharp": "0.780000", "peak": "0.680000", "flat": "0.580000", "valley": "0.430000"}),
        entitlement="ev_charging",
    ),
    Tariff("GEN-1", "工商业 单一制 不满1千伏", "general", "0", "1", {"all": PURCHASE}, Decimal("0.210300")),
    Tariff("GEN-1T", "工商业 单一制 不满1千伏 分时", "general", "0", "1", _floating(), Decimal("0.210300")),
    Tariff("GEN-10T", "工商业 单一制 10千伏 分时", "general", "1", "20", _floating(), Decimal("0.190300")),
    Tariff("OTH", "其他工商业 不满1千伏", "other", "0", "1", {"all": PURCHASE}, Decimal("0.210300")),
    Tariff("EVS-10T", "集中式充电站 10千伏 分时", "ev_charging", "1", "20", _floating(), Decimal("0.126300")),
    Tariff(
        "IND-10C", "工商业 两部制 10千伏 容量", "large_industrial", "1", "20", _floating(),
        Decimal("0.126300"), "two", capacity=Decimal("26.300000"),
    ),
    Tariff(
        "IND-10D", "工商业 两部制 10千伏 需量", "large_industrial", "1", "20", _floating(),
        Decimal("0.126300"), "two", demand=Decimal("42.000000"),
    ),
    Tariff("WHS-35", "趸售 35千伏", "wholesale", "20", None, _fixed("0.412000")),
)  # fmt: skip

_WIDE = (
    "tariff_id VARCHAR, tou BOOLEAN, tiered BOOLEAN, p_all DECIMAL(8,6), p_sharp DECIMAL(8,6), "
    "p_peak DECIMAL(8,6), p_flat DECIMAL(8,6), p_valley DECIMAL(8,6), p_loss DECIMAL(8,6), "
    "p_trans DECIMAL(8,6), p_sys DECIMAL(8,6), p_fund DECIMAL(8,6), p_cap DECIMAL(8,6), p_dem DECIMAL(8,6)"
)


def build(con: Any) -> None:
    """Write the tables tariff and tariff_price, and `tw`: one wide row of prices per tariff."""
    head = [
        (t.tariff_id, IN_FORCE, None, t.name, t.usage_category, t.parts, Decimal(t.kv_from),
         None if t.kv_to is None else Decimal(t.kv_to), t.tou, t.tiered,
         _programme(t), t.entitlement, "云岭发改价格〔2023〕12号")
        for t in TARIFFS
    ]  # fmt: skip
    engine.fill(
        con,
        "t_tariff",
        "tariff_id VARCHAR, effective_from DATE, effective_to DATE, name VARCHAR, usage_category VARCHAR, "
        "parts VARCHAR, voltage_kv_from DECIMAL(12,4), voltage_kv_to DECIMAL(12,4), tou BOOLEAN, "
        "tiered BOOLEAN, tou_programme_id VARCHAR, entitlement_kind VARCHAR, document VARCHAR",
        head,
    )
    rows = [row for tariff in TARIFFS for row in prices(tariff=tariff)]
    engine.fill(
        con,
        "t_tariff_price",
        "tariff_id VARCHAR, component VARCHAR, period VARCHAR, tier INTEGER, effective_from DATE, "
        "effective_to DATE, price DECIMAL(18,8), unit VARCHAR",
        rows,
    )
    engine.fill(con, "tw", _WIDE, [_wide(tariff) for tariff in TARIFFS])


def prices(*, tariff: Tariff) -> list[tuple[Any, ...]]:
    """Return the rows of tariff_price for one tariff."""
    parts: list[tuple[str, str, int, Decimal, str]] = [
        ("energy", period, 0, price, "kWh") for period, price in tariff.energy.items()
    ]
    if tariff.transmission is not None:
        parts += [
            ("grid_loss", "all", 0, LOSS, "kWh"),
            ("transmission", "all", 0, tariff.transmission, "kWh"),
            ("system", "all", 0, SYSTEM, "kWh"),
            ("fund", "all", 0, FUND, "kWh"),
        ]
    if tariff.tiered:
        parts += [("tier", "all", tier, price, "kWh") for tier, price in TIER_ADD.items()]
    if tariff.capacity is not None:
        parts.append(("basic_capacity", "all", 0, tariff.capacity, "kVA"))
    if tariff.demand is not None:
        parts.append(("basic_demand", "all", 0, tariff.demand, "kW"))
    return [
        (tariff.tariff_id, component, period, tier, IN_FORCE, None, price, unit)
        for component, period, tier, price, unit in parts
    ]


def _programme(tariff: Tariff) -> str | None:
    if not tariff.tou:
        return None
    return "TOU-RES" if tariff.tariff_id in ("RES-T", "PILE") else "TOU-GEN"


def _wide(tariff: Tariff) -> tuple[Any, ...]:
    market = tariff.transmission is not None
    energy = [tariff.energy.get(name) for name in ("all", "sharp", "peak", "flat", "valley")]
    rest = (LOSS, tariff.transmission, SYSTEM, FUND) if market else (None,) * 4
    return (
        tariff.tariff_id, tariff.tou, tariff.tiered, *energy, *rest, tariff.capacity, tariff.demand,
    )  # fmt: skip
