-- What the interval step reads, from load curves: energy per interval on the primary side, and the kind of every day.

-- :: rt_interval
-- 15-minute means of the secondary side times the multiplier in force, for tariffs no register can serve: with periods
-- that registers do not have, or with demand by periods. Where registers can serve, they are what is billed.
WITH served AS (
    SELECT DISTINCT tariff_id FROM rt_price
    WHERE period NOT IN ('all', 'sharp', 'peak', 'flat', 'valley', 'deep_valley')
    UNION
    SELECT t.tariff_id FROM rt_tariff AS t JOIN tb_demand_programme AS d ON d.tariff_code = t.tariff_code
),
wanted AS (
    SELECT DISTINCT p.sid, p.usage_point_id, s.started_on, s.read_on
    FROM rt_point AS p
    JOIN rt_settlement AS s ON s.sid = p.sid
    JOIN served AS t ON t.tariff_id = p.tariff_id
)
SELECT w.sid, w.usage_point_id, c.at, CAST(15 AS INTEGER) AS minutes,
    CAST(CAST(c.p_kw AS DECIMAL(19,4)) * u.multiplier * CAST('0.25' AS DECIMAL(3,2)) AS DECIMAL(18,4)) AS kwh
FROM wanted AS w
JOIN load_curve AS c ON c.usage_point_id = w.usage_point_id
    AND CAST(c.at AS DATE) >= w.started_on AND CAST(c.at AS DATE) < w.read_on
JOIN usage_point AS u ON u.usage_point_id = w.usage_point_id AND u.effective_from <= CAST(c.at AS DATE)
    AND (u.effective_to IS NULL OR u.effective_to > CAST(c.at AS DATE))
WHERE c.p_kw IS NOT NULL;

-- :: rt_day
-- The calendar names exceptions; other days are working days from Monday to Friday, else rest days. 1900-01-01: Monday.
SELECT d.day, coalesce(c.kind, CASE WHEN date_diff('day', DATE '1900-01-01', d.day) % 7 >= 5 THEN 'rest' ELSE 'workday' END) AS kind
FROM (SELECT DISTINCT CAST(i.at AS DATE) AS day FROM rt_interval AS i) AS d
LEFT JOIN calendar_day AS c ON c.day = d.day;
