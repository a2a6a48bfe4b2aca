-- :: rq_live
-- bills of the month that stand, numbered by issue
SELECT b.bill_id, b.customer_id,
    row_number() OVER (PARTITION BY b.customer_id ORDER BY b.issued_at, b.bill_id) AS nth,
    count(*) OVER (PARTITION BY b.customer_id) AS bills
FROM bill AS b
LEFT JOIN (
    SELECT DISTINCT original_bill_id FROM bill WHERE kind = 'void' AND original_bill_id IS NOT NULL
) AS v ON v.original_bill_id = b.bill_id
WHERE b.billing_period = :period AND b.kind IN ('regular', 'reissue') AND b.status <> 'void'
    AND v.original_bill_id IS NULL

-- :: rq_version
-- sale points of the customers billed; a version ends where the next one begins at the latest. Main is a point
-- without parent; where a customer has none, one whose parent another customer holds
WITH billed AS (
    SELECT DISTINCT customer_id FROM rq_live
),
v AS (
    SELECT u.usage_point_id, u.customer_id, u.transformer_id, u.metering_method, u.fixed_value,
        u.parent_usage_point_id, u.relation, u.metering_side, u.multiplier, u.tariff_id, u.loss_billed,
        u.effective_from, least(coalesce(u.effective_to, DATE '9999-12-31'),
            coalesce(lead(u.effective_from) OVER (PARTITION BY u.usage_point_id ORDER BY u.effective_from),
                DATE '9999-12-31')) AS effective_to
    FROM usage_point AS u WHERE u.role = 'sale'
)
SELECT v.usage_point_id, v.customer_id, v.transformer_id, v.metering_method, v.fixed_value, v.parent_usage_point_id,
    v.relation, v.metering_side, v.multiplier, v.tariff_id, v.loss_billed, v.effective_from, v.effective_to,
    v.parent_usage_point_id IS NULL OR (p.usage_point_id IS NULL AND f.customer_id IS NULL) AS main
FROM v JOIN billed AS b ON b.customer_id = v.customer_id
LEFT JOIN (SELECT DISTINCT customer_id FROM v WHERE parent_usage_point_id IS NULL) AS f ON f.customer_id = v.customer_id
LEFT JOIN (SELECT DISTINCT usage_point_id, customer_id FROM v WHERE customer_id IS NOT NULL) AS p
    ON p.usage_point_id = v.parent_usage_point_id AND p.customer_id = v.customer_id

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
SELECT l.customer_id, coalesce(c.seq, 1) AS seq, coalesce(c.last, TRUE) AS last,
    coalesce(c.after_on, DATE '1900-01-01') AS after_on, coalesce(c.upto_on, DATE '9999-12-31') AS upto_on,
    max(CASE WHEN c.seq IS NOT NULL OR l.nth = l.bills THEN l.bill_id END) AS bill_id,
    string_agg(l.bill_id, ',' ORDER BY l.nth) AS bill_ids, CAST(count(*) AS INTEGER) AS bills
FROM rq_live AS l
LEFT JOIN rq_cut AS c ON c.customer_id = l.customer_id AND c.seq = l.nth
GROUP BY l.customer_id, c.seq, c.last, c.after_on, c.upto_on

-- :: rt_settlement
WITH span AS (
    SELECT p.customer_id, p.seq, min(r.started_on) AS started_on, max(r.read_on) AS read_on
    FROM rq_part AS p
    JOIN rq_reading AS r ON r.customer_id = p.customer_id AND r.read_on > p.after_on AND r.read_on <= p.upto_on
    WHERE r.main AND r.register = 'active'
    GROUP BY p.customer_id, p.seq
)
SELECT row_number() OVER (ORDER BY p.customer_id, p.seq) AS sid, p.customer_id, :period AS billing_period, p.seq,
    p.last, p.bill_id, p.bill_ids, p.bills,
    coalesce(s.started_on, least(greatest(:month_start, coalesce(c.opened_on, :month_start)), :month_end))
        AS started_on,
    coalesce(s.read_on, greatest(least(:month_end, coalesce(c.closed_on, :month_end)), :month_start)) AS read_on,
    :month_start AS month_start, :month_end AS month_end
FROM rq_part AS p
LEFT JOIN span AS s ON s.customer_id = p.customer_id AND s.seq = p.seq
LEFT JOIN customer AS c ON c.customer_id = p.customer_id
