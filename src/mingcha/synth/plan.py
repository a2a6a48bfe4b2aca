"""What utility to make: how many customers, which months, which seed; everything else follows from these."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

from mingcha.kernel import errors, periods

# Every kind of customer has its quota in a thousand; faults are planted in numbers that need a few thousand.
SMALLEST = 100
SMALLEST_PLANTED = 2500
SHORTEST = 3
FORMATS = ("parquet", "csv")
# customers made at once: about what a few gigabytes hold
CHUNK = 96_000


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many of each unit hang below the next one, counted in customers and units."""

    district: int
    districts_per_feeder: int
    feeders_per_station: int
    stations_per_county: int
    counties_per_city: int

    @property
    def feeder(self) -> int:
        """Return the customers of one feeder."""
        return self.district * self.districts_per_feeder

    @property
    def station(self) -> int:
        """Return the customers of one supply station."""
        return self.feeder * self.feeders_per_station

    @property
    def county(self) -> int:
        """Return the customers of one county company."""
        return self.station * self.stations_per_county

    @property
    def city(self) -> int:
        """Return the customers of one city company."""
        return self.county * self.counties_per_city


VILLAGE = Sizes(80, 8, 2, 2, 6)
PROVINCE = Sizes(200, 10, 2, 4, 6)


@dataclass(frozen=True, slots=True)
class Plan:
    """The whole order for one utility; two equal plans give equal books."""

    out: Path
    customers: int
    months: int
    seed: int
    clean: bool
    end_month: periods.BillingMonth
    data_date: date
    daily_days: int
    curve_share: Decimal
    file_format: str
    chunk_limit: int

    @property
    def sizes(self) -> Sizes:
        """Return the unit sizes: small ones for small utilities, so that a demo has several stations."""
        return VILLAGE if self.customers <= 20_000 else PROVINCE

    @property
    def first_month(self) -> periods.BillingMonth:
        """Return the first month with readings and bills."""
        return self.end_month.add(1 - self.months)

    @property
    def window_start(self) -> date:
        """Return the first day of the first month."""
        return self.first_month.start

    @property
    def daily_from(self) -> date:
        """Return the first day with daily values: always a first of a month, so that gateways close."""
        asked = max(self.data_date - timedelta(days=self.daily_days - 1), self.window_start)
        return periods.BillingMonth.of(asked).start

    def chunks(self) -> list[tuple[int, int]]:
        """Return the customer numbers [low, high) made together: whole cities, as many as fit."""
        city = self.sizes.city
        step = max(city, self.chunk_limit // city * city)
        return [(low, min(low + step, self.customers + 1)) for low in range(1, self.customers + 1, step)]


def default_data_date(end_month: periods.BillingMonth) -> date:
    """Return the last day delivered: the tenth of the month after the last complete one."""
    return end_month.end + timedelta(days=9)


def default_daily_days(customers: int) -> int:
    """Return how many days back daily values reach: over two months, over one for big utilities."""
    return 69 if customers <= 100_000 else 31


def default_curve_share(customers: int) -> Decimal:
    """Return the share of customers with load curves: one in 100, in big utilities one in 500."""
    return Decimal("0.01") if customers <= 20_000 else Decimal("0.002")


def check(plan: Plan) -> Plan:
    """Return the plan when it can be made; raises SetupError naming the first number that cannot."""
    smallest = SMALLEST if plan.clean else SMALLEST_PLANTED
    if plan.customers < smallest:
        raise errors.SetupError(
            f"{plan.customers} customers are too few for {'a' if plan.clean else 'a planted'} utility",
            why="each kind of customer needs a quota, and each planted fault a customer of its own",
            mend=f"ask for at least {smallest} customers",
        )
    if plan.customers > 99_999_999 or plan.months > 240:
        raise errors.SetupError(
            f"{plan.customers} customers and {plan.months} months are more than the numbering holds",
            why="customer numbers have eight digits and histories at most 240 months",
            mend="ask for fewer",
        )
    if plan.months < SHORTEST:
        raise errors.SetupError(
            f"{plan.months} months are too few",
            why="the rules compare a month with the months before it",
            mend=f"ask for at least {SHORTEST} months; 16 let every planted fault show",
        )
    return _check_rest(plan)


def _check_rest(plan: Plan) -> Plan:
    if plan.file_format not in FORMATS:
        raise errors.SetupError(
            f"{plan.file_format!r} is not a file format of the synthetic utility",
            why="the files must be ones that `data ingest` reads",
            mend="choose parquet or csv",
        )
    if not Decimal(0) <= plan.curve_share <= Decimal(1) or plan.daily_days < 1 or plan.seed < 0:
        raise errors.SetupError(
            f"curve share {plan.curve_share}, daily days {plan.daily_days} or seed {plan.seed} is "
            "out of range",
            why="a share lies between 0 and 1, at least one day is needed, and seeds count from 0",
            mend="give values in range",
        )
    return plan
