-- Tiers: kWh climb the ladder of a point in the order of time; each tier adds to the price, or has its own.

-- :: rc_entitled
SELECT DISTINCT s.sid, n.kind
FROM rt_settlement AS s
JOIN entitlement AS n ON n.customer_id = s.customer_id AND n.valid_from <= s.read_on
    AND (n.valid_to IS NULL OR n.valid_to > s.read_on)
WHERE n.kind IN ('many_members', 'low_income', 'fund_exempt');

-- :: rc_ladder
SELECT d.tariff_id, d.on_day, t.tier_id, t.tier_basis, t.tier_measure
FROM (SELECT DISTINCT tariff_id, on_day FROM rc_day) AS d
JOIN rt_tariff AS t ON t.tariff_id = d.tariff_id AND t.in_force_from <= d.on_day
    AND (t.in_force_to IS NULL OR t.in_force_to > d.on_day)
WHERE t.tier_id IS NOT NULL;

-- :: rc_ladder_odd
-- Tiered prices without limits, and a combination nobody has defined.
SELECT DISTINCT s.tariff_id, s.on_day,
    'tier limits of ' || s.tariff_id || ' unknown' AS detail
FROM rc_shape AS s
LEFT JOIN rc_ladder AS l ON l.tariff_id = s.tariff_id AND l.on_day = s.on_day
WHERE s.by_tier = 1 AND l.tariff_id IS NULL
UNION
SELECT tariff_id, on_day, 'annual tiers within periods of ' || tariff_id
FROM rc_ladder WHERE tier_basis = 'annual' AND tier_measure = 'period';

-- :: gap_unsupported_tiers
SELECT e.sid, 'unsupported' AS reason, min(o.detail) AS detail
FROM rt_energy AS e
JOIN rc_ladder_odd AS o ON o.tariff_id = e.tariff_id AND o.on_day = e.seg_from
WHERE e.kwh <> 0 GROUP BY e.sid;

-- :: rc_climb
-- kWh per segment (and period, where each has its own ladder), what came before them, and which ladder it is.
WITH used AS (
    SELECT e.sid, e.usage_point_id, e.seg, e.seg_from, e.seg_to, e.tariff_id, l.tier_basis, 'all' AS scope, e.kwh
    FROM rc_segment AS e
    JOIN rc_ladder AS l ON l.tariff_id = e.tariff_id AND l.on_day = e.seg_from AND coalesce(l.tier_measure, '') <> 'period'
    UNION ALL
    SELECT e.sid, e.usage_point_id, e.seg, e.seg_from, e.seg_to, e.tariff_id, l.tier_basis, e.period AS scope,
        CAST(sum(e.kwh) AS DECIMAL(18,4)) AS kwh
    FROM rt_energy AS e
    JOIN rc_ladder AS l ON l.tariff_id = e.tariff_id AND l.on_day = e.seg_from AND l.tier_measure = 'period'
    GROUP BY e.sid, e.usage_point_id, e.seg, e.seg_from, e.seg_to, e.tariff_id, l.tier_basis, e.period
),
several AS (SELECT DISTINCT sid, usage_point_id FROM used WHERE seg > 1),
earlier AS (
    SELECT u.sid, u.usage_point_id, u.seg, u.seg_from, u.seg_to, u.tariff_id, u.tier_basis, u.scope, u.kwh,
        coalesce(sum(u.kwh) OVER (
            PARTITION BY u.sid, u.usage_point_id, u.scope ORDER BY u.seg_from, u.seg
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ), 0) AS prior_kwh
    FROM used AS u JOIN several AS s ON s.sid = u.sid AND s.usage_point_id = u.usage_point_id
    UNION ALL
    SELECT u.sid, u.usage_point_id, u.seg, u.seg_from, u.seg_to, u.tariff_id, u.tier_basis, u.scope, u.kwh, 0
    FROM used AS u LEFT JOIN several AS s ON s.sid = u.sid AND s.usage_point_id = u.usage_point_id WHERE s.sid IS NULL
)
SELECT e.sid, e.usage_point_id, e.seg, e.seg_from, e.seg_to, e.tariff_id, e.scope, e.kwh,
    CAST(CASE WHEN e.tier_basis = 'annual' THEN e.prior_kwh + coalesce(p.kwh, 0) ELSE e.prior_kwh END AS DECIMAL(18,4)) AS prior_kwh,
    CASE WHEN e.tier_basis = 'annual' THEN p.months
        ELSE CAST(greatest(1, date_diff('month', s.started_on, s.read_on)) AS INTEGER) END AS months,
    CASE WHEN n.sid IS NULL THEN 0 ELSE 1 END AS many
FROM earlier AS e
JOIN rt_settlement AS s ON s.sid = e.sid
LEFT JOIN rt_prior AS p ON p.sid = e.sid AND p.usage_point_id = e.usage_point_id
LEFT JOIN rc_entitled AS n ON n.sid = e.sid AND n.kind = 'many_members';

-- :: gap_history_short
SELECT sid, 'history_short' AS reason, min(usage_point_id) AS detail FROM rc_climb
WHERE months IS NULL AND kwh <> 0 GROUP BY sid;

-- :: rc_limit
-- Upper limits. Annual: limit × months ÷ 12 to 0.01 kWh, in whole ten-thousandths so that no fraction is lost.
-- Monthly: the limits of the months up to the rated one, added up.
WITH asked AS (SELECT DISTINCT tariff_id, seg_from AS on_day, months, many, scope FROM rc_climb WHERE months IS NOT NULL),
chosen AS (
    SELECT a.tariff_id, a.on_day, a.months, a.many, a.scope, l.tier_basis, t.tier, t.upto_kwh,
        CAST(coalesce(t.member_kwh, 0) * a.months * a.many AS DECIMAL(18,4)) AS more,
        CASE WHEN l.tier_basis = 'annual' THEN 1
            ELSE a.months // 12 + CASE WHEN (:month_of_year - t.moy + 12) % 12 < a.months % 12 THEN 1 ELSE 0 END END AS times
    FROM asked AS a
    JOIN rc_ladder AS l ON l.tariff_id = a.tariff_id AND l.on_day = a.on_day
    JOIN tb_tier AS t ON t.tier_id = l.tier_id AND t.in_force_from <= a.on_day
        AND (t.in_force_to IS NULL OR t.in_force_to > a.on_day)
    LEFT JOIN (SELECT DISTINCT tier_id, period FROM tb_tier) AS own ON own.tier_id = l.tier_id AND own.period = a.scope
    WHERE t.period = CASE WHEN own.tier_id IS NULL THEN 'all' ELSE a.scope END
)
SELECT tariff_id, on_day, months, many, scope, tier,
    CASE WHEN count(upto_kwh) < count(*) THEN NULL
        WHEN max(tier_basis) = 'annual' THEN CAST(max(more) + CAST(
            (2 * CAST(max(upto_kwh) * 10000 AS BIGINT) * months + 1200) // 2400 AS DECIMAL(18,0)) * CAST('0.01' AS DECIMAL(3,2))
            AS DECIMAL(18,4))
        ELSE CAST(max(more) + sum(upto_kwh * times) AS DECIMAL(18,4)) END AS upper_kwh
FROM chosen WHERE times > 0
GROUP BY tariff_id, on_day, months, many, scope, tier;

-- :: rc_rung
SELECT tariff_id, on_day, months, many, scope, tier, upper_kwh,
    CAST(coalesce(lag(upper_kwh) OVER (PARTITION BY tariff_id, on_day, months, many, scope ORDER BY tier), 0) AS DECIMAL(18,4))
        AS lower_kwh
FROM rc_limit;

-- :: rc_step
SELECT c.sid, c.usage_point_id, c.seg, c.seg_from, c.seg_to, c.tariff_id, c.scope, r.tier, c.prior_kwh, c.kwh, r.lower_kwh, r.upper_kwh,
    CAST(CASE WHEN r.upper_kwh < c.prior_kwh + c.kwh THEN r.upper_kwh ELSE c.prior_kwh + c.kwh END
        - greatest(c.prior_kwh, r.lower_kwh) AS DECIMAL(18,4)) AS quantity
FROM rc_climb AS c
JOIN rc_rung AS r ON r.tariff_id = c.tariff_id AND r.on_day = c.seg_from AND r.months = c.months AND r.many = c.many
    AND r.scope = c.scope
WHERE c.kwh > 0 AND c.prior_kwh + c.kwh > r.lower_kwh AND (r.upper_kwh IS NULL OR c.prior_kwh < r.upper_kwh);

-- :: rc_step_period
-- The price a step has: of its ladder's scope. Where one ladder over all kWh has prices by period, the kWh of each
-- tier are shared over the periods by kWh, to 0.0001; the last period takes the remainder.
WITH split AS (
    SELECT s.sid, s.usage_point_id, s.seg, s.seg_from, s.seg_to, s.tariff_id, s.tier, s.prior_kwh, s.kwh, s.lower_kwh,
        s.upper_kwh, s.quantity, e.period, e.kwh AS period_kwh,
        row_number() OVER (
            PARTITION BY s.sid, s.usage_point_id, s.seg, s.tier
            ORDER BY CASE e.period WHEN 'sharp' THEN 1 WHEN 'peak' THEN 2 WHEN 'flat' THEN 3 WHEN 'valley' THEN 4
                WHEN 'deep_valley' THEN 5 ELSE 6 END DESC, e.period DESC
        ) AS from_last
    FROM rc_step AS s
    JOIN rc_shape AS h ON h.tariff_id = s.tariff_id AND h.on_day = s.seg_from AND h.component = 'energy'
        AND h.by_tier = 1 AND h.by_period = 1
    JOIN rt_energy AS e ON e.sid = s.sid AND e.usage_point_id = s.usage_point_id AND e.seg = s.seg AND e.kwh > 0
    WHERE s.scope = 'all'
),
near AS (
    SELECT sid, usage_point_id, seg, seg_from, seg_to, tariff_id, tier, prior_kwh, kwh, lower_kwh, upper_kwh, quantity,
        period, period_kwh, from_last, CAST(safe_div(CAST(quantity AS DECIMAL(19,4)) * period_kwh, kwh) AS DECIMAL(18,4)) AS near
    FROM split
),
shared AS (
    SELECT sid, usage_point_id, seg, seg_from, seg_to, tariff_id, tier, prior_kwh, kwh, lower_kwh, upper_kwh, quantity,
        period, from_last,
        near + CASE WHEN 2 * (CAST(quantity AS DECIMAL(19,4)) * period_kwh - CAST(near AS DECIMAL(19,4)) * kwh) >= 0.0001 * kwh THEN 0.0001
            WHEN 2 * (CAST(quantity AS DECIMAL(19,4)) * period_kwh - CAST(near AS DECIMAL(19,4)) * kwh) < -0.0001 * kwh THEN -0.0001 ELSE 0 END AS part
    FROM near
),
whole AS (
    SELECT sid, usage_point_id, seg, seg_from, seg_to, tariff_id, tier, prior_kwh, kwh, lower_kwh, upper_kwh, quantity,
        period, from_last, part,
        sum(CASE WHEN from_last = 1 THEN 0 ELSE part END) OVER (PARTITION BY sid, usage_point_id, seg, tier) AS others
    FROM shared
)
SELECT sid, usage_point_id, seg, seg_from, seg_to, tariff_id, period, tier, prior_kwh, kwh, lower_kwh, upper_kwh,
    CAST(CASE WHEN from_last = 1 THEN quantity - others ELSE part END AS DECIMAL(18,4)) AS quantity
FROM whole
UNION ALL
SELECT s.sid, s.usage_point_id, s.seg, s.seg_from, s.seg_to, s.tariff_id, s.scope, s.tier, s.prior_kwh, s.kwh, s.lower_kwh,
    s.upper_kwh, s.quantity
FROM rc_step AS s
LEFT JOIN (SELECT DISTINCT sid, usage_point_id, seg FROM split) AS p
    ON p.sid = s.sid AND p.usage_point_id = s.usage_point_id AND p.seg = s.seg
WHERE p.sid IS NULL;

-- :: gap_no_price_of_tier
-- A tier without a price; the adder of the first tier may be left out, being none.
SELECT s.sid, 'no_price' AS reason, min(s.tariff_id || ' tier ' || CAST(s.tier AS VARCHAR)) AS detail
FROM rc_step_period AS s
JOIN rc_shape AS h ON h.tariff_id = s.tariff_id AND h.on_day = s.seg_from AND h.by_tier = 1
LEFT JOIN rc_rate AS r ON r.tariff_id = s.tariff_id AND r.on_day = s.seg_from AND r.component = h.component
    AND r.tier = s.tier AND (r.period = s.period OR (r.component = 'tier' AND r.period = 'all'))
LEFT JOIN rc_ladder_odd AS o ON o.tariff_id = s.tariff_id AND o.on_day = s.seg_from
WHERE r.rate IS NULL AND o.tariff_id IS NULL AND (h.component <> 'tier' OR s.tier > 1)
GROUP BY s.sid;

-- :: rc_tier
SELECT s.sid, s.usage_point_id, s.seg, s.seg_from, s.seg_to, s.quantity, s.tier, s.prior_kwh, s.kwh, s.lower_kwh, s.upper_kwh, r.rate
FROM rc_step_period AS s
JOIN rc_rate AS r ON r.tariff_id = s.tariff_id AND r.on_day = s.seg_from AND r.component IN ('tier', 'energy')
    AND r.tier = s.tier AND (r.period = s.period OR (r.component = 'tier' AND r.period = 'all'))
WHERE s.quantity > 0;
