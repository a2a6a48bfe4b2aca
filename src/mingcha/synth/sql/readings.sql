-- :: boundaries
CREATE OR REPLACE TABLE bd AS
WITH b AS (
    -- 1 regular end of a period, 0 opening, 2 change of meter, 3 closing, 4 second settlement in a month
    SELECT pk, grp, CASE WHEN read_day = 1 THEN d1 ELSE d0 + (read_day - 1) END AS on_date, mo.m AS mm,
        CASE WHEN read_day = 1 THEN mo.days ELSE read_day - 1 END AS d, mo.m AS period_m, 1 AS typ
    FROM pt, mo
    WHERE mo.m < {months} AND (parity IS NULL OR (mo.m + 2) % 2 = parity)
        AND (closed_on IS NULL OR CASE WHEN read_day = 1 THEN d1 ELSE d0 + 25 END < closed_on)
        AND (energy_from IS NULL OR CASE WHEN read_day = 1 THEN d1 ELSE d0 + 25 END > energy_from)
    UNION ALL
    SELECT pk, grp, x.on_date, mo.m, date_diff('day', d0, x.on_date), mo.m, x.typ
    FROM (
        SELECT pk, grp, energy_from AS on_date, 0 AS typ FROM pt WHERE energy_from IS NOT NULL
        UNION ALL SELECT pk, grp, swap_on, 2 FROM pt WHERE swap_on IS NOT NULL
        UNION ALL SELECT pk, grp, closed_on, 3 FROM pt WHERE closed_on IS NOT NULL
        UNION ALL SELECT pk, grp, mo.d0 + 15, 4 FROM pt, mo WHERE instalment AND mo.m BETWEEN 0 AND {months} - 1
    ) x JOIN mo ON x.on_date >= mo.d0 AND x.on_date < mo.d1
)
SELECT b.*, w0.w, coalesce(w1.w, 1.0) AS w_next
FROM b JOIN cw w0 ON w0.grp = b.grp AND w0.m = b.mm AND w0.d = b.d
LEFT JOIN cw w1 ON w1.grp = b.grp AND w1.m = b.mm AND w1.d = b.d + 1;

-- :: segments
CREATE OR REPLACE TABLE cuts AS
SELECT bd.pk, rg.register, bd.on_date, bd.period_m, bd.typ, rg.mult,
    c0 + units_to(u, w, wa, wb, bd.pk, mm, d)
    + CASE WHEN typ = 2 THEN CAST(round(0.4 * (units_to(u, w_next, wa, wb, bd.pk, mm, d + 1)
            - units_to(u, w, wa, wb, bd.pk, mm, d)), 2) AS DECIMAL(18,2)) ELSE CAST(0 AS DECIMAL(18,2)) END AS at_units
FROM bd JOIN rg ON rg.pk = bd.pk AND rg.m = bd.mm;

CREATE OR REPLACE TABLE swap_units AS SELECT pk, register, on_date AS swap_on, at_units FROM cuts WHERE typ = 2;

CREATE OR REPLACE TABLE seg AS
WITH s AS (
    SELECT pk, register, period_m, typ, on_date AS read_on, at_units AS units1,
        lag(on_date) OVER w AS started_on, lag(at_units) OVER w AS units0, mult
    FROM cuts WINDOW w AS (PARTITION BY pk, register ORDER BY on_date)
)
SELECT s.*, f.first_value, f.second_value, f.span, x.swap_on, x.at_units AS swap_at
FROM s JOIN first_index f USING (pk, register) LEFT JOIN swap_units x USING (pk, register)
WHERE started_on IS NOT NULL;

CREATE OR REPLACE MACRO shown(units, first_value, second_value, span, swap_at, second) AS
    CASE WHEN second THEN second_value + units - swap_at
        WHEN first_value + units >= span THEN first_value + units - span ELSE first_value + units END;
CREATE OR REPLACE MACRO register_letter(r) AS CASE r WHEN 'active' THEN 'A' WHEN 'active_sharp' THEN 'S'
    WHEN 'active_peak' THEN 'P' WHEN 'active_flat' THEN 'F' WHEN 'active_valley' THEN 'V' WHEN 'active_export' THEN 'X'
    WHEN 'reactive_import' THEN 'Q' WHEN 'reactive_export' THEN 'R' ELSE 'D' END;

-- :: readings
CREATE OR REPLACE TABLE t_reading AS
WITH r AS (
    SELECT seg.*, pt.n, pt.k, pt.pid, pt.station_org, pt.dn, pt.trait, pt.instalment, pt.role, c.eff_m, mo.ym,
        seg.started_on >= coalesce(seg.swap_on, DATE '9999-01-01') AS second,
        CASE WHEN typ = 2 OR typ = 4 THEN 1 ELSE 2 END AS part
    FROM seg JOIN pt USING (pk) JOIN c ON c.n = pt.n JOIN mo ON mo.m = seg.period_m
)
SELECT 'R' || replace(ym, '-', '') || zeros(n, 8) || k || register_letter(register) || part AS reading_id,
    pid AS usage_point_id, 'M' || substr(pid, 2) || CASE WHEN second THEN 'B' ELSE 'A' END AS meter_id, ym AS billing_period,
    register, shown(units0, first_value, second_value, span, swap_at, second) AS start_value,
    shown(units1, first_value, second_value, span, swap_at, second) AS end_value, mult AS multiplier,
    (units1 - units0) * mult AS energy, started_on, read_on,
    CASE WHEN trait = 'estimated' AND period_m = eff_m THEN 'estimated' WHEN trait = 'midread' THEN 'handheld'
        WHEN typ IN (2, 3) THEN 'manual' ELSE 'remote' END AS method,
    CASE WHEN trait IN ('midread', 'estimated') OR typ IN (2, 3) THEN 'E' || station_org || 'R' || (1 + dn % 4) END
        AS reader_staff_id,
    at_hour(read_on, CASE WHEN trait IN ('midread') OR typ IN (2, 3) THEN 9 + 8 * rnd2(pk, period_m + 1, 401) ELSE 3.5 END)
        AS entered_at,
    n, k, period_m, part, instalment, role
FROM r
UNION ALL
SELECT 'R' || replace(mo.ym, '-', '') || zeros(r.n, 8) || 1 || 'D' || 2, pt.pid,
    'M' || substr(pt.pid, 2) || CASE WHEN started_on >= coalesce(seg.swap_on, DATE '9999-01-01') THEN 'B' ELSE 'A' END, mo.ym,
    'demand', 0, r.kw, seg.mult, r.kw * seg.mult, started_on, read_on, 'remote', NULL, at_hour(read_on, 3.5),
    r.n, 1, r.m, 2, false, 'sale'
FROM peak r JOIN seg ON seg.pk = r.pk AND seg.period_m = r.m AND seg.register = 'active' AND seg.typ IN (1, 3)
JOIN pt ON pt.pk = r.pk JOIN mo ON mo.m = r.m;

-- :: changes
CREATE OR REPLACE TABLE t_reading_change AS
SELECT 'X' || substr(reading_id, 2) AS change_id, reading_id, 'end_value' AS field,
    greatest(end_value - (3 + n % 30), 0) AS old_value, end_value AS new_value, at_hour(read_on, 15.2) AS changed_at,
    reader_staff_id AS changed_by, regexp_replace(reader_staff_id, 'R.$', 'M1') AS approved_by, '估抄后现场复核' AS reason
FROM t_reading WHERE method = 'estimated' AND register = 'active';

-- :: installs
CREATE OR REPLACE TABLE t_meter_install AS
WITH close_units AS (SELECT pk, at_units FROM cuts WHERE typ = 3 AND register = 'active')
SELECT mt.meter_id, at_hour(mt.installed_on, 9.9) AS installed_at, mt.pid AS usage_point_id,
    at_hour(mt.removed_on, 9.6) AS removed_at, CASE WHEN mt.second THEN f.second_value ELSE CAST(0 AS DECIMAL(18,2)) END
        AS install_register,
    CASE WHEN mt.removed_on IS NULL THEN NULL
        WHEN mt.swap_on IS NOT NULL AND NOT mt.second THEN shown(x.at_units, f.first_value, 0, f.span, 0, false)
        ELSE shown(cl.at_units, f.first_value, f.second_value, f.span, x.at_units, mt.second) END AS remove_register,
    CASE WHEN mt.second THEN choose(['rotation', 'fault', 'rotation'], rnd(mt.n, 402)) ELSE 'new' END AS reason,
    'E' || mt.station_org || 'I' || (1 + mt.n % 3) AS installed_by, 'E' || mt.station_org || 'I' || (1 + (mt.n + 1) % 3) AS checked_by,
    CASE WHEN mt.second OR (mt.trait = 'new') THEN 'W' || zeros(mt.n, 8) || 'A' END AS ticket_id
FROM mt JOIN first_index f ON f.pk = mt.pk AND f.register = 'active'
LEFT JOIN swap_units x ON x.pk = mt.pk AND x.register = 'active' LEFT JOIN close_units cl ON cl.pk = mt.pk
UNION ALL
SELECT 'M' || substr(gid, 2) || 'A', at_hour(DATE '2020-03-01', 9.9), gid, NULL, 0, NULL, 'rotation', NULL, NULL, NULL FROM gw;

-- :: daily
CREATE OR REPLACE TABLE dy AS
SELECT rg.pk, rg.n, rg.k, rg.register, dw.day, dw.m, rg.mult,
    c0 + units_to(u, dw.w1, wa, wb, rg.pk, dw.m, dw.d) AS x1,
    units_to(u, dw.w1, wa, wb, rg.pk, dw.m, dw.d) - units_to(u, dw.w0, wa, wb, rg.pk, dw.m, dw.d - 1) AS du
FROM rg JOIN pt ON pt.pk = rg.pk
JOIN dw ON dw.grp = pt.grp AND dw.m = rg.m
WHERE rg.register IN ('active', 'active_export') AND (pt.energy_from IS NULL OR dw.day >= pt.energy_from)
    AND (pt.closed_on IS NULL OR dw.day < pt.closed_on);

-- :: daily_energy
CREATE OR REPLACE TABLE t_daily_energy AS
WITH e AS (
    SELECT dy.*, date_diff('day', DATE '{epoch}', dy.day) AS day_no, pt.pid, pt.tou, pt.kind, pt.reactive, pt.demand, pt.pf, pt.grp,
        f.first_value, f.second_value, f.span, x.at_units AS swap_at, dy.day >= coalesce(pt.swap_on, DATE '9999-01-01') AS second
    FROM dy JOIN pt ON pt.pk = dy.pk JOIN first_index f ON f.pk = dy.pk AND f.register = 'active'
    LEFT JOIN swap_units x ON x.pk = dy.pk AND x.register = 'active'
    WHERE dy.register = 'active'
),
s AS (
    SELECT e.*, kwh_of(du * mult) AS imp,
        CASE WHEN tou AND kind <> 'home' THEN kwh_of(round(du * mult * (0.05 + 0.04 * rnd(pk, 304)), 2))
            WHEN tou THEN kwh_of(0) END AS q1,
        CASE WHEN tou AND kind <> 'home' THEN kwh_of(round(du * mult * (0.24 + 0.10 * rnd(pk, 305)), 2)) END AS q2,
        CASE WHEN tou THEN kwh_of(round(du * mult * CASE WHEN kind = 'home' THEN 0.38 ELSE 0.22 + 0.10 * rnd(pk, 306) END, 2)) END
            AS q3
    FROM e
)
SELECT s.pid AS usage_point_id, s.day, imp AS import_kwh, kwh_of(ex.du * ex.mult) AS export_kwh,
    CASE WHEN tou AND kind <> 'home' THEN q1 END AS sharp_kwh, CASE WHEN kind = 'home' THEN imp - q3 ELSE q2 END AS peak_kwh,
    CASE WHEN kind <> 'home' THEN imp - q1 - q2 - q3 END AS flat_kwh, q3 AS valley_kwh,
    CASE WHEN reactive THEN kwh_of(round(imp * tan(acos(pf)), 2)) END AS reactive_kvarh,
    shown(s.x1, first_value, second_value, span, swap_at, second) AS register_active,
    CASE WHEN demand THEN round(p.kw * s.mult * (0.9 + 0.1 * rnd2(s.pk, day_no, 403)), 4) END AS demand_kw,
    CASE WHEN demand THEN at_hour(s.day, 8 + die(s.pk, 404, 10)) END AS demand_at,
    CASE WHEN rnd2(s.pk, day_no, 405) < 0.004 AND kept.n IS NULL THEN 'repaired' ELSE 'measured' END AS quality,
    rnd2(s.pk, day_no, 406) < 0.002 AND kept.n IS NULL AS missing, s.n, s.k, s.pk, s.mult, s.du
FROM s LEFT JOIN dy ex ON ex.pk = s.pk AND ex.day = s.day AND ex.register = 'active_export'
LEFT JOIN peak p ON p.pk = s.pk AND p.m = s.m
LEFT JOIN kept ON kept.n = s.n;

-- :: curves
CREATE OR REPLACE TABLE curve_point AS
SELECT pk FROM pt WHERE k = 1 AND rnd(pk, 407) < {share} UNION SELECT pk FROM curve_wanted;

CREATE OR REPLACE TABLE t_load_curve AS
WITH e AS (
    SELECT d.usage_point_id, d.day, d.du, pt.pk, pt.wiring, pt.un, pt.pf, shape.slot, shape.f,
        pt.un * (0.985 + 0.03 * rnd2(pt.pk, date_diff('day', DATE '{epoch}', d.day) * 96 + shape.slot, 408)) AS u
    FROM t_daily_energy d JOIN pt ON pt.pk = d.pk JOIN curve_point cp ON cp.pk = d.pk JOIN shape ON shape.grp = pt.grp
    WHERE d.day >= DATE '{curve_from}'
),
p AS (
    SELECT *, round(CAST(du AS DOUBLE) * f * 4, 4) AS p_kw,
        CAST(du AS DOUBLE) * f * 4000 / (u * pf * CASE wiring WHEN '1p2w' THEN 1 WHEN '3p4w' THEN 3 ELSE 1.7320508 END) AS i
    FROM e
)
SELECT usage_point_id, CAST(day AS TIMESTAMP) + to_minutes(15 * slot) AS at, p_kw, round(p_kw * tan(acos(pf)), 4) AS q_kvar,
    round(u, 1) AS u_a, CASE WHEN wiring = '3p4w' THEN round(u * 0.998, 1) END AS u_b,
    CASE WHEN wiring <> '1p2w' THEN round(u * 1.003, 1) END AS u_c, round(i, 3) AS i_a,
    CASE WHEN wiring = '3p4w' THEN round(i * 0.97, 3) END AS i_b, CASE WHEN wiring <> '1p2w' THEN round(i * 1.02, 3) END AS i_c,
    round(pf, 3) AS pf
FROM p;

-- :: collection
CREATE OR REPLACE TABLE t_ami_collection AS
SELECT usage_point_id, day, 'TM' || zeros(pt.dn, 6) AS terminal_id, CASE WHEN missing THEN 'failed' ELSE 'ok' END AS result,
    96 AS points_expected, CASE WHEN missing THEN 0 WHEN quality = 'repaired' THEN 90 ELSE 96 END AS points_ok,
    CASE WHEN quality = 'repaired' AND NOT missing THEN 6 ELSE 0 END AS points_repaired
FROM t_daily_energy d JOIN pt ON pt.pk = d.pk WHERE day > DATE '{data_date}' - {collection_days};
