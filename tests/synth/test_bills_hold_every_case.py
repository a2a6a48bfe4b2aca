"""What the re-rating is compared on: the clean bills hold each case of billing at least once."""

from __future__ import annotations

from decimal import Decimal

import pytest

from mingcha.synth import generate

from .conftest import MONTHS, Books


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> Books:
    out = tmp_path_factory.mktemp("every_case") / "books"
    generate.generate(out=out, customers=5000, months=MONTHS, seed=11, clean=True, daily_days=12)
    return Books(out)


LINES = "FROM bill_line l JOIN bill b USING (bill_id)"
CASES = {
    "tariff_changed_in_the_month": f"SELECT count(*) FROM (SELECT bill_id {LINES} WHERE component = 'energy' "
    "AND usage_point_id LIKE '%1' GROUP BY 1 HAVING count(DISTINCT tariff_id) > 1)",
    "price_changed_in_the_month": f"SELECT count(*) FROM (SELECT bill_id {LINES} WHERE component = 'system' "
    "GROUP BY 1 HAVING count(DISTINCT price) > 1)",
    "energy_price_changed_between_readings": f"SELECT count(*) FROM (SELECT bill_id {LINES} WHERE component "
    "= 'energy' AND l.tariff_id = 'RES' GROUP BY 1 HAVING count(DISTINCT price) > 1)",
    "second_and_third_tier": f"SELECT least(count(*) FILTER (tier = 2), count(*) FILTER (tier = 3)) {LINES}",
    "large_household": "SELECT count(*) FROM entitlement WHERE kind = 'many_members'",
    "two_rate_meter": "SELECT count(*) FROM (SELECT usage_point_id FROM reading GROUP BY 1 HAVING "
    "bool_or(register = 'active_valley') AND NOT bool_or(register = 'active_peak'))",
    "two_readings_in_one_bill": "SELECT count(*) FROM (SELECT usage_point_id, billing_period FROM reading r "
    "JOIN usage_point USING (usage_point_id) WHERE register = 'active' AND role = 'sale' GROUP BY ALL "
    "HAVING count(DISTINCT r.meter_id) > 1)",
    "two_bills_a_month": "SELECT count(*) FROM (SELECT customer_id, billing_period FROM bill WHERE kind = "
    "'regular' AND status <> 'void' GROUP BY ALL HAVING count(*) > 1)",
    "sub_meter": f"SELECT count(*) {LINES} WHERE usage_point_id LIKE '%3' AND component = 'energy'",
    "fixed_quantity": f"SELECT count(*) {LINES} WHERE usage_point_id LIKE '%5' AND component = 'energy'",
    "fixed_share": f"SELECT count(*) {LINES} WHERE usage_point_id LIKE '%6' AND component = 'energy'",
    "no_meter": "SELECT count(*) FROM usage_point WHERE metering_method = 'none'",
    "transformer_loss": f"SELECT count(*) {LINES} WHERE component = 'transformer_loss'",
    "line_loss": f"SELECT count(*) {LINES} WHERE component = 'line_loss'",
    "capacity_by_days": f"SELECT count(*) {LINES} WHERE component = 'basic_capacity' AND days IS NOT NULL",
    "two_capacities_in_a_month": f"SELECT count(*) FROM (SELECT bill_id {LINES} WHERE component = "
    "'basic_capacity' GROUP BY 1 HAVING count(*) > 1)",
    "short_suspension": "SELECT count(*) FROM transformer_status WHERE status = 'sealed' "
    "AND effective_to - effective_from < 15",
    "long_suspension": "SELECT count(*) FROM transformer_status WHERE status = 'sealed' "
    "AND effective_to - effective_from >= 15",
    "demand_over_the_contract": f"SELECT count(*) {LINES} WHERE component = 'basic_demand_over'",
    "demand_discount": f"SELECT count(*) {LINES} WHERE component = 'basic_demand' AND price IN (37.26, 37.8)",
    "demand_floor": "SELECT count(*) FROM contract WHERE contract_demand_kw < 0.4 * capacity_kva",
    "reward_and_surcharge": f"SELECT least(count(*) FILTER (quantity < 0), count(*) FILTER (quantity > 0)) "
    f"{LINES} WHERE component = 'power_factor'",
    "three_standards": "SELECT count(DISTINCT power_factor_standard) - 2 FROM contract",
    "reverse_reactive": "SELECT count(*) FROM reading WHERE register = 'reactive_export' AND energy > 0",
    "agent_factor": "SELECT count(*) FROM contract WHERE agent_factor = 1.5",
    "direct_purchase": "SELECT count(*) FROM contract WHERE purchase_mode = 'direct'",
    "fund_exempt": "SELECT count(*) FROM entitlement WHERE kind = 'fund_exempt'",
    "opened_in_the_window": "SELECT count(*) FROM customer WHERE opened_on > DATE '2025-02-01'",
    "fed_in": "SELECT count(*) FROM pv_settlement WHERE feed_in_amount > 0",
    "issued_again": "SELECT count(*) FROM bill WHERE kind = 'reissue'",
}


@pytest.mark.parametrize("case", CASES)
def test_case_is_there(books: Books, case: str) -> None:
    assert books.one(CASES[case]) > 0


def test_a_home_of_the_documentation(books: Books) -> None:
    # 250 kWh below the first limit, at the price since August 2025
    price = books.one("SELECT price FROM tariff_price WHERE tariff_id = 'RES' AND component = 'energy' "
                      "AND effective_to IS NULL")  # fmt: skip
    assert (250 * price).quantize(Decimal("0.01")) == Decimal("142.00")


def test_capacity_days_of_a_month_add_up(books: Books) -> None:
    wrong = books.rows(
        "SELECT bill_id, sum(days) AS d FROM bill_line JOIN bill USING (bill_id) JOIN customer "
        "USING (customer_id) WHERE component = 'basic_capacity' AND days IS NOT NULL AND "
        "strftime(opened_on, '%Y-%m') <> billing_period AND (closed_on IS NULL OR "
        "strftime(closed_on, '%Y-%m') <> billing_period) GROUP BY bill_id, billing_period "
        "HAVING d <> day(last_day(CAST(billing_period || '-01' AS DATE)))"
    )
    assert wrong == []
