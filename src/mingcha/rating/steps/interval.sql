-- Energy and maximum demand by period out of intervals, for points that have them (rt_interval), in the place of
-- their registers. An interval belongs to the period and the day in which it begins. `at` is standard time all year.

-- :: rc_interval_part
-- The days of a point cut where a price of its tariff changes: intervals say exactly what was used before and after.
WITH point AS (
    SELECT p.sid, p.usage_point_id, p.tariff_id, s.started_on, s.read_on
    FROM rt_point AS p
    JOIN rt_settlement AS s ON s.sid = p.sid
    JOIN (SELECT DISTINCT sid, usage_point_id FROM rt_interval) AS i
        ON i.sid = p.sid AND i.usage_point_id = p.usage_point_id
),
cuts AS (
    SELECT sid, usage_point_id, tariff_id, read_on, started_on AS cut FROM point
    UNION
    SELECT p.sid, p.usage_point_id, p.tariff_id, p.read_on, r.in_force_from
    FROM point AS p
    JOIN rt_price AS r ON r.tariff_id = p.tariff_id AND r.in_force_from > p.started_on AND r.in_force_from < p.read_on
)
SELECT sid, usage_point_id, tariff_id,
    CAST(row_number() OVER (PARTITION BY sid, usage_point_id ORDER BY cut) AS INTEGER) AS seg, cut AS seg_from,
    coalesce(lead(cut) OVER (PARTITION BY sid, usage_point_id ORDER BY cut), read_on) AS seg_to
FROM cuts;

-- :: rc_interval_programme
-- Which programmes are asked on which days: that of the energy, and those of demand.
SELECT DISTINCT p.sid, p.usage_point_id, 'energy' AS use, t.programme_id
FROM rc_interval_part AS p
JOIN rt_tariff AS t ON t.tariff_id = p.tariff_id AND t.in_force_from <= p.seg_from
    AND (t.in_force_to IS NULL OR t.in_force_to > p.seg_from)
WHERE t.programme_id IS NOT NULL
UNION
SELECT DISTINCT p.sid, p.usage_point_id, 'demand', d.programme_id
FROM rc_interval_part AS p
JOIN rt_point AS m ON m.sid = p.sid AND m.usage_point_id = p.usage_point_id AND m.main
JOIN rt_tariff AS t ON t.tariff_id = p.tariff_id AND t.in_force_from <= p.seg_from
    AND (t.in_force_to IS NULL OR t.in_force_to > p.seg_from)
JOIN tb_demand_programme AS d ON d.tariff_code = t.tariff_code;

-- :: rc_interval_hour
-- The hours of each programme on each day: those of its kind of day where the programme names it, else of any.
WITH asked AS (
    SELECT DISTINCT n.programme_id, d.day, d.kind, CAST(extract(month FROM d.day) AS INTEGER) AS moy
    FROM (SELECT DISTINCT programme_id FROM rc_interval_programme) AS n, rt_day AS d
),
held AS (
    SELECT a.programme_id, a.day, a.kind, h.day_kind, h.minute_from, h.minute_to, h.period
    FROM asked AS a
    JOIN tb_programme AS h ON h.programme_id = a.programme_id AND h.moy = a.moy AND h.day_kind IN (a.kind, 'any')
        AND h.in_force_from <= a.day AND (h.in_force_to IS NULL OR h.in_force_to > a.day)
),
specific AS (SELECT DISTINCT programme_id, day FROM held WHERE day_kind <> 'any')
SELECT h.programme_id, h.day, h.minute_from, h.minute_to, h.period
FROM held AS h
LEFT JOIN specific AS s ON s.programme_id = h.programme_id AND s.day = h.day
WHERE h.day_kind <> 'any' OR s.day IS NULL;

-- :: rc_interval_use
SELECT i.sid, i.usage_point_id, CAST(i.at AS DATE) AS day, i.at, i.kwh, i.minutes,
    CAST(extract(hour FROM i.at) * 60 + extract(minute FROM i.at) AS INTEGER) AS minute
FROM rt_interval AS i
JOIN rt_settlement AS s ON s.sid = i.sid AND CAST(i.at AS DATE) >= s.started_on AND CAST(i.at AS DATE) < s.read_on;

-- :: gap_intervals_missing
SELECT p.sid, 'no_reading' AS reason,
    min(p.usage_point_id || ' has intervals for ' || CAST(p.minutes AS VARCHAR) || ' of '
        || CAST(date_diff('day', s.started_on, s.read_on) * 1440 AS VARCHAR) || ' minutes') AS detail
FROM (SELECT sid, usage_point_id, sum(minutes) AS minutes FROM rc_interval_use GROUP BY sid, usage_point_id) AS p
JOIN rt_settlement AS s ON s.sid = p.sid
WHERE p.minutes <> date_diff('day', s.started_on, s.read_on) * 1440
GROUP BY p.sid;

-- :: gap_intervals_uneven
-- Power is energy × (60 ÷ minutes), exactly; an hour must divide into the intervals.
SELECT sid, 'unsupported' AS reason, 'intervals of ' || CAST(max(minutes) AS VARCHAR) || ' minutes' AS detail
FROM rc_interval_use WHERE minutes <= 0 OR 60 % minutes <> 0 GROUP BY sid;

-- :: gap_interval_structure
-- Deductions between points and losses are worked out on registers; nobody has said how on intervals.
SELECT i.sid, 'unsupported' AS reason, 'intervals with sub-meters or losses' AS detail
FROM (SELECT DISTINCT sid FROM rc_interval_part) AS i
WHERE i.sid IN (SELECT p.sid FROM rt_point AS p WHERE NOT p.main) OR i.sid IN (SELECT l.sid FROM rt_loss AS l WHERE l.kwh <> 0);

-- :: rt_energy
-- R1: kWh to 0.01 per segment and period.
WITH used AS (
    SELECT u.sid, u.usage_point_id, p.seg, p.seg_from, p.seg_to, p.tariff_id, coalesce(h.period, 'all') AS period, u.kwh
    FROM rc_interval_use AS u
    JOIN rc_interval_part AS p ON p.sid = u.sid AND p.usage_point_id = u.usage_point_id
        AND p.seg_from <= u.day AND u.day < p.seg_to
    LEFT JOIN rc_interval_programme AS n ON n.sid = u.sid AND n.usage_point_id = u.usage_point_id AND n.use = 'energy'
    LEFT JOIN rc_interval_hour AS h ON h.programme_id = n.programme_id AND h.day = u.day
        AND h.minute_from <= u.minute AND u.minute < h.minute_to
)
SELECT sid, usage_point_id, seg, seg_from, seg_to, tariff_id, period,
    CAST(CAST(sum(kwh) AS DECIMAL(18,2)) AS DECIMAL(18,4)) AS kwh
FROM used
GROUP BY sid, usage_point_id, seg, seg_from, seg_to, tariff_id, period
UNION ALL
SELECT e.sid, e.usage_point_id, e.seg, e.seg_from, e.seg_to, e.tariff_id, e.period, e.kwh
FROM rt_energy AS e
LEFT JOIN (SELECT DISTINCT sid, usage_point_id FROM rc_interval_part) AS p
    ON p.sid = e.sid AND p.usage_point_id = e.usage_point_id
WHERE p.sid IS NULL;

-- :: rt_demand
-- The highest power of the month, of all main points together, over all hours and within each period. R4: kW to 0.01.
WITH power AS (
    SELECT u.sid, u.day, u.minute, sum(CAST(u.kwh AS DECIMAL(19,4)) * (60 // u.minutes)) AS kw, min(u.usage_point_id) AS usage_point_id
    FROM rc_interval_use AS u
    JOIN rt_point AS m ON m.sid = u.sid AND m.usage_point_id = u.usage_point_id AND m.main
    JOIN rt_settlement AS s ON s.sid = u.sid AND s.last
    WHERE u.minutes > 0 AND 60 % u.minutes = 0
    GROUP BY u.sid, u.day, u.minute
)
SELECT sid, 'all' AS period, CAST(CAST(max(kw) AS DECIMAL(18,2)) AS DECIMAL(18,4)) AS kw FROM power GROUP BY sid
UNION ALL
SELECT p.sid, h.period, CAST(CAST(max(p.kw) AS DECIMAL(18,2)) AS DECIMAL(18,4))
FROM power AS p
JOIN rc_interval_programme AS n ON n.sid = p.sid AND n.usage_point_id = p.usage_point_id AND n.use = 'demand'
JOIN rc_interval_hour AS h ON h.programme_id = n.programme_id AND h.day = p.day
    AND h.minute_from <= p.minute AND p.minute < h.minute_to
GROUP BY p.sid, h.period
UNION ALL
SELECT d.sid, d.period, d.kw
FROM rt_demand AS d
LEFT JOIN (SELECT DISTINCT sid FROM rc_interval_part) AS p ON p.sid = d.sid
WHERE p.sid IS NULL;

-- :: rt_gap
-- What registers could not say is said by the intervals of all points of the settlement.
SELECT g.sid, g.reason, g.detail
FROM rt_gap AS g
LEFT JOIN (
    SELECT p.sid FROM rt_point AS p
    LEFT JOIN (SELECT DISTINCT sid, usage_point_id FROM rc_interval_part) AS i
        ON i.sid = p.sid AND i.usage_point_id = p.usage_point_id
    GROUP BY p.sid HAVING count(*) = count(i.sid)
) AS c ON c.sid = g.sid
WHERE c.sid IS NULL OR g.reason NOT IN ('no_period_registers', 'no_demand');
