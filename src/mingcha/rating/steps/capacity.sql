-- :: rq_service
-- days of the billing month in service, of settlements with a basic charge
SELECT s.sid, s.customer_id, greatest(s.month_start, coalesce(c.opened_on, s.month_start)) AS day_from,
    least(s.month_end, coalesce(c.closed_on, s.month_end)) AS day_to
FROM rt_settlement AS s
LEFT JOIN customer AS c ON c.customer_id = s.customer_id
WHERE s.sid IN (SELECT b.sid FROM rq_basic AS b)

-- :: rq_status
-- running or not, of the transformers of those customers, over all time; without any status they run
WITH t AS (
    SELECT DISTINCT t.transformer_id, t.capacity_kva, s.customer_id, t.commissioned_on
    FROM transformer AS t JOIN rq_service AS s ON s.customer_id = t.customer_id
    WHERE t.kind = 'dedicated'
),
st AS (
    SELECT t.customer_id, t.transformer_id, t.capacity_kva, x.effective_from AS day_from, x.status,
        least(coalesce(x.effective_to, DATE '9999-12-31'),
            coalesce(lead(x.effective_from) OVER (PARTITION BY x.transformer_id ORDER BY x.effective_from),
                DATE '9999-12-31')) AS day_to
    FROM t JOIN transformer_status AS x ON x.transformer_id = t.transformer_id
)
SELECT customer_id, transformer_id, capacity_kva, day_from, day_to, status,
    CASE WHEN status IN ('running', 'standby_hot') THEN 1 ELSE 0 END AS runs
FROM st WHERE day_from < day_to
UNION ALL
SELECT t.customer_id, t.transformer_id, t.capacity_kva, coalesce(t.commissioned_on, DATE '1900-01-01') AS day_from,
    DATE '9999-12-31' AS day_to, 'running' AS status, 1 AS runs
FROM t LEFT JOIN st ON st.transformer_id = t.transformer_id
WHERE st.transformer_id IS NULL

-- :: rq_running_kva
-- stretches in which each transformer counts: an interruption shorter than the least suspension counts as running
WITH f AS (
    SELECT customer_id, transformer_id, capacity_kva, day_from, day_to, status, runs,
        CASE WHEN lag(runs) OVER (PARTITION BY transformer_id ORDER BY day_from) = runs
            AND lag(day_to) OVER (PARTITION BY transformer_id ORDER BY day_from) = day_from THEN 0 ELSE 1 END AS fresh
    FROM rq_status
),
g AS (
    SELECT customer_id, transformer_id, capacity_kva, day_from, day_to, status, runs,
        sum(fresh) OVER (PARTITION BY transformer_id ORDER BY day_from
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS island
    FROM f
),
i AS (
    SELECT customer_id, transformer_id, min(capacity_kva) AS capacity_kva, runs, island, min(day_from) AS day_from,
        max(day_to) AS day_to, max(CASE WHEN status = 'removed' THEN 1 ELSE 0 END) AS removed
    FROM g GROUP BY customer_id, transformer_id, runs, island
),
least_days AS (
    SELECT b.sid, min(p.number) AS days
    FROM (SELECT c.sid, min(c.book) AS book FROM rt_contract AS c GROUP BY c.sid) AS b
    JOIN rt_parameter AS p ON p.book = b.book AND p.name = 'suspension.min_days' AND p.in_force_from <= :month_start
        AND (p.in_force_to IS NULL OR p.in_force_to > :month_start)
    GROUP BY b.sid
)
SELECT s.sid, i.transformer_id, i.capacity_kva, greatest(i.day_from, s.day_from) AS day_from,
    least(i.day_to, s.day_to) AS day_to
FROM i
JOIN rq_service AS s ON s.customer_id = i.customer_id AND i.day_from < s.day_to AND i.day_to > s.day_from
LEFT JOIN least_days AS l ON l.sid = s.sid
WHERE i.runs = 1 OR (i.removed = 0 AND i.day_to < DATE '9999-12-31' AND date_diff('day', i.day_from, i.day_to) < l.days)

-- :: rq_owns
SELECT DISTINCT s.sid FROM rq_service AS s JOIN rq_status AS t ON t.customer_id = s.customer_id

-- :: rt_kva
WITH days AS (
    SELECT s.sid, s.day_from AS day FROM rq_service AS s WHERE s.day_from < s.day_to
    UNION
    SELECT k.sid, k.day_from AS day FROM rq_running_kva AS k
    UNION
    SELECT k.sid, k.day_to AS day FROM rq_running_kva AS k JOIN rq_service AS s ON s.sid = k.sid AND k.day_to < s.day_to
    UNION
    SELECT c.sid, c.seg_from AS day
    FROM rt_contract AS c
    JOIN rq_service AS s ON s.sid = c.sid AND c.seg_from > s.day_from AND c.seg_from < s.day_to
    LEFT JOIN rq_owns AS o ON o.sid = c.sid WHERE o.sid IS NULL
),
spans AS (
    SELECT d.sid, d.day AS day_from,
        coalesce(lead(d.day) OVER (PARTITION BY d.sid ORDER BY d.day), s.day_to) AS day_to
    FROM days AS d JOIN rq_service AS s ON s.sid = d.sid
),
valued AS (
    SELECT p.sid, p.day_from, p.day_to,
        CASE WHEN o.sid IS NOT NULL THEN coalesce(sum(k.capacity_kva), 0)
            ELSE coalesce(max(c.capacity_kva), max(u.running_capacity_kva)) END AS kva
    FROM spans AS p
    JOIN rt_settlement AS s ON s.sid = p.sid
    LEFT JOIN customer AS u ON u.customer_id = s.customer_id
    LEFT JOIN rq_owns AS o ON o.sid = p.sid
    LEFT JOIN rq_running_kva AS k ON k.sid = p.sid AND k.day_from <= p.day_from AND k.day_to > p.day_from
    LEFT JOIN rt_contract AS c ON c.sid = p.sid AND c.seg_from <= p.day_from AND c.seg_to > p.day_from AND o.sid IS NULL
    GROUP BY p.sid, p.day_from, p.day_to, o.sid
),
marked AS (
    SELECT sid, day_from, day_to, kva,
        CASE WHEN lag(kva) OVER (PARTITION BY sid ORDER BY day_from) = kva THEN 0 ELSE 1 END AS fresh
    FROM valued
),
numbered AS (
    SELECT sid, day_from, day_to, kva,
        sum(fresh) OVER (PARTITION BY sid ORDER BY day_from ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS island
    FROM marked
)
SELECT sid, min(day_from) AS day_from, max(day_to) AS day_to, CAST(min(kva) AS DECIMAL(18,4)) AS kva
FROM numbered WHERE kva IS NOT NULL
GROUP BY sid, island

-- :: gap_no_capacity
SELECT s.sid, 'no_capacity' AS reason, 'neither transformers nor a capacity in contract or customer' AS detail
FROM rq_service AS s
JOIN (SELECT sid, max(CASE WHEN basic_charge_method = 'demand_actual' THEN 0 ELSE 1 END) AS needs FROM rq_basic
    GROUP BY sid) AS b ON b.sid = s.sid AND b.needs = 1
LEFT JOIN rt_kva AS k ON k.sid = s.sid
WHERE k.sid IS NULL AND s.day_from < s.day_to
