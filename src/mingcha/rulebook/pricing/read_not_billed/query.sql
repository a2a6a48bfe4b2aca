WITH billed AS (
  SELECT
    customer_id,
    count(*) AS n,
    max(CASE WHEN billing_period = :period THEN 1 ELSE 0 END) AS billed_now,
    count(CASE WHEN billing_period < :period THEN 1 END) AS before_n,
    min(CASE WHEN billing_period < :period THEN billing_period END) AS first_before,
    max(CASE WHEN billing_period < :period THEN billing_period END) AS last_before
  FROM cust_month
  WHERE billing_period >= :history_period
    AND billing_period <= :period
  GROUP BY customer_id
),
rhythm AS (
  SELECT
    customer_id, billed_now, before_n, first_before, last_before,
    date_diff('month', ym_start(last_before), :period_start) AS since_last,
    -- the customer's own cycle: the mean distance of its earlier bills in whole months
    CASE
      WHEN before_n >= 3
        THEN greatest(1, (2 * date_diff('month', ym_start(first_before), ym_start(last_before)) + before_n - 1) // (2 * (before_n - 1)))
    END AS cycle
  FROM billed
),
parented AS (
  SELECT DISTINCT usage_point_id
  FROM usage_point
  WHERE parent_usage_point_id IS NOT NULL
    AND effective_from < :period_end
    AND (effective_to IS NULL OR effective_to > :period_start)
),
taken AS (
  SELECT
    r.customer_id,
    max(r.org_id) AS org_id,
    min(r.reading_id) AS reading_id,
    min(r.usage_point_id) AS usage_point_id,
    CAST(sum(r.energy) AS DECIMAL(18, 4)) AS read_kwh,
    CAST(sum(CASE WHEN p.usage_point_id IS NULL THEN r.energy ELSE 0 END) AS DECIMAL(18, 4)) AS own_kwh
  FROM reading_step AS r
  LEFT JOIN parented AS p ON p.usage_point_id = r.usage_point_id
  WHERE r.billing_period = :period
    AND r.register = 'active'
    AND r.role = 'sale'
    AND r.customer_id IS NOT NULL
  GROUP BY r.customer_id
),
cover AS (
  SELECT
    count(*) AS read_customers,
    count(CASE WHEN b.billed_now = 1 THEN 1 END) AS billed_customers
  FROM taken AS t
  LEFT JOIN rhythm AS b ON b.customer_id = t.customer_id
),
unbilled AS (
  SELECT
    t.customer_id, t.org_id, t.reading_id, t.usage_point_id, t.own_kwh, t.read_kwh,
    b.last_before, b.since_last, b.cycle, c.opened_on,
    CASE
      WHEN t.own_kwh <= 0 THEN 'billed_through_parent'
      WHEN c.opened_on > :period_end - :new_days THEN 'new_customer'
      WHEN :data_date < :period_end + (:due_day - 1) THEN 'not_yet_due'
      WHEN b.cycle IS NULL AND v.billed_customers < :unit_share * v.read_customers THEN 'cycle_unknown'
      WHEN b.last_before IS NULL THEN 'never_billed'
      ELSE 'not_billed'
    END AS reason
  FROM taken AS t
  CROSS JOIN cover AS v
  LEFT JOIN rhythm AS b ON b.customer_id = t.customer_id
  LEFT JOIN customer AS c ON c.customer_id = t.customer_id
  WHERE t.read_kwh > :min_kwh
    AND coalesce(b.billed_now, 0) = 0
    -- a customer billed every second or fourth month is due only when its own cycle is over
    AND (b.cycle IS NULL OR b.since_last >= b.cycle)
),
hole AS (
  SELECT customer_id, last_before, since_last, cycle
  FROM rhythm
  WHERE billed_now = 1
    AND cycle IS NOT NULL
    AND since_last > cycle
    AND 2 * since_last > 3 * cycle
),
hole_point AS (
  SELECT h.customer_id, h.last_before, u.usage_point_id
  FROM hole AS h
  JOIN usage_point AS u ON u.customer_id = h.customer_id
  LEFT JOIN parented AS p ON p.usage_point_id = u.usage_point_id
  WHERE u.role = 'sale'
    AND u.effective_from < :period_end
    AND (u.effective_to IS NULL OR u.effective_to > ym_start(h.last_before))
    AND p.usage_point_id IS NULL
  GROUP BY h.customer_id, h.last_before, u.usage_point_id
),
read_in_hole AS (
  SELECT h.customer_id, r.reading_id, r.usage_point_id, FALSE AS is_after, r.energy, 0 AS jumped
  FROM hole_point AS h
  JOIN reading AS r ON r.usage_point_id = h.usage_point_id
  WHERE r.billing_period >= :history_period
    AND r.billing_period < :period
    AND r.billing_period > h.last_before
    AND r.register = 'active'
  UNION ALL
  SELECT
    h.customer_id, r.reading_id, r.usage_point_id, TRUE AS is_after, 0 AS energy,
    -- what the index moved between the last reading billed and the first one billed again
    CASE
      WHEN r.prev_end_value IS NOT NULL AND r.start_value > r.prev_end_value
        THEN (r.start_value - r.prev_end_value) * r.multiplier
      ELSE 0
    END AS jumped
  FROM hole_point AS h
  JOIN reading_step AS r ON r.usage_point_id = h.usage_point_id
  WHERE r.billing_period = :period
    AND r.register = 'active'
),
between_bills AS (
  SELECT
    h.customer_id,
    max(c.org_id) AS org_id,
    min(CASE WHEN NOT h.is_after THEN h.reading_id END) AS read_between,
    min(CASE WHEN h.is_after THEN h.reading_id END) AS read_after,
    min(h.usage_point_id) AS usage_point_id,
    CAST(sum(h.energy) AS DECIMAL(18, 4)) AS read_kwh,
    CAST(sum(h.jumped) AS DECIMAL(18, 4)) AS jumped_kwh
  FROM read_in_hole AS h
  LEFT JOIN customer AS c ON c.customer_id = h.customer_id
  GROUP BY h.customer_id
),
gapped AS (
  SELECT
    h.customer_id, g.org_id, coalesce(g.read_between, g.read_after) AS reading_id, g.usage_point_id,
    g.read_kwh, g.jumped_kwh, h.last_before, h.since_last, h.cycle
  FROM hole AS h
  JOIN between_bills AS g ON g.customer_id = h.customer_id
  WHERE g.read_kwh > :min_kwh OR g.jumped_kwh > :min_kwh
),
unit AS (
  SELECT
    count(*) AS paced,
    (SELECT count(*) FROM gapped WHERE read_kwh <= :min_kwh) AS blank
  FROM rhythm
  WHERE billed_now = 1
    AND cycle IS NOT NULL
),
found AS (
  SELECT
    customer_id, org_id, reading_id, usage_point_id, own_kwh AS kwh_unbilled, last_before, since_last, cycle, reason,
    :period_start AS from_day,
    :period_end AS to_day
  FROM unbilled
  UNION ALL
  SELECT
    g.customer_id, g.org_id, g.reading_id, g.usage_point_id,
    CASE WHEN g.read_kwh > :min_kwh THEN g.read_kwh ELSE g.jumped_kwh END AS kwh_unbilled,
    g.last_before, g.since_last, g.cycle,
    CASE
      WHEN g.read_kwh > :min_kwh THEN 'gap_read'
      -- periods without bill and without reading all over the books say that the books have holes
      WHEN u.blank >= :hole_n AND u.blank > :hole_share * u.paced THEN 'books_incomplete'
      ELSE 'gap_index_moved'
    END AS reason,
    CAST(ym_end(g.last_before) AS DATE) AS from_day,
    :period_start AS to_day
  FROM gapped AS g
  CROSS JOIN unit AS u
),
price AS (
  SELECT customer_id, p, p_basis
  FROM cust_month
  WHERE p > 0
    AND billing_period >= :history_period
    AND billing_period <= :period
    AND customer_id IN (SELECT customer_id FROM found)
  QUALIFY row_number() OVER (PARTITION BY customer_id ORDER BY billing_period DESC) = 1
),
voided AS (
  SELECT customer_id, min(bill_id) AS bill_id
  FROM bill
  WHERE billing_period = :period
    AND (status = 'void' OR kind = 'void')
  GROUP BY customer_id
),
sized AS (
  SELECT
    f.customer_id, f.org_id, f.reading_id, f.usage_point_id, f.kwh_unbilled, f.last_before, f.since_last, f.cycle,
    f.reason, f.from_day, f.to_day,
    CASE
      WHEN f.reason IN ('billed_through_parent', 'new_customer') THEN 'not_applicable'
      WHEN f.reason IN ('not_yet_due', 'cycle_unknown', 'books_incomplete') THEN 'insufficient_data'
      ELSE 'hit'
    END AS exit,
    CASE WHEN f.reason IN ('not_billed', 'never_billed') THEN v.bill_id END AS void_bill_id,
    m.p,
    m.p_basis
  FROM found AS f
  LEFT JOIN price AS m ON m.customer_id = f.customer_id
  LEFT JOIN voided AS v ON v.customer_id = f.customer_id
)
SELECT
  customer_id AS subject_id,
  customer_id,
  org_id,
  from_day AS period_start,
  to_day AS period_end,
  exit,
  CASE
    WHEN exit <> 'hit' THEN NULL
    WHEN kwh_unbilled >= :urgent_kwh THEN 'urgent'
    WHEN reason = 'gap_index_moved' THEN 'watch'
    ELSE 'order'
  END AS band,
  reason,
  kwh(kwh_unbilled) AS energy_kwh,
  CASE WHEN exit = 'hit' THEN money(CAST(kwh_unbilled * p AS DECIMAL(18, 6))) END AS back_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS penalty_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS refund_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS exposed_cny,
  reading_id,
  usage_point_id,
  last_before AS last_billed_period,
  since_last AS months_since_last_bill,
  cycle AS usual_cycle,
  void_bill_id,
  p AS price,
  p_basis AS price_basis
FROM sized
