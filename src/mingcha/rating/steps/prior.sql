-- :: rq_annual
-- points on a tariff with annual tiers, and since when they are in service for this customer
WITH p AS (
    SELECT DISTINCT e.sid, e.usage_point_id
    FROM rt_energy AS e
    JOIN rt_tariff AS t ON t.tariff_id = e.tariff_id AND t.tier_basis = 'annual' AND t.in_force_from <= e.seg_from
        AND (t.in_force_to IS NULL OR t.in_force_to > e.seg_from)
)
SELECT p.sid, p.usage_point_id, s.customer_id, q.metering_method, q.main, s.seq, s.seq = 1 AND s.last AS whole, s.read_on,
    greatest(q.opened_on, q.since) AS in_service_from, q.opened_on
FROM p
JOIN rt_settlement AS s ON s.sid = p.sid
JOIN rq_point AS q ON q.sid = p.sid AND q.usage_point_id = p.usage_point_id

-- :: rq_child
-- what was deducted from those points all year long, as far as it has readings or a fixed value
SELECT a.sid, a.usage_point_id, v.usage_point_id AS child_id, v.metering_method, v.fixed_value, v.multiplier,
    v.effective_from, v.effective_to
FROM rq_annual AS a
JOIN rq_version AS v ON v.parent_usage_point_id = a.usage_point_id AND v.customer_id = a.customer_id
WHERE coalesce(v.relation, 'sub_deducted') = 'sub_deducted' AND v.metering_method IN ('meter', 'fixed_quantity', 'fixed_ratio')

-- :: rq_past
-- active energy read in earlier periods of the calendar year, added up per point and customer; points with a parent or
-- children keep one row per period, which the others do not need. rt_past: what was added up when the month before was
-- rated, up to :past_from, else nothing. first_part: number of the first period × 1000 + the months it held
WITH r AS (
    SELECT v.usage_point_id, v.customer_id, v.family, r.billing_period, r.started_on, r.read_on, r.start_value, r.end_value,
        r.meter_id, v.multiplier
    FROM reading AS r
    JOIN rq_version AS v ON v.usage_point_id = r.usage_point_id AND v.effective_from <= r.started_on
        AND v.effective_to > r.started_on
    WHERE r.billing_period >= :past_from AND r.billing_period < :period AND r.register = 'active'
        AND r.started_on >= v.opened_on AND v.customer_id IS NOT NULL
),
turned AS (
    SELECT m.meter_id, CAST(power(10, m.digits) AS DECIMAL(18,4)) AS turn_at
    FROM meter AS m
    JOIN (SELECT DISTINCT meter_id FROM r WHERE end_value < start_value) AS t ON t.meter_id = m.meter_id
),
u AS (
    SELECT r.usage_point_id, r.customer_id, r.family, r.billing_period, r.started_on, r.read_on, r.multiplier,
        r.end_value - r.start_value + CASE WHEN r.start_value > 0.9 * m.turn_at AND r.end_value < 0.1 * m.turn_at
            THEN m.turn_at ELSE 0 END AS units
    FROM r LEFT JOIN turned AS m ON m.meter_id = CASE WHEN r.end_value < r.start_value THEN r.meter_id END
),
periods AS (
    SELECT usage_point_id, customer_id, family, billing_period, min(started_on) AS first_on, max(read_on) AS last_on,
        sum(date_diff('day', started_on, read_on)) AS days,
        sum(CAST(CAST(units AS DECIMAL(18,4)) * multiplier AS DECIMAL(18,2))) AS kwh
    FROM u
    GROUP BY usage_point_id, customer_id, family, billing_period
),
parts AS (
    SELECT usage_point_id, customer_id, CASE WHEN family THEN billing_period END AS billing_period, first_on, last_on,
        CAST(days AS BIGINT) AS days, CAST(CASE WHEN family THEN kwh ELSE greatest(kwh, 0) END AS DECIMAL(18,4)) AS kwh,
        CAST(substring(billing_period, 6, 2) AS INTEGER) * 1000 + greatest(1, date_diff('month', first_on, last_on))
            AS first_part
    FROM periods
    UNION ALL
    SELECT usage_point_id, customer_id, billing_period, first_on, last_on, days, kwh, first_part FROM rt_past
)
SELECT usage_point_id, customer_id, billing_period, min(first_on) AS first_on, max(last_on) AS last_on,
    CAST(sum(days) AS BIGINT) AS days, CAST(sum(kwh) AS DECIMAL(18,4)) AS kwh, CAST(min(first_part) AS BIGINT) AS first_part
FROM parts
GROUP BY usage_point_id, customer_id, billing_period

-- :: rq_year
-- kWh of each earlier period after structure, by the same rules as in the period rated; of points with a family
WITH sub AS (
    SELECT k.sid, k.usage_point_id, e.billing_period, sum(e.kwh) AS kwh
    FROM (SELECT DISTINCT sid, usage_point_id, child_id FROM rq_child WHERE metering_method = 'meter') AS k
    JOIN rq_annual AS a ON a.sid = k.sid AND a.usage_point_id = k.usage_point_id
    JOIN rq_past AS e ON e.usage_point_id = k.child_id AND e.customer_id = a.customer_id AND e.billing_period IS NOT NULL
    GROUP BY k.sid, k.usage_point_id, e.billing_period
),
m AS (
    SELECT a.sid, a.usage_point_id, e.billing_period, e.first_on AS started_on, e.last_on AS read_on, e.days, e.first_part,
        greatest(1, date_diff('month', e.first_on, e.last_on)) AS months,
        greatest(e.kwh - coalesce(s.kwh, 0), 0) AS kwh
    FROM rq_annual AS a
    JOIN rq_past AS e ON e.usage_point_id = a.usage_point_id AND e.customer_id = a.customer_id
        AND e.billing_period IS NOT NULL
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
SELECT m.sid, m.usage_point_id, m.billing_period, m.started_on, m.read_on, m.days, m.first_part,
    CAST(CAST(greatest(m.kwh - coalesce(a.quantity, 0), 0) AS DECIMAL(14,2))
        * greatest(1 - CAST(coalesce(a.ratio, 0) AS DECIMAL(9,6)), 0) AS DECIMAL(18,2)) AS kwh
FROM m LEFT JOIN agreed AS a ON a.sid = m.sid AND a.usage_point_id = m.usage_point_id
    AND a.billing_period = m.billing_period

-- :: rt_prior
WITH y AS (
    SELECT sid, usage_point_id, sum(kwh) AS kwh, sum(days) AS days, min(started_on) AS first_on, max(read_on) AS last_on,
        min(first_part) AS first_part
    FROM rq_year GROUP BY sid, usage_point_id
    UNION ALL
    SELECT a.sid, a.usage_point_id, p.kwh, p.days, p.first_on, p.last_on, p.first_part
    FROM rq_annual AS a
    JOIN rq_past AS p ON p.usage_point_id = a.usage_point_id AND p.customer_id = a.customer_id
    WHERE p.billing_period IS NULL AND a.metering_method = 'meter'
),
-- settlements of the same month before this one count as well
sibling AS (
    SELECT a.sid, a.usage_point_id, sum(e.kwh) AS kwh
    FROM rq_annual AS a
    JOIN rt_settlement AS s ON s.customer_id = a.customer_id AND s.seq < a.seq AND a.seq > 1
    JOIN rt_energy AS e ON e.sid = s.sid AND e.usage_point_id = a.usage_point_id
    GROUP BY a.sid, a.usage_point_id
),
now AS (
    SELECT a.sid, a.usage_point_id, min(i.day_from) AS started_on, max(i.day_to) AS read_on
    FROM rq_annual AS a
    JOIN rq_interval AS i ON i.sid = a.sid AND i.usage_point_id = a.usage_point_id AND NOT i.guest
    WHERE a.whole GROUP BY a.sid, a.usage_point_id
    UNION ALL
    SELECT a.sid, a.usage_point_id, min(i.day_from), max(i.day_to)
    FROM rq_annual AS a
    JOIN rt_settlement AS s ON s.customer_id = a.customer_id
    JOIN rq_interval AS i ON i.sid = s.sid AND i.usage_point_id = a.usage_point_id AND NOT i.guest
    WHERE NOT a.whole GROUP BY a.sid, a.usage_point_id
),
f AS (
    SELECT a.sid, a.usage_point_id, a.in_service_from, a.metering_method, y.first_on, y.last_on, y.days, y.kwh,
        n.started_on, n.read_on, b.kwh AS before_kwh,
        CASE WHEN a.in_service_from < :year_start THEN 1 ELSE month(a.in_service_from) END AS first_month,
        CASE WHEN a.opened_on < :year_start THEN 1 ELSE least(month(a.opened_on), 12) END AS opening_month,
        y.first_part // 1000 - y.first_part % 1000 + 1 AS held_from,
        greatest(1, date_diff('month', n.started_on, n.read_on)) AS span
    FROM rq_annual AS a
    LEFT JOIN y ON y.sid = a.sid AND y.usage_point_id = a.usage_point_id
    LEFT JOIN sibling AS b ON b.sid = a.sid AND b.usage_point_id = a.usage_point_id
    LEFT JOIN now AS n ON n.sid = a.sid AND n.usage_point_id = a.usage_point_id
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
