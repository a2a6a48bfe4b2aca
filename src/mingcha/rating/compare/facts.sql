-- What is known about each component that differs.

-- :: cmp_main
-- the pair that differs most
SELECT sid, component, period, tier, billed_price, rerated_price, billed_tariff, rerated_tariff, billed_days, rerated_days
FROM (
    SELECT sid, component, period, tier, billed_price, rerated_price, billed_tariff, rerated_tariff, billed_days, rerated_days,
        row_number() OVER (PARTITION BY sid, component
            ORDER BY abs(billed_amount - rerated_amount) DESC, period, tier, usage_point_id) AS nth
    FROM cmp_pair
) AS p WHERE nth = 1

-- :: cmp_fact
-- sums over the pairs: what the quantities and what the prices account for
SELECT sid, component, CAST(sum(billed_quantity) AS DECIMAL(18,4)) AS billed_quantity,
    CAST(sum(rerated_quantity) AS DECIMAL(18,4)) AS rerated_quantity,
    max(billed_top) AS billed_top, max(rerated_top) AS rerated_top,
    CAST(sum(abs(billed_quantity - rerated_quantity)) AS DECIMAL(18,4)) AS moved,
    CAST(sum(CASE WHEN billed_lines > 0 AND rerated_lines > 0 THEN 1 ELSE 0 END) AS INTEGER) AS common,
    max(CASE WHEN billed_lines > 0 AND rerated_lines > 0 THEN abs(billed_price - rerated_price) END) AS price_gap,
    max(CASE WHEN tier > 0 AND billed_quantity <> rerated_quantity THEN 1 ELSE 0 END) AS tier_moved,
    CAST(abs(sum(CAST(CAST(billed_quantity - rerated_quantity AS DECIMAL(20,4)) * coalesce(rerated_price, billed_price, 0) AS DECIMAL(28,8)))) AS DECIMAL(28,8))
        AS by_quantity,
    CAST(abs(sum(CASE WHEN billed_lines > 0 AND rerated_lines > 0
        THEN CAST(CAST(billed_price - rerated_price AS DECIMAL(20,8)) * billed_quantity AS DECIMAL(28,8)) ELSE 0 END)) AS DECIMAL(28,8)) AS by_price
FROM cmp_pair GROUP BY sid, component

-- :: cmp_kwh
-- energy and losses of the settlements in question
SELECT l.sid,
    CAST(sum(CASE WHEN l.billed AND l.component = 'energy' THEN l.quantity ELSE 0 END) AS DECIMAL(18,4)) AS billed_kwh,
    CAST(sum(CASE WHEN NOT l.billed AND l.component = 'energy' AND NOT l.loss THEN l.quantity ELSE 0 END) AS DECIMAL(18,4)) AS rerated_kwh,
    CAST(sum(CASE WHEN l.billed AND l.loss THEN l.quantity ELSE 0 END) AS DECIMAL(18,4)) AS billed_loss,
    CAST(sum(CASE WHEN NOT l.billed AND l.component IN ('transformer_loss', 'line_loss') THEN l.quantity ELSE 0 END) AS DECIMAL(18,4))
        AS rerated_loss
FROM cmp_both AS l
WHERE l.sid IN (SELECT o.sid FROM cmp_off AS o)
GROUP BY l.sid

-- :: cmp_meter
-- what the main meters measured, by the multiplier of the archive, by that on the reading, and without any
SELECT p.sid, CAST(sum(CAST(r.end_value - r.start_value AS DECIMAL(20,4)) * u.multiplier) AS DECIMAL(28,4)) AS true_kwh,
    CAST(sum(CAST(r.end_value - r.start_value AS DECIMAL(20,4)) * r.multiplier) AS DECIMAL(28,4)) AS stated_kwh,
    CAST(sum(r.end_value - r.start_value) AS DECIMAL(28,4)) AS raw_kwh
FROM rt_settlement AS s
JOIN rt_point AS p ON p.sid = s.sid AND p.main
JOIN reading AS r ON r.usage_point_id = p.usage_point_id AND r.billing_period = s.billing_period AND r.register = 'active'
    AND r.started_on >= s.started_on AND r.read_on <= s.read_on
JOIN usage_point AS u ON u.usage_point_id = r.usage_point_id AND u.effective_from <= r.started_on
    AND (u.effective_to IS NULL OR u.effective_to > r.started_on)
WHERE s.sid IN (SELECT o.sid FROM cmp_off AS o)
GROUP BY p.sid

-- :: cmp_terms
-- factors on the price of energy that the contract knows
SELECT sid, max(agent_factor) AS agent_factor FROM rt_contract
WHERE sid IN (SELECT o.sid FROM cmp_off AS o)
GROUP BY sid

-- :: cmp_rate
-- prices by tariff, component and days, items added up
SELECT tariff_id, component, period, tier, in_force_from, in_force_to, CAST(sum(price) AS DECIMAL(18,8)) AS price
FROM rt_price GROUP BY tariff_id, component, period, tier, in_force_from, in_force_to

-- :: cmp_known
-- whether the billed price is one of the same tariff on other days, or one of another tariff on these days
SELECT m.sid, m.component,
    max(CASE WHEN r.tariff_id = m.rerated_tariff THEN 1 ELSE 0 END) AS own,
    max(CASE WHEN r.tariff_id <> m.rerated_tariff AND r.in_force_from < s.read_on
        AND (r.in_force_to IS NULL OR r.in_force_to > s.started_on) THEN 1 ELSE 0 END) AS other
FROM cmp_main AS m
JOIN rt_settlement AS s ON s.sid = m.sid
JOIN cmp_rate AS r ON r.price = m.billed_price
    AND r.component = CASE WHEN m.component = 'basic_demand_over' THEN 'basic_demand' ELSE m.component END
    AND r.period IN (m.period, 'all')
WHERE m.billed_price <> m.rerated_price
GROUP BY m.sid, m.component

-- :: cmp_pf
-- the power factor to 0.01, half up: a guess in DOUBLE put right by comparing squares
WITH squares AS (
    SELECT sid, CAST(wp AS DECIMAL(19,2)) * CAST(wp AS DECIMAL(19,2)) AS active,
        CAST(wp AS DECIMAL(19,2)) * CAST(wp AS DECIMAL(19,2)) + CAST(wq AS DECIMAL(19,2)) * CAST(wq AS DECIMAL(19,2)) AS apparent,
        CAST(floor(100 * safe_div(wp, sqrt(CAST(wp AS DOUBLE) * CAST(wp AS DOUBLE) + CAST(wq AS DOUBLE) * CAST(wq AS DOUBLE))) + 0.5)
            AS INTEGER) AS guess
    FROM rt_power WHERE wp > 0
)
SELECT sid, CAST((guess
    - CASE WHEN guess > 0 AND active * CAST(40000 AS DECIMAL(5,0)) < apparent * CAST((2 * guess - 1) * (2 * guess - 1) AS DECIMAL(5,0))
        THEN 1 ELSE 0 END
    + CASE WHEN guess < 100 AND active * CAST(40000 AS DECIMAL(5,0)) >= apparent * CAST((2 * guess + 1) * (2 * guess + 1) AS DECIMAL(5,0))
        THEN 1 ELSE 0 END) * CAST('0.01' AS DECIMAL(3,2)) AS DECIMAL(18,6)) AS power_factor
FROM squares
