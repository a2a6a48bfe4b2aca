-- All lines of the bills that have no gap, each rounded to 0.01 (R2); their sum is the bill.

-- :: rc_failed
SELECT DISTINCT sid FROM rt_gap;

-- :: rc_order
-- Points of settlements with several: main ones first. A point alone is number 1.
SELECT p.sid, p.usage_point_id, row_number() OVER (
        PARTITION BY p.sid ORDER BY CASE WHEN p.main THEN 0 ELSE 1 END, p.usage_point_id
    ) AS point_no
FROM rt_point AS p
JOIN (SELECT sid FROM rt_point GROUP BY sid HAVING count(*) > 1) AS m ON m.sid = p.sid;

-- :: rc_word
-- The words of each price.
SELECT rate, tariff_id, tariff_code, price, source, formula,
    CASE component WHEN 'surcharge' THEN 'other' ELSE component END AS component,
    CASE WHEN component = 'tier' THEN 'all' ELSE period END AS period, CASE WHEN tier > 0 THEN tier END AS tier,
    CASE component WHEN 'energy' THEN 1000 WHEN 'tier' THEN 2000 WHEN 'grid_loss' THEN 3000 WHEN 'transmission' THEN 4000
        WHEN 'system' THEN 5000 WHEN 'surcharge' THEN 6000 ELSE 7000 END + place AS spot,
    CASE grade WHEN 1 THEN '[O]' WHEN 2 THEN '[S]' WHEN 3 THEN '[D]' WHEN 4 THEN '[K+]' WHEN 5 THEN '[K?]' WHEN 6 THEN 'default'
        ELSE 'own' END AS evidence
FROM rc_rate;

-- :: rt_line
-- line_no says what a line is: thousands the component (1 energy, 2 tier, 3 grid loss, 4 transmission, 5 system,
-- 6 surcharge, 7 fund, 8 capacity or demand, 9 fixed, 10 power factor, 11 discount, 12 and 13 losses), then its place
-- among prices or stretches; 20,000 more for each further segment, 2,000,000 for each further point.
WITH priced AS (
    SELECT sid, usage_point_id, seg, seg_from, seg_to, quantity, rate, CAST(NULL AS VARCHAR) AS climb FROM rc_energy
    UNION ALL SELECT sid, usage_point_id, seg, seg_from, seg_to, quantity, rate, NULL FROM rc_parts
    UNION ALL SELECT sid, usage_point_id, seg, seg_from, seg_to, quantity, rate, NULL FROM rc_fund
    UNION ALL
    SELECT sid, usage_point_id, seg, seg_from, seg_to, quantity, rate,
        '; ' || CAST(CAST(lower_kwh AS DECIMAL(18,2)) AS VARCHAR) || '–'
            || CASE WHEN upper_kwh IS NULL THEN '' ELSE CAST(CAST(upper_kwh AS DECIMAL(18,2)) AS VARCHAR) END || ' kWh, here '
            || CAST(CAST(prior_kwh AS DECIMAL(18,2)) AS VARCHAR) || '–' || CAST(CAST(prior_kwh + kwh AS DECIMAL(18,2)) AS VARCHAR)
    FROM rc_tier
),
lines AS (
    SELECT p.sid, p.usage_point_id, p.seg, w.spot, w.component, w.period, w.tier, CAST(p.quantity AS DECIMAL(18,4)) AS quantity,
        'kWh' AS unit, CAST(NULL AS INTEGER) AS days, CAST(NULL AS DECIMAL(18,2)) AS base_amount, w.price,
        CAST(CAST(p.quantity AS DECIMAL(19,4)) * w.price AS DECIMAL(38,12)) AS exact, w.tariff_id, w.tariff_code,
        CASE WHEN p.climb IS NULL THEN w.formula ELSE w.formula || p.climb END AS formula, w.source, w.evidence, p.seg_from, p.seg_to
    FROM priced AS p JOIN rc_word AS w ON w.rate = p.rate
    UNION ALL
    SELECT sid, usage_point_id, seg, 1000 + place, 'energy', period, NULL, quantity, 'kWh', NULL, NULL, price,
        CAST(CAST(quantity AS DECIMAL(19,4)) * price AS DECIMAL(38,12)), tariff_id, tariff_code, formula, source,
        CASE grade WHEN 1 THEN '[O]' WHEN 2 THEN '[S]' WHEN 3 THEN '[D]' WHEN 4 THEN '[K+]' WHEN 5 THEN '[K?]' WHEN 6 THEN 'default'
            ELSE 'own' END, seg_from, seg_to
    FROM rc_energy_own
    UNION ALL
    SELECT sid, NULL, 1, 8000 + 2 * stretch + CASE WHEN component = 'basic_demand_over' THEN 1 ELSE 0 END
            + 70 * (dense_rank() OVER (PARTITION BY sid ORDER BY CASE period WHEN 'all' THEN 0 WHEN 'sharp' THEN 1 WHEN 'peak' THEN 2
                WHEN 'flat' THEN 3 WHEN 'valley' THEN 4 WHEN 'deep_valley' THEN 5 ELSE 6 END, period) - 1),
        component, CASE WHEN period = 'all' THEN NULL ELSE period END, NULL, CAST(quantity AS DECIMAL(18,4)),
        CASE WHEN component = 'basic_capacity' THEN 'kVA' ELSE 'kW' END, days, NULL, price, exact, tariff_id, tariff_code, formula, source,
        CASE grade WHEN 1 THEN '[O]' WHEN 2 THEN '[S]' WHEN 3 THEN '[D]' WHEN 4 THEN '[K+]' WHEN 5 THEN '[K?]' WHEN 6 THEN 'default'
            ELSE 'own' END, day_from, day_to
    FROM rc_basic
    UNION ALL
    SELECT sid, usage_point_id, 1, 9000 + place, 'other', NULL, NULL, CAST(quantity AS DECIMAL(18,4)), 'item', days, NULL, price,
        CAST(quantity * price AS DECIMAL(38,12)), tariff_id, tariff_code, formula, source,
        CASE grade WHEN 1 THEN '[O]' WHEN 2 THEN '[S]' WHEN 3 THEN '[D]' WHEN 4 THEN '[K+]' WHEN 5 THEN '[K?]' WHEN 6 THEN 'default'
            ELSE 'own' END, seg_from, seg_to
    FROM rc_fixed
    UNION ALL
    SELECT f.sid, NULL, 1, 10001, 'power_factor', NULL, NULL, CAST(f.pct AS DECIMAL(18,4)), 'pct', NULL, f.base_amount, NULL,
        CAST(CAST(f.base_amount AS DECIMAL(19,2)) * f.pct * CAST('0.01' AS DECIMAL(3,2)) AS DECIMAL(38,12)), f.tariff_id, t.tariff_code, f.formula, f.source,
        CASE f.grade WHEN 1 THEN '[O]' WHEN 2 THEN '[S]' WHEN 3 THEN '[D]' WHEN 4 THEN '[K+]' WHEN 5 THEN '[K?]' WHEN 6 THEN 'default'
            ELSE 'own' END, s.started_on, s.read_on
    FROM rc_pf_line AS f
    JOIN rt_settlement AS s ON s.sid = f.sid
    JOIN rt_tariff AS t ON t.tariff_id = f.tariff_id AND t.in_force_from < s.read_on
        AND (t.in_force_to IS NULL OR t.in_force_to >= s.read_on)
    UNION ALL
    SELECT sid, usage_point_id, seg, 11001, 'discount', NULL, NULL, CAST(-free_kwh AS DECIMAL(18,4)), 'kWh', NULL, NULL, price,
        CAST(CAST(-free_kwh AS DECIMAL(19,4)) * price AS DECIMAL(38,12)), tariff_id, tariff_code, formula, source,
        CASE grade WHEN 1 THEN '[O]' WHEN 2 THEN '[S]' WHEN 3 THEN '[D]' WHEN 4 THEN '[K+]' WHEN 5 THEN '[K?]' WHEN 6 THEN 'default'
            ELSE 'own' END, seg_from, seg_to
    FROM rc_discount
    UNION ALL
    SELECT l.sid, l.usage_point_id, 1, CASE l.kind WHEN 'transformer' THEN 12001 ELSE 13001 END,
        CASE l.kind WHEN 'transformer' THEN 'transformer_loss' ELSE 'line_loss' END, NULL, NULL, l.kwh, 'kWh', NULL, NULL, NULL,
        CAST(0 AS DECIMAL(38,12)), p.tariff_id, t.tariff_code, l.formula, 'priced inside energy',
        CASE WHEN l.kind = 'transformer' THEN coalesce(k.evidence, 'default') ELSE '[D]' END, s.started_on, s.read_on
    FROM rt_loss AS l
    JOIN rt_settlement AS s ON s.sid = l.sid
    LEFT JOIN rt_point AS p ON p.sid = l.sid AND p.usage_point_id = l.usage_point_id
    LEFT JOIN rt_tariff AS t ON t.tariff_id = p.tariff_id AND t.in_force_from < s.read_on
        AND (t.in_force_to IS NULL OR t.in_force_to >= s.read_on)
    LEFT JOIN rt_parameter AS k ON k.book = t.book AND k.name = 'transformer.k.3' AND k.in_force_from < s.read_on
        AND (k.in_force_to IS NULL OR k.in_force_to >= s.read_on)
    WHERE l.kwh <> 0
),
kept AS (
    -- rounding a number of 38 digits is slow, one of 18 is not: almost every amount fits
    SELECT l.sid, l.usage_point_id, l.seg, l.spot, l.component, l.period, l.tier, l.quantity, l.unit, l.days, l.base_amount, l.price,
        l.exact, l.tariff_id, l.tariff_code, l.formula, l.source, l.evidence, l.seg_from, l.seg_to,
        CASE WHEN l.exact > -900000 AND l.exact < 900000 THEN CAST(CAST(l.exact AS DECIMAL(18,12)) AS DECIMAL(18,2))
            ELSE money(l.exact) END AS amount
    FROM lines AS l
    LEFT JOIN rc_failed AS g ON g.sid = l.sid
    WHERE g.sid IS NULL
)
SELECT l.sid, CAST(l.spot + 20000 * (l.seg - 1) + 2000000 * (coalesce(o.point_no, 1) - 1) AS INTEGER) AS line_no, l.usage_point_id,
    l.component, l.period, CAST(l.tier AS INTEGER) AS tier, l.quantity, l.unit, l.days, l.base_amount, l.price, l.exact,
    l.amount, CAST(CAST(l.exact - l.amount AS DECIMAL(18,12)) AS DECIMAL(18,8)) AS remainder, l.tariff_id, l.tariff_code,
    l.formula, l.source, l.evidence, l.seg_from, l.seg_to
FROM kept AS l
LEFT JOIN rc_order AS o ON o.sid = l.sid AND o.usage_point_id = l.usage_point_id;
