"""The clean books agree with themselves: readings, daily values, bills, receipts, bank, gateways."""

from __future__ import annotations

from .conftest import CUSTOMERS, MONTHS, Books

DATA_DATE = "DATE '2026-04-10'"
# when a row of each table happened
MOMENTS = {
    "reading": "read_on - 1",
    "daily_energy": "day",
    "load_curve": '"at"',
    "bill": "issued_at",
    "receipt": "received_at",
    "bank_statement": "booked_on",
    "invoice": "issued_at",
    "ledger_entry": "posted_on",
    "write_off": "written_off_on",
    "notice": "sent_at",
    "adjustment": "applied_at",
    "reading_change": "changed_at",
    "archive_change": "changed_at",
    "privileged_operation": '"at"',
    "ticket": "accepted_at",
    "ticket_step": "started_at",
    "meter_event": "started_at",
    "inspection_record": "inspected_on",
    "disconnection": "cut_at",
    "outage": "started_at",
    "service_request": "received_at",
}


class TestSize:
    def test_every_customer_ordered_is_there(self, clean: Books) -> None:
        assert clean.one("SELECT count(*) FROM customer") == CUSTOMERS

    def test_every_kind_of_customer_has_its_quota(self, clean: Books) -> None:
        found = dict(clean.rows("SELECT usage_category, count(*) FROM customer GROUP BY 1"))
        assert set(found) == {
            "residential",
            "general",
            "large_industrial",
            "agriculture",
            "school",
            "ev_charging",
            "wholesale",
            "other",
        }
        assert 0.79 < found["residential"] / CUSTOMERS < 0.86

    def test_nearly_every_customer_has_a_bill_each_month(self, clean: Books) -> None:
        bills = clean.one("SELECT count(*) FROM bill WHERE kind = 'regular' AND status <> 'void'")
        assert 0.93 * CUSTOMERS * MONTHS < bills <= CUSTOMERS * MONTHS

    def test_some_bills_cover_two_months(self, clean: Books) -> None:
        assert clean.one("SELECT count(*) FROM reading WHERE read_on - started_on > 50") > 0


class TestReadings:
    def test_energy_is_the_index_step_times_the_multiplier(self, clean: Books) -> None:
        wrong = clean.one(
            "SELECT count(*) FROM reading r JOIN meter m USING (meter_id) WHERE energy <> "
            "(end_value - start_value + CASE WHEN end_value < start_value THEN CAST(10 ** "
            "m.digits AS BIGINT) ELSE 0 END)"
            " * multiplier"
        )
        assert wrong == 0

    def test_some_registers_roll_over(self, clean: Books) -> None:
        assert clean.one("SELECT count(*) FROM reading WHERE end_value < start_value") > 0

    def test_each_starts_where_the_one_before_ended(self, clean: Books) -> None:
        broken = clean.one(
            "SELECT count(*) FROM (SELECT start_value, started_on, lag(end_value) OVER w AS e, "
            "lag(read_on) OVER w AS o "
            "FROM reading WHERE register <> 'demand' WINDOW w AS (PARTITION BY meter_id, "
            "register ORDER BY read_on)) "
            "WHERE e IS NOT NULL AND (start_value <> e OR started_on <> o)"
        )
        assert broken == 0

    def test_periods_of_use_add_up_to_the_total(self, clean: Books) -> None:
        off = clean.one(
            "SELECT count(*) FROM (SELECT usage_point_id, started_on, sum(energy) FILTER "
            "(register = 'active') AS a, count(*) FILTER (register = 'active_peak') AS peaks, "
            "sum(energy) FILTER (register IN ('active_sharp', 'active_peak', 'active_flat', "
            "'active_valley')) AS p, "
            "any_value(multiplier) AS k FROM reading GROUP BY 1, 2) WHERE peaks > 0 AND abs(a - p) > 0.05 * k"
        )
        assert off == 0

    def test_each_was_taken_from_a_meter_that_hung_there(self, clean: Books) -> None:
        lost = clean.one(
            "SELECT count(*) FROM reading r WHERE NOT EXISTS (SELECT 1 FROM meter_install i "
            "WHERE i.meter_id = r.meter_id AND i.usage_point_id = r.usage_point_id "
            "AND i.installed_at < r.read_on AND (i.removed_at IS NULL OR i.removed_at >= r.started_on))"
        )
        assert lost == 0

    def test_a_new_meter_starts_at_the_index_it_was_installed_with(self, clean: Books) -> None:
        rows = clean.rows(
            "SELECT r.start_value, i.install_register FROM meter_install i "
            "JOIN reading r ON r.meter_id = i.meter_id AND r.started_on = CAST(i.installed_at AS DATE) "
            "WHERE r.register = 'active' AND i.ticket_id IS NOT NULL"
        )
        assert len(rows) > 20
        assert all(start == installed for start, installed in rows)


class TestDailyValues:
    def test_the_days_of_a_reading_add_up_to_it(self, clean: Books) -> None:
        # days lost by collection and days of a meter change cannot add up
        checked, off = clean.rows(
            "WITH s AS (SELECT r.reading_id, r.energy, r.read_on - r.started_on AS days, count(d.day) AS n, "
            "sum(d.import_kwh) AS kwh FROM reading r JOIN daily_energy d ON d.usage_point_id = "
            "r.usage_point_id "
            "AND d.day >= r.started_on AND d.day < r.read_on WHERE r.register = 'active' AND "
            "r.meter_id LIKE '%A' "
            "AND NOT EXISTS (SELECT 1 FROM meter_install i WHERE i.meter_id = r.meter_id AND "
            "i.removed_at IS NOT NULL) "
            "GROUP BY ALL) SELECT count(*), count(*) FILTER (energy <> kwh) FROM s WHERE n = days"
        )[0]
        assert checked > 3000
        assert off == 0

    def test_the_end_of_a_reading_is_the_index_of_the_day_before(self, clean: Books) -> None:
        checked, off = clean.rows(
            "SELECT count(*), count(*) FILTER (r.end_value <> d.register_active) FROM reading r "
            "JOIN daily_energy d ON d.usage_point_id = r.usage_point_id AND d.day = r.read_on - 1 "
            "JOIN meter_install i ON i.meter_id = r.meter_id AND i.removed_at IS NULL WHERE "
            "r.register = 'active'"
        )[0]
        assert checked > 3000
        assert off == 0

    def test_the_gateways_supply_what_is_sold_and_a_little_more(self, clean: Books) -> None:
        rows = clean.rows(
            "WITH p AS (SELECT DISTINCT usage_point_id, district_id, role, parent_usage_point_id "
            "FROM usage_point), "
            "d AS (SELECT p.district_id, e.day, "
            "sum(import_kwh - coalesce(export_kwh, 0)) FILTER (role = 'gateway_district') AS supply, "
            "sum(import_kwh - coalesce(export_kwh, 0)) FILTER (role = 'sale' AND "
            "parent_usage_point_id IS NULL) AS sold, "
            "coalesce(sum(import_kwh) FILTER (role = 'generation'), 0) AS fed, count(*) AS n "
            "FROM daily_energy e JOIN p USING (usage_point_id) WHERE district_id IS NOT NULL GROUP BY 1, 2) "
            "SELECT district_id, sum(supply), sum(sold - fed) FROM d GROUP BY 1"
        )
        assert len(rows) > 20
        assert all(0.015 < float((supply - sold) / supply) < 0.075 for _, supply, sold in rows)


class TestMoney:
    def test_a_bill_is_the_sum_of_its_lines_to_the_cent(self, clean: Books) -> None:
        off = clean.one(
            "SELECT count(*) FROM (SELECT b.bill_id, any_value(b.amount) AS a, sum(l.amount) AS s "
            "FROM bill b LEFT JOIN bill_line l USING (bill_id) GROUP BY 1 HAVING a IS DISTINCT FROM s)"
        )
        assert off == 0

    def test_a_line_is_quantity_times_price_rounded_half_up(self, clean: Books) -> None:
        off = clean.one(
            "SELECT count(*) FROM bill_line WHERE component IN ('energy', 'tier', "
            "'transmission', 'grid_loss', 'system', "
            "'fund') AND amount <> CAST(round(CAST(quantity AS DECIMAL(14,2)) * CAST(price AS "
            "DECIMAL(12,6)), 2) "
            "AS DECIMAL(18,2))"
        )
        assert off == 0

    def test_energy_lines_add_up_to_the_billed_energy(self, clean: Books) -> None:
        off = clean.one(
            "SELECT count(*) FROM (SELECT b.bill_id, any_value(b.energy_kwh) AS k, "
            "sum(l.quantity) FILTER (l.component = 'energy') AS q FROM bill b JOIN bill_line l "
            "USING (bill_id) "
            "WHERE b.kind = 'regular' GROUP BY 1 HAVING k <> q)"
        )
        assert off == 0

    def test_prices_billed_stand_in_the_utilitys_own_tariff(self, clean: Books) -> None:
        strange = clean.rows(
            # direct users have prices of their own, agent factor and demand discount change the listed ones
            "SELECT DISTINCT l.tariff_id, l.component, l.period, l.price FROM bill_line l "
            "JOIN bill b USING (bill_id) JOIN (SELECT DISTINCT customer_id FROM contract "
            "WHERE coalesce(agent_factor, 1) = 1 AND purchase_mode <> 'direct') k USING (customer_id) "
            "WHERE l.tariff_id IS NOT NULL AND l.component NOT LIKE 'basic_demand%' "
            "AND l.price IS NOT NULL AND NOT EXISTS (SELECT 1 FROM tariff_price p WHERE "
            "p.tariff_id = l.tariff_id "
            "AND p.component = l.component AND p.price = l.price AND p.tier = coalesce(l.tier, 0))"
        )
        assert strange == []

    def test_paid_bills_are_paid_and_open_ones_are_not(self, clean: Books) -> None:
        off = clean.rows(
            "SELECT b.status, count(*) FROM bill b LEFT JOIN (SELECT bill_id, sum(amount) AS "
            "paid FROM receipt "
            "WHERE kind IN ('payment', 'prepayment_use', 'reversal') GROUP BY 1) r USING (bill_id) "
            "WHERE b.kind IN ('regular', 'reissue') AND CASE b.status WHEN 'paid' THEN "
            "coalesce(paid, 0) <> b.amount "
            "WHEN 'open' THEN coalesce(paid, 0) <> 0 WHEN 'partly_paid' THEN paid >= b.amount "
            "ELSE false END GROUP BY 1"
        )
        assert off == []

    def test_every_transfer_reaches_the_bank_the_next_day(self, clean: Books) -> None:
        off = clean.one(
            "SELECT count(*) FROM (SELECT bank_reference, sum(amount) AS a, max(CAST(received_at "
            "AS DATE)) AS d FROM receipt "
            "WHERE bank_reference IS NOT NULL AND received_at < TIMESTAMP '2026-04-10' GROUP BY 1) r "
            "LEFT JOIN bank_statement s ON s.reference = r.bank_reference "
            "WHERE s.amount IS DISTINCT FROM r.a OR s.booked_on <> r.d + 1"
        )
        assert off == 0

    def test_no_prepaid_balance_is_negative(self, clean: Books) -> None:
        lowest, many = clean.rows("SELECT min(balance), count(*) FROM prepayment_balance")[0]
        assert many > 1000
        assert lowest >= 0

    def test_the_ledger_is_balanced(self, clean: Books) -> None:
        sides = dict(clean.rows("SELECT side, sum(amount) FROM ledger_entry GROUP BY 1"))
        assert sides["debit"] == sides["credit"]
        assert sides["debit"] > 0


class TestTime:
    def test_nothing_happened_after_the_data_date(self, clean: Books) -> None:
        late = {
            table: count
            for table, moment in MOMENTS.items()
            if (
                count := clean.one(f"SELECT count(*) FROM {table} WHERE CAST({moment} AS DATE) > {DATA_DATE}")
            )
        }
        assert late == {}

    def test_every_month_has_its_stories(self, clean: Books) -> None:
        kinds = {row[0] for row in clean.rows("SELECT DISTINCT kind FROM ticket")}
        assert kinds >= {
            "new_connection",
            "closing",
            "meter_change",
            "change_of_use",
            "capacity_increase",
            "suspend",
            "transfer_name",
            "refund",
            "pv_connection",
        }
