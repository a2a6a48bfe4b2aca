WITH billed AS (
  SELECT DISTINCT customer_id
  FROM live_bill
  WHERE billing_period >= ym_add(:period, 1 - :periods)
    AND billing_period <= :period
),
billing_org AS (
  -- whose bills reach from the first of these months to the screened one: with a month missing, customers billed
  -- every two months would look unbilled
  SELECT org_id
  FROM live_bill
  WHERE billing_period <= :period
  GROUP BY org_id
  HAVING min(billing_period) <= ym_add(:period, 1 - :periods)
    AND max(billing_period) = :period
),
unbilled AS (
  SELECT
    p.usage_point_id, p.effective_from, p.customer_id, p.customer_status, p.customer_org_id, p.opened_on, p.closed_on,
    p.usage_category,
    CASE
      WHEN p.customer_id IS NULL AND p.parent_usage_point_id IS NOT NULL THEN 'sub_point_unclear'
      WHEN p.customer_id IS NULL THEN 'no_customer'
      WHEN p.customer_status IS NULL THEN 'customer_unknown'
      WHEN p.customer_status = 'closed' AND p.closed_on > least(:data_date, :period_end - 1) - :days THEN 'closed_recently'
      WHEN o.org_id IS NULL THEN 'no_bills_delivered'
      WHEN p.customer_status = 'active' THEN 'active_not_billed'
      WHEN p.customer_status = 'pending' THEN 'customer_pending'
      WHEN p.customer_status = 'suspended' THEN 'customer_suspended'
      ELSE 'customer_closed'
    END AS verdict
  FROM point_now AS p
  LEFT JOIN billed AS b ON b.customer_id = p.customer_id
  LEFT JOIN billing_org AS o ON o.org_id = p.customer_org_id
  WHERE p.role = 'sale'
    AND p.metering_method = 'meter'
    AND b.customer_id IS NULL
    AND coalesce(p.relation, '') <> 'sub_added'
    AND (p.customer_status IS NULL
      OR p.customer_status <> 'active'
      OR p.opened_on <= ym_start(ym_add(:period, 1 - :periods)))
),
drawn AS (
  SELECT
    u.usage_point_id,
    count(CASE WHEN d.day > least(:data_date, :period_end - 1) - :days THEN d.import_kwh END) AS days_known,
    CAST(sum(CASE WHEN d.day > least(:data_date, :period_end - 1) - :days THEN d.import_kwh END)
      AS DECIMAL(18, 4)) AS window_kwh,
    -- the window may begin before the months without bill: that energy was billed
    CAST(sum(CASE WHEN d.day >= ym_start(ym_add(:period, 1 - :periods)) THEN d.import_kwh END)
      AS DECIMAL(18, 4)) AS unbilled_kwh,
    min(CASE WHEN d.import_kwh > 0 THEN d.day END) AS first_use,
    max(CASE WHEN d.import_kwh > 0 THEN d.day END) AS last_use
  FROM unbilled AS u
  JOIN daily_energy AS d ON d.usage_point_id = u.usage_point_id AND d.day >= u.effective_from
  WHERE d.day >= least(ym_start(ym_add(:period, 1 - :periods)), least(:data_date, :period_end - 1) - :days + 1)
    AND d.day <= least(:data_date, :period_end - 1)
  GROUP BY u.usage_point_id
),
judged AS (
  SELECT
    u.usage_point_id, u.effective_from, u.customer_id, u.customer_status, u.customer_org_id, u.opened_on,
    u.usage_category, u.verdict,
    coalesce(d.days_known, 0) AS days_known,
    d.window_kwh, d.unbilled_kwh, d.first_use, d.last_use,
    coalesce(d.window_kwh > :kwh, FALSE) AS is_drawing
  FROM unbilled AS u
  LEFT JOIN drawn AS d ON d.usage_point_id = u.usage_point_id
),
told AS (
  SELECT
    usage_point_id, effective_from, customer_id, customer_status, customer_org_id, opened_on, usage_category,
    days_known, window_kwh, unbilled_kwh, first_use, last_use,
    CASE WHEN is_drawing THEN verdict ELSE 'few_days' END AS verdict,
    is_drawing AND verdict IN ('no_customer', 'active_not_billed', 'customer_pending', 'customer_suspended', 'customer_closed')
      AS is_hit
  FROM judged
  WHERE is_drawing
    OR (days_known < :min_cover * :days AND verdict NOT IN ('closed_recently', 'customer_closed'))
),
own_price AS (
  SELECT t.usage_point_id, m.p
  FROM told AS t
  JOIN cust_month AS m ON m.customer_id = t.customer_id
  WHERE t.is_hit
    AND m.p IS NOT NULL
    AND m.billing_period <= :period
  QUALIFY row_number() OVER (PARTITION BY t.usage_point_id ORDER BY m.billing_period DESC) = 1
),
category_price AS (
  -- who was never billed has no price of his own: that of his category stands for it
  SELECT
    c.usage_category,
    CAST(safe_div(sum(CAST(m.kwh AS DECIMAL(19, 4)) * m.p), sum(m.kwh)) AS DECIMAL(18, 8)) AS p
  FROM cust_month AS m
  JOIN customer AS c ON c.customer_id = m.customer_id
  WHERE m.billing_period = :period
    AND m.p IS NOT NULL
    AND c.usage_category IN (SELECT usage_category FROM told WHERE is_hit)
  GROUP BY c.usage_category
),
priced AS (
  SELECT
    t.usage_point_id, t.effective_from, t.customer_id, t.customer_status, t.customer_org_id, t.opened_on,
    t.days_known, t.window_kwh, t.unbilled_kwh, t.first_use, t.last_use, t.verdict, t.is_hit,
    coalesce(o.p, g.p) AS p,
    CASE WHEN o.p IS NOT NULL THEN 'own' WHEN g.p IS NOT NULL THEN 'category' END AS p_basis
  FROM told AS t
  LEFT JOIN own_price AS o ON o.usage_point_id = t.usage_point_id
  LEFT JOIN category_price AS g ON g.usage_category = t.usage_category
)
SELECT
  usage_point_id AS subject_id,
  customer_id,
  customer_org_id AS org_id,
  :period_start AS period_start,
  :period_end AS period_end,
  CASE
    WHEN is_hit THEN 'hit'
    WHEN verdict = 'closed_recently' THEN 'not_applicable'
    WHEN verdict IN ('customer_unknown', 'sub_point_unclear') THEN 'mapping_suspect'
    ELSE 'insufficient_data'
  END AS exit,
  CASE WHEN is_hit THEN 'order' END AS band,
  verdict AS reason,
  CASE WHEN is_hit THEN unbilled_kwh END AS energy_kwh,
  CASE WHEN is_hit THEN money(CAST(unbilled_kwh AS DECIMAL(19, 4)) * p) END AS back_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS penalty_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS refund_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS exposed_cny,
  effective_from AS point_effective_from,
  customer_status,
  opened_on,
  window_kwh,
  days_known,
  first_use,
  last_use,
  p AS price,
  p_basis AS price_basis
FROM priced
