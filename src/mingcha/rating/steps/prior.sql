-- :: rq_annual
-- points on a tariff with annual tiers, and since when they are in service for this customer
WITH p AS (
    SELECT DISTINCT e.sid, e.usage_point_id
    FROM rt_energy AS e
    JOIN rt_tariff AS t ON t.tariff_id = e.tariff_id AND t.tier_basis = 'annual' AND t.in_force_from <= e.seg_from
        AND (t.in_force_to IS NULL OR t.in_force_to > e.seg_from)
),
since AS (
    SELECT v.usage_point_id, v.customer_id, min(v.effective_from) AS since FROM rq_version AS v
    GROUP BY v.usage_point_id, v.customer_id
)
SELECT p.sid, p.usage_point_id, s.customer_id, q.metering_method, q.main, s.seq, s.read_on,
    greatest(coalesce(c.opened_on, DATE '1900-01-01'), f.since) AS in_service_from,
    coalesce(c.opened_on, DATE '1900-01-01') AS opened_on
FROM p
JOIN rt_settlement AS s ON s.sid = p.sid
JOIN rq_point AS q ON q.sid = p.sid AND q.usage_point_id = p.usage_point_id
JOIN since AS f ON f.usage_point_id = p.usage_point_id AND f.customer_id = s.customer_id
LEFT JOIN customer AS c ON c.customer_id = s.customer_id

-- :: rq_child
-- what was deducted from those points all year long, as far as it has readings or a fixed value
SELECT a.sid, a.usage_point_id, v.usage_point_id AS child_id, v.metering_method, v.fixed_value, v.multiplier,
    v.effective_from, v.effective_to
FROM rq_annual AS a
JOIN rq_version AS v ON v.parent_usage_point_id = a.usage_point_id AND v.customer_id = a.customer_id
WHERE coalesce(v.relation, 'sub_deducted') = 'sub_deducted' AND v.metering_method IN ('meter', 'fixed_quantity', 'fixed_ratio')

-- :: rq_earlier
-- active energy read of those points and of metered children in earlier periods of the calendar year
WITH wanted AS (
    SELECT DISTINCT a.usage_point_id, a.customer_id, a.opened_on FROM rq_annual AS a
    UNION
    SELECT DISTINCT k.child_id AS usage_point_id, a.customer_id, a.opened_on
    FROM rq_child AS k JOIN rq_annual AS a ON a.sid = k.sid AND a.usage_point_id = k.usage_point_id
    WHERE k.metering_method = 'meter'
),
r AS (
    SELECT w.usage_point_id, w.customer_id, r.billing_period, r.started_on, r.read_on, r.start_value, r.end_value, r.meter_id,
        v.multiplier
    FROM reading AS r
    JOIN wanted AS w ON w.usage_point_id = r.usage_point_id
    JOIN rq_version AS v ON v.usage_point_id = r.usage_point_id AND v.customer_id = w.customer_id
        AND v.effective_from <= r.started_on AND v.effective_to > r.started_on
    WHERE r.billing_period >= :year_first_period AND r.billing_period < :period AND r.register = 'active'
        AND r.started_on >= w.opened_on
),
u AS (
    SELECT r.usage_point_id, r.customer_id, r.billing_period, r.started_on, r.read_on, r.multiplier,
        r.end_value - r.start_value + CASE WHEN r.end_value < r.start_value
            AND r.start_value > 0.9 * CAST(power(10, m.digits) AS DECIMAL(18,4))
            AND r.end_value < 0.1 * CAST(power(10, m.digits) AS DECIMAL(18,4))
            THEN CAST(power(10, m.digits) AS DECIMAL(18,4)) ELSE 0 END AS units
    FROM r LEFT JOIN meter AS m ON m.meter_id = r.meter_id
)
SELECT usage_point_id, customer_id, billing_period, min(started_on) AS started_on, max(read_on) AS read_on,
    CAST(sum(date_diff('day', started_on, read_on)) AS BIGINT) AS days,
    CAST(sum(CAST(CAST(units AS DECIMAL(18,4)) * multiplier AS DECIMAL(18,2))) AS DECIMAL(18,4)) AS kwh
FROM u
GROUP BY usage_point_id, customer_id, billing_period

-- :: rq_year
-- kWh of each earlier period after structure, by the same rules as in the period rated
WITH sub AS (
    SELECT k.sid, k.usage_point_id, e.billing_period, sum(e.kwh) AS kwh
    FROM (SELECT DISTINCT sid, usage_point_id, child_id FROM rq_child WHERE metering_method = 'meter') AS k
    JOIN rq_annual AS a ON a.sid = k.sid AND a.usage_point_id = k.usage_point_id
    JOIN rq_earlier AS e ON e.usage_point_id = k.child_id AND e.customer_id = a.customer_id
    GROUP BY k.sid, k.usage_point_id, e.billing_period
),
m AS (
    SELECT a.sid, a.usage_point_id, e.billing_period, e.started_on, e.read_on, e.days,
        greatest(1, date_diff('month', e.started_on, e.read_on)) AS months,
        greatest(e.kwh - coalesce(s.kwh, 0), 0) AS kwh
    FROM rq_annual AS a
    JOIN rq_earlier AS e ON e.usage_point_id = a.usage_point_id AND e.customer_id = a.customer_id
    LEFT JOIN sub AS s ON s.sid = a.sid AND s.usage_point_id = a.usage_point_id AND s.billing_period = e.billing_period
    WHERE a.metering_method = 'meter'
),
agreed AS (
    SELECT m.sid, m.usage_point_id, m.billing_period,
        sum(CASE WHEN k.metering_method = 'fixed_quantity' THEN CAST(k.fixed_value AS DECIMAL(12,4)) * m.months ELSE 0 END)
            AS quantity,
        sum(CASE WHEN k.metering_method = 'fixed_ratio' THEN k.fixed_value ELSE 0 END) AS ratio
    FROM m
    JOIN rq_child AS k ON k.sid = m.sid AND k.usage_point_id = m.usage_point_id
        AND k.metering_method IN ('fixed_quantity', 'fixed_ratio')
        AND k.effective_from < m.read_on AND k.effective_to >= m.read_on
    GROUP BY m.sid, m.usage_point_id, m.billing_period
)
SELECT m.sid, m.usage_point_id, m.billing_period, m.started_on, m.read_on, m.days, m.months,
    CAST(CAST(greatest(m.kwh - coalesce(a.quantity, 0), 0) AS DECIMAL(14,2))
        * greatest(1 - CAST(coalesce(a.ratio, 0) AS DECIMAL(9,6)), 0) AS DECIMAL(18,2)) AS kwh
FROM m LEFT JOIN agreed AS a ON a.sid = m.sid AND a.usage_point_id = m.usage_point_id
    AND a.billing_period = m.billing_period

-- :: rt_prior
WITH y AS (
    SELECT sid, usage_point_id, sum(kwh) AS kwh, sum(days) AS days, min(started_on) AS first_on, max(read_on) AS last_on,
        min(billing_period) AS first_period
    FROM rq_year GROUP BY sid, usage_point_id
),
first_part AS (
    SELECT y.sid, y.usage_point_id, min(r.months) AS months
    FROM y JOIN rq_year AS r ON r.sid = y.sid AND r.usage_point_id = y.usage_point_id AND r.billing_period = y.first_period
    GROUP BY y.sid, y.usage_point_id
),
-- settlements of the same month before this one count as well
sibling AS (
    SELECT a.sid, a.usage_point_id, sum(e.kwh) AS kwh
    FROM rq_annual AS a
    JOIN rt_settlement AS s ON s.customer_id = a.customer_id AND s.seq < a.seq
    JOIN rt_energy AS e ON e.sid = s.sid AND e.usage_point_id = a.usage_point_id
    GROUP BY a.sid, a.usage_point_id
),
now AS (
    SELECT s.customer_id, i.usage_point_id, min(i.day_from) AS started_on, max(i.day_to) AS read_on
    FROM rq_interval AS i JOIN rt_settlement AS s ON s.sid = i.sid
    WHERE NOT i.guest GROUP BY s.customer_id, i.usage_point_id
),
f AS (
    SELECT a.sid, a.usage_point_id, a.in_service_from, a.metering_method, y.first_on, y.last_on, y.days, y.kwh,
        n.started_on, n.read_on, b.kwh AS before_kwh,
        CASE WHEN a.in_service_from < :year_start THEN 1 ELSE month(a.in_service_from) END AS first_month,
        CASE WHEN a.opened_on < :year_start THEN 1 ELSE least(month(a.opened_on), 12) END AS opening_month,
        CAST(substring(y.first_period, 6, 2) AS INTEGER) - p.months + 1 AS held_from,
        greatest(1, date_diff('month', n.started_on, n.read_on)) AS span
    FROM rq_annual AS a
    LEFT JOIN y ON y.sid = a.sid AND y.usage_point_id = a.usage_point_id
    LEFT JOIN first_part AS p ON p.sid = a.sid AND p.usage_point_id = a.usage_point_id
    LEFT JOIN sibling AS b ON b.sid = a.sid AND b.usage_point_id = a.usage_point_id
    LEFT JOIN now AS n ON n.usage_point_id = a.usage_point_id AND n.customer_id = a.customer_id
)
SELECT sid, usage_point_id, CAST(coalesce(kwh, 0) + coalesce(before_kwh, 0) AS DECIMAL(18,4)) AS kwh,
    CAST(13 - opening_month AS INTEGER) AS months,
    CASE WHEN metering_method <> 'meter' THEN :month_of_year <= first_month
        WHEN first_on IS NULL THEN :month_of_year - span + 1 <= first_month OR started_on <= in_service_from
        ELSE days = date_diff('day', first_on, started_on) AND last_on = started_on
            AND (held_from <= first_month OR first_on <= in_service_from) END AS complete
FROM f

-- :: gap_history_short
SELECT sid, 'history_short' AS reason, 'readings of ' || usage_point_id || ' earlier this year are missing' AS detail
FROM rt_prior WHERE NOT complete OR complete IS NULL
