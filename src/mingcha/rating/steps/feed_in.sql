-- Energy of generators fed into the grid, bought at the feed-in price. No part of the bill: a table of its own.

-- :: rc_generator
SELECT g.generator_id, g.customer_id, g.grid_mode, CAST(g.capacity_kw AS DECIMAL(18,4)) AS capacity_kw
FROM generator AS g
WHERE g.grid_mode IN ('full_feed', 'self_use_surplus') AND g.connected_on < :month_end
    AND (g.removed_on IS NULL OR g.removed_on > :month_start);

-- :: rc_fed
-- Full feed: what the generation points counted. Surplus: what the sale points counted outwards. R1, as any register.
WITH version AS (
    SELECT u.usage_point_id, u.customer_id, u.role, u.tariff_id, u.multiplier, u.effective_from,
        least(coalesce(u.effective_to, DATE '9999-12-31'),
            coalesce(lead(u.effective_from) OVER (PARTITION BY u.usage_point_id ORDER BY u.effective_from),
                DATE '9999-12-31')) AS effective_to, u.parent_usage_point_id
    FROM usage_point AS u
    WHERE u.customer_id IN (SELECT g.customer_id FROM rc_generator AS g)
),
counted AS (
    SELECT v.customer_id, CASE v.role WHEN 'generation' THEN 'full_feed' ELSE 'self_use_surplus' END AS grid_mode,
        CASE v.role WHEN 'generation' THEN v.tariff_id END AS tariff_id, v.multiplier, r.start_value, r.end_value,
        CASE WHEN r.end_value < r.start_value THEN CAST(power(10, m.digits) AS DECIMAL(18,4)) END AS full_turn
    FROM reading AS r
    JOIN version AS v ON v.usage_point_id = r.usage_point_id AND v.effective_from <= r.started_on AND v.effective_to > r.started_on
    LEFT JOIN meter AS m ON m.meter_id = r.meter_id
    WHERE r.billing_period = :period AND ((v.role = 'generation' AND r.register = 'active')
        OR (v.role = 'sale' AND v.parent_usage_point_id IS NULL AND r.register = 'active_export'))
),
turned AS (
    SELECT customer_id, grid_mode, tariff_id, multiplier,
        CAST(end_value - start_value + CASE WHEN full_turn IS NOT NULL AND start_value > CAST('0.9' AS DECIMAL(2,1)) * full_turn
            AND end_value < CAST('0.1' AS DECIMAL(2,1)) * full_turn THEN full_turn ELSE 0 END AS DECIMAL(18,4)) AS units
    FROM counted
)
SELECT customer_id, grid_mode, min(tariff_id) AS tariff_id,
    CAST(sum(CAST(CAST(units AS DECIMAL(19,4)) * multiplier AS DECIMAL(18,2))) AS DECIMAL(18,4)) AS kwh
FROM turned WHERE units >= 0 AND multiplier IS NOT NULL
GROUP BY customer_id, grid_mode;

-- :: rc_feed_in_price
-- By tariff, on the last day of the month; and the price of a book that has only one.
WITH held AS (
    SELECT p.tariff_id, coalesce(t.book, 'own') AS book, CAST(sum(p.price) AS DECIMAL(18,8)) AS price
    FROM rt_price AS p
    JOIN rt_tariff AS t ON t.tariff_id = p.tariff_id AND t.in_force_from < :month_end
        AND (t.in_force_to IS NULL OR t.in_force_to >= :month_end)
    WHERE p.component = 'feed_in' AND p.period = 'all' AND p.tier = 0 AND p.in_force_from < :month_end
        AND (p.in_force_to IS NULL OR p.in_force_to >= :month_end)
    GROUP BY p.tariff_id, t.book
)
SELECT tariff_id, CAST(NULL AS VARCHAR) AS book, price FROM held
UNION ALL
SELECT NULL, book, max(price) FROM held GROUP BY book HAVING min(price) = max(price);

-- :: rc_seller
-- The book and tariff of the generator's owner, from the contract of the rated month.
SELECT s.customer_id, min(c.tariff_id) AS tariff_id, min(c.book) AS book
FROM rt_settlement AS s JOIN rt_contract AS c ON c.sid = s.sid
WHERE s.customer_id IN (SELECT g.customer_id FROM rc_generator AS g)
GROUP BY s.customer_id;

-- :: rt_feed_in
-- Several generators behind one meter share its kWh by capacity, the last one takes the remainder. The price is that of
-- the generation point's tariff, else of the contract's, else the only one of the book; NULL when none of them has one.
WITH numbered AS (
    SELECT g.generator_id, g.customer_id, g.grid_mode, g.capacity_kw,
        sum(g.capacity_kw) OVER (PARTITION BY g.customer_id, g.grid_mode) AS all_kw,
        row_number() OVER (PARTITION BY g.customer_id, g.grid_mode ORDER BY g.generator_id DESC) AS from_last
    FROM rc_generator AS g
),
shared AS (
    SELECT n.generator_id, n.customer_id, n.grid_mode, n.from_last, f.kwh, f.tariff_id,
        CASE WHEN n.from_last = 1 THEN CAST(0 AS DECIMAL(18,2))
            ELSE CAST(safe_div(CAST(f.kwh AS DOUBLE) * CAST(n.capacity_kw AS DOUBLE), n.all_kw) AS DECIMAL(18,2)) END AS share
    FROM numbered AS n JOIN rc_fed AS f ON f.customer_id = n.customer_id AND f.grid_mode = n.grid_mode
),
given AS (
    SELECT s.generator_id, s.customer_id, s.tariff_id,
        CAST(CASE WHEN s.from_last = 1 THEN s.kwh - sum(s.share) OVER (PARTITION BY s.customer_id, s.grid_mode) ELSE s.share END
            AS DECIMAL(18,4)) AS kwh
    FROM shared AS s
)
SELECT g.generator_id, :period AS billing_period, g.kwh AS fed_in_kwh, coalesce(p.price, c.price, b.price) AS price,
    money(CAST(g.kwh AS DECIMAL(19,4)) * coalesce(p.price, c.price, b.price)) AS amount
FROM given AS g
LEFT JOIN rc_seller AS s ON s.customer_id = g.customer_id
LEFT JOIN rc_feed_in_price AS p ON p.tariff_id = g.tariff_id
LEFT JOIN rc_feed_in_price AS c ON c.tariff_id = s.tariff_id
LEFT JOIN rc_feed_in_price AS b ON b.book = s.book;
