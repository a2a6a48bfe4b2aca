-- Prices per kWh. They are looked up once per tariff and day asked for, never once per bill; a line of a bill
-- then carries the number of its price, and its words are put in at the very end (totals).

-- :: rc_day
SELECT DISTINCT tariff_id, seg_from AS on_day, period FROM rt_energy;

-- :: rc_price
-- What is in force on those days. grade: 1 is the strongest evidence, the weakest of a line is shown.
SELECT d.tariff_id, d.on_day, p.component, p.item, p.period, p.tier, p.price, p.tariff_code,
    CASE WHEN coalesce(p.clause, '') = '' THEN coalesce(p.document, 'own') ELSE p.document || ' ' || p.clause END AS source,
    CASE p.evidence WHEN '[O]' THEN 1 WHEN '[S]' THEN 2 WHEN '[D]' THEN 3 WHEN '[K+]' THEN 4 WHEN '[K?]' THEN 5
        WHEN 'default' THEN 6 ELSE 7 END AS grade
FROM (SELECT DISTINCT tariff_id, on_day FROM rc_day) AS d
JOIN rt_price AS p ON p.tariff_id = d.tariff_id AND p.in_force_from <= d.on_day
    AND (p.in_force_to IS NULL OR p.in_force_to > d.on_day)
WHERE p.component IN ('energy', 'grid_loss', 'transmission', 'system', 'surcharge', 'fund', 'tier');

-- :: rc_shape
SELECT tariff_id, on_day, component, max(CASE WHEN period = 'all' THEN 0 ELSE 1 END) AS by_period,
    max(CASE WHEN tier > 0 THEN 1 ELSE 0 END) AS by_tier, count(DISTINCT item) AS items
FROM rc_price GROUP BY tariff_id, on_day, component;

-- :: rc_wanted
-- Energy is priced period by period; another component only where its price depends on the period.
SELECT s.tariff_id, s.on_day, s.component, d.period, s.items
FROM rc_shape AS s JOIN rc_day AS d ON d.tariff_id = s.tariff_id AND d.on_day = s.on_day
WHERE s.component = 'energy' OR s.by_period = 1
UNION
SELECT tariff_id, on_day, component, 'all' AS period, items FROM rc_shape
WHERE (component = 'energy' AND by_tier = 1) OR (component <> 'energy' AND by_period = 0);

-- :: rc_rate
-- One price per tariff, day, component, period and tier: the items of a component added up.
WITH found AS (
    SELECT w.tariff_id, w.on_day, w.component, w.period, w.items, p.item, p.tier, p.price, p.tariff_code, p.source, p.grade,
        row_number() OVER (
            PARTITION BY w.tariff_id, w.on_day, w.component, w.period, p.item, p.tier
            ORDER BY CASE WHEN p.period = w.period THEN 0 ELSE 1 END, p.source, p.price
        ) AS pick
    FROM rc_wanted AS w
    JOIN rc_price AS p ON p.tariff_id = w.tariff_id AND p.on_day = w.on_day AND p.component = w.component
        AND p.period IN (w.period, 'all')
),
texts AS (
    SELECT tariff_id, on_day, component, period, tier, string_agg(source, '; ' ORDER BY source) AS source
    FROM (SELECT DISTINCT tariff_id, on_day, component, period, tier, source FROM found WHERE pick = 1) AS u
    GROUP BY tariff_id, on_day, component, period, tier
),
added AS (
    SELECT tariff_id, on_day, component, period, tier, CAST(sum(price) AS DECIMAL(18,8)) AS price,
        min(tariff_code) AS tariff_code, max(grade) AS grade, count(*) AS items,
        string_agg(
            CASE WHEN price = CAST(price AS DECIMAL(18,4)) THEN CAST(CAST(price AS DECIMAL(18,4)) AS VARCHAR)
                WHEN price = CAST(price AS DECIMAL(18,6)) THEN CAST(CAST(price AS DECIMAL(18,6)) AS VARCHAR)
                ELSE CAST(price AS VARCHAR) END,
            ' + ' ORDER BY item
        ) AS terms
    FROM found WHERE pick = 1
    GROUP BY tariff_id, on_day, component, period, tier
    HAVING count(*) = max(items)
)
SELECT row_number() OVER (ORDER BY a.tariff_id, a.on_day, a.component, a.period, a.tier) AS rate,
    row_number() OVER (
        PARTITION BY a.tariff_id, a.on_day, a.component
        ORDER BY CASE a.period WHEN 'sharp' THEN 1 WHEN 'peak' THEN 2 WHEN 'flat' THEN 3 WHEN 'valley' THEN 4
            WHEN 'deep_valley' THEN 5 ELSE 6 END, a.period, a.tier
    ) AS place,
    a.tariff_id, a.on_day, a.component, a.period, a.tier, a.price, a.tariff_code, a.grade, t.source,
    CASE WHEN a.items = 1 THEN 'kWh × price' ELSE 'kWh × (' || a.terms || ')' END AS formula
FROM added AS a
JOIN texts AS t ON t.tariff_id = a.tariff_id AND t.on_day = a.on_day AND t.component = a.component
    AND t.period = a.period AND t.tier = a.tier;

-- :: rc_contract
-- Segments of points whose energy price is not simply the tariff's: traded directly, or multiplied.
SELECT e.sid, e.usage_point_id, e.seg, max(CASE WHEN c.purchase_mode = 'direct' THEN 1 ELSE 0 END) AS direct,
    max(CASE WHEN c.purchase_mode = 'direct' THEN CAST(1 AS DECIMAL(9,4))
        ELSE CAST(coalesce(c.agent_factor, 1) AS DECIMAL(9,4)) END) AS factor
FROM rt_contract AS c
JOIN rt_energy AS e ON e.sid = c.sid AND c.seg_from <= e.seg_from AND e.seg_from < c.seg_to
JOIN rt_tariff AS t ON t.tariff_id = e.tariff_id AND t.in_force_from <= e.seg_from
    AND (t.in_force_to IS NULL OR t.in_force_to > e.seg_from)
WHERE (c.purchase_mode = 'direct' OR coalesce(c.agent_factor, 1) <> 1)
    AND (e.tariff_id = c.tariff_id OR t.price_basis IN ('agent', 'market'))
GROUP BY e.sid, e.usage_point_id, e.seg;

-- :: rc_market
-- Energy prices of the market as billed: handed on, not checked.
WITH traded AS (
    SELECT s.sid, s.customer_id, ',' || replace(s.bill_ids, ' ', '') || ',' AS bill_ids
    FROM rt_settlement AS s
    JOIN (SELECT DISTINCT sid FROM rc_contract WHERE direct = 1) AS d ON d.sid = s.sid
),
billed AS (
    SELECT t.sid, l.usage_point_id, coalesce(l.period, 'all') AS period, l.price, l.quantity, l.amount
    FROM traded AS t
    JOIN bill AS b ON b.customer_id = t.customer_id AND b.billing_period = :period
        AND contains(t.bill_ids, ',' || b.bill_id || ',')
    JOIN bill_line AS l ON l.bill_id = b.bill_id AND l.component = 'energy'
    WHERE l.quantity <> 0
)
SELECT sid, usage_point_id, period,
    CASE WHEN min(price) = max(price) AND count(price) = count(*) THEN CAST(max(price) AS DECIMAL(18,8))
        ELSE CAST(safe_div(CAST(sum(amount) AS DECIMAL(18,2)), CAST(sum(quantity) AS DECIMAL(18,4))) AS DECIMAL(18,8))
        END AS price,
    CASE WHEN min(price) = max(price) AND count(price) = count(*) THEN 0 ELSE 1 END AS averaged
FROM billed GROUP BY sid, usage_point_id, period;

-- :: rc_traded
-- kWh of direct customers with the price they were billed; NULL where no bill line names one.
WITH candidate AS (
    SELECT e.sid, e.usage_point_id, e.seg, e.seg_from, e.seg_to, e.tariff_id, e.period, e.kwh, m.price, m.averaged,
        row_number() OVER (
            PARTITION BY e.sid, e.usage_point_id, e.seg, e.period
            ORDER BY CASE WHEN m.usage_point_id = e.usage_point_id THEN 0 ELSE 1 END,
                CASE WHEN m.period = e.period THEN 0 ELSE 1 END, m.price
        ) AS pick
    FROM rt_energy AS e
    JOIN rc_contract AS c ON c.sid = e.sid AND c.usage_point_id = e.usage_point_id AND c.seg = e.seg AND c.direct = 1
    LEFT JOIN rc_market AS m ON m.sid = e.sid AND m.period IN (e.period, 'all')
        AND (m.usage_point_id = e.usage_point_id OR m.usage_point_id IS NULL)
    WHERE e.kwh <> 0
)
SELECT sid, usage_point_id, seg, seg_from, seg_to, tariff_id, period, kwh, price, averaged FROM candidate WHERE pick = 1;

-- :: rc_unpriced
-- Days on which a component has no price: never in a book that loads, but a utility's own prices may have holes.
SELECT d.tariff_id, d.on_day, d.period, 'energy' AS component
FROM rc_day AS d
LEFT JOIN (SELECT DISTINCT tariff_id, on_day, period FROM rc_rate WHERE component = 'energy') AS r
    ON r.tariff_id = d.tariff_id AND r.on_day = d.on_day AND r.period IN (d.period, 'all')
WHERE r.tariff_id IS NULL
UNION
SELECT d.tariff_id, d.on_day, d.period, s.component
FROM rc_day AS d
JOIN rc_shape AS s ON s.tariff_id = d.tariff_id AND s.on_day = d.on_day AND s.component NOT IN ('energy', 'tier')
LEFT JOIN (SELECT DISTINCT tariff_id, on_day, component, period FROM rc_rate) AS r
    ON r.tariff_id = d.tariff_id AND r.on_day = d.on_day AND r.component = s.component
    AND r.period = CASE WHEN s.by_period = 1 THEN d.period ELSE 'all' END
WHERE r.tariff_id IS NULL
UNION
SELECT d.tariff_id, d.on_day, d.period, p.component
FROM rc_day AS d
JOIN (SELECT tariff_id, component, min(in_force_from) AS first_day, max(in_force_from) AS last_day
      FROM rt_price
      WHERE component IN ('grid_loss', 'transmission', 'system', 'surcharge', 'fund', 'tier')
      GROUP BY tariff_id, component) AS p
    ON p.tariff_id = d.tariff_id AND p.first_day <= d.on_day AND p.last_day > d.on_day
LEFT JOIN rc_shape AS s ON s.tariff_id = d.tariff_id AND s.on_day = d.on_day AND s.component = p.component
WHERE s.tariff_id IS NULL;

-- :: gap_no_price
SELECT e.sid, 'no_price' AS reason,
    min(e.tariff_id || ' ' || u.component || ' ' || u.period || ' ' || CAST(u.on_day AS VARCHAR)) AS detail
FROM rt_energy AS e
JOIN rc_unpriced AS u ON u.tariff_id = e.tariff_id AND u.on_day = e.seg_from AND u.period = e.period
LEFT JOIN rc_contract AS c ON c.sid = e.sid AND c.usage_point_id = e.usage_point_id AND c.seg = e.seg AND c.direct = 1
WHERE e.kwh <> 0 AND (u.component <> 'energy' OR c.sid IS NULL)
GROUP BY e.sid;

-- :: gap_no_market_price
SELECT sid, 'no_market_price' AS reason, min(usage_point_id || ' ' || period) AS detail
FROM rc_traded WHERE price IS NULL GROUP BY sid;

-- :: rc_energy
-- Energy at the price of the tariff.
SELECT e.sid, e.usage_point_id, e.seg, e.seg_from, e.seg_to, e.kwh AS quantity, r.rate
FROM rt_energy AS e
JOIN rc_rate AS r ON r.tariff_id = e.tariff_id AND r.on_day = e.seg_from AND r.period = e.period
    AND r.component = 'energy' AND r.tier = 0
LEFT JOIN rc_contract AS c ON c.sid = e.sid AND c.usage_point_id = e.usage_point_id AND c.seg = e.seg
WHERE e.kwh <> 0 AND c.sid IS NULL;

-- :: rc_energy_own
-- Energy at a price of the customer's own: the tariff's times the factor, or the market's.
SELECT e.sid, e.usage_point_id, e.seg, e.seg_from, e.seg_to, e.tariff_id, e.period, e.kwh AS quantity, r.place, r.tariff_code,
    CAST(CAST(r.price AS DECIMAL(19,8)) * c.factor AS DECIMAL(18,8)) AS price, r.grade, r.source,
    'kWh × (' || CASE WHEN r.price = CAST(r.price AS DECIMAL(18,6)) THEN CAST(CAST(r.price AS DECIMAL(18,6)) AS VARCHAR)
        ELSE CAST(r.price AS VARCHAR) END || ' × ' || CAST(CAST(c.factor AS DECIMAL(9,2)) AS VARCHAR) || ')' AS formula
FROM rt_energy AS e
JOIN rc_contract AS c ON c.sid = e.sid AND c.usage_point_id = e.usage_point_id AND c.seg = e.seg AND c.direct = 0
JOIN rc_rate AS r ON r.tariff_id = e.tariff_id AND r.on_day = e.seg_from AND r.period = e.period
    AND r.component = 'energy' AND r.tier = 0
WHERE e.kwh <> 0
UNION ALL
SELECT t.sid, t.usage_point_id, t.seg, t.seg_from, t.seg_to, t.tariff_id, t.period, t.kwh,
    CASE t.period WHEN 'sharp' THEN 1 WHEN 'peak' THEN 2 WHEN 'flat' THEN 3 WHEN 'valley' THEN 4 WHEN 'deep_valley' THEN 5
        ELSE 6 END,
    f.tariff_code, t.price, 7, 'market settlement',
    CASE WHEN t.averaged = 1 THEN 'kWh × mean market price of the bill' ELSE 'kWh × market price of the bill' END
FROM rc_traded AS t
LEFT JOIN rt_tariff AS f ON f.tariff_id = t.tariff_id AND f.in_force_from <= t.seg_from
    AND (f.in_force_to IS NULL OR f.in_force_to > t.seg_from)
WHERE t.price IS NOT NULL;

-- :: rc_segment
SELECT sid, usage_point_id, seg, seg_from, seg_to, tariff_id, CAST(sum(kwh) AS DECIMAL(18,4)) AS kwh
FROM rt_energy GROUP BY sid, usage_point_id, seg, seg_from, seg_to, tariff_id;

-- :: rc_parts
-- The other prices per kWh, on all kWh of the segment; period by period only where they depend on it.
SELECT g.sid, g.usage_point_id, g.seg, g.seg_from, g.seg_to, g.kwh AS quantity, r.rate
FROM rc_segment AS g
JOIN rc_rate AS r ON r.tariff_id = g.tariff_id AND r.on_day = g.seg_from
    AND r.component IN ('grid_loss', 'transmission', 'system', 'surcharge') AND r.tier = 0
JOIN rc_shape AS s ON s.tariff_id = r.tariff_id AND s.on_day = r.on_day AND s.component = r.component AND s.by_period = 0
WHERE g.kwh <> 0
UNION ALL
SELECT e.sid, e.usage_point_id, e.seg, e.seg_from, e.seg_to, e.kwh, r.rate
FROM rt_energy AS e
JOIN rc_rate AS r ON r.tariff_id = e.tariff_id AND r.on_day = e.seg_from AND r.period = e.period
    AND r.component IN ('grid_loss', 'transmission', 'system', 'surcharge') AND r.tier = 0
JOIN rc_shape AS s ON s.tariff_id = r.tariff_id AND s.on_day = r.on_day AND s.component = r.component AND s.by_period = 1
WHERE e.kwh <> 0;
