WITH compared AS (
  SELECT
    n.customer_id, n.org_id, n.billing_period, n.kwh, n.amount, b.kwh AS before_kwh
  FROM month_total AS n
  LEFT JOIN month_total AS b
    ON b.customer_id = n.customer_id AND b.billing_period = ym_add(n.billing_period, -1)
  WHERE n.billing_period = :period
)
SELECT
  c.customer_id AS subject_id,
  c.customer_id,
  c.org_id,
  :period_start AS period_start,
  :period_end AS period_end,
  CASE WHEN c.before_kwh IS NULL THEN 'insufficient_data' ELSE 'hit' END AS exit,
  CASE WHEN c.before_kwh IS NULL THEN NULL WHEN c.kwh > 5 * c.before_kwh THEN 'order' ELSE 'watch' END AS band,
  CASE WHEN c.before_kwh IS NULL THEN 'no_month_before' ELSE 'jump' END AS reason,
  c.kwh AS energy_kwh,
  CAST(NULL AS DECIMAL(18, 2)) AS back_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS penalty_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS refund_cny,
  c.amount AS exposed_cny,
  c.kwh,
  c.before_kwh,
  ym_start(c.billing_period) AS billed_on
FROM compared AS c
LEFT JOIN (SELECT DISTINCT customer_id FROM excl_change WHERE kind IN (:kinds)) AS x
  ON x.customer_id = c.customer_id
WHERE x.customer_id IS NULL
  AND (c.before_kwh IS NULL OR c.kwh > :times * c.before_kwh)
