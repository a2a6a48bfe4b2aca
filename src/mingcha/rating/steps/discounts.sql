-- Free kWh of low-income households: the first of the month, at the energy price of the first tier.

-- :: rc_free
SELECT g.sid, g.usage_point_id, g.seg, g.seg_from, g.seg_to, g.tariff_id, g.kwh, s.started_on, s.read_on,
    CAST(greatest(1, date_diff('month', s.started_on, s.read_on)) AS INTEGER) AS months,
    coalesce(sum(g.kwh) OVER (PARTITION BY g.sid ORDER BY g.usage_point_id, g.seg_from, g.seg
        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS prior_kwh
FROM rc_segment AS g
JOIN (SELECT sid FROM rc_entitled WHERE kind = 'low_income') AS n ON n.sid = g.sid
JOIN rt_settlement AS s ON s.sid = g.sid
JOIN rt_point AS p ON p.sid = g.sid AND p.usage_point_id = g.usage_point_id AND p.main
WHERE g.kwh > 0;

-- :: rc_free_price
-- The price of the first tier: for all hours, else flat, else peak (a two-rate home's ordinary hours).
SELECT tariff_id, on_day, price, tariff_code, source, grade FROM (
    SELECT tariff_id, on_day, price, tariff_code, source, grade,
        row_number() OVER (
            PARTITION BY tariff_id, on_day
            ORDER BY CASE period WHEN 'all' THEN 1 WHEN 'flat' THEN 2 WHEN 'peak' THEN 3 ELSE 4 END, period, tier
        ) AS pick
    FROM rc_rate WHERE component = 'energy' AND tier <= 1
) AS r WHERE pick = 1;

-- :: rc_discount
WITH allowed AS (
    SELECT f.sid, f.usage_point_id, f.seg, f.seg_from, f.seg_to, f.tariff_id, f.kwh, f.prior_kwh, f.months,
        CAST(p.number AS DECIMAL(18,4)) AS per_month, CAST(p.number * f.months AS DECIMAL(18,4)) AS free,
        CASE WHEN coalesce(p.clause, '') = '' THEN coalesce(p.document, 'default') ELSE p.document || ' ' || p.clause END AS source,
        CASE p.evidence WHEN '[O]' THEN 1 WHEN '[S]' THEN 2 WHEN '[D]' THEN 3 WHEN '[K+]' THEN 4 WHEN '[K?]' THEN 5
            WHEN 'default' THEN 6 ELSE 7 END AS grade
    FROM rc_free AS f
    JOIN rt_tariff AS t ON t.tariff_id = f.tariff_id AND t.in_force_from <= f.seg_from
        AND (t.in_force_to IS NULL OR t.in_force_to > f.seg_from)
    JOIN rt_parameter AS p ON p.book = t.book AND p.name = 'low_income.free_kwh' AND p.in_force_from < f.read_on
        AND (p.in_force_to IS NULL OR p.in_force_to >= f.read_on)
)
SELECT a.sid, a.usage_point_id, a.seg, a.seg_from, a.seg_to, a.tariff_id, r.tariff_code,
    CAST(CASE WHEN a.prior_kwh + a.kwh > a.free THEN a.free ELSE a.prior_kwh + a.kwh END - a.prior_kwh AS DECIMAL(18,4)) AS free_kwh, r.price,
    r.source || '; ' || a.source AS source, greatest(r.grade, a.grade) AS grade,
    '−min(' || CAST(CAST(a.prior_kwh + a.kwh AS DECIMAL(18,2)) AS VARCHAR) || ', ' || CAST(CAST(a.per_month AS DECIMAL(18,2)) AS VARCHAR)
        || ' × ' || CAST(a.months AS VARCHAR) || ')' || CASE WHEN a.prior_kwh = 0 THEN ''
            ELSE ' + ' || CAST(CAST(a.prior_kwh AS DECIMAL(18,2)) AS VARCHAR) END || ' kWh × price' AS formula
FROM allowed AS a
JOIN rc_free_price AS r ON r.tariff_id = a.tariff_id AND r.on_day = a.seg_from
WHERE a.prior_kwh < a.free;
