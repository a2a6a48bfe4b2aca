WITH point AS (
  SELECT
    u.usage_point_id, u.effective_from, u.customer_id, u.role, u.since,
    c.org_id, c.book_id, c.reader_staff_id, c.opened_on
  FROM (
    SELECT
      usage_point_id, effective_from, effective_to, customer_id, role, metering_method,
      min(effective_from) OVER (PARTITION BY usage_point_id) AS since,
      row_number() OVER (PARTITION BY usage_point_id ORDER BY effective_from DESC) AS place
    FROM usage_point
    WHERE effective_from < :period_end
  ) AS u
  JOIN customer AS c ON c.customer_id = u.customer_id
  WHERE u.place = 1
    AND u.since <= :period_start
    AND (u.effective_to IS NULL OR u.effective_to >= :period_end)
    AND u.role IN ('sale', 'generation')
    AND u.metering_method = 'meter'
    AND c.status = 'active'
    AND c.opened_on < :period_start
    AND (c.closed_on IS NULL OR c.closed_on >= :period_end)
),
read_now AS (
  SELECT DISTINCT usage_point_id
  FROM reading
  WHERE billing_period = :period
    AND register IN ('active', 'active_sharp', 'active_peak', 'active_flat', 'active_valley', 'active_deep_valley')
),
unseen AS (
  SELECT p.usage_point_id, p.effective_from, p.customer_id, p.org_id, p.book_id, p.reader_staff_id, p.role, p.since
  FROM point AS p
  LEFT JOIN read_now AS w ON w.usage_point_id = p.usage_point_id
  WHERE w.usage_point_id IS NULL
),
past AS (
  SELECT
    usage_point_id,
    count(*) AS n,
    min(billing_period) AS first_period,
    max(billing_period) AS last_period,
    CAST(sum(kwh) AS DECIMAL(18, 4)) AS kwh
  FROM point_month
  WHERE billing_period >= :history_period
    AND billing_period < :period
    AND readings > 0
    AND usage_point_id IN (SELECT usage_point_id FROM unseen)
  GROUP BY usage_point_id
),
rhythm AS (
  SELECT
    usage_point_id, n, first_period, last_period, kwh,
    date_diff('month', ym_start(first_period), ym_start(last_period)) AS span,
    date_diff('month', ym_start(last_period), :period_start) AS unread_months,
    -- the point's own cycle: the mean distance of its readings in whole months
    CASE
      WHEN n >= 3
        THEN greatest(1, (2 * date_diff('month', ym_start(first_period), ym_start(last_period)) + n - 1) // (2 * (n - 1)))
    END AS cycle
  FROM past
),
placed AS (
  SELECT
    p.usage_point_id, p.effective_from, p.customer_id, p.org_id, p.book_id, p.reader_staff_id, p.role, p.since,
    r.n, r.last_period, r.kwh, r.span, r.unread_months, r.cycle,
    r.cycle IS NOT NULL
      AND (r.unread_months >= r.cycle + CASE WHEN r.cycle > 1 THEN :slack_months ELSE 0 END) AS due
  FROM unseen AS p
  LEFT JOIN rhythm AS r ON r.usage_point_id = p.usage_point_id
),
overdue AS (
  SELECT org_id, count(CASE WHEN due THEN 1 END) AS points
  FROM placed
  GROUP BY org_id
),
cover AS (
  -- a point that was read was due
  SELECT
    p.org_id,
    count(*) AS points,
    count(w.usage_point_id) AS points_read,
    count(w.usage_point_id) + coalesce(max(d.points), 0) AS points_due
  FROM point AS p
  LEFT JOIN read_now AS w ON w.usage_point_id = p.usage_point_id
  LEFT JOIN overdue AS d ON d.org_id = p.org_id
  GROUP BY p.org_id
),
unread AS (
  SELECT
    p.usage_point_id, p.effective_from, p.customer_id, p.org_id, p.book_id, p.reader_staff_id, p.role, p.since,
    p.n, p.last_period, p.kwh, p.span, p.unread_months, p.cycle,
    CASE
      WHEN p.cycle IS NULL AND c.points_read < :org_share * c.points THEN 'cycle_unknown'
      WHEN c.points_due >= :cover_n AND c.points_read < :min_cover * c.points_due THEN 'readings_not_delivered'
      WHEN p.n IS NULL THEN 'never_read'
      ELSE 'not_read'
    END AS reason
  FROM placed AS p
  LEFT JOIN cover AS c ON c.org_id = p.org_id
  WHERE p.due OR p.cycle IS NULL
),
price AS (
  SELECT customer_id, p, p_basis
  FROM cust_month
  WHERE p > 0
    AND billing_period >= :history_period
    AND billing_period <= :period
    AND customer_id IN (SELECT customer_id FROM unread)
  QUALIFY row_number() OVER (PARTITION BY customer_id ORDER BY billing_period DESC) = 1
),
billed AS (
  SELECT customer_id, kwh
  FROM cust_month
  WHERE billing_period = :period
    AND kwh > 0
),
sized AS (
  SELECT
    u.usage_point_id, u.effective_from, u.customer_id, u.org_id, u.book_id, u.reader_staff_id, u.role, u.since,
    u.n, u.last_period, u.unread_months, u.cycle, u.reason,
    CASE WHEN u.reason IN ('cycle_unknown', 'readings_not_delivered') THEN 'insufficient_data' ELSE 'hit' END AS exit,
    CASE WHEN u.kwh > 0 THEN CAST(safe_div(u.kwh * u.unread_months, u.span + coalesce(u.cycle, 1)) AS DECIMAL(18, 4)) END AS estimate,
    b.kwh AS billed_kwh,
    m.p,
    m.p_basis
  FROM unread AS u
  LEFT JOIN billed AS b ON b.customer_id = u.customer_id
  LEFT JOIN price AS m ON m.customer_id = u.customer_id
)
SELECT
  usage_point_id AS subject_id,
  customer_id,
  org_id,
  :period_start AS period_start,
  :period_end AS period_end,
  exit,
  CASE
    WHEN exit <> 'hit' THEN NULL
    WHEN reason = 'never_read' OR unread_months >= :order_cycles * coalesce(cycle, 1) THEN 'order'
    ELSE 'watch'
  END AS band,
  reason,
  estimate AS energy_kwh,
  CASE WHEN exit = 'hit' AND role = 'sale' AND billed_kwh IS NULL THEN money(CAST(estimate * p AS DECIMAL(18, 6))) END AS back_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS penalty_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS refund_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS exposed_cny,
  effective_from AS point_effective_from,
  role,
  since AS in_force_since,
  last_period AS last_read_period,
  n AS periods_read,
  cycle AS usual_cycle,
  unread_months,
  billed_kwh,
  book_id,
  reader_staff_id,
  p AS price,
  p_basis AS price_basis
FROM sized
