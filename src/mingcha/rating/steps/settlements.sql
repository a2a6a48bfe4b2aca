-- :: rq_live
-- bills of the month that stand, numbered by issue; almost every customer has one, which needs no numbering
WITH b AS (
    SELECT b.bill_id, b.customer_id, b.issued_at
    FROM bill AS b
    LEFT JOIN (
        SELECT DISTINCT original_bill_id FROM bill WHERE kind = 'void' AND original_bill_id IS NOT NULL
    ) AS v ON v.original_bill_id = b.bill_id
    WHERE b.billing_period = :period AND b.kind IN ('regular', 'reissue') AND b.status <> 'void'
        AND v.original_bill_id IS NULL
),
many AS (
    SELECT customer_id FROM b GROUP BY customer_id HAVING count(*) > 1
)
SELECT b.bill_id, b.customer_id, CAST(1 AS BIGINT) AS nth, CAST(1 AS BIGINT) AS bills
FROM b LEFT JOIN many AS m ON m.customer_id = b.customer_id
WHERE m.customer_id IS NULL
UNION ALL
SELECT b.bill_id, b.customer_id,
    row_number() OVER (PARTITION BY b.customer_id ORDER BY b.issued_at, b.bill_id) AS nth,
    count(*) OVER (PARTITION BY b.customer_id) AS bills
FROM b JOIN many AS m ON m.customer_id = b.customer_id

-- :: rq_version once
-- sale points; a version ends where the next one begins at the latest. Main is a point
-- without parent; where a customer has none, one whose parent another customer holds. `alone`: the point's only
-- version; `since`: the first day of the point at this customer; `family`: it has a parent or children. Most points are alone and have no parent, so the next version and the parent are looked for only where
-- there is one
WITH sale AS (
    SELECT u.usage_point_id, u.customer_id, u.transformer_id, u.metering_method, u.fixed_value,
        u.parent_usage_point_id, u.relation, u.metering_side, u.multiplier, u.tariff_id, u.loss_billed,
        u.effective_from, coalesce(u.effective_to, DATE '9999-12-31') AS effective_to
    FROM usage_point AS u WHERE u.role = 'sale'
),
several AS (
    SELECT usage_point_id FROM sale GROUP BY usage_point_id HAVING count(*) > 1
),
v AS (
    SELECT s.usage_point_id, s.customer_id, s.transformer_id, s.metering_method, s.fixed_value, s.parent_usage_point_id,
        s.relation, s.metering_side, s.multiplier, s.tariff_id, s.loss_billed, s.effective_from, s.effective_to,
        TRUE AS alone
    FROM sale AS s LEFT JOIN several AS m ON m.usage_point_id = s.usage_point_id
    WHERE m.usage_point_id IS NULL
    UNION ALL
    SELECT s.usage_point_id, s.customer_id, s.transformer_id, s.metering_method, s.fixed_value, s.parent_usage_point_id,
        s.relation, s.metering_side, s.multiplier, s.tariff_id, s.loss_billed, s.effective_from,
        least(s.effective_to, coalesce(lead(s.effective_from)
            OVER (PARTITION BY s.usage_point_id ORDER BY s.effective_from), DATE '9999-12-31')) AS effective_to,
        FALSE AS alone
    FROM sale AS s JOIN several AS m ON m.usage_point_id = s.usage_point_id
),
-- customers with a point behind another one; those of them who hold a point without parent; the parents they hold
behind AS (
    SELECT DISTINCT customer_id, parent_usage_point_id FROM v WHERE parent_usage_point_id IS NOT NULL
),
free AS (
    SELECT DISTINCT v.customer_id
    FROM v JOIN (SELECT DISTINCT customer_id FROM behind) AS b ON b.customer_id = v.customer_id
    WHERE v.parent_usage_point_id IS NULL
),
kin AS (
    SELECT usage_point_id FROM v WHERE parent_usage_point_id IS NOT NULL
    UNION
    SELECT parent_usage_point_id AS usage_point_id FROM behind
),
first AS (
    SELECT usage_point_id, customer_id, min(effective_from) AS since FROM v WHERE NOT alone
    GROUP BY usage_point_id, customer_id
),
held AS (
    SELECT DISTINCT b.customer_id, b.parent_usage_point_id
    FROM behind AS b JOIN v ON v.usage_point_id = b.parent_usage_point_id AND v.customer_id = b.customer_id
)
SELECT v.usage_point_id, v.customer_id, v.transformer_id, v.metering_method, v.fixed_value, v.parent_usage_point_id,
    v.relation, v.metering_side, v.multiplier, v.tariff_id, v.loss_billed, v.effective_from, v.effective_to,
    v.parent_usage_point_id IS NULL OR (h.customer_id IS NULL AND f.customer_id IS NULL) AS main, v.alone,
    coalesce(d.since, v.effective_from) AS since, k.usage_point_id IS NOT NULL AS family,
    coalesce(c.opened_on, DATE '1900-01-01') AS opened_on
FROM v
LEFT JOIN customer AS c ON c.customer_id = v.customer_id
LEFT JOIN first AS d ON d.usage_point_id = v.usage_point_id AND d.customer_id = v.customer_id
LEFT JOIN kin AS k ON k.usage_point_id = v.usage_point_id
LEFT JOIN free AS f ON f.customer_id = v.customer_id AND v.parent_usage_point_id IS NOT NULL
LEFT JOIN held AS h ON h.customer_id = v.customer_id AND h.parent_usage_point_id = v.parent_usage_point_id

-- :: rq_reading
SELECT r.reading_id, r.usage_point_id, r.meter_id, r.register, r.start_value, r.end_value, r.started_on, r.read_on,
    v.customer_id, v.multiplier, v.main
FROM reading AS r
JOIN rq_version AS v ON v.usage_point_id = r.usage_point_id AND v.effective_from <= r.started_on
    AND v.effective_to > r.started_on
WHERE r.billing_period = :period

-- :: rq_cut
-- customers billed several times for as many readings that follow each other
WITH many AS (
    SELECT customer_id, max(bills) AS bills FROM rq_live GROUP BY customer_id HAVING max(bills) > 1
),
first_main AS (
    SELECT r.customer_id, min(r.usage_point_id) AS usage_point_id
    FROM rq_reading AS r JOIN many AS m ON m.customer_id = r.customer_id
    WHERE r.main AND r.register = 'active' GROUP BY r.customer_id
),
reads AS (
    SELECT f.customer_id, r.read_on, min(r.started_on) AS started_on
    FROM first_main AS f
    JOIN rq_reading AS r ON r.customer_id = f.customer_id AND r.usage_point_id = f.usage_point_id
        AND r.register = 'active'
    GROUP BY f.customer_id, r.read_on
),
numbered AS (
    SELECT customer_id, read_on, started_on,
        row_number() OVER (PARTITION BY customer_id ORDER BY read_on) AS seq,
        lag(read_on) OVER (PARTITION BY customer_id ORDER BY read_on) AS before_on
    FROM reads
),
judged AS (
    SELECT customer_id, count(*) AS reads,
        max(CASE WHEN started_on < before_on THEN 1 ELSE 0 END) AS overlaps
    FROM numbered GROUP BY customer_id
)
SELECT n.customer_id, CAST(n.seq AS INTEGER) AS seq, coalesce(n.before_on, DATE '1900-01-01') AS after_on,
    CASE WHEN n.seq = j.reads THEN DATE '9999-12-31' ELSE n.read_on END AS upto_on, n.seq = j.reads AS last
FROM numbered AS n
JOIN judged AS j ON j.customer_id = n.customer_id
JOIN many AS m ON m.customer_id = n.customer_id AND m.bills = j.reads
WHERE j.overlaps = 0

-- :: rq_part
-- one row per settlement to be: the bills and the days of reading that belong to it
SELECT customer_id, CAST(1 AS INTEGER) AS seq, TRUE AS last, DATE '1900-01-01' AS after_on, DATE '9999-12-31' AS upto_on,
    FALSE AS cut, bill_id, bill_id AS bill_ids, CAST(1 AS INTEGER) AS bills
FROM rq_live WHERE bills = 1
UNION ALL
SELECT l.customer_id, coalesce(c.seq, 1) AS seq, coalesce(c.last, TRUE) AS last,
    coalesce(c.after_on, DATE '1900-01-01') AS after_on, coalesce(c.upto_on, DATE '9999-12-31') AS upto_on,
    c.seq IS NOT NULL AS cut,
    max(CASE WHEN c.seq IS NOT NULL OR l.nth = l.bills THEN l.bill_id END) AS bill_id,
    string_agg(l.bill_id, ',' ORDER BY l.nth) AS bill_ids, CAST(count(*) AS INTEGER) AS bills
FROM rq_live AS l
LEFT JOIN rq_cut AS c ON c.customer_id = l.customer_id AND c.seq = l.nth
WHERE l.bills > 1
GROUP BY l.customer_id, c.seq, c.last, c.after_on, c.upto_on

-- :: rt_settlement
-- the days of a customer settled once are those of all his readings; only parts of a month ask which are theirs
WITH whole AS (
    SELECT r.customer_id, min(r.started_on) AS started_on, max(r.read_on) AS read_on
    FROM rq_reading AS r
    WHERE r.main AND r.register = 'active' AND r.read_on > DATE '1900-01-01'
    GROUP BY r.customer_id
),
span AS (
    SELECT c.customer_id, c.seq, min(r.started_on) AS started_on, max(r.read_on) AS read_on
    FROM rq_cut AS c
    JOIN rq_reading AS r ON r.customer_id = c.customer_id AND r.read_on > c.after_on AND r.read_on <= c.upto_on
    WHERE r.main AND r.register = 'active'
    GROUP BY c.customer_id, c.seq
),
parts AS (
    SELECT p.customer_id, p.seq, p.last, p.bill_id, p.bill_ids, p.bills, w.started_on, w.read_on
    FROM rq_part AS p LEFT JOIN whole AS w ON w.customer_id = p.customer_id
    WHERE NOT p.cut
    UNION ALL
    SELECT p.customer_id, p.seq, p.last, p.bill_id, p.bill_ids, p.bills, s.started_on, s.read_on
    FROM rq_part AS p LEFT JOIN span AS s ON s.customer_id = p.customer_id AND s.seq = p.seq
    WHERE p.cut
)
SELECT row_number() OVER (ORDER BY p.customer_id, p.seq) AS sid, p.customer_id, :period AS billing_period, p.seq,
    p.last, p.bill_id, p.bill_ids, p.bills,
    coalesce(p.started_on, least(greatest(:month_start, coalesce(c.opened_on, :month_start)), :month_end))
        AS started_on,
    coalesce(p.read_on, greatest(least(:month_end, coalesce(c.closed_on, :month_end)), :month_start)) AS read_on,
    :month_start AS month_start, :month_end AS month_end
FROM parts AS p
LEFT JOIN (
    SELECT c.customer_id, c.opened_on, c.closed_on FROM customer AS c
    WHERE c.customer_id IN (SELECT x.customer_id FROM parts AS x WHERE x.started_on IS NULL OR x.read_on IS NULL)
) AS c ON c.customer_id = p.customer_id
