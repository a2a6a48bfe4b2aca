-- :: points
-- k: 1 main sale point, 2 full-feed generation, 3 deducted sub point, 4 check meter; 5 and 6, a fixed quantity and a fixed
-- share of the main point's energy, have no meter
CREATE OR REPLACE TABLE pt AS
WITH a AS (
    SELECT c.*, k.k FROM c, (VALUES (1), (2), (3), (4)) k(k)
    WHERE kind NOT IN ('lamp', 'temp') AND trait <> 'gone' AND (k.k = 1 OR (k.k = 2 AND trait = 'pv_full')
        OR (k.k = 3 AND kind = 'works' AND plain AND n % 4 = 0) OR (k.k = 4 AND trait = 'check'))
)
SELECT n * 8 + k AS pk, n, k, pstem || k AS pid, cid, dn, fn, sn, kind, trait, station_org,
    CASE k WHEN 2 THEN 'sun' WHEN 3 THEN 'home' ELSE grp END AS grp,
    CASE k WHEN 2 THEN 'generation' WHEN 4 THEN 'check' ELSE 'sale' END AS role,
    CASE WHEN k IN (2, 3) THEN 1 ELSE mult0 END AS mult0, CASE WHEN k IN (2, 3) THEN 1 ELSE mult1 END AS mult1,
    CASE WHEN trait = 'recap' THEN eff_m ELSE 9999 END AS mult_from,
    CASE k WHEN 2 THEN pv_kw * 95.0 WHEN 3 THEN base * 0.05 ELSE base END AS base,
    CASE k WHEN 3 THEN '1p2w' ELSE wiring END AS wiring, un, hv, low_side,
    CASE WHEN kind = 'home' AND n % 9 = 0 THEN 5 ELSE 6 END AS digits,
    CASE WHEN k = 1 THEN swap_on END AS swap_on, opened_on, closed_on, energy_to,
    CASE WHEN k = 1 AND trait = 'new' THEN opened_on END AS energy_from,
    read_day, parity, two_rate, tou AND k = 1 AS tou, pf_std IS NOT NULL AND k = 1 AS reactive, on_demand AND k = 1 AS demand,
    pf, trait = 'instalment' AND k = 1 AS instalment, trait = 'pv_surplus' AND k = 1 AS exports, pv_kw,
    ct0, ct1, pt AS pt_primary, cap, cap0, eff_on,
    CASE WHEN k = 1 AND trait = 'swap' THEN DATE '{start}' - 2200 - die(n, 201, 700) WHEN k = 2 THEN pv_on
        WHEN trait = 'new' THEN opened_on ELSE DATE '{start}' - 400 - die(n, 202, 1800) END AS installed_on
FROM a ORDER BY pk;

-- :: usage_points
CREATE OR REPLACE TABLE up_version AS
WITH v AS (
    SELECT c.n, 1 AS v, opened_on AS effective_from,
        CASE WHEN trait IN ('recap', 'recat') THEN eff_on ELSE closed_on END AS effective_to, cap0 AS cap, mult0 AS mult,
        tariff0 AS tariff_id, category0 AS category, pf_std, kind, direct FROM c
    UNION ALL
    SELECT n, 2, eff_on, closed_on, cap, mult1, tariff1, category, pf_std, kind, direct FROM c WHERE trait IN ('recap', 'recat')
)
SELECT v.* EXCLUDE (kind, direct) REPLACE (CASE WHEN kind = 'works' AND cap < 100 THEN NULL ELSE pf_std END AS pf_std),
    CASE WHEN direct THEN 'direct' WHEN kind IN ('home', 'pile', 'farm', 'school', 'wholesale') AND v = 1 THEN 'regulated'
        ELSE 'agent' END AS purchase_mode
FROM v;

CREATE OR REPLACE TABLE t_usage_point AS
SELECT c.pstem || k.k AS usage_point_id, CASE WHEN k.k = 2 THEN c.pv_on ELSE v.effective_from END AS effective_from,
    CASE k.k WHEN 2 THEN 'generation' WHEN 4 THEN 'check' ELSE 'sale' END AS role, cid AS customer_id,
    CASE WHEN hv THEN 'TD' || zeros(c.n, 8) || '1' ELSE 'TP' || zeros(dn, 6) END AS transformer_id,
    CAST(NULL AS VARCHAR) AS bus_id,
    CASE WHEN kind = 'wholesale' THEN 'FH' || zeros(sn // 2, 5) ELSE 'F' || zeros(fn, 5) END AS feeder_id,
    CASE WHEN NOT hv THEN 'D' || zeros(dn, 6) END AS district_id, CAST(NULL AS VARCHAR) AS direction,
    CASE WHEN kind = 'lamp' OR k.k = 5 THEN 'fixed_quantity' WHEN k.k = 6 THEN 'fixed_ratio' WHEN kind = 'temp' THEN 'none'
        ELSE 'meter' END AS metering_method,
    CASE WHEN kind = 'lamp' THEN base WHEN k.k = 5 THEN fixed_kwh WHEN k.k = 6 THEN fixed_share END AS fixed_value,
    CASE WHEN k.k IN (3, 4, 5, 6) THEN c.pstem || '1' END AS parent_usage_point_id,
    CASE k.k WHEN 3 THEN 'sub_deducted' WHEN 5 THEN 'sub_deducted' WHEN 6 THEN 'sub_deducted' WHEN 4 THEN 'standalone' END
        AS relation,
    CASE WHEN hv AND NOT low_side THEN 'high' ELSE 'low' END AS metering_side,
    CASE WHEN k.k IN (3, 5, 6) THEN '1p2w' ELSE wiring END AS wiring, un AS rated_voltage_v,
    CASE WHEN k.k IN (2, 3, 5, 6) THEN 1 ELSE v.mult END AS multiplier,
    CASE WHEN k.k IN (3, 5, 6) THEN 'RES-H' WHEN k.k = 1 THEN v.tariff_id WHEN k.k = 2 THEN 'PV' END AS tariff_id,
    CASE WHEN k.k IN (3, 5, 6) THEN 'residential' WHEN k.k = 1 THEN v.category END AS category,
    CASE WHEN c.loss_billed AND line_pct IS NOT NULL THEN 'transformer_line' WHEN c.loss_billed THEN 'transformer' ELSE 'none' END
        AS loss_billed, v.effective_to
FROM c JOIN up_version v USING (n)
JOIN (VALUES (1), (2), (3), (4), (5), (6)) k(k) ON k.k = 1 OR (k.k = 2 AND trait = 'pv_full')
    OR (k.k = 3 AND kind = 'works' AND plain AND n % 4 = 0) OR (k.k = 4 AND trait = 'check')
    OR (k.k = 5 AND fixed_kwh IS NOT NULL) OR (k.k = 6 AND fixed_share IS NOT NULL)
UNION ALL
SELECT gid, DATE '2015-01-01', role, NULL, transformer_id, bus_id, feeder_id, district_id, 'in', 'meter', NULL, NULL, NULL,
    CASE WHEN level = 1 THEN 'low' ELSE 'high' END, CASE WHEN level = 1 THEN '3p4w' ELSE '3p3w' END,
    CASE WHEN level = 1 THEN 220 ELSE 100 END, mult, NULL, NULL, 'none', NULL
FROM gw;

-- :: meters
CREATE OR REPLACE TABLE mt AS
SELECT 'M' || substr(pid, 2) || 'A' AS meter_id, pk, n, k, pid, cid, station_org, kind, wiring, un, mult1, digits, tou, hv,
    installed_on, swap_on, coalesce(swap_on, closed_on) AS removed_on, false AS second, trait FROM pt
UNION ALL
SELECT 'M' || substr(pid, 2) || 'B', pk, n, k, pid, cid, station_org, kind, wiring, un, mult1, 6, tou, hv, swap_on, swap_on,
    closed_on, true, trait FROM pt WHERE swap_on IS NOT NULL;

CREATE OR REPLACE TABLE t_meter AS
SELECT meter_id, CASE WHEN wiring = '1p2w' THEN 'DDZY188' WHEN hv THEN 'DSZ188' ELSE 'DTZY188' END AS model,
    choose(['华辰仪表', '天衡电气', '北斗电表', '南方计量'], rnd(pk, 203)) AS manufacturer, installed_on - 60 AS made_on, wiring,
    un AS rated_voltage_v, CASE WHEN mult1 > 1 THEN 1.5 ELSE 5 END AS rated_current_a,
    CASE WHEN mult1 > 1 THEN 6 ELSE 60 END AS max_current_a,
    CASE WHEN hv THEN '0.5S' WHEN mult1 > 1 THEN 'C' WHEN wiring = '1p2w' THEN 'A' ELSE 'B' END AS class_active,
    CASE WHEN mult1 > 1 THEN '2' END AS class_reactive, digits, true AS smart, tou, 'utility' AS owner,
    greatest(CAST(installed_on + to_years(8) AS DATE), DATE '{data_date}' + 200 + die(pk, 204, 900)) AS verification_due_on,
    CASE WHEN removed_on IS NULL THEN 'installed' ELSE 'removed' END AS status
FROM mt
UNION ALL
SELECT 'M' || substr(gid, 2) || 'A', 'DSZ188', '天衡电气', DATE '2020-01-01', CASE WHEN level = 1 THEN '3p4w' ELSE '3p3w' END,
    CASE WHEN level = 1 THEN 220 ELSE 100 END, 1.5, 6, CASE WHEN level = 1 THEN 'C' ELSE '0.5S' END, '2', 8, true, false,
    'utility', DATE '{data_date}' + 700, 'installed' FROM gw
UNION ALL
SELECT 'MS' || zeros(fn, 5) || i.range, 'DDZY188', '北斗电表', DATE '{start}', '1p2w', 220, 5, 60, 'A', NULL, 6, true, false, 'utility',
    DATE '{data_date}' + 2900, 'in_stock' FROM u_feeder, range(3) i;

-- :: instruments
CREATE OR REPLACE TABLE it AS
SELECT pk, pid, hv, kv.installed_on, kv.removed_on, kv.ct, NULL AS pt, low_side, kv.v FROM (
    SELECT pk, pid, hv, low_side, 1 AS v, installed_on, CASE WHEN mult1 <> mult0 THEN eff_on ELSE closed_on END AS removed_on,
        ct0 AS ct FROM pt WHERE ct0 IS NOT NULL AND k IN (1, 4)
    UNION ALL
    SELECT pk, pid, hv, low_side, 2, eff_on, closed_on, ct1 FROM pt WHERE ct1 IS NOT NULL AND mult1 <> mult0 AND k IN (1, 4)
) kv;

CREATE OR REPLACE TABLE t_instrument_transformer AS
SELECT 'IC' || substr(pid, 2) || ph.p || v AS it_id, pid AS usage_point_id, 'CT' AS kind, ph.p AS phase, ct AS primary_rating,
    5 AS secondary_rating, CASE WHEN hv THEN '0.2S' ELSE '0.5S' END AS accuracy_class, 10 AS rated_burden_va,
    4.0 AS secondary_wire_mm2, installed_on, removed_on, DATE '{data_date}' + 1500 AS verification_due_on, 'utility' AS owner
FROM it, (VALUES ('A'), ('B'), ('C')) ph(p) WHERE ph.p <> 'B' OR NOT hv OR low_side
UNION ALL
SELECT 'IP' || substr(pid, 2) || ph.p || '1', pid, 'PT', ph.p, pt_primary, 100, '0.2', 30, 2.5, installed_on, closed_on,
    DATE '{data_date}' + 1500, 'utility'
FROM pt, (VALUES ('A'), ('C')) ph(p) WHERE pt_primary IS NOT NULL AND k IN (1, 4)
UNION ALL
SELECT 'IC' || substr(gid, 2) || ph.p || '1', gid, 'CT', ph.p, ct, 5, '0.2S', 15, 4.0, DATE '2015-01-01', NULL,
    DATE '{data_date}' + 900, 'utility' FROM gw, (VALUES ('A'), ('B'), ('C')) ph(p) WHERE ph.p <> 'B' OR level = 1
UNION ALL
SELECT 'IP' || substr(gid, 2) || ph.p || '1', gid, 'PT', ph.p, pt, 100, '0.2', 30, 2.5, DATE '2015-01-01', NULL,
    DATE '{data_date}' + 900, 'utility' FROM gw, (VALUES ('A'), ('C')) ph(p) WHERE pt IS NOT NULL;

-- :: papers
CREATE OR REPLACE TABLE t_verification AS
SELECT 'V' || substr(meter_id, 2) AS verification_id, 'meter' AS asset_type, meter_id AS asset_id, installed_on - 30 AS verified_on,
    'initial' AS kind, round(0.6 * rnd(pk, 205) - 0.3, 4) AS error_pct, true AS passed, 'JD' || substr(meter_id, 2) AS certificate,
    CAST(NULL AS VARCHAR) AS verified_by, CAST(NULL AS VARCHAR) AS ticket_id FROM mt
UNION ALL
SELECT 'V' || it_id, 'instrument_transformer', it_id, installed_on - 20, 'initial', 0.05, true, 'JD' || it_id, NULL, NULL
FROM t_instrument_transformer;

CREATE OR REPLACE TABLE t_seal AS
SELECT 'SL' || substr(meter_id, 2) || s.x AS seal_id, pid AS usage_point_id,
    CASE s.x WHEN '1' THEN 'meter_cover' ELSE 'terminal' END AS position, at_hour(installed_on, 10.5) AS applied_at,
    'E' || station_org || 'I' || (1 + n % 3) AS applied_by, at_hour(removed_on, 9.6) AS removed_at,
    CASE WHEN removed_on IS NOT NULL THEN 'E' || station_org || 'I' || (1 + n % 3) END AS removed_by,
    CASE WHEN removed_on IS NOT NULL THEN '换表' END AS reason, 'E' || station_org || 'I' || (1 + (n + 1) % 3) AS checked_by,
    CASE WHEN swap_on IS NOT NULL AND (second OR installed_on >= DATE '{start}') THEN 'W' || zeros(n, 8) || 'A' END AS ticket_id
FROM mt, (VALUES ('1'), ('2')) s(x) WHERE s.x = '1' OR kind <> 'home';

CREATE OR REPLACE TABLE t_ami_parameter AS
SELECT meter_id, at_hour(DATE '{data_date}' - 8, 2 + 3 * rnd(pk, 206)) AS read_at, pid AS usage_point_id,
    'TM' || zeros(pt.dn, 6) AS terminal_id, CASE WHEN NOT pt.hv THEN 'D' || zeros(pt.dn, 6) END AS district_id,
    CASE WHEN mt.k IN (2, 3) THEN 1 ELSE coalesce(ct1 / 5, 1) END AS ct_ratio,
    CASE WHEN mt.k IN (2, 3) THEN 1 ELSE coalesce(pt_primary / 100, 1) END AS pt_ratio,
    die(pk, 207, 61) - 30 AS clock_offset_s,
    CASE WHEN pt.tou THEN CASE pt.kind WHEN 'home' THEN 'TOU-RES' WHEN 'pile' THEN 'TOU-PILE' ELSE 'TOU-GEN' END END AS tou_programme_id,
    'HP' || substr(meter_id, 2) AS module_id, 'cover_open,magnetic,power_off,voltage_loss' AS events_enabled
FROM mt JOIN pt USING (pk, pid) WHERE removed_on IS NULL;
