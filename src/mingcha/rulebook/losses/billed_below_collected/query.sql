WITH place AS (
  SELECT
    u.usage_point_id, u.customer_id, u.effective_from,
    coalesce(u.district_id, c.district_id) AS district_id,
    u.metering_method,
    u.parent_usage_point_id,
    coalesce(u.relation, '') = 'sub_deducted' AS deducted
  FROM usage_point AS u
  JOIN customer AS c ON c.customer_id = u.customer_id
  WHERE u.role = 'sale'
    AND u.effective_from < :period_end
  QUALIFY row_number() OVER (PARTITION BY u.usage_point_id ORDER BY u.effective_from DESC) = 1
),
interval_read AS (
  SELECT
    r.usage_point_id, p.customer_id, p.district_id, r.started_on, r.read_on, 1 AS sign,
    date_diff('day', r.started_on, r.read_on) AS days
  FROM reading AS r
  JOIN place AS p ON p.usage_point_id = r.usage_point_id
  WHERE r.billing_period = :period
    AND r.register = 'active'
    AND p.district_id IS NOT NULL
    AND p.metering_method = 'meter'
    AND r.read_on > r.started_on
  UNION ALL
  -- what a sub-meter takes is billed to its own customer and taken off the bill of the main meter's
  SELECT
    r.usage_point_id, m.customer_id, m.district_id, r.started_on, r.read_on, -1 AS sign,
    0 AS days
  FROM reading AS r
  JOIN place AS p ON p.usage_point_id = r.usage_point_id
  JOIN place AS m ON m.usage_point_id = p.parent_usage_point_id
  WHERE r.billing_period = :period
    AND r.register = 'active'
    AND m.district_id IS NOT NULL
    AND m.metering_method = 'meter'
    AND p.deducted
    AND p.metering_method = 'meter'
    AND r.read_on > r.started_on
),
taken AS (
  -- added up while the days are read; the interval is that of the reading, so both sides cover the same days
  SELECT
    i.customer_id,
    count(CASE WHEN i.sign > 0 THEN d.import_kwh END) AS valued_days,
    CAST(sum(i.sign * d.import_kwh) AS DECIMAL(18, 4)) AS taken_kwh
  FROM daily_energy AS d
  JOIN interval_read AS i
    ON i.usage_point_id = d.usage_point_id
    AND i.started_on <= d.day
    AND i.read_on > d.day
  WHERE d.day >= :period_start - :reach
    AND d.day <= :data_date
  GROUP BY i.customer_id
),
customer_read AS (
  SELECT customer_id, min(district_id) AS district_id, CAST(sum(days) AS INTEGER) AS days
  FROM interval_read
  GROUP BY customer_id
),
loss_line AS (
  SELECT customer_id, CAST(sum(quantity) AS DECIMAL(18, 4)) AS kwh
  FROM live_line
  WHERE billing_period = :period
    AND component IN ('transformer_loss', 'line_loss')
  GROUP BY customer_id
),
billed AS (
  SELECT b.customer_id, CAST(sum(b.energy_kwh) AS DECIMAL(18, 4)) AS kwh
  FROM live_bill AS b
  WHERE b.billing_period = :period
  GROUP BY b.customer_id
),
customer_side AS (
  SELECT
    r.customer_id, r.district_id, t.taken_kwh,
    CAST(greatest(0, coalesce(b.kwh, 0) - coalesce(l.kwh, 0)) AS DECIMAL(18, 4)) AS billed_kwh,
    b.customer_id IS NULL AS unbilled,
    coalesce(t.valued_days, 0) >= r.days * :min_cover AS comparable
  FROM customer_read AS r
  LEFT JOIN taken AS t ON t.customer_id = r.customer_id
  LEFT JOIN billed AS b ON b.customer_id = r.customer_id
  LEFT JOIN loss_line AS l ON l.customer_id = r.customer_id
),
ranked AS (
  SELECT
    customer_id, district_id,
    CAST(taken_kwh - billed_kwh AS DECIMAL(18, 4)) AS short_kwh,
    row_number() OVER (PARTITION BY district_id ORDER BY taken_kwh - billed_kwh DESC, customer_id) AS place
  FROM customer_side
  WHERE comparable
),
summed AS (
  SELECT
    district_id,
    count(*) AS customers_read,
    count(CASE WHEN comparable THEN 1 END) AS customers_compared,
    count(CASE WHEN comparable AND unbilled THEN 1 END) AS customers_unbilled,
    CAST(coalesce(sum(CASE WHEN comparable THEN taken_kwh END), 0) AS DECIMAL(18, 4)) AS taken_kwh,
    CAST(coalesce(sum(CASE WHEN comparable THEN billed_kwh END), 0) AS DECIMAL(18, 4)) AS billed_kwh
  FROM customer_side
  GROUP BY district_id
),
first_three AS (
  SELECT
    district_id,
    max(CASE WHEN place = 1 THEN customer_id END) AS customer_1,
    max(CASE WHEN place = 1 THEN short_kwh END) AS short_1_kwh,
    max(CASE WHEN place = 2 THEN customer_id END) AS customer_2,
    max(CASE WHEN place = 2 THEN short_kwh END) AS short_2_kwh,
    max(CASE WHEN place = 3 THEN customer_id END) AS customer_3,
    max(CASE WHEN place = 3 THEN short_kwh END) AS short_3_kwh
  FROM ranked
  WHERE place <= 3
    AND short_kwh > 0
  GROUP BY district_id
),
judged AS (
  SELECT
    u.unit_id AS district_id, u.org_id, s.customers_read, s.customers_compared, s.customers_unbilled, s.taken_kwh, s.billed_kwh,
    CAST(s.taken_kwh - s.billed_kwh AS DECIMAL(18, 4)) AS short_kwh,
    CASE
      WHEN s.district_id IS NULL THEN 'not_read'
      WHEN CAST(s.taken_kwh - s.billed_kwh AS DECIMAL(19, 4))
        > greatest(CAST(s.taken_kwh AS DECIMAL(19, 4)) * :tol * 0.01, :tol_kwh) THEN 'billed_below'
      WHEN s.customers_compared < s.customers_read * :min_share THEN 'low_cover'
    END AS reason
  FROM network_unit AS u
  LEFT JOIN summed AS s ON s.district_id = u.unit_id
  WHERE u.level = 'district'
)
SELECT
  j.district_id AS subject_id,
  CAST(NULL AS VARCHAR) AS customer_id,
  j.org_id,
  :period_start AS period_start,
  :period_end AS period_end,
  CASE WHEN j.reason = 'billed_below' THEN 'hit' ELSE 'insufficient_data' END AS exit,
  CASE WHEN j.reason = 'billed_below' THEN 'order' END AS band,
  j.reason,
  CASE WHEN j.reason = 'billed_below' THEN kwh(j.short_kwh) END AS energy_kwh,
  CAST(NULL AS DECIMAL(18, 2)) AS back_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS penalty_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS refund_cny,
  CASE WHEN j.reason = 'billed_below' THEN money(CAST(j.short_kwh AS DECIMAL(19, 4)) * p.p) END AS exposed_cny,
  j.taken_kwh,
  j.billed_kwh,
  j.customers_read,
  j.customers_compared,
  j.customers_unbilled,
  f.customer_1,
  f.short_1_kwh,
  f.customer_2,
  f.short_2_kwh,
  f.customer_3,
  f.short_3_kwh,
  p.p AS price
FROM judged AS j
LEFT JOIN first_three AS f ON f.district_id = j.district_id
LEFT JOIN district_price AS p ON p.district_id = j.district_id AND p.billing_period = :period
WHERE j.reason IS NOT NULL
