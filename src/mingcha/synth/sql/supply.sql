-- :: contracts
CREATE OR REPLACE TABLE t_contract AS
SELECT 'K' || zeros(c.n, 8) AS contract_id, v.effective_from, c.cid AS customer_id, v.effective_from AS signed_on, v.effective_to,
    v.category AS usage_category, v.cap AS capacity_kva, c.kv AS voltage_kv, v.tariff_id,
    v.purchase_mode, CASE v.purchase_mode WHEN 'agent' THEN c.agent_factor END AS agent_factor,
    CASE WHEN v.tariff_id = 'IND-10C' THEN 'capacity' WHEN v.tariff_id <> 'IND-10D' THEN 'none'
        WHEN c.demand_kw IS NULL THEN 'demand_actual' ELSE 'demand_contract' END AS basic_charge_method,
    c.demand_kw AS contract_demand_kw, CAST(v.pf_std AS VARCHAR) AS power_factor_standard, t.tou, t.tiered,
    CASE WHEN c.hv AND NOT c.low_side THEN 'high' ELSE 'low' END AS metering_side,
    CASE WHEN c.loss_billed THEN c.line_pct END AS line_loss_pct, c.shift
FROM up_version v JOIN c ON c.n = v.n JOIN tariff_now t ON t.tariff_id = v.tariff_id;

CREATE OR REPLACE TABLE t_supply_source AS
SELECT 'Z' || zeros(n, 8) || '1' AS source_id, cid AS customer_id,
    CASE WHEN kind = 'wholesale' THEN 'FH' || zeros(sn // 2, 5) ELSE 'F' || zeros(fn, 5) END AS feeder_id, 'main' AS role,
    'simultaneous' AS mode, cap AS capacity_kva, opened_on AS agreement_on, opened_on AS effective_from, closed_on AS effective_to
FROM c WHERE hv
UNION ALL
SELECT 'Z' || zeros(n, 8) || '2', cid, 'FS' || zeros(sn // 2, 5), 'backup', 'cold_standby', kva1, opened_on, opened_on, closed_on
FROM c WHERE kind = 'hvgen' AND rnd(n, 31) < 0.1;

-- :: known
CREATE OR REPLACE TABLE t_entitlement AS
SELECT 'EN' || zeros(n, 8) || '1' AS entitlement_id, cid AS customer_id,
    CASE WHEN many_members THEN 'many_members' ELSE 'low_income' END AS kind,
    'MZ' || zeros(n, 8) AS document_number, DATE '{start}' - 200 AS valid_from, DATE '{data_date}' + 300 AS valid_to,
    'E' || county_org || 'M1' AS approved_by
FROM c WHERE kind = 'home' AND rnd(n, 802) < 0.02
UNION ALL
SELECT 'EN' || zeros(n, 8) || '2', cid, 'ev_charging', 'EV' || zeros(n, 8), opened_on, NULL, 'E' || county_org || 'M1'
FROM c WHERE kind IN ('pile', 'station')
UNION ALL
SELECT 'EN' || zeros(n, 8) || '3', cid, 'fund_exempt', 'JJ' || zeros(n, 8), opened_on, NULL, 'E' || county_org || 'M2'
FROM c WHERE fund_exempt;

CREATE OR REPLACE TABLE t_external_fact AS
SELECT 'registry' AS source, 'RG' || zeros(n, 8) AS source_id, cid AS customer_id, 'PR' || zeros(n, 8) AS premises_id,
    'business' AS kind, opened_on AS valid_from, CAST(NULL AS DATE) AS valid_to, CAST(NULL AS VARCHAR) AS value
FROM c WHERE kind IN ('shop', 'works') AND rnd(n, 804) < 0.3
UNION ALL
SELECT 'trading_centre', 'TC' || zeros(n, 8), cid, NULL, 'market_member', DATE '2022-01-01', NULL, NULL FROM c WHERE direct
UNION ALL
SELECT 'water', 'WA' || zeros(n, 8), cid, 'PR' || zeros(n, 8), 'water_use', DATE '{m_start}', DATE '{m_end}',
    CAST(5 + die(n, 806, 15) AS VARCHAR)
FROM c WHERE kind = 'home' AND plain AND rnd(n, 805) < 0.02 AND n NOT IN (SELECT n FROM kept);

CREATE OR REPLACE TABLE t_staff_customer AS
SELECT 'E' || station_org || 'R' || (1 + n % 4) AS staff_id, cid AS customer_id, choose(['self', 'family'], rnd(n, 808)) AS relation
FROM c WHERE kind = 'home' AND plain AND rnd(n, 807) < 0.002;

-- :: own_sources
CREATE OR REPLACE TABLE t_generator AS
SELECT 'GE' || zeros(n, 8) AS generator_id, cid AS customer_id, 'pv' AS kind, pv_kw AS capacity_kw,
    CASE trait WHEN 'pv_full' THEN 'full_feed' ELSE 'self_use_surplus' END AS grid_mode, 'person' AS owner_kind,
    pv_on AS connected_on, CAST(NULL AS DATE) AS removed_on, CAST(NULL AS DATE) AS subsidy_until, 'W' || zeros(n, 8) || 'G' AS ticket_id
FROM c WHERE pv_kw IS NOT NULL;

CREATE OR REPLACE TABLE t_pv_settlement AS
WITH fed AS (
    SELECT n, m, kwh_of(sum(u * mult)) AS kwh FROM rg
    WHERE m BETWEEN 0 AND {months} - 1 AND (register = 'active_export' OR (k = 2 AND register = 'active')) GROUP BY n, m
)
SELECT 'GE' || zeros(n, 8) AS generator_id, mo.ym AS billing_period,
    CASE c.trait WHEN 'pv_full' THEN kwh ELSE kwh_of(round(kwh * 2.1, 2)) END AS generated_kwh, kwh AS fed_in_kwh,
    CAST({feed_in} AS DECIMAL(18,8)) AS feed_in_price, cny(kwh, CAST({feed_in} AS DECIMAL(8,6))) AS feed_in_amount,
    CAST(NULL AS DECIMAL(18,8)) AS subsidy_price, 'proxy' AS invoice_form, t.name AS payee_name,
    '6200' || zeros(n, 12) AS payee_account, mo.d1 + 8 AS paid_on
FROM fed JOIN c USING (n) JOIN mo ON mo.m = fed.m JOIN t_customer t ON t.customer_id = c.cid;

CREATE OR REPLACE TABLE t_charger AS
SELECT 'CH' || zeros(n, 8) || i.range AS charger_id, cid AS customer_id, CASE kind WHEN 'pile' THEN 7 ELSE 60 END AS rated_kw,
    kind = 'station' AS public, opened_on AS installed_on, closed_on AS removed_on
FROM c, range(6) i WHERE (kind = 'pile' AND i.range = 0) OR kind = 'station';

CREATE OR REPLACE TABLE t_charger_energy AS
SELECT 'CH' || zeros(d.n, 8) || i.range AS charger_id, day, kwh_of(round(import_kwh * CASE c.kind WHEN 'pile' THEN 0.97 ELSE 0.16 END, 2))
    AS kwh
FROM t_daily_energy d JOIN c ON c.n = d.n AND d.k = 1, range(6) i
WHERE c.kind = 'station' OR (c.kind = 'pile' AND i.range = 0);

-- :: archive
CREATE OR REPLACE TABLE t_archive_change AS
WITH a AS (
    SELECT *, 'W' || zeros(n, 8) || 'A' AS ticket FROM c WHERE trait IN ('recap', 'recat', 'moved')
)
SELECT 'AC' || zeros(n, 8) || '1' AS change_id, 'customer' AS object_type, cid AS object_id,
    CASE trait WHEN 'recap' THEN 'contract_capacity_kva' WHEN 'recat' THEN 'usage_category' ELSE 'name' END AS field,
    CASE trait WHEN 'recap' THEN CAST(cap0 AS VARCHAR) WHEN 'recat' THEN category0 ELSE person(n + 500000) END AS old_value,
    CASE trait WHEN 'recap' THEN CAST(cap AS VARCHAR) WHEN 'recat' THEN category ELSE person(n) END AS new_value,
    at_hour(eff_on, 9.2) AS changed_at, 'E' || station_org || 'L1' AS changed_by, 'E' || station_org || 'M1' AS approved_by,
    ticket AS ticket_id
FROM a
UNION ALL
SELECT 'AC' || zeros(n, 8) || '2', 'usage_point', pstem || '1', 'multiplier', CAST(mult0 AS VARCHAR), CAST(mult1 AS VARCHAR),
    at_hour(eff_on, 9.3), 'E' || station_org || 'L1', 'E' || station_org || 'M1', ticket
FROM a WHERE mult0 <> mult1;
