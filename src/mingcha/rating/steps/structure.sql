-- :: rq_use
-- the days a fixed quantity is meant for: the calendar months of the settlement, or its own part of them when the
-- customer is settled several times; only of customers who have such a point
WITH asked AS (
    SELECT DISTINCT s.customer_id
    FROM rt_settlement AS s JOIN rq_point AS p ON p.sid = s.sid
    WHERE p.metering_method IN ('fixed_quantity', 'none')
),
s AS (
    SELECT s.sid, s.customer_id, s.started_on, s.read_on, s.month_end,
        min(s.started_on) OVER (PARTITION BY s.customer_id) AS first_on,
        max(s.read_on) OVER (PARTITION BY s.customer_id) AS last_on,
        count(*) OVER (PARTITION BY s.customer_id) AS parts
    FROM rt_settlement AS s JOIN asked AS a ON a.customer_id = s.customer_id
),
m AS (
    SELECT sid, customer_id, started_on, read_on, month_end, first_on, last_on, parts,
        greatest(1, date_diff('month', first_on, last_on)) AS months
    FROM s
),
u AS (
    SELECT sid, customer_id, months,
        CASE WHEN parts = 1 THEN ym_start(ym_add(:period, 1 - months)) ELSE first_on END AS span_from,
        CASE WHEN parts = 1 THEN month_end ELSE last_on END AS span_to,
        CASE WHEN parts = 1 THEN ym_start(ym_add(:period, 1 - months)) ELSE started_on END AS use_from,
        CASE WHEN parts = 1 THEN month_end ELSE read_on END AS use_to
    FROM m
)
SELECT u.sid, u.customer_id, u.months, greatest(date_diff('day', u.span_from, u.span_to), 1) AS span_days,
    greatest(u.use_from, coalesce(c.opened_on, u.use_from)) AS use_from,
    least(u.use_to, coalesce(c.closed_on, u.use_to)) AS use_to
FROM u LEFT JOIN customer AS c ON c.customer_id = u.customer_id

-- :: rq_fixed
-- kWh of points with a fixed quantity, to 0.01: value a month × days in force ÷ days
WITH v AS (
    SELECT p.sid, p.usage_point_id, u.months, u.span_days, v.fixed_value,
        date_diff('day', greatest(v.effective_from, u.use_from), least(v.effective_to, u.use_to)) AS days,
        greatest(v.effective_from, u.use_from) AS day_from, least(v.effective_to, u.use_to) AS day_to
    FROM rq_point AS p
    JOIN rq_use AS u ON u.sid = p.sid
    JOIN rq_version AS v ON v.usage_point_id = p.usage_point_id AND v.customer_id = u.customer_id
        AND v.effective_from < u.use_to AND v.effective_to > u.use_from
    WHERE p.metering_method = 'fixed_quantity'
),
n AS (
    SELECT sid, usage_point_id, min(day_from) AS day_from, max(day_to) AS day_to, min(span_days) AS span_days,
        CAST(sum(CAST(fixed_value * days * months AS DECIMAL(18,6))) AS DECIMAL(18,6)) AS amount,
        max(CASE WHEN fixed_value IS NULL THEN 1 ELSE 0 END) AS blank
    FROM v WHERE days > 0
    GROUP BY sid, usage_point_id
),
q AS (
    SELECT sid, usage_point_id, day_from, day_to, span_days, amount, blank,
        CAST(safe_div(amount, span_days) AS DECIMAL(18,2)) AS near
    FROM n
),
e AS (
    SELECT sid, usage_point_id, day_from, day_to, span_days, near, blank, 2 * (amount - near * span_days) AS twice FROM q
)
SELECT sid, usage_point_id, day_from, day_to, blank,
    CAST(near + CASE WHEN twice >= 0.01 * span_days THEN 0.01 WHEN twice < -0.01 * span_days THEN -0.01 ELSE 0 END
        AS DECIMAL(18,4)) AS kwh
FROM e

-- :: rq_unmetered
-- temporary supply without a meter: kVA × hours a day × days
WITH h AS (
    SELECT p.sid, p.usage_point_id, c.contract_capacity_kva AS kva, x.number AS hours,
        greatest(v.effective_from, u.use_from) AS day_from, least(v.effective_to, u.use_to) AS day_to
    FROM rq_point AS p
    JOIN rq_use AS u ON u.sid = p.sid
    JOIN customer AS k ON k.customer_id = u.customer_id AND k.supply_kind = 'temporary'
    JOIN rq_last_contract AS c ON c.sid = p.sid
    JOIN rq_version AS v ON v.usage_point_id = p.usage_point_id AND v.customer_id = u.customer_id
        AND v.effective_from < u.use_to AND v.effective_to > u.use_from
    LEFT JOIN rt_parameter AS x ON x.book = c.book AND x.name = 'temporary.hours_per_day'
        AND x.in_force_from <= :month_start AND (x.in_force_to IS NULL OR x.in_force_to > :month_start)
    WHERE p.metering_method = 'none' AND p.main
)
SELECT sid, usage_point_id, min(day_from) AS day_from, max(day_to) AS day_to,
    CAST(CAST(sum(CAST(kva AS DECIMAL(12,4)) * CAST(hours AS DECIMAL(8,4)) * date_diff('day', day_from, day_to))
        AS DECIMAL(18,2)) AS DECIMAL(18,4)) AS kwh
FROM h WHERE day_to > day_from
GROUP BY sid, usage_point_id

-- :: rq_base
-- kWh of each point by itself, before anything is taken from it
SELECT sid, usage_point_id, ival, day_from, day_to, pos, period, kwh FROM rq_split WHERE viewer = usage_point_id
UNION ALL
SELECT f.sid, f.usage_point_id, 1 AS ival, f.day_from, f.day_to, 0 AS pos, 'all' AS period, f.kwh
FROM rq_fixed AS f
JOIN rq_point AS p ON p.sid = f.sid AND p.usage_point_id = f.usage_point_id
WHERE p.main OR p.relation IN ('sub_added', 'standalone')
UNION ALL
SELECT sid, usage_point_id, 1 AS ival, day_from, day_to, 0 AS pos, 'all' AS period, kwh FROM rq_unmetered

-- :: rq_parent
-- points from which others are taken
SELECT DISTINCT sid, viewer AS usage_point_id FROM rq_split WHERE viewer <> usage_point_id
UNION
SELECT DISTINCT sid, parent_usage_point_id AS usage_point_id FROM rq_point
WHERE NOT main AND (metering_method = 'fixed_ratio'
    OR (metering_method = 'fixed_quantity' AND coalesce(relation, 'sub_deducted') = 'sub_deducted'))

-- :: rq_left1
-- parents less what sub-meters measured period by period
WITH taken AS (
    SELECT sid, viewer AS usage_point_id, period, sum(kwh) AS kwh
    FROM rq_split WHERE viewer <> usage_point_id AND known > 0
    GROUP BY sid, viewer, period
),
c AS (
    SELECT b.sid, b.usage_point_id, b.ival, b.day_from, b.day_to, b.pos, b.period, CAST(b.kwh AS DECIMAL(14,2)) AS kwh,
        CAST(coalesce(t.kwh, 0) AS DECIMAL(14,2)) AS amount,
        CAST(sum(b.kwh) OVER (PARTITION BY b.sid, b.usage_point_id, b.period) AS DECIMAL(14,2)) AS whole,
        row_number() OVER (PARTITION BY b.sid, b.usage_point_id, b.period
            ORDER BY CASE WHEN b.kwh > 0 THEN 0 ELSE 1 END, b.ival DESC) AS nth
    FROM rq_base AS b
    JOIN rq_parent AS p ON p.sid = b.sid AND p.usage_point_id = b.usage_point_id
    LEFT JOIN taken AS t ON t.sid = b.sid AND t.usage_point_id = b.usage_point_id AND t.period = b.period
),
q AS (
    SELECT sid, usage_point_id, ival, day_from, day_to, pos, period, kwh, amount, whole, nth,
        coalesce(CAST(safe_div(amount * kwh, whole) AS DECIMAL(14,2)), 0) AS near
    FROM c
),
e AS (
    SELECT sid, usage_point_id, ival, day_from, day_to, pos, period, kwh, amount, whole, nth, near,
        2 * (amount * kwh - near * whole) AS twice
    FROM q
),
r AS (
    SELECT sid, usage_point_id, ival, day_from, day_to, pos, period, kwh, amount, nth,
        near + CASE WHEN whole = 0 THEN 0 WHEN twice >= 0.01 * whole THEN 0.01 WHEN twice < -0.01 * whole THEN -0.01
            ELSE 0 END AS share
    FROM e
),
t AS (
    SELECT sid, usage_point_id, ival, day_from, day_to, pos, period, kwh, amount, nth, share,
        sum(CASE WHEN nth = 1 THEN 0 ELSE share END) OVER (PARTITION BY sid, usage_point_id, period) AS others
    FROM r
)
SELECT sid, usage_point_id, ival, day_from, day_to, pos, period,
    CAST(greatest(kwh - CASE WHEN nth = 1 THEN amount - others ELSE share END, 0) AS DECIMAL(18,4)) AS kwh
FROM t

-- :: rq_left2
-- less what sub-meters without period registers measured, in proportion to the parent's periods
WITH taken AS (
    SELECT sid, viewer AS usage_point_id, sum(kwh) AS kwh
    FROM rq_split WHERE viewer <> usage_point_id AND known = 0
    GROUP BY sid, viewer
),
c AS (
    SELECT b.sid, b.usage_point_id, b.ival, b.day_from, b.day_to, b.pos, b.period, CAST(b.kwh AS DECIMAL(14,2)) AS kwh,
        CAST(coalesce(t.kwh, 0) AS DECIMAL(14,2)) AS amount,
        CAST(sum(b.kwh) OVER (PARTITION BY b.sid, b.usage_point_id) AS DECIMAL(14,2)) AS whole,
        row_number() OVER (PARTITION BY b.sid, b.usage_point_id
            ORDER BY CASE WHEN b.kwh > 0 THEN 0 ELSE 1 END, b.ival DESC, b.pos DESC) AS nth
    FROM rq_left1 AS b
    LEFT JOIN taken AS t ON t.sid = b.sid AND t.usage_point_id = b.usage_point_id
),
q AS (
    SELECT sid, usage_point_id, ival, day_from, day_to, pos, period, kwh, amount, whole, nth,
        coalesce(CAST(safe_div(amount * kwh, whole) AS DECIMAL(14,2)), 0) AS near
    FROM c
),
e AS (
    SELECT sid, usage_point_id, ival, day_from, day_to, pos, period, kwh, amount, whole, nth, near,
        2 * (amount * kwh - near * whole) AS twice
    FROM q
),
r AS (
    SELECT sid, usage_point_id, ival, day_from, day_to, pos, period, kwh, amount, nth,
        near + CASE WHEN whole = 0 THEN 0 WHEN twice >= 0.01 * whole THEN 0.01 WHEN twice < -0.01 * whole THEN -0.01
            ELSE 0 END AS share
    FROM e
),
t AS (
    SELECT sid, usage_point_id, ival, day_from, day_to, pos, period, kwh, amount, nth, share,
        sum(CASE WHEN nth = 1 THEN 0 ELSE share END) OVER (PARTITION BY sid, usage_point_id) AS others
    FROM r
)
SELECT sid, usage_point_id, ival, day_from, day_to, pos, period,
    CAST(greatest(kwh - CASE WHEN nth = 1 THEN amount - others ELSE share END, 0) AS DECIMAL(18,4)) AS kwh
FROM t

-- :: rq_agreed
-- kWh of children by agreement: quantities first, then ratios of what they leave, never more than there is
WITH l AS (
    SELECT sid, usage_point_id, sum(kwh) AS kwh FROM rq_left2 GROUP BY sid, usage_point_id
),
q AS (
    SELECT p.sid, p.parent_usage_point_id, p.usage_point_id, l.kwh AS whole, f.kwh AS wanted,
        sum(f.kwh) OVER (PARTITION BY p.sid, p.parent_usage_point_id ORDER BY p.usage_point_id
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS upto
    FROM rq_point AS p
    JOIN rq_fixed AS f ON f.sid = p.sid AND f.usage_point_id = p.usage_point_id
    JOIN l ON l.sid = p.sid AND l.usage_point_id = p.parent_usage_point_id
    WHERE NOT p.main AND p.metering_method = 'fixed_quantity' AND coalesce(p.relation, 'sub_deducted') = 'sub_deducted'
),
qt AS (
    SELECT sid, parent_usage_point_id, usage_point_id, greatest(least(wanted, whole - (upto - wanted)), 0) AS kwh FROM q
),
after AS (
    SELECT l.sid, l.usage_point_id, l.kwh - coalesce(t.kwh, 0) AS kwh
    FROM l
    LEFT JOIN (SELECT sid, parent_usage_point_id, sum(kwh) AS kwh FROM qt GROUP BY sid, parent_usage_point_id) AS t
        ON t.sid = l.sid AND t.parent_usage_point_id = l.usage_point_id
),
r AS (
    SELECT p.sid, p.parent_usage_point_id, p.usage_point_id, CAST(a.kwh AS DECIMAL(18,4)) AS whole,
        CAST(CAST(p.fixed_value * CAST(a.kwh AS DECIMAL(18,4)) AS DECIMAL(18,2)) AS DECIMAL(18,4)) AS wanted
    FROM rq_point AS p
    JOIN after AS a ON a.sid = p.sid AND a.usage_point_id = p.parent_usage_point_id
    WHERE NOT p.main AND p.metering_method = 'fixed_ratio'
),
rt AS (
    SELECT sid, parent_usage_point_id, usage_point_id, whole, wanted,
        sum(wanted) OVER (PARTITION BY sid, parent_usage_point_id ORDER BY usage_point_id
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS upto
    FROM r
)
SELECT sid, parent_usage_point_id, usage_point_id, CAST(kwh AS DECIMAL(18,4)) AS kwh FROM qt
UNION ALL
SELECT sid, parent_usage_point_id, usage_point_id,
    CAST(greatest(least(wanted, whole - (upto - wanted)), 0) AS DECIMAL(18,4)) AS kwh
FROM rt

-- :: rq_agreed_cell
-- the same spread over the parent's intervals in which the child is in force, and their periods
WITH held AS (
    SELECT t.sid, t.usage_point_id, min(t.day_from) AS day_from, max(t.day_to) AS day_to
    FROM rq_tenure AS t JOIN rq_agreed AS a ON a.sid = t.sid AND a.usage_point_id = t.usage_point_id
    GROUP BY t.sid, t.usage_point_id
),
c AS (
    SELECT a.sid, a.parent_usage_point_id, a.usage_point_id, b.ival, greatest(b.day_from, h.day_from) AS day_from,
        least(b.day_to, h.day_to) AS day_to, b.pos, b.period,
        CAST(b.kwh AS DECIMAL(14,2)) AS kwh, CAST(a.kwh AS DECIMAL(14,2)) AS amount,
        CAST(sum(b.kwh) OVER (PARTITION BY a.sid, a.usage_point_id) AS DECIMAL(14,2)) AS whole,
        row_number() OVER (PARTITION BY a.sid, a.usage_point_id
            ORDER BY CASE WHEN b.kwh > 0 THEN 0 ELSE 1 END, b.ival DESC, b.pos DESC) AS nth
    FROM rq_agreed AS a
    JOIN held AS h ON h.sid = a.sid AND h.usage_point_id = a.usage_point_id
    JOIN rq_left2 AS b ON b.sid = a.sid AND b.usage_point_id = a.parent_usage_point_id AND b.day_from < h.day_to
        AND b.day_to > h.day_from
),
q AS (
    SELECT sid, parent_usage_point_id, usage_point_id, ival, day_from, day_to, pos, period, kwh, amount, whole, nth,
        coalesce(CAST(safe_div(amount * kwh, whole) AS DECIMAL(14,2)), 0) AS near
    FROM c
),
e AS (
    SELECT sid, parent_usage_point_id, usage_point_id, ival, day_from, day_to, pos, period, amount, whole, nth, near,
        2 * (amount * kwh - near * whole) AS twice
    FROM q
),
r AS (
    SELECT sid, parent_usage_point_id, usage_point_id, ival, day_from, day_to, pos, period, amount, nth,
        near + CASE WHEN whole = 0 THEN 0 WHEN twice >= 0.01 * whole THEN 0.01 WHEN twice < -0.01 * whole THEN -0.01
            ELSE 0 END AS share
    FROM e
),
t AS (
    SELECT sid, parent_usage_point_id, usage_point_id, ival, day_from, day_to, pos, period, amount, nth, share,
        sum(CASE WHEN nth = 1 THEN 0 ELSE share END) OVER (PARTITION BY sid, usage_point_id) AS others
    FROM r
)
SELECT sid, parent_usage_point_id, usage_point_id, ival, day_from, day_to, pos, period,
    CAST(CASE WHEN nth = 1 THEN amount - others ELSE share END AS DECIMAL(18,4)) AS kwh
FROM t

-- :: rq_cell
-- billable kWh before losses
WITH gone AS (
    SELECT sid, parent_usage_point_id, ival, pos, sum(kwh) AS kwh
    FROM rq_agreed_cell GROUP BY sid, parent_usage_point_id, ival, pos
),
rest AS (
    SELECT b.sid, b.usage_point_id, b.ival, b.day_from, b.day_to, b.pos, b.period, b.kwh, coalesce(g.kwh, 0) AS gone,
        sum(b.kwh - coalesce(g.kwh, 0)) OVER (PARTITION BY b.sid, b.usage_point_id) AS stays
    FROM rq_left2 AS b
    LEFT JOIN gone AS g ON g.sid = b.sid AND g.parent_usage_point_id = b.usage_point_id AND g.ival = b.ival
        AND g.pos = b.pos
)
SELECT b.sid, b.usage_point_id, b.ival, b.day_from, b.day_to, b.pos, b.period, b.kwh
FROM rq_base AS b
LEFT JOIN rq_parent AS p ON p.sid = b.sid AND p.usage_point_id = b.usage_point_id
WHERE p.sid IS NULL
UNION ALL
SELECT sid, usage_point_id, ival, day_from, day_to, pos, period,
    CAST(CASE WHEN stays = 0 THEN 0 ELSE greatest(kwh - gone, 0) END AS DECIMAL(18,4)) AS kwh
FROM rest
UNION ALL
SELECT sid, usage_point_id, ival, day_from, day_to, pos, period, kwh FROM rq_agreed_cell

-- :: gap_unsupported_point
SELECT p.sid, 'unsupported' AS reason, p.metering_method || ' at ' || p.usage_point_id AS detail
FROM rq_point AS p
LEFT JOIN rq_unmetered AS u ON u.sid = p.sid AND u.usage_point_id = p.usage_point_id
LEFT JOIN rq_fixed AS f ON f.sid = p.sid AND f.usage_point_id = p.usage_point_id
WHERE (p.main AND p.metering_method = 'fixed_ratio')
    OR (p.main AND p.metering_method = 'none' AND (u.sid IS NULL OR u.kwh IS NULL))
    OR (p.metering_method = 'fixed_quantity' AND f.blank = 1)
    OR (p.metering_method = 'fixed_ratio' AND p.fixed_value IS NULL)

-- :: gap_agreed_without_parent
SELECT p.sid, 'unsupported' AS reason, 'no energy to take ' || p.usage_point_id || ' from' AS detail
FROM rq_point AS p
LEFT JOIN (SELECT DISTINCT sid, usage_point_id FROM rq_base) AS b
    ON b.sid = p.sid AND b.usage_point_id = p.parent_usage_point_id
WHERE NOT p.main AND b.sid IS NULL AND (p.metering_method = 'fixed_ratio'
    OR (p.metering_method = 'fixed_quantity' AND coalesce(p.relation, 'sub_deducted') = 'sub_deducted'))
