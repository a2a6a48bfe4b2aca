-- :: step_rows
-- what the steps of a ticket are, and when in its life each starts and ends (shares of accepted..completed)
CREATE OR REPLACE TABLE step_plan AS SELECT * FROM (VALUES
    ('new_connection', 1, 'accept', 0.0, 0.05), ('new_connection', 2, 'survey', 0.05, 0.3),
    ('new_connection', 3, 'supply_plan', 0.3, 0.5), ('new_connection', 4, 'contract', 0.5, 0.7),
    ('new_connection', 5, 'meter_install', 0.7, 0.9), ('new_connection', 6, 'energise', 0.9, 1.0),
    ('capacity_increase', 1, 'accept', 0.0, 0.05), ('capacity_increase', 2, 'survey', 0.05, 0.4),
    ('capacity_increase', 3, 'supply_plan', 0.4, 0.6), ('capacity_increase', 4, 'energise', 0.6, 1.0),
    ('any', 1, 'accept', 0.0, 0.2), ('any', 2, 'approve', 0.2, 0.6), ('any', 3, 'other', 0.6, 1.0)
) s(kind, i, step, a, b);

-- :: tickets
CREATE OR REPLACE TABLE tk AS
SELECT 'W' || zeros(n, 8) || 'A' AS ticket_id,
    CASE trait WHEN 'new' THEN CASE WHEN kind IN ('pile', 'station') THEN 'ev_connection' ELSE 'new_connection' END
        WHEN 'closed' THEN 'closing' WHEN 'swap' THEN 'meter_change' WHEN 'recat' THEN 'change_of_use'
        WHEN 'recap' THEN 'capacity_increase' WHEN 'standby' THEN 'suspend' WHEN 'moved' THEN 'transfer_name'
        WHEN 'adjusted' THEN 'refund' WHEN 'asleep' THEN 'suspend' END AS kind, n, cid, station_org, county_org,
    CASE trait WHEN 'new' THEN at_hour(opened_on - CASE WHEN hv THEN 40 ELSE 6 END, 9 + 6 * rnd(n, 811))
        WHEN 'closed' THEN at_hour(closed_on - 4, 9 + 6 * rnd(n, 811)) WHEN 'swap' THEN at_hour(swap_on - 3, 9 + 6 * rnd(n, 811))
        WHEN 'adjusted' THEN at_hour(story_on - 6, 9 + 6 * rnd(n, 811)) WHEN 'asleep' THEN at_hour(DATE '{start}' - 95, 9.5)
        ELSE at_hour(eff_on - 12, 9 + 6 * rnd(n, 811)) END AS accepted_at,
    CASE trait WHEN 'new' THEN at_hour(opened_on, 10.5) WHEN 'closed' THEN at_hour(closed_on, 10.5)
        WHEN 'swap' THEN at_hour(swap_on, 10.5) WHEN 'adjusted' THEN at_hour(story_on, 16.5)
        WHEN 'asleep' THEN at_hour(DATE '{start}' - 90, 9.5) ELSE at_hour(eff_on, 0.5) END AS completed_at,
    CASE WHEN trait IN ('new', 'recap') THEN cap END AS requested_capacity_kva,
    CASE WHEN trait IN ('new', 'recat') THEN category END AS requested_category,
    CASE WHEN trait IN ('new', 'recat') THEN tariff1 END AS proposed_tariff_id, kv AS voltage_kv,
    CASE WHEN trait = 'standby' THEN 'TD' || zeros(n, 8) || '2' END AS transformer_id,
    CASE WHEN trait = 'standby' THEN eff_on END AS starts_on, CASE WHEN trait = 'standby' THEN seal_to END AS ends_on
FROM c WHERE trait IN ('new', 'closed', 'swap', 'recat', 'recap', 'standby', 'moved', 'adjusted', 'asleep')
UNION ALL
SELECT 'W' || zeros(n, 8) || 'B', 'resume', n, cid, station_org, county_org, at_hour(seal_to - 6, 10.0), at_hour(seal_to, 0.5),
    NULL, NULL, NULL, kv, 'TD' || zeros(n, 8) || '2', seal_to, NULL FROM c WHERE trait = 'standby' AND seal_to <= DATE '{data_date}'
UNION ALL
SELECT 'W' || zeros(n, 8) || 'G', 'pv_connection', n, cid, station_org, county_org, at_hour(pv_on - 15, 10.0), at_hour(pv_on, 15.0),
    pv_kw, NULL, NULL, kv, NULL, NULL, NULL FROM c WHERE pv_kw IS NOT NULL
UNION ALL
SELECT 'W' || zeros(n, 8) || 'M', choose(['meter_check', 'rename', 'ami_repair', 'meter_fault'], rnd(n, 812)), n, cid, station_org,
    county_org, at_hour(DATE '{start}' + die(n, 813, {window_days} - 12), 9 + 7 * rnd(n, 811)),
    at_hour(DATE '{start}' + die(n, 813, {window_days} - 12) + 3, 9 + 7 * rnd(n, 811)), NULL, NULL, NULL, kv, NULL, NULL, NULL
FROM c WHERE plain AND status = 'active' AND rnd(n, 814) < 0.012 AND n NOT IN (SELECT n FROM kept);

CREATE OR REPLACE TABLE t_ticket AS
SELECT ticket_id, kind, cid AS customer_id, station_org AS org_id, 'AP' || zeros(n, 8) AS applicant_id,
    CAST(NULL AS VARCHAR) AS address, accepted_at, completed_at + INTERVAL 2 DAY AS promised_at, completed_at,
    CASE WHEN completed_at + INTERVAL 20 HOUR < DATE '{data_date}' THEN completed_at + INTERVAL 20 HOUR END AS archived_at,
    CASE WHEN completed_at + INTERVAL 20 HOUR < DATE '{data_date}' THEN 'archived' ELSE 'completed' END AS status,
    requested_capacity_kva, requested_category, proposed_tariff_id, voltage_kv, CASE WHEN voltage_kv >= 1 THEN '1' END AS sources,
    transformer_id, starts_on, ends_on, CASE WHEN kind IN ('new_connection', 'capacity_increase') AND voltage_kv >= 1
        THEN choose(['云建电力设计院', '山河设计', '恒通设计', '新源设计'], rnd(n, 815)) END AS designer,
    CASE WHEN kind IN ('new_connection', 'capacity_increase') AND voltage_kv >= 1
        THEN choose(['云建安装', '恒通电力', '鑫达机电', '瑞丰工程'], rnd(n, 816)) END AS builder,
    CASE WHEN kind IN ('new_connection', 'capacity_increase') AND voltage_kv >= 1
        THEN choose(['北方变压器', '江源电器', '华辰电气'], rnd(n, 817)) END AS supplier,
    'E' || station_org || 'L' || (1 + n % 2) AS accepted_by, 'E' || station_org || 'L' || (1 + n % 2) AS closed_by, n
FROM tk;

CREATE OR REPLACE TABLE t_ticket_step AS
SELECT t.ticket_id, s.step, t.accepted_at + to_seconds(CAST(s.a * date_diff('second', t.accepted_at, t.completed_at) AS BIGINT))
        AS started_at,
    t.accepted_at + to_seconds(CAST(s.b * date_diff('second', t.accepted_at, t.completed_at) AS BIGINT)) AS finished_at,
    t.completed_at + INTERVAL 1 DAY AS due_at, CASE WHEN s.step = 'survey' THEN 1 ELSE 0 END AS waiting_days, t.accepted_by AS staff_id,
    CASE WHEN t.kind IN ('meter_check', 'meter_fault') AND s.step = 'other' THEN 'no_fault' ELSE 'passed' END AS result
FROM t_ticket t JOIN step_plan s ON s.kind = CASE WHEN t.kind IN ('new_connection', 'capacity_increase') THEN t.kind ELSE 'any' END
WHERE t.completed_at IS NOT NULL;

-- :: open_tickets
CREATE OR REPLACE TABLE open_tk AS
SELECT 'WO' || zeros(n, 8) AS ticket_id,
    choose(['new_connection', 'meter_check', 'loss_treatment', 'relocate', 'ev_connection', 'power_restore'], rnd(n, 821)) AS kind,
    n, cid, station_org, at_hour(DATE '{data_date}' - 2 - die(n, 822, 6), 9 + 6 * rnd(n, 823)) AS accepted_at
FROM c WHERE plain AND kind = 'home' AND rnd(n, 824) < 0.004 AND n NOT IN (SELECT n FROM kept);

INSERT INTO t_ticket BY NAME
SELECT ticket_id, kind, CASE WHEN kind IN ('new_connection', 'ev_connection') THEN NULL ELSE cid END AS customer_id,
    station_org AS org_id, 'AP' || zeros(n, 8) AS applicant_id, '云溪县柳湾路' || n % 90 || '号' AS address, accepted_at,
    accepted_at + INTERVAL 20 DAY AS promised_at, 'open' AS status,
    CASE WHEN kind IN ('new_connection', 'ev_connection') THEN 8 END AS requested_capacity_kva,
    CASE WHEN kind = 'new_connection' THEN 'residential' WHEN kind = 'ev_connection' THEN 'ev_charging' END AS requested_category,
    0.22 AS voltage_kv, 'E' || station_org || 'L1' AS accepted_by, n FROM open_tk;
INSERT INTO t_ticket_step BY NAME
SELECT ticket_id, 'accept' AS step, accepted_at AS started_at, accepted_at + INTERVAL 1 HOUR AS finished_at,
    accepted_at + INTERVAL 1 DAY AS due_at, 0 AS waiting_days, 'E' || station_org || 'L1' AS staff_id, 'passed' AS result FROM open_tk
UNION ALL BY NAME
SELECT ticket_id, 'survey' AS step, accepted_at + INTERVAL 1 HOUR AS started_at, accepted_at + INTERVAL 15 DAY AS due_at,
    'E' || station_org || 'I1' AS staff_id FROM open_tk;

-- :: field
CREATE OR REPLACE TABLE t_inspection_record AS
SELECT 'IR' || zeros(n, 8) AS record_id, cid AS customer_id, DATE '{start}' + die(n, 832, {window_days} - 5) AS inspected_on,
    'E' || county_org || 'V1,E' || county_org || 'V2' AS inspector_ids, false AS night, 'routine' AS kind,
    'E' || county_org || 'M1' AS approved_by, DATE '{start}' + die(n, 832, {window_days} - 5) + 2 AS filed_on,
    CASE WHEN kind = 'home' AND rnd(n, 833) < 0.3 THEN 'violation' ELSE 'normal' END AS result,
    CASE WHEN hv THEN cap * 0.8 END AS connected_load_kw
FROM c WHERE status = 'active' AND trait = 'plain' AND ((hv AND rnd(n, 831) < 0.6) OR rnd(n, 831) < 0.02);

CREATE OR REPLACE TABLE t_violation_case AS
SELECT 'VC' || substr(r.record_id, 3) AS case_id, customer_id, record_id, 'category' AS kind, inspected_on AS found_on,
    inspected_on - 60 AS started_on, 60 AS days, 120 AS energy_kwh, 21.30 AS back_amount, 42.60 AS penalty_amount,
    'E' || county_org || 'V1' AS checked_by, 'E' || county_org || 'V2' AS calculated_by, 'E' || county_org || 'V3' AS rechecked_by,
    'E' || c.station_org || 'L1' AS entered_by, 'E' || c.station_org || 'C1' AS collected_by, 'paid' AS status,
    inspected_on + 5 AS closed_on
FROM t_inspection_record r JOIN c ON c.cid = r.customer_id WHERE r.result = 'violation';

CREATE OR REPLACE TABLE t_disconnection AS
SELECT 'DC' || zeros(n, 8) AS disconnection_id, cid AS customer_id, 'arrears' AS cause, 'remote' AS method,
    at_hour(cut_on - 9, 9.0) AS notified_at, at_hour(cut_on - 1, 9.0) AS reminded_at, 'E' || county_org || 'M2' AS approved_by,
    at_hour(cut_on, 9.5) AS cut_at, CASE WHEN trait = 'cut' THEN at_hour(cut_on, 15.0) END AS paid_at,
    CASE WHEN trait = 'cut' THEN at_hour(cut_on, 17.0) END AS restored_at
FROM c WHERE cut_on IS NOT NULL;

CREATE OR REPLACE TABLE t_outage AS
SELECT 'OU' || zeros(dn, 6) AS outage_id, org_id, 'F' || zeros(fn, 5) AS feeder_id, 'D' || zeros(dn, 6) AS district_id,
    CASE WHEN rnd(dn, 842) < 0.5 THEN 'planned' ELSE 'fault' END AS kind,
    at_hour(DATE '{start}' + die(dn, 843, {window_days} - 12), 8.0) AS published_at,
    at_hour(DATE '{start}' + die(dn, 843, {window_days} - 12) + 8, 17.0) AS planned_end_at,
    at_hour(DATE '{start}' + die(dn, 843, {window_days} - 12) + 8, 9.0) AS started_at,
    at_hour(DATE '{start}' + die(dn, 843, {window_days} - 12) + 8, 10 + 4 * rnd(dn, 844)) AS ended_at, 40 + die(dn, 845, 100) AS customers_affected
FROM u_district WHERE rnd(dn, 841) < 0.3;

CREATE OR REPLACE TABLE t_service_request AS
SELECT 'SR' || zeros(n, 8) AS request_id, cid AS customer_id, CASE WHEN NOT hv THEN 'D' || zeros(dn, 6) END AS district_id,
    station_org AS org_id, choose(['enquiry', 'enquiry', 'repair', 'complaint', 'suggestion'], rnd(n, 852)) AS category,
    choose(['meter_reading', 'price', 'outage', 'voltage', 'service'], rnd(n, 853)) AS topic,
    at_hour(DATE '{start}' + die(n, 854, {window_days} - 8), 8 + 12 * rnd(n, 855)) AS received_at,
    at_hour(DATE '{start}' + die(n, 854, {window_days} - 8) + 1, 9.0) AS responded_at,
    at_hour(DATE '{start}' + die(n, 854, {window_days} - 8) + 3, 15.0) AS closed_at, false AS justified,
    at_hour(DATE '{start}' + die(n, 854, {window_days} - 8) + 4, 10.0) AS called_back_at, 4 + die(n, 856, 2) AS score
FROM c WHERE status = 'active' AND rnd(n, 851) < 0.02;

-- :: desk
CREATE OR REPLACE TABLE t_service_charge AS
SELECT 'SC' || ticket_id AS charge_id, customer_id, ticket_id, 'meter_test' AS kind, 1 AS quantity, 20 AS unit_price, 20 AS amount_due,
    20 AS amount_paid, completed_at AS paid_at FROM t_ticket WHERE kind = 'meter_check' AND status <> 'open';

CREATE OR REPLACE TABLE t_privileged_operation AS
SELECT 'PO' || substr(change_id, 2) AS operation_id, changed_by AS staff_id, changed_at AS at, 'reading_edit' AS kind,
    'reading' AS object_type, reading_id AS object_id, 1 AS rows, approved_by, 'PC-' || right(changed_by, 4) AS terminal FROM t_reading_change
UNION ALL
SELECT 'PJ' || substr(adjustment_id, 2), applied_by, applied_at, 'adjustment', 'adjustment', adjustment_id, 1, approved_by,
    'PC-' || right(applied_by, 4) FROM t_adjustment
UNION ALL
SELECT 'PR' || receipt_id, cashier_id, received_at, 'receipt_reversal', 'receipt', receipt_id, 1, approved_by, 'PC-' || right(cashier_id, 4)
FROM t_receipt WHERE kind = 'reversal';

CREATE OR REPLACE TABLE t_upstream_anomaly AS
SELECT 'billing_centre' AS source, 'UA' || bill_id AS source_id, b.customer_id, c.pstem || '1' AS usage_point_id, b.billing_period,
    k.check_code AS kind, k.flagged_at AS found_at, k.released_at AS handled_at, 'cleared' AS outcome
FROM t_bill_check k JOIN t_bill b USING (bill_id) JOIN c USING (n);

CREATE OR REPLACE TABLE t_meter_event AS
SELECT 'EV' || zeros(pk, 9) AS event_id, 'M' || substr(pid, 2) || CASE WHEN swap_on IS NULL THEN 'A' ELSE 'B' END AS meter_id,
    pid AS usage_point_id, choose(['power_off', 'time_set', 'voltage_drop', 'over_voltage', 'relay'], rnd(pk, 862)) AS kind,
    CASE WHEN wiring <> '1p2w' THEN 'A' END AS phase, at_hour(DATE '{event_from}' + die(pk, 863, 30), 24 * rnd(pk, 864)) AS started_at,
    at_hour(DATE '{event_from}' + die(pk, 863, 30), 24 * rnd(pk, 864)) + INTERVAL 12 MINUTE AS ended_at
FROM pt WHERE trait NOT IN ('closed', 'new', 'swap') AND rnd(pk, 861) < 0.01;

CREATE OR REPLACE TABLE t_photo AS
SELECT 'PH' || reading_id AS photo_id, 'reading' AS object_type, reading_id AS object_id, entered_at AS taken_at,
    r.reader_staff_id AS taken_by, t.lon, t.lat, sha256(reading_id) AS sha256, end_value AS recognised_value
FROM t_reading r JOIN c USING (n) JOIN t_customer t ON t.customer_id = c.cid
WHERE r.method = 'handheld' AND r.register = 'active' AND r.period_m = {months} - 1;
