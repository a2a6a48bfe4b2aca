-- :: units
CREATE OR REPLACE TABLE u_feeder AS
SELECT fn, any_value(sn) AS sn, any_value(sn) // 2 AS ss, any_value(station_org) AS org_id FROM c GROUP BY fn ORDER BY fn;
CREATE OR REPLACE TABLE u_district AS
SELECT dn, any_value(fn) AS fn, any_value(sn) AS sn, any_value(station_org) AS org_id FROM c GROUP BY dn ORDER BY dn;
CREATE OR REPLACE TABLE u_sub AS
SELECT sn // 2 AS ss, min(county_org) AS org_id FROM c GROUP BY ALL ORDER BY ss;

CREATE OR REPLACE TABLE t_substation AS
SELECT 'S' || zeros(ss, 5) AS substation_id, place(ss * 47 + 11) || '变电站' AS name, org_id, 110 AS voltage_kv FROM u_sub;
CREATE OR REPLACE TABLE t_bus AS
SELECT 'B' || zeros(ss, 5) || '-' || i.x AS bus_id, 'S' || zeros(ss, 5) AS substation_id,
    CASE WHEN i.x = 'H' THEN 35 ELSE 10 END AS voltage_kv
FROM u_sub, (VALUES ('1'), ('2'), ('H')) i(x);

CREATE OR REPLACE TABLE t_feeder AS
SELECT 'F' || zeros(fn, 5) AS feeder_id, '10kV' || place(fn * 53 + 13) || '线' AS name,
    'B' || zeros(ss, 5) || '-' || (1 + fn % 2) AS bus_id, org_id, 10 AS voltage_kv, 'running' AS status
FROM u_feeder
UNION ALL
SELECT 'FH' || zeros(ss, 5), '35kV' || place(ss * 59 + 17) || '线', 'B' || zeros(ss, 5) || '-H', org_id, 35, 'running'
FROM u_sub
UNION ALL
SELECT 'FS' || zeros(ss, 5), '10kV' || place(ss * 61 + 19) || '备线', 'B' || zeros(ss, 5) || '-2', org_id, 10, 'stopped'
FROM u_sub;

CREATE OR REPLACE TABLE t_district AS
SELECT 'D' || zeros(dn, 6) AS district_id, place(dn * 43 + 7) || (1 + dn % 9) || '号台区' AS name,
    'F' || zeros(fn, 5) AS feeder_id, org_id, 'E' || org_id || 'R' || (1 + dn % 4) AS manager_staff_id,
    choose(['urban', 'rural', 'rural', 'mixed'], rnd(dn, 101)) AS kind
FROM u_district;

-- :: transformers
-- the plates of the series S13 in use here: losses in kW, no-load current in per cent
CREATE OR REPLACE TABLE plate AS SELECT * FROM (VALUES
    (50, 0.10, 0.87, 2.0), (100, 0.15, 1.50, 1.6), (160, 0.20, 2.20, 1.4), (200, 0.24, 2.60, 1.3), (250, 0.29, 3.05, 1.2),
    (315, 0.34, 3.65, 1.1), (400, 0.41, 4.30, 1.0), (500, 0.48, 5.10, 1.0), (630, 0.57, 6.20, 0.9), (800, 0.70, 7.50, 0.8),
    (1000, 0.83, 10.30, 0.7), (1250, 0.97, 12.00, 0.6), (3150, 2.00, 21.50, 0.5), (5000, 2.90, 31.00, 0.5)
) p(kva, no_load_kw, load_kw, no_load_pct);

CREATE OR REPLACE TABLE t_transformer AS
SELECT 'TP' || zeros(dn, 6) AS transformer_id, 'public' AS kind, 'D' || zeros(dn, 6) AS district_id,
    CAST(NULL AS VARCHAR) AS customer_id, 'F' || zeros(fn, 5) AS feeder_id, 'S13' AS model,
    p.kva AS capacity_kva, p.no_load_kw AS no_load_loss_kw, p.load_kw AS load_loss_kw,
    p.no_load_pct AS no_load_current_pct, 4.0 AS impedance_pct, DATE '2012-01-01' + die(dn, 103, 3000) AS commissioned_on
FROM u_district JOIN plate p ON p.kva = choose([200, 315, 400], rnd(dn, 102))
UNION ALL
SELECT 'TD' || zeros(n, 8) || i.k, 'dedicated', NULL, cid,
    CASE WHEN kind = 'wholesale' THEN 'FH' || zeros(sn // 2, 5) ELSE 'F' || zeros(fn, 5) END, 'S13',
    CASE WHEN i.k = 1 THEN kva1 ELSE kva2 END, p.no_load_kw, p.load_kw, p.no_load_pct, CASE WHEN p.kva <= 500 THEN 4.0 ELSE 4.5 END,
    CASE WHEN i.k = 2 AND trait = 'recap' THEN eff_on ELSE opened_on END
FROM c CROSS JOIN (VALUES (1), (2)) i(k) JOIN plate p ON p.kva = CASE WHEN i.k = 1 THEN kva1 ELSE kva2 END
WHERE hv AND (i.k = 1 OR kva2 > 0);

CREATE OR REPLACE TABLE t_transformer_status AS
SELECT 'TP' || zeros(dn, 6) AS transformer_id, DATE '2012-01-01' + die(dn, 103, 3000) AS effective_from,
    CAST(NULL AS DATE) AS effective_to, 'running' AS status, CAST(NULL AS VARCHAR) AS ticket_id
FROM u_district
UNION ALL
SELECT 'TD' || zeros(n, 8) || i.k, CASE WHEN i.k = 2 AND trait = 'recap' THEN eff_on ELSE opened_on END,
    CASE WHEN i.k = 2 AND trait = 'standby' THEN eff_on ELSE closed_on END, 'running',
    CASE WHEN i.k = 2 AND trait = 'recap' THEN 'W' || zeros(n, 8) || 'A' END
FROM c, (VALUES (1), (2)) i(k) WHERE hv AND (i.k = 1 OR kva2 > 0)
UNION ALL
SELECT 'TD' || zeros(n, 8) || '2', eff_on, CASE WHEN seal_to <= DATE '{data_date}' THEN seal_to END, 'sealed',
    'W' || zeros(n, 8) || 'A'
FROM c WHERE trait = 'standby'
UNION ALL
SELECT 'TD' || zeros(n, 8) || '2', seal_to, NULL, 'running', 'W' || zeros(n, 8) || 'B'
FROM c WHERE trait = 'standby' AND seal_to <= DATE '{data_date}'
UNION ALL
SELECT 'TD' || zeros(n, 8) || i.k, closed_on, NULL, 'removed', 'W' || zeros(n, 8) || 'A'
FROM c, (VALUES (1), (2)) i(k) WHERE hv AND closed_on IS NOT NULL AND (i.k = 1 OR kva2 > 0);

-- :: gateways
CREATE OR REPLACE TABLE gw AS
SELECT 'GD' || zeros(dn, 6) AS gid, 1 AS level, dn AS unit, 'gateway_district' AS role, 120 AS mult, 600 AS ct,
    CAST(NULL AS INTEGER) AS pt, 'TP' || zeros(dn, 6) AS transformer_id, CAST(NULL AS VARCHAR) AS bus_id,
    'F' || zeros(fn, 5) AS feeder_id, 'D' || zeros(dn, 6) AS district_id, fn AS parent, 0.025 + 0.03 * rnd(dn, 105) AS loss
FROM u_district
UNION ALL
SELECT 'GF' || zeros(fn, 5), 2, fn, 'gateway_feeder', 12000, 600, 10000, NULL,
    'B' || zeros(ss, 5) || '-' || (1 + fn % 2), 'F' || zeros(fn, 5), NULL, ss * 10 + 1 + fn % 2, 0.008 + 0.01 * rnd(fn, 106)
FROM u_feeder
UNION ALL
SELECT 'GFH' || zeros(ss, 5), 2, 1000000 + ss, 'gateway_feeder', 42000, 600, 35000, NULL, 'B' || zeros(ss, 5) || '-H',
    'FH' || zeros(ss, 5), NULL, ss * 10 + 3, 0.006 FROM u_sub
UNION ALL
SELECT 'GB' || zeros(ss, 5) || '-' || i.x, 3, ss * 10 + i.k, 'gateway_bus', i.mult, i.ct, i.pt, NULL,
    'B' || zeros(ss, 5) || '-' || i.x, NULL, NULL, ss, 0.002
FROM u_sub, (VALUES ('1', 1, 40000, 2000, 10000), ('2', 2, 40000, 2000, 10000), ('H', 3, 70000, 1000, 35000))
    i(x, k, mult, ct, pt)
UNION ALL
SELECT 'GA' || zeros(ss, 5), 4, ss, 'gateway_area', 132000, 600, 110000, NULL, NULL, NULL, NULL, -1, 0.004 FROM u_sub;

CREATE OR REPLACE TABLE t_loss_target AS
SELECT 'district' AS level, 'D' || zeros(dn, 6) AS object_id, mo.ym AS billing_period,
    round(100 * (0.03 + 0.03 * rnd(dn, 105)), 2) AS planned_pct, round(100 * (0.025 + 0.03 * rnd(dn, 105)), 2) AS technical_pct
FROM u_district, mo WHERE mo.m BETWEEN 0 AND {months} - 1
UNION ALL
SELECT 'feeder', 'F' || zeros(fn, 5), mo.ym, 2.2, 1.6 FROM u_feeder, mo WHERE mo.m BETWEEN 0 AND {months} - 1;

CREATE OR REPLACE TABLE t_topology_observation AS
SELECT 'OB' || zeros(dn, 8) AS observation_id, 'gis' AS source, 'district' AS child_type, 'D' || zeros(dn, 6) AS child_id,
    'feeder' AS parent_type, 'F' || zeros(fn, 5) AS parent_id, DATE '{start}' AS observed_on FROM u_district
UNION ALL
SELECT 'OC' || zeros(n, 8), 'hplc', 'customer', cid, 'district', 'D' || zeros(dn, 6), DATE '{data_date}' - 20
FROM c WHERE NOT hv AND status = 'active' AND kind <> 'lamp' AND rnd(n, 107) < 0.05;
