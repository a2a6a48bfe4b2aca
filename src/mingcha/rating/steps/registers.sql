-- :: rq_subreading
-- readings of metered sub-points that other customers hold behind a point of ours: only deducted there
WITH c AS (
    SELECT u.usage_point_id, u.parent_usage_point_id, u.multiplier, u.effective_from,
        least(coalesce(u.effective_to, DATE '9999-12-31'),
            coalesce(lead(u.effective_from) OVER (PARTITION BY u.usage_point_id ORDER BY u.effective_from),
                DATE '9999-12-31')) AS effective_to, u.customer_id, u.relation, u.metering_method
    FROM usage_point AS u WHERE u.role = 'sale' AND u.parent_usage_point_id IS NOT NULL
)
SELECT s.sid, r.reading_id, r.usage_point_id, c.parent_usage_point_id, r.meter_id, r.register, r.start_value,
    r.end_value, r.started_on, r.read_on, c.multiplier
FROM c
JOIN rq_point AS p ON p.usage_point_id = c.parent_usage_point_id
JOIN rt_settlement AS s ON s.sid = p.sid AND (c.customer_id IS NULL OR c.customer_id <> s.customer_id)
JOIN rq_part AS k ON k.customer_id = s.customer_id AND k.seq = s.seq
JOIN reading AS r ON r.usage_point_id = c.usage_point_id AND r.billing_period = :period
    AND c.effective_from <= r.started_on AND c.effective_to > r.started_on
    AND r.read_on > k.after_on AND r.read_on <= k.upto_on
WHERE c.relation = 'sub_deducted' AND c.metering_method = 'meter'

-- :: rq_register
-- energy of every register read, to 0.01: (end - start, with roll-over) × multiplier; demand is rounded later
WITH r AS (
    SELECT s.sid, r.reading_id, r.usage_point_id, r.main, FALSE AS guest, CAST(NULL AS VARCHAR) AS parent_usage_point_id,
        r.meter_id, r.register, r.start_value, r.end_value, r.started_on, r.read_on, r.multiplier
    FROM rq_reading AS r
    JOIN rt_settlement AS s ON s.customer_id = r.customer_id
    LEFT JOIN rq_cut AS k ON k.customer_id = s.customer_id AND k.seq = s.seq
    WHERE r.read_on > coalesce(k.after_on, DATE '1900-01-01') AND r.read_on <= coalesce(k.upto_on, DATE '9999-12-31')
    UNION ALL
    SELECT sid, reading_id, usage_point_id, FALSE AS main, TRUE AS guest, parent_usage_point_id, meter_id, register,
        start_value, end_value, started_on, read_on, multiplier
    FROM rq_subreading
),
-- the digits of a meter matter only where a reading is below the one before
turned AS (
    SELECT m.meter_id, m.digits
    FROM meter AS m
    JOIN (SELECT DISTINCT meter_id FROM r WHERE end_value < start_value) AS t ON t.meter_id = m.meter_id
),
d AS (
    SELECT r.sid, r.reading_id, r.usage_point_id, r.main, r.guest, r.parent_usage_point_id, r.register, r.started_on,
        r.read_on, r.multiplier, r.start_value, r.end_value,
        CASE WHEN r.end_value < r.start_value THEN CAST(power(10, m.digits) AS DECIMAL(18,4)) END AS turn_at
    FROM r LEFT JOIN turned AS m ON m.meter_id = CASE WHEN r.end_value < r.start_value THEN r.meter_id END
),
u AS (
    SELECT sid, reading_id, usage_point_id, main, guest, parent_usage_point_id, register, started_on, read_on, multiplier,
        end_value - start_value
            + CASE WHEN turn_at IS NOT NULL AND start_value > 0.9 * turn_at AND end_value < 0.1 * turn_at THEN turn_at ELSE 0 END
            AS units
    FROM d
)
SELECT sid, reading_id, usage_point_id, main, guest, parent_usage_point_id, register, started_on, read_on, units,
    CASE WHEN register = 'demand' THEN CAST(CAST(units AS DECIMAL(18,4)) * multiplier AS DECIMAL(18,4))
        ELSE CAST(CAST(CAST(units AS DECIMAL(18,4)) * multiplier AS DECIMAL(18,2)) AS DECIMAL(18,4)) END AS kwh
FROM u

-- :: rq_interval
-- intervals between two readings of the active register of each point, numbered
WITH i AS (
    SELECT r.sid, r.usage_point_id, r.guest, min(r.parent_usage_point_id) AS parent_usage_point_id,
        r.started_on AS day_from, r.read_on AS day_to, sum(r.kwh) AS kwh
    FROM rq_register AS r WHERE r.register = 'active'
    GROUP BY r.sid, r.usage_point_id, r.guest, r.started_on, r.read_on
)
SELECT sid, usage_point_id, guest, parent_usage_point_id, day_from, day_to, CAST(kwh AS DECIMAL(18,4)) AS kwh,
    CAST(row_number() OVER (PARTITION BY sid, usage_point_id ORDER BY day_from, day_to) AS INTEGER) AS ival,
    lag(day_to) OVER (PARTITION BY sid, usage_point_id ORDER BY day_from, day_to) AS before_to
FROM i

-- :: rq_point_period
-- the periods each point is priced by while it is read; a deducted sub-point of another customer has its parent's
WITH own AS (
    SELECT DISTINCT t.sid, t.usage_point_id, p.pos, p.period
    FROM rq_tenure AS t
    JOIN rt_settlement AS s ON s.sid = t.sid
    JOIN rq_tariff_period AS p ON p.tariff_id = t.tariff_id
        AND p.in_force_from < least(t.day_to, greatest(s.read_on, s.started_on + 1))
        AND (p.in_force_to IS NULL OR p.in_force_to > greatest(t.day_from, s.started_on))
    WHERE t.day_from < greatest(s.read_on, s.started_on + 1) AND t.day_to > s.started_on
)
SELECT sid, usage_point_id, pos, period FROM own

-- :: rq_split
-- one row per interval, view and period: how the meter itself divides the interval. `viewer` is the point whose
-- periods are meant: the point itself, and for a deducted sub-point also its parent. `turn` says which period is the
-- rest of the others: the lowest, and no two are alike
WITH viewed AS (
    SELECT i.sid, i.usage_point_id, i.ival, i.day_from, i.day_to, i.kwh, i.usage_point_id AS viewer
    FROM rq_interval AS i WHERE NOT i.guest
    UNION ALL
    SELECT i.sid, i.usage_point_id, i.ival, i.day_from, i.day_to, i.kwh, p.parent_usage_point_id AS viewer
    FROM rq_interval AS i
    JOIN rq_point AS p ON p.sid = i.sid AND p.usage_point_id = i.usage_point_id AND p.relation = 'sub_deducted'
    WHERE NOT i.guest AND p.parent_usage_point_id IS NOT NULL
    UNION ALL
    SELECT i.sid, i.usage_point_id, i.ival, i.day_from, i.day_to, i.kwh, i.parent_usage_point_id AS viewer
    FROM rq_interval AS i WHERE i.guest
),
regs AS (
    SELECT sid, usage_point_id, started_on, read_on, replace(register, 'active_', '') AS period, sum(kwh) AS kwh
    FROM rq_register
    WHERE register IN ('active_sharp', 'active_peak', 'active_flat', 'active_valley', 'active_deep_valley')
    GROUP BY sid, usage_point_id, started_on, read_on, register
),
cells AS (
    SELECT v.sid, v.usage_point_id, v.viewer, v.ival, v.day_from, v.day_to, v.kwh AS total, p.pos, p.period, r.kwh,
        CASE WHEN r.kwh IS NOT NULL AND p.period = 'flat' THEN 6
            WHEN r.kwh IS NOT NULL THEN 20 - p.pos
            WHEN p.period = 'flat' THEN 0 ELSE p.pos END AS turn
    FROM viewed AS v
    JOIN rq_point_period AS p ON p.sid = v.sid AND p.usage_point_id = v.viewer
    LEFT JOIN regs AS r ON r.sid = v.sid AND r.usage_point_id = v.usage_point_id AND r.started_on = v.day_from
        AND r.read_on = v.day_to AND r.period = p.period
),
whole AS (
    SELECT sid, usage_point_id, viewer, ival, min(turn) AS turn, count(kwh) AS known, coalesce(sum(kwh), 0) AS kwh
    FROM cells GROUP BY sid, usage_point_id, viewer, ival
)
SELECT c.sid, c.usage_point_id, c.viewer, c.ival, c.day_from, c.day_to, c.pos, c.period, w.known,
    CAST(CASE WHEN c.turn = w.turn THEN c.total - (w.kwh - coalesce(c.kwh, 0)) ELSE coalesce(c.kwh, 0) END
        AS DECIMAL(18,4)) AS kwh
FROM cells AS c
JOIN whole AS w ON w.sid = c.sid AND w.usage_point_id = c.usage_point_id AND w.viewer = c.viewer AND w.ival = c.ival
UNION ALL
SELECT v.sid, v.usage_point_id, v.viewer, v.ival, v.day_from, v.day_to, 0 AS pos, 'all' AS period,
    CAST(1 AS BIGINT) AS known, v.kwh
FROM viewed AS v
LEFT JOIN (SELECT DISTINCT sid, usage_point_id FROM rq_point_period) AS p
    ON p.sid = v.sid AND p.usage_point_id = v.viewer
WHERE p.sid IS NULL

-- :: gap_no_reading
SELECT p.sid, 'no_reading' AS reason, 'no reading of ' || p.usage_point_id AS detail
FROM rq_point AS p
LEFT JOIN rq_interval AS i ON i.sid = p.sid AND i.usage_point_id = p.usage_point_id
WHERE p.metering_method = 'meter' AND i.sid IS NULL

-- :: gap_no_multiplier
SELECT s.sid, 'no_multiplier' AS reason, 'no entry of ' || r.usage_point_id || ' on ' || CAST(r.started_on AS VARCHAR)
    AS detail
FROM reading AS r
JOIN rq_version AS v ON v.usage_point_id = r.usage_point_id
    AND (v.effective_from > r.started_on OR v.effective_to <= r.started_on)
JOIN rt_settlement AS s ON s.customer_id = v.customer_id AND s.last
LEFT JOIN usage_point AS u ON u.usage_point_id = r.usage_point_id AND u.effective_from <= r.started_on
    AND (u.effective_to IS NULL OR u.effective_to > r.started_on)
WHERE r.billing_period = :period AND u.usage_point_id IS NULL

-- :: gap_negative_energy
SELECT sid, 'negative_energy' AS reason, register || ' of ' || usage_point_id || ' runs backwards' AS detail
FROM rq_register
WHERE units < 0 AND register <> 'active_export'

-- :: gap_negative_period
SELECT sid, 'negative_energy' AS reason, 'periods of ' || usage_point_id || ' exceed its total' AS detail
FROM rq_split
WHERE kwh < 0 AND viewer = usage_point_id

-- :: gap_no_period_registers
SELECT sid, 'no_period_registers' AS reason, 'no period registers of ' || usage_point_id AS detail
FROM rq_split
WHERE known = 0 AND kwh <> 0 AND viewer = usage_point_id

-- :: gap_overlap
SELECT sid, 'unsupported' AS reason, 'readings of ' || usage_point_id || ' overlap' AS detail
FROM rq_interval
WHERE before_to > day_from

-- :: gap_other_days
SELECT r.sid, 'unsupported' AS reason, r.register || ' of ' || r.usage_point_id || ' is read on other days' AS detail
FROM rq_register AS r
JOIN rq_point_period AS p ON p.sid = r.sid AND p.usage_point_id = r.usage_point_id
    AND r.register = 'active_' || p.period
LEFT JOIN rq_interval AS i ON i.sid = r.sid AND i.usage_point_id = r.usage_point_id AND i.day_from = r.started_on
    AND i.day_to = r.read_on
WHERE i.sid IS NULL
