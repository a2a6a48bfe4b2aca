-- :: rq_stretch
-- intervals with billable kWh; `busy`: the point has more than one, so that its segments have to be numbered
WITH i AS (
    SELECT sid, usage_point_id, ival, min(day_from) AS day_from, max(day_to) AS day_to
    FROM rq_with_loss GROUP BY sid, usage_point_id, ival
),
several AS (
    SELECT DISTINCT sid, usage_point_id FROM i WHERE ival > 1
)
SELECT i.sid, i.usage_point_id, i.ival, i.day_from, i.day_to, m.sid IS NOT NULL AS busy
FROM i LEFT JOIN several AS m ON m.sid = i.sid AND m.usage_point_id = i.usage_point_id

-- :: rq_cutday
-- days inside an interval on which the contract, the point's entry or a price begins or ends: there are few
WITH i AS (
    SELECT i.sid, i.usage_point_id, i.ival, i.day_from, i.day_to, t.tariff_id, t.day_from AS from_day, t.day_to AS to_day
    FROM rq_stretch AS i
    JOIN rq_tenure AS t ON t.sid = i.sid AND t.usage_point_id = i.usage_point_id
)
SELECT sid, usage_point_id, ival, from_day AS day FROM i WHERE from_day > day_from AND from_day < day_to
UNION
SELECT sid, usage_point_id, ival, to_day AS day FROM i WHERE to_day > day_from AND to_day < day_to
UNION
SELECT i.sid, i.usage_point_id, i.ival, d.day
FROM i
JOIN rq_price_day AS d ON d.tariff_id = i.tariff_id AND d.day > greatest(i.day_from, i.from_day)
    AND d.day < least(i.day_to, i.to_day)

-- :: rq_segment
-- the parts of each interval, with the tariff in force on their first day; a single uncut interval is one part
WITH busy AS (
    SELECT DISTINCT sid, usage_point_id FROM rq_cutday
    UNION
    SELECT sid, usage_point_id FROM rq_stretch WHERE busy
),
plain AS (
    SELECT i.sid, i.usage_point_id, i.ival, i.day_from, i.day_to
    FROM rq_stretch AS i LEFT JOIN busy AS m ON m.sid = i.sid AND m.usage_point_id = i.usage_point_id
    WHERE m.sid IS NULL
),
days AS (
    SELECT i.sid, i.usage_point_id, i.ival, i.day_from AS day, i.day_from, i.day_to
    FROM rq_stretch AS i JOIN busy AS m ON m.sid = i.sid AND m.usage_point_id = i.usage_point_id
    UNION ALL
    SELECT c.sid, c.usage_point_id, c.ival, c.day, i.day_from, i.day_to
    FROM rq_cutday AS c
    JOIN rq_stretch AS i ON i.sid = c.sid AND i.usage_point_id = c.usage_point_id AND i.ival = c.ival
),
parts AS (
    SELECT sid, usage_point_id, ival, CAST(1 AS BIGINT) AS seg, day_from AS seg_from, day_to AS seg_to, CAST(1 AS BIGINT) AS parts,
        CAST(1 AS BIGINT) AS from_last, day_from, day_to
    FROM plain
    UNION ALL
    SELECT c.sid, c.usage_point_id, c.ival,
        row_number() OVER (PARTITION BY c.sid, c.usage_point_id ORDER BY c.ival, c.day) AS seg, c.day AS seg_from,
        coalesce(lead(c.day) OVER (PARTITION BY c.sid, c.usage_point_id, c.ival ORDER BY c.day), c.day_to) AS seg_to,
        count(*) OVER (PARTITION BY c.sid, c.usage_point_id, c.ival) AS parts,
        row_number() OVER (PARTITION BY c.sid, c.usage_point_id, c.ival ORDER BY c.day DESC) AS from_last,
        c.day_from, c.day_to
    FROM days AS c
)
SELECT p.sid, p.usage_point_id, p.ival, CAST(p.seg AS INTEGER) AS seg, p.seg_from, p.seg_to, p.parts, p.from_last,
    date_diff('day', p.seg_from, p.seg_to) AS days, date_diff('day', p.day_from, p.day_to) AS all_days,
    t.tariff_id, t.sid IS NOT NULL AS tenured
FROM parts AS p
LEFT JOIN rq_tenure AS t ON t.sid = p.sid AND t.usage_point_id = p.usage_point_id AND t.day_from <= p.seg_from
    AND t.day_to > p.seg_from

-- :: rq_divided
-- kWh of each interval and period over its segments by days; the last segment takes the remainder
WITH q AS (
    SELECT c.sid, c.usage_point_id, c.ival, c.pos, c.period, s.seg, s.seg_from, s.seg_to, s.tariff_id, s.from_last,
        CAST(c.kwh AS DECIMAL(14,2)) AS amount, s.days, s.all_days,
        coalesce(CAST(safe_div(CAST(c.kwh AS DECIMAL(14,2)) * s.days, s.all_days) AS DECIMAL(14,2)), 0) AS near
    FROM rq_with_loss AS c
    JOIN rq_segment AS s ON s.sid = c.sid AND s.usage_point_id = c.usage_point_id AND s.ival = c.ival
    WHERE s.parts > 1
),
e AS (
    SELECT sid, usage_point_id, ival, pos, period, seg, seg_from, seg_to, tariff_id, from_last, amount, near, all_days,
        2 * (amount * days - near * all_days) AS twice
    FROM q
),
r AS (
    SELECT sid, usage_point_id, ival, pos, period, seg, seg_from, seg_to, tariff_id, from_last, amount,
        near + CASE WHEN twice >= 0.01 * all_days THEN 0.01 WHEN twice < -0.01 * all_days THEN -0.01 ELSE 0 END AS share
    FROM e
),
t AS (
    SELECT sid, usage_point_id, ival, pos, period, seg, seg_from, seg_to, tariff_id, from_last, amount, share,
        sum(CASE WHEN from_last = 1 THEN 0 ELSE share END) OVER (PARTITION BY sid, usage_point_id, ival, pos) AS others
    FROM r
)
SELECT sid, usage_point_id, seg, seg_from, seg_to, tariff_id, period,
    CAST(CASE WHEN from_last = 1 THEN amount - others ELSE share END AS DECIMAL(18,4)) AS kwh
FROM t
UNION ALL
SELECT c.sid, c.usage_point_id, s.seg, s.seg_from, s.seg_to, s.tariff_id, c.period, c.kwh
FROM rq_with_loss AS c
JOIN rq_segment AS s ON s.sid = c.sid AND s.usage_point_id = c.usage_point_id AND s.ival = c.ival
WHERE s.parts = 1

-- :: rq_priced
-- the period under which each part is priced: its own, else the one that holds its hours in this tariff
WITH have AS (
    SELECT s.tariff_id, s.seg_from,
        max(CASE WHEN p.period = 'sharp' THEN 1 ELSE 0 END) AS sharp, max(CASE WHEN p.period = 'peak' THEN 1 ELSE 0 END)
            AS peak,
        max(CASE WHEN p.period = 'flat' THEN 1 ELSE 0 END) AS flat,
        max(CASE WHEN p.period = 'valley' THEN 1 ELSE 0 END) AS valley,
        max(CASE WHEN p.period = 'deep_valley' THEN 1 ELSE 0 END) AS deep
    FROM (SELECT DISTINCT tariff_id, seg_from FROM rq_segment) AS s
    JOIN rq_tariff_period AS p ON p.tariff_id = s.tariff_id AND p.in_force_from <= s.seg_from
        AND (p.in_force_to IS NULL OR p.in_force_to > s.seg_from)
    GROUP BY s.tariff_id, s.seg_from
)
SELECT d.sid, d.usage_point_id, d.seg, d.seg_from, d.seg_to, d.tariff_id, d.kwh,
    CASE WHEN h.tariff_id IS NULL THEN 'all'
        WHEN d.period = 'all' AND d.kwh = 0 THEN CASE WHEN h.flat = 1 THEN 'flat' ELSE 'peak' END
        WHEN (d.period = 'sharp' AND h.sharp = 1) OR (d.period = 'peak' AND h.peak = 1)
            OR (d.period = 'flat' AND h.flat = 1) OR (d.period = 'valley' AND h.valley = 1)
            OR (d.period = 'deep_valley' AND h.deep = 1) THEN d.period
        WHEN d.period = 'sharp' AND h.peak = 1 THEN 'peak'
        WHEN d.period = 'deep_valley' AND h.valley = 1 THEN 'valley'
        WHEN d.period <> 'all' AND h.flat = 1 THEN 'flat'
        WHEN d.period = 'flat' AND h.peak = 1 THEN 'peak' END AS period,
    d.period AS measured
FROM rq_divided AS d
LEFT JOIN have AS h ON h.tariff_id = d.tariff_id AND h.seg_from = d.seg_from

-- :: rt_energy
SELECT sid, usage_point_id, seg, seg_from, seg_to, tariff_id, period, CAST(sum(kwh) AS DECIMAL(18,4)) AS kwh
FROM rq_priced
WHERE period IS NOT NULL
GROUP BY sid, usage_point_id, seg, seg_from, seg_to, tariff_id, period

-- :: gap_no_period
SELECT sid, 'no_period_registers' AS reason, measured || ' kWh of ' || usage_point_id || ' fit no period of ' || tariff_id
    AS detail
FROM rq_priced
WHERE period IS NULL AND kwh <> 0

-- :: gap_no_tenure
SELECT s.sid, CASE WHEN p.main AND NOT s.tenured THEN 'no_contract' ELSE 'no_tariff' END AS reason,
    CASE WHEN NOT s.tenured AND p.main THEN 'no contract on ' || CAST(s.seg_from AS VARCHAR)
        WHEN s.tariff_id IS NULL THEN 'no tariff at ' || s.usage_point_id || ' on ' || CAST(s.seg_from AS VARCHAR)
        ELSE 'tariff ' || s.tariff_id || ' unknown on ' || CAST(s.seg_from AS VARCHAR) END AS detail
FROM rq_segment AS s
JOIN rq_point AS p ON p.sid = s.sid AND p.usage_point_id = s.usage_point_id
LEFT JOIN rt_tariff AS t ON t.tariff_id = s.tariff_id AND t.in_force_from <= s.seg_from
    AND (t.in_force_to IS NULL OR t.in_force_to > s.seg_from)
WHERE t.tariff_id IS NULL

-- :: gap_no_price
SELECT e.sid, 'no_price' AS reason,
    'no energy price of ' || e.tariff_id || ' for ' || e.period || ' on ' || CAST(e.seg_from AS VARCHAR) AS detail
FROM rt_energy AS e
JOIN rt_tariff AS t ON t.tariff_id = e.tariff_id AND t.in_force_from <= e.seg_from
    AND (t.in_force_to IS NULL OR t.in_force_to > e.seg_from)
LEFT JOIN rt_price AS p ON p.tariff_id = e.tariff_id AND p.component = 'energy' AND p.period IN (e.period, 'all')
    AND p.in_force_from <= e.seg_from AND (p.in_force_to IS NULL OR p.in_force_to > e.seg_from)
WHERE p.tariff_id IS NULL AND e.kwh <> 0

-- :: gap_own_tiers
-- the utility's own price list names adders per tier, but not where the tiers begin
SELECT DISTINCT e.sid, 'unsupported' AS reason, 'own tariff ' || e.tariff_id || ' states no tier limits' AS detail
FROM rt_energy AS e
JOIN rt_tariff AS t ON t.tariff_id = e.tariff_id AND t.own
JOIN rt_price AS p ON p.tariff_id = e.tariff_id AND p.tier > 1
