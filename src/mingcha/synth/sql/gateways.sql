-- :: from_customers
CREATE OR REPLACE TABLE below_day AS
WITH net AS (
    SELECT dy.n, dy.day, CASE WHEN dy.k = 2 OR dy.register = 'active_export' THEN -1 ELSE 1 END * dy.du * dy.mult AS kwh
    FROM dy WHERE dy.k IN (1, 2)
)
SELECT CASE WHEN c.hv THEN 2 ELSE 1 END AS level,
    CASE WHEN c.kind = 'wholesale' THEN 1000000 + c.sn // 2 WHEN c.hv THEN c.fn ELSE c.dn END AS unit, net.day,
    CAST(sum(net.kwh) AS DECIMAL(18,2)) AS kwh
FROM net JOIN c USING (n) GROUP BY ALL;

CREATE OR REPLACE TABLE below_month AS
WITH net AS (
    SELECT rg.n, rg.m, CASE WHEN rg.k = 2 OR rg.register = 'active_export' THEN -1 ELSE 1 END * rg.u * rg.mult AS kwh
    FROM rg WHERE rg.k IN (1, 2) AND rg.register IN ('active', 'active_export') AND rg.m BETWEEN 0 AND {first_daily_m} - 1
)
SELECT CASE WHEN c.hv THEN 2 ELSE 1 END AS level,
    CASE WHEN c.kind = 'wholesale' THEN 1000000 + c.sn // 2 WHEN c.hv THEN c.fn ELSE c.dn END AS unit, net.m,
    CAST(sum(net.kwh) AS DECIMAL(18,2)) AS kwh
FROM net JOIN c USING (n) GROUP BY ALL;
CREATE OR REPLACE TABLE gw_day (level INTEGER, unit INTEGER, day DATE, u DECIMAL(18,2));
CREATE OR REPLACE TABLE gw_month (level INTEGER, unit INTEGER, m INTEGER, u DECIMAL(18,2));

-- :: level
INSERT INTO gw_day
SELECT gw.level, gw.unit, b.day, CAST(round(CAST(sum(b.kwh) AS DOUBLE) * (1 + any_value(gw.loss)) / any_value(gw.mult), 2)
    AS DECIMAL(18,2))
FROM gw JOIN below_day b ON b.level = gw.level AND b.unit = gw.unit
WHERE gw.level = {level} GROUP BY gw.level, gw.unit, b.day;
INSERT INTO gw_month
SELECT gw.level, gw.unit, b.m, CAST(round(CAST(sum(b.kwh) AS DOUBLE) * (1 + any_value(gw.loss)) / any_value(gw.mult), 2)
    AS DECIMAL(18,2))
FROM gw JOIN below_month b ON b.level = gw.level AND b.unit = gw.unit
WHERE gw.level = {level} GROUP BY gw.level, gw.unit, b.m;
INSERT INTO below_day
SELECT gw.level + 1, gw.parent, d.day, CAST(sum(d.u * gw.mult) AS DECIMAL(18,2))
FROM gw_day d JOIN gw ON gw.level = d.level AND gw.unit = d.unit WHERE gw.level = {level} GROUP BY ALL;
INSERT INTO below_month
SELECT gw.level + 1, gw.parent, d.m, CAST(sum(d.u * gw.mult) AS DECIMAL(18,2))
FROM gw_month d JOIN gw ON gw.level = d.level AND gw.unit = d.unit WHERE gw.level = {level} GROUP BY ALL;

-- :: write
CREATE OR REPLACE TABLE gw_step AS
WITH steps AS (
    SELECT level, unit, mo.d0 AS day, mo.m, true AS whole, u FROM gw_month JOIN mo USING (m)
    UNION ALL
    SELECT level, unit, day, mo.m, false, u FROM gw_day JOIN mo ON day >= mo.d0 AND day < mo.d1
)
SELECT gw.gid, gw.mult, s.*, CAST(round(40000 * rnd2(s.unit, s.level, 501), 2) AS DECIMAL(18,2))
    + CAST(sum(greatest(u, 0)) OVER (PARTITION BY s.level, s.unit ORDER BY day) AS DECIMAL(18,2)) AS x1,
    CAST(sum(greatest(-u, 0)) OVER (PARTITION BY s.level, s.unit ORDER BY day) AS DECIMAL(18,2)) AS back1
FROM steps s JOIN gw ON gw.level = s.level AND gw.unit = s.unit;

INSERT INTO t_daily_energy (usage_point_id, day, import_kwh, export_kwh, register_active, quality, missing)
SELECT gid, day, greatest(u, 0) * mult, greatest(-u, 0) * mult, x1, 'measured', false FROM gw_step WHERE NOT whole;

INSERT INTO t_reading (reading_id, usage_point_id, meter_id, billing_period, register, start_value, end_value, multiplier,
    energy, started_on, read_on, method, entered_at, role)
SELECT 'R' || replace(mo.ym, '-', '') || gid || r.letter, gid, 'M' || substr(gid, 2) || 'A', mo.ym, r.register,
    CASE r.letter WHEN 'A' THEN max(x1) - sum(greatest(u, 0)) ELSE max(back1) - sum(greatest(-u, 0)) END,
    CASE r.letter WHEN 'A' THEN max(x1) ELSE max(back1) END, any_value(mult),
    CASE r.letter WHEN 'A' THEN sum(greatest(u, 0)) ELSE sum(greatest(-u, 0)) END * any_value(mult),
    mo.d0, mo.d1, 'remote', at_hour(mo.d1, 3.5), 'gateway'
FROM gw_step s JOIN mo ON mo.m = s.m, (VALUES ('A', 'active'), ('X', 'active_export')) r(letter, register)
WHERE s.m BETWEEN 0 AND {months} - 1 GROUP BY gid, mo.ym, mo.d0, mo.d1, r.letter, r.register;

DELETE FROM t_daily_energy WHERE missing;
DROP TABLE dy; DROP TABLE gw_step; DROP TABLE below_day; DROP TABLE below_month;
