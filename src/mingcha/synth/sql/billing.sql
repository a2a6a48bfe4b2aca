-- :: used
CREATE OR REPLACE TABLE used AS
SELECT n, period_m AS m, CASE WHEN instalment THEN part ELSE 2 END AS inst,
    kwh_of(sum(energy) FILTER (k = 1 AND register = 'active')) AS main,
    kwh_of(coalesce(sum(energy) FILTER (k = 1 AND register = 'active_sharp'), 0)) AS e1,
    kwh_of(coalesce(sum(energy) FILTER (k = 1 AND register = 'active_peak'), 0)) AS e2,
    kwh_of(coalesce(sum(energy) FILTER (k = 1 AND register = 'active_valley'), 0)) AS e4,
    kwh_of(coalesce(sum(energy) FILTER (k = 3 AND register = 'active'), 0)) AS sub,
    sum(energy) FILTER (register IN ('reactive_import', 'reactive_export')) AS kvarh,
    kwh_of(round(max(energy) FILTER (register = 'demand'), 2)) AS kw, max(read_on) AS read_on
FROM t_reading WHERE k IN (1, 3) GROUP BY ALL
HAVING main IS NOT NULL
UNION ALL
SELECT n, m, 2, kwh_of(base), 0, 0, 0, 0, NULL, NULL, d1 FROM c, mo WHERE kind = 'lamp' AND m BETWEEN 0 AND {months} - 1;

-- :: quantities
CREATE OR REPLACE TABLE bq AS
WITH a AS (
    SELECT u.*, c.cid, c.pstem || '1' AS pid, c.pstem || '3' AS sub_pid, c.kind, c.trait, c.county_org, c.pf_std, c.low_side,
        mo.ym, mo.d0, mo.d1, mo.days AS month_days, CASE WHEN c.trait = 'bimonthly' THEN 2 ELSE 1 END AS span,
        CASE WHEN c.trait = 'recat' AND u.m >= c.eff_m THEN c.tariff1 ELSE c.tariff0 END AS tariff_id,
        CASE WHEN low_side THEN kwh_of(round(c.kva1 * 0.0011 * 24 * mo.days + 0.01 * CAST(main AS DOUBLE))) ELSE kwh_of(0) END
            AS loss,
        CASE WHEN u.inst < 2 THEN NULL WHEN c.trait = 'recap' AND u.m < c.eff_m THEN c.cap0
            WHEN c.trait = 'standby' AND mo.d0 >= c.eff_on AND mo.d0 < c.seal_to THEN c.kva1 ELSE c.cap END AS kva,
        date_diff('day', greatest(mo.d0, c.opened_on), least(mo.d1, coalesce(c.closed_on, mo.d1))) AS days
    FROM used u JOIN c USING (n) JOIN mo ON mo.m = u.m
),
b AS (
    SELECT a.*, main - sub + loss AS q, tw.* EXCLUDE (tariff_id),
        CASE WHEN pf_std IS NOT NULL AND main > 0 AND kvarh IS NOT NULL
            THEN round(main / sqrt(CAST(main AS DOUBLE) * main + CAST(kvarh AS DOUBLE) * kvarh), 2) END AS pf
    FROM a JOIN tw USING (tariff_id)
),
p AS (
    SELECT *, CASE WHEN NOT tou THEN kwh_of(0) WHEN loss = 0 OR main = 0 THEN e1 ELSE e1 + kwh_of(round(loss * e1 / main, 2)) END AS q1,
        CASE WHEN NOT tou OR kind = 'home' THEN kwh_of(0) WHEN loss = 0 OR main = 0 THEN e2
            ELSE e2 + kwh_of(round(loss * e2 / main, 2)) END AS q2,
        CASE WHEN NOT tou THEN kwh_of(0) WHEN loss = 0 OR main = 0 THEN e4 ELSE e4 + kwh_of(round(loss * e4 / main, 2)) END AS q4,
        CASE WHEN tiered THEN greatest(q - {tier2} * span, 0) ELSE 0 END AS t3,
        CASE WHEN tiered THEN greatest(least(q, {tier2} * span) - {tier1} * span, 0) ELSE 0 END AS t2
    FROM b
)
SELECT * EXCLUDE (q2), CASE WHEN tou AND kind = 'home' THEN q - q4 ELSE q2 END AS q2,
    CASE WHEN tou AND kind <> 'home' THEN q - q1 - q2 - q4 ELSE 0 END AS q3,
    CAST(pf_percent(pf_std, pf) AS DECIMAL(9,4)) AS pct,
    CASE WHEN p_dem IS NOT NULL AND inst = 2 THEN kw END AS billed_kw
FROM p;

-- :: amounts
CREATE OR REPLACE TABLE bl AS
WITH a AS (
    SELECT *, 'B' || replace(ym, '-', '') || zeros(n, 8) || inst AS bill_id,
        CASE WHEN tou THEN 0 ELSE cny(q, p_all) END AS a_all,
        coalesce(cny(q1, p_sharp), 0) AS a1, coalesce(cny(q2, p_peak), 0) AS a2, coalesce(cny(q3, p_flat), 0) AS a3,
        coalesce(cny(q4, p_valley), 0) AS a4, cny(t2, {add2}) AS a_t2, cny(t3, {add3}) AS a_t3,
        coalesce(cny(q, p_loss), 0) AS a_loss, coalesce(cny(q, p_trans), 0) AS a_trans, coalesce(cny(q, p_sys), 0) AS a_sys,
        coalesce(cny(q, p_fund), 0) AS a_fund,
        CASE WHEN p_cap IS NULL OR kva IS NULL THEN 0 WHEN days = month_days THEN cny(kva, p_cap)
            ELSE CAST(round(kva * p_cap * days / month_days, 2) AS DECIMAL(18,2)) END AS a_cap,
        coalesce(cny(billed_kw, p_dem), 0) AS a_dem, cny(sub, {sub_price}) AS a_sub
    FROM bq
),
b AS (SELECT *, a_all + a1 + a2 + a3 + a4 + a_loss + a_trans + a_sys + a_cap + a_dem AS pf_base FROM a)
SELECT *, CASE WHEN pct IS NULL THEN CAST(0 AS DECIMAL(18,2))
        ELSE CAST(round(CAST(pf_base AS DECIMAL(14,2)) * pct / 100, 2) AS DECIMAL(18,2)) END AS a_pf
FROM b;

-- :: bills
CREATE OR REPLACE TABLE t_bill AS
SELECT bill_id, cid AS customer_id, ym AS billing_period, 'regular' AS kind, CAST(NULL AS VARCHAR) AS original_bill_id,
    at_hour(read_on + 1 + CAST(floor(rnd2(n, m, 601) * 3) AS INTEGER), 9 + 8 * rnd2(n, m, 602)) AS issued_at,
    'E' || county_org || 'B' || (1 + n % 4) AS issued_by, 'E' || county_org || 'B' || (1 + (n + 1) % 4) AS checked_by,
    main + loss AS energy_kwh, pf AS power_factor,
    CAST(a_all + a1 + a2 + a3 + a4 + a_t2 + a_t3 + a_loss + a_trans + a_sys + a_fund + a_cap + a_dem + a_sub + a_pf
        AS DECIMAL(18,2)) AS amount,
    read_on + 28 AS due_on, 'open' AS status, n, m
FROM bl;

-- :: lines
CREATE OR REPLACE TABLE t_bill_line AS
WITH l AS (
    SELECT bill_id, 1 AS line_no, pid, 'energy' AS component, 'all' AS period, NULL AS tier, q AS quantity, 'kWh' AS unit,
        CAST(NULL AS INTEGER) AS days, CAST(NULL AS DECIMAL(18,2)) AS base_amount, CAST(p_all AS DECIMAL(18,8)) AS price,
        a_all AS amount, tariff_id FROM bl WHERE NOT tou
    UNION ALL SELECT bill_id, 1, pid, 'energy', 'sharp', NULL, q1, 'kWh', NULL, NULL, p_sharp, a1, tariff_id
        FROM bl WHERE tou AND p_sharp IS NOT NULL
    UNION ALL SELECT bill_id, 2, pid, 'energy', 'peak', NULL, q2, 'kWh', NULL, NULL, p_peak, a2, tariff_id FROM bl WHERE tou
    UNION ALL SELECT bill_id, 3, pid, 'energy', 'flat', NULL, q3, 'kWh', NULL, NULL, p_flat, a3, tariff_id
        FROM bl WHERE tou AND p_flat IS NOT NULL
    UNION ALL SELECT bill_id, 4, pid, 'energy', 'valley', NULL, q4, 'kWh', NULL, NULL, p_valley, a4, tariff_id FROM bl WHERE tou
    UNION ALL SELECT bill_id, 5, pid, 'tier', 'all', 1, q - t2 - t3, 'kWh', NULL, NULL, {add1}, 0, tariff_id FROM bl WHERE t2 > 0
    UNION ALL SELECT bill_id, 6, pid, 'tier', 'all', 2, t2, 'kWh', NULL, NULL, {add2}, a_t2, tariff_id FROM bl WHERE t2 > 0
    UNION ALL SELECT bill_id, 7, pid, 'tier', 'all', 3, t3, 'kWh', NULL, NULL, {add3}, a_t3, tariff_id FROM bl WHERE t3 > 0
    UNION ALL SELECT bill_id, 8, pid, 'grid_loss', 'all', NULL, q, 'kWh', NULL, NULL, p_loss, a_loss, tariff_id
        FROM bl WHERE p_loss IS NOT NULL
    UNION ALL SELECT bill_id, 9, pid, 'transmission', 'all', NULL, q, 'kWh', NULL, NULL, p_trans, a_trans, tariff_id
        FROM bl WHERE p_trans IS NOT NULL
    UNION ALL SELECT bill_id, 10, pid, 'system', 'all', NULL, q, 'kWh', NULL, NULL, p_sys, a_sys, tariff_id
        FROM bl WHERE p_sys IS NOT NULL
    UNION ALL SELECT bill_id, 11, pid, 'fund', 'all', NULL, q, 'kWh', NULL, NULL, p_fund, a_fund, tariff_id
        FROM bl WHERE p_fund IS NOT NULL
    UNION ALL SELECT bill_id, 12, pid, 'basic_capacity', NULL, NULL, kva, 'kVA', CASE WHEN days < month_days THEN days END, NULL,
        p_cap, a_cap, tariff_id FROM bl WHERE p_cap IS NOT NULL AND kva IS NOT NULL
    UNION ALL SELECT bill_id, 12, pid, 'basic_demand', NULL, NULL, billed_kw, 'kW', NULL, NULL, p_dem, a_dem, tariff_id
        FROM bl WHERE billed_kw IS NOT NULL
    UNION ALL SELECT bill_id, 13, pid, 'power_factor', NULL, NULL, pct, 'pct', NULL, pf_base, NULL, a_pf, tariff_id
        FROM bl WHERE pct IS NOT NULL
    UNION ALL SELECT bill_id, 14, pid, 'transformer_loss', NULL, NULL, loss, 'kWh', NULL, NULL, NULL, 0, tariff_id FROM bl WHERE loss > 0
    UNION ALL SELECT bill_id, 15, sub_pid, 'energy', 'all', NULL, sub, 'kWh', NULL, NULL, {sub_price}, a_sub, 'RES-H' FROM bl WHERE sub > 0
)
SELECT * EXCLUDE (pid), pid AS usage_point_id FROM l;

-- :: reissues
-- a wrong charge found the same day: the first bill is voided and issued again without it
CREATE OR REPLACE TABLE redo AS
SELECT b.bill_id, b.n, b.m, substr(b.bill_id, 1, 15) AS stem, 5 + die(b.n, 603, 60) AS too_much
FROM t_bill b JOIN c USING (n)
WHERE c.plain AND c.kind IN ('home', 'shop') AND b.amount > 20 AND rnd2(b.n, b.m, 604) < 0.0006
    AND n NOT IN (SELECT n FROM kept);

CREATE OR REPLACE TABLE redo_bill AS
SELECT b.* REPLACE ('reissue' AS kind, r.bill_id AS original_bill_id, stem || '3' AS bill_id,
    issued_at + INTERVAL 3 HOUR AS issued_at) FROM t_bill b JOIN redo r USING (bill_id)
UNION ALL
SELECT b.* REPLACE ('void' AS kind, r.bill_id AS original_bill_id, stem || '4' AS bill_id, issued_at + INTERVAL 2 HOUR AS issued_at,
    -energy_kwh AS energy_kwh, -amount - too_much AS amount, 'void' AS status) FROM t_bill b JOIN redo r USING (bill_id);

CREATE OR REPLACE TABLE redo_line AS
SELECT l.* REPLACE (stem || '3' AS bill_id) FROM t_bill_line l JOIN redo r USING (bill_id)
UNION ALL
SELECT l.* REPLACE (stem || '4' AS bill_id, -amount AS amount, -quantity AS quantity) FROM t_bill_line l JOIN redo r USING (bill_id)
UNION ALL
SELECT r.bill_id, 30, 'other', NULL, NULL, 1, 'item', NULL, NULL, too_much, too_much, NULL, NULL FROM redo r
UNION ALL
SELECT stem || '4', 30, 'other', NULL, NULL, -1, 'item', NULL, NULL, too_much, -too_much, NULL, NULL FROM redo r;

UPDATE t_bill b SET amount = amount + r.too_much, status = 'void' FROM redo r WHERE r.bill_id = b.bill_id;
INSERT INTO t_bill BY NAME SELECT * FROM redo_bill;
INSERT INTO t_bill_line BY NAME SELECT * FROM redo_line;

-- :: checks
CREATE OR REPLACE TABLE t_bill_check AS
SELECT bill_id, choose(['电量突变', '零电量', '金额异常'], rnd2(n, m, 605)) AS check_code, issued_at - INTERVAL 5 HOUR AS flagged_at,
    issued_at - INTERVAL 1 HOUR AS released_at, checked_by AS released_by, '核实无误' AS reason
FROM t_bill WHERE kind = 'regular' AND rnd2(n, m, 606) < 0.004;

-- :: adjustments
-- corrections of the clean books: refund or charge with its ticket, evidence and second approval
CREATE OR REPLACE TABLE t_adjustment AS
SELECT 'J' || zeros(n, 8) || '1' AS adjustment_id, cid AS customer_id, mo.ym AS billing_period,
    CAST(mo.d0 - INTERVAL 1 MONTH AS DATE) AS window_from, mo.d0 AS window_to, CASE WHEN n % 3 = 0 THEN 'charge' ELSE 'refund' END
        AS kind,
    CASE WHEN n % 2 = 0 THEN 'misreading' ELSE 'price' END AS cause, CASE WHEN n % 2 = 0 THEN 20 + n % 60 ELSE 0 END AS energy_kwh,
    kwh_of(12 + n % 70) AS amount, at_hour(story_on, 10.5) AS applied_at, 'E' || station_org || 'L1' AS applied_by,
    at_hour(story_on, 15.5) AS approved_at, 'E' || county_org || 'M1' AS approved_by, 2 AS evidence_count,
    'BA' || replace(mo.ym, '-', '') || zeros(n, 8) AS bill_id, 'W' || zeros(n, 8) || 'A' AS ticket_id, n
FROM c JOIN mo ON mo.m = c.eff_m WHERE trait = 'adjusted';

INSERT INTO t_bill BY NAME
SELECT bill_id, customer_id, billing_period, CASE a.kind WHEN 'refund' THEN 'refund' ELSE 'supplementary' END AS kind,
    approved_at + INTERVAL 1 HOUR AS issued_at, 'E' || county_org || 'B1' AS issued_by, 'E' || county_org || 'B2' AS checked_by,
    CASE a.kind WHEN 'refund' THEN -energy_kwh ELSE energy_kwh END AS energy_kwh,
    CASE a.kind WHEN 'refund' THEN -amount ELSE amount END AS amount, CAST(approved_at AS DATE) + 20 AS due_on, 'paid' AS status,
    a.n, eff_m AS m
FROM t_adjustment a JOIN c USING (n);
INSERT INTO t_bill_line BY NAME
SELECT bill_id, 1 AS line_no, CASE kind WHEN 'refund' THEN 'discount' ELSE 'other' END AS component, 1 AS quantity, 'item' AS unit,
    CASE kind WHEN 'refund' THEN -amount ELSE amount END AS amount FROM t_adjustment;
