"""What the figures of the law of recovery are called on a sheet; a test holds that every one has a name."""

from __future__ import annotations

NAMES: dict[str, tuple[str, str]] = {
    "until_settled": ("结清前的交费依据", "Basis of payment until settled"),
    "window_share": ("更正的期间份额", "Share of the window corrected"),
    "tolerance.meter": ("电能表误差限", "Limit of error of the meter, class"),
    "tolerance.transformer": ("互感器误差限", "Limit of error of instrument transformers, class"),
    "pt_drop.allowed_pct": ("二次压降允许值", "Allowed drop of PT leads"),
    "lost_voltage.u_share": ("失压判据：电压低限", "Lost voltage: voltage below"),
    "lost_voltage.i_share": ("失压判据：电流启动", "Lost voltage: current above"),
    "lost_current.i_share": ("失流判据：电流启动", "Lost current: current below"),
    "lost_current.other_share": ("失流判据：其他相电流", "Lost current: another phase above"),
    "lost_current.u_share": ("失流判据：电压低限", "Lost current: voltage above"),
    "category.multiple": ("差额电费倍数", "Multiple of the price difference"),
    "category.multiple_basis": ("倍数性质", "Kind of multiple"),
    "category.months_unknown": ("起始日不明时的月数", "Months where the first day is unknown"),
    "over_capacity.multiple": ("私增容量基本电费倍数", "Multiple of the capacity charge"),
    "over_capacity.multiple_basis": ("倍数性质", "Kind of multiple"),
    "over_capacity.flat": ("其他用户每千瓦（千伏安）", "Other customers, each kW (kVA)"),
    "over_capacity.period_unit": ("计算单位", "Counted in"),
    "sealed.multiple": ("擅自使用设备基本电费倍数", "Multiple of the capacity charge"),
    "sealed.multiple_basis": ("倍数性质", "Kind of multiple"),
    "sealed.flat": ("其他用户每次每千瓦（千伏安）", "Other customers, each kW (kVA) and time"),
    "sealed.period_unit": ("计算单位", "Counted in"),
    "moved.residential": ("居民用户每次", "Residential customers, each time"),
    "moved.other": ("其他用户每次", "Other customers, each time"),
    "private_connection.flat": ("电源每千瓦（千伏安）", "Each kW (kVA) of the source"),
    "theft.multiple": ("补交电费倍数", "Multiple of the energy charge"),
    "theft.multiple_basis": ("倍数性质", "Kind of multiple"),
    "theft.days": ("时间无法查明的天数", "Days where the time is unknown"),
    "theft.days_basis": ("天数性质", "Kind of days"),
    "theft.hours.power": ("电力用户每日小时数", "Hours of a day, power"),
    "theft.hours.lighting": ("照明用户每日小时数", "Hours of a day, lighting"),
    "theft.current_basis": ("电流口径", "Current meant"),
    "theft.deduct_metered": ("扣减同期已交费电量", "Deduct energy paid in the same days"),
    "theft.phase_kv.single": ("单相电压", "Voltage, single phase"),
    "theft.phase_kv.three": ("三相线电压", "Line voltage, three phase"),
    "late_fee.residential": ("居民用户每日比例", "Residential customers, per day"),
    "late_fee.current_year": ("其他用户当年欠费每日比例", "Others, arrears of the current year, per day"),
    "late_fee.carried": ("其他用户跨年度欠费每日比例", "Others, arrears carried over, per day"),
    "late_fee.minimum": ("违约金最低额", "Least fee"),
    "late_fee.agreed_least": ("合同可约定的下限", "Least rate a contract may agree"),
    "late_fee.agreed_most": ("合同可约定的上限", "Highest rate a contract may agree"),
    "look_back.market": ("市场化用户追溯期限", "Look-back, market customers"),
    "look_back.other": ("追溯期限", "Look-back"),
    "basic.day_base": ("基本电费日数基数", "Day base of capacity charges"),
    "demand.over_share": ("超需量加倍计费的界限", "Share of contract demand billed once"),
}
#: Values and units that are words.
VALUES: dict[str, tuple[str, str]] = {
    "exact": ("定额", "exact"),
    "at_most": ("以下（上限）", "not more than"),
    "at_least": ("至少", "at least"),
    "recorded": ("抄见电量", "recorded energy"),
    "normal_month": ("正常月电量", "a normal month"),
    "month": ("月", "month"),
    "day": ("天", "day"),
    "calendar": ("当月日历天数", "calendar days of the month"),
    "true": ("是", "yes"),
}
#: Components of a price per kWh.
COMPONENTS: dict[str, str] = {
    "energy": "电能量电价",
    "transmission": "输配电价",
    "grid_loss": "上网环节线损费用",
    "system": "系统运行费用",
    "fund": "政府性基金及附加",
    "surcharge": "附加",
}
UNITS: dict[str, str] = {
    "CNY": "元", "d": "天", "days": "天", "months": "个月", "times": "倍", "occasions": "次",
    "hours/day": "小时/天",
    "per cent": "%", "per day": "/天", "ratio": "", "CNY/kWh": "元/kWh", "CNY/kVA": "元/kVA",
    "CNY/kW": "元/kW", "CNY/time": "元/次", "CNY/kVA·time": "元/(kVA·次)", "CNY/kVA·month": "元/(kVA·月)",
}  # fmt: skip


def name_of(parameter: str, language: str) -> str:
    """Return what a parameter is called, a member of a family by the name of the family."""
    place = 0 if language == "zh" else 1
    if parameter in NAMES:
        return NAMES[parameter][place]
    if parameter.startswith("tariff."):
        component, _, item = parameter.removeprefix("tariff.").partition(".")
        name = COMPONENTS[component] if language == "zh" else f"Price of {component}"
        return f"{name} {item}".strip()
    for family in ("tolerance.meter", "tolerance.transformer"):
        if parameter.startswith(family):
            member = parameter.removeprefix(f"{family}.")
            return NAMES[family][place] + (f"（{member} 级）" if language == "zh" else f" {member}")
    return NAMES[parameter.partition(".")[0]][place]


def value_of(value: str, unit: str, language: str) -> str:
    """Return a value with its unit in the language of the sheet."""
    if value in VALUES:
        return VALUES[value][0 if language == "zh" else 1]
    said = unit_of(unit, language)
    return f"{value} {said}".strip() if value.replace(".", "", 1).isdigit() else value


def unit_of(unit: str, language: str) -> str:
    """Return a unit in the language of the sheet."""
    if language == "zh":
        return UNITS.get(unit, unit)
    return {"ratio": "", "per cent": "%"}.get(unit, unit)
