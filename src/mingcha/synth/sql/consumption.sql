-- :: macros
CREATE OR REPLACE MACRO gone_share(w, wa, wb, r) AS
    CASE WHEN w <= wa THEN 0.0 WHEN w >= wb THEN 1.0 ELSE (w - wa) / (wb - wa) + (r - 0.5) * 0.012 END;
CREATE OR REPLACE MACRO units_to(u, w, wa, wb, pk, m, d) AS
    CAST(round(CAST(u AS DOUBLE) * gone_share(w, wa, wb, rnd2(pk, m * 64 + d + 64, 301)), 2) AS DECIMAL(18,2));

-- :: live
-- months in which only part of the days have energy: [a, b) in days of the month
CREATE OR REPLACE TABLE live AS
WITH a AS (
    SELECT pk, grp, mo.m, mo.days,
        within(date_diff('day', d0, coalesce(energy_from, d0)), 0, mo.days) AS a,
        within(date_diff('day', d0, coalesce(energy_to, d1)), 0, mo.days) AS b
    FROM pt, mo
    WHERE energy_from >= d0 OR energy_to < d1
)
SELECT a.pk, a.m, wa.w AS wa, greatest(wb.w, wa.w) AS wb
FROM a JOIN cw wa ON wa.grp = a.grp AND wa.m = a.m AND wa.d = a.a
JOIN cw wb ON wb.grp = a.grp AND wb.m = a.m AND wb.d = a.b;

-- :: months
CREATE OR REPLACE TABLE pm AS
WITH k AS (
    SELECT pt.pk, pt.n, pt.k, mo.m, pt.grp, CASE WHEN mo.m >= mult_from THEN mult1 ELSE mult0 END AS mult,
        coalesce(l.wa, 0.0) AS wa, coalesce(l.wb, 1.0) AS wb,
        coalesce(o.kwh, base * s.f * ({noise_from} + {noise_span} * rnd2(pt.pk, mo.m + 1, 302)) * (mo.days / 30.4)
            * CASE WHEN mo.m >= mult_from THEN 1.15 ELSE 1.0 END
            * CASE WHEN trait = 'vacant' AND (mo.m + 1 + pt.n) % 5 < 2 THEN 0.0 ELSE 1.0 END
            * CASE WHEN trait = 'standby' AND mo.m >= mult_from THEN 0.7 ELSE 1.0 END) AS kwh
    FROM pt CROSS JOIN mo
    JOIN season s ON s.grp = pt.grp AND s.moy = mo.moy
    LEFT JOIN live l ON l.pk = pt.pk AND l.m = mo.m
    LEFT JOIN kwh_override o ON o.pk = pt.pk AND o.m = mo.m
    WHERE pt.k IN (1, 2, 3)
)
SELECT * EXCLUDE (kwh), CAST(round(kwh * (wb - wa) / mult, 2) AS DECIMAL(18,2)) AS u FROM k;

-- :: checks
-- a check meter sees what the main meter sees, within its class
INSERT INTO pm
SELECT pm.pk + 3, pm.n, 4, m, grp, mult, wa, wb, CAST(round(u * (1 + (rnd(n, 303) - 0.5) * 0.004), 2) AS DECIMAL(18,2))
FROM pm SEMI JOIN (SELECT pk - 3 AS pk FROM pt WHERE k = 4) p USING (pk) WHERE k = 1;

-- :: registers
CREATE OR REPLACE TABLE rg AS
WITH tou AS (
    SELECT pm.*, mo.days, pt.tou, pt.two_rate, pt.reactive, pt.demand, pt.exports, pt.pf, pt.kind, pt.pv_kw,
        CASE WHEN pt.kind IN ('home') THEN 0.0 ELSE 0.05 + 0.04 * rnd(pm.pk, 304) END AS s1,
        CASE WHEN pt.kind = 'home' THEN 0.62 ELSE 0.24 + 0.10 * rnd(pm.pk, 305) END AS s2,
        CASE WHEN pt.kind = 'home' THEN 0.38 ELSE 0.22 + 0.10 * rnd(pm.pk, 306) END AS s3
    FROM pm JOIN pt USING (pk) JOIN mo ON mo.m = pm.m
    WHERE pt.tou OR pt.reactive OR pt.demand OR pt.exports
),
w AS (
    SELECT *, CAST(round(u * s1, 2) AS DECIMAL(18,2)) AS u1,
        CASE WHEN kind = 'home' THEN u - CAST(round(u * s3, 2) AS DECIMAL(18,2))
            ELSE CAST(round(u * s2, 2) AS DECIMAL(18,2)) END AS u2,
        CAST(round(u * s3, 2) AS DECIMAL(18,2)) AS u3,
        CAST(round(pv_kw * 42 * (0.85 + 0.3 * rnd2(pk, m + 1, 307)) * s.f, 2) AS DECIMAL(18,2)) AS ux,
        CAST(round(u * tan(acos(within(pf + 0.02 * (rnd2(pk, m + 1, 308) - 0.5), 0.5, 0.99))), 2) AS DECIMAL(18,2)) AS uq,
        CAST(round(u / (24 * days) * (1.7 + 0.5 * rnd2(pk, m + 1, 309)), 4) AS DECIMAL(18,4)) AS peak_kw
    FROM tou JOIN season s ON s.grp = 'sun' AND s.moy = (SELECT moy FROM mo x WHERE x.m = tou.m)
),
long AS (
    SELECT pk, n, k, m, mult, wa, wb, 'active' AS register, u FROM pm
    UNION ALL SELECT pk, n, k, m, mult, wa, wb, 'active_sharp', u1 FROM w WHERE tou AND kind <> 'home'
    UNION ALL SELECT pk, n, k, m, mult, wa, wb, 'active_peak', u2 FROM w WHERE tou AND NOT two_rate
    UNION ALL SELECT pk, n, k, m, mult, wa, wb, 'active_flat', u - u1 - u2 - u3 FROM w WHERE tou AND kind <> 'home'
    UNION ALL SELECT pk, n, k, m, mult, wa, wb, 'active_valley', u3 FROM w WHERE tou
    UNION ALL SELECT pk, n, k, m, mult, wa, wb, 'active_export', ux FROM w WHERE exports
    UNION ALL SELECT pk, n, k, m, mult, wa, wb, 'reactive_import', uq FROM w WHERE reactive
    UNION ALL SELECT pk, n, k, m, mult, wa, wb, 'reactive_export',
        -- some compensate too much at night
        CASE WHEN rnd(pk, 314) < 0.3 THEN CAST(round(uq * 0.08, 2) AS DECIMAL(18,2)) ELSE CAST(0 AS DECIMAL(18,2)) END FROM w WHERE reactive
)
SELECT *, CAST(coalesce(sum(u) OVER (PARTITION BY pk, register ORDER BY m
        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS DECIMAL(18,2)) AS c0
FROM long;

-- :: demand
CREATE OR REPLACE TABLE peak AS
SELECT pm.pk, pm.n, pm.m, mult,
    CAST(round(u / (24 * mo.days) * (1.7 + 0.5 * rnd2(pm.pk, pm.m + 1, 309)), 4) AS DECIMAL(18,4)) AS kw
FROM pm JOIN mo USING (m) JOIN pt USING (pk) WHERE pt.demand;

-- :: first_index
-- what each register showed when the window opened
CREATE OR REPLACE TABLE first_index AS
WITH total AS (
    SELECT pk, register, min(n) AS n, CAST(sum(u) AS DECIMAL(18,2)) AS window_units FROM rg GROUP BY pk, register
)
SELECT t.pk, t.register,
    CASE WHEN pt.trait = 'new' OR (pt.k = 3 AND false) THEN CAST(0 AS DECIMAL(18,2))
        WHEN pt.trait = 'roll' AND register = 'active'
            THEN CAST(pow(10, digits) AS DECIMAL(18,2)) - CAST(round(window_units * (0.05 + 0.9 * rnd(t.pk, 310)), 2) AS DECIMAL(18,2))
        ELSE CAST(round(rnd2(t.pk, length(register), 311) * pow(10, digits) * 0.5, 2) AS DECIMAL(18,2)) END AS first_value,
    CASE WHEN pt.swap_on IS NOT NULL AND rnd(t.pk, 312) < 0.2 THEN CAST(2.00 + die(t.pk, 313, 9) AS DECIMAL(18,2))
        ELSE CAST(0 AS DECIMAL(18,2)) END AS second_value,
    CAST(pow(10, digits) AS DECIMAL(18,2)) AS span
FROM total t JOIN pt USING (pk);
