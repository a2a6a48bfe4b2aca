WITH subs AS (
  SELECT usage_point_id, effective_from, customer_id, org_id, parent_usage_point_id, relation, metering_method
  FROM point_span
  WHERE parent_usage_point_id IS NOT NULL
    AND role = 'sale'
    AND effective_from < :period_end
    AND effective_until >= :period_end
  QUALIFY row_number() OVER (PARTITION BY usage_point_id ORDER BY effective_from DESC) = 1
),
parents AS (
  SELECT usage_point_id, effective_from, customer_id, org_id
  FROM point_span
  WHERE usage_point_id IN (SELECT parent_usage_point_id FROM subs)
    AND effective_from < :period_end
    AND effective_until >= :period_end
  QUALIFY row_number() OVER (PARTITION BY usage_point_id ORDER BY effective_from DESC) = 1
),
orphans AS (
  SELECT s.usage_point_id, s.effective_from, s.customer_id, s.org_id, s.parent_usage_point_id
  FROM subs AS s
  LEFT JOIN parents AS p ON p.usage_point_id = s.parent_usage_point_id
  WHERE p.usage_point_id IS NULL
),
deducted AS (
  SELECT s.usage_point_id, s.parent_usage_point_id
  FROM subs AS s
  JOIN parents AS p ON p.usage_point_id = s.parent_usage_point_id
  WHERE s.relation = 'sub_deducted'
    AND s.metering_method = 'meter'
),
meters AS (
  SELECT DISTINCT parent_usage_point_id AS usage_point_id
  FROM deducted
  UNION
  SELECT usage_point_id
  FROM deducted
),
taken AS (
  SELECT
    m.usage_point_id,
    CAST(sum(r.energy) AS DECIMAL(18, 4)) AS kwh,
    min(r.started_on) AS started_on,
    max(r.read_on) AS read_on
  FROM meters AS m
  JOIN reading AS r ON r.usage_point_id = m.usage_point_id
  WHERE r.billing_period = :period
    AND r.register = 'active'
  GROUP BY m.usage_point_id
),
summed AS (
  SELECT
    d.parent_usage_point_id,
    count(*) AS subs,
    count(CASE WHEN t.usage_point_id IS NULL THEN 1 END) AS subs_unread,
    min(d.usage_point_id) AS sub_id,
    CAST(sum(t.kwh) AS DECIMAL(18, 4)) AS sub_kwh,
    min(t.started_on) AS first_start, max(t.started_on) AS last_start,
    min(t.read_on) AS first_end, max(t.read_on) AS last_end
  FROM deducted AS d
  LEFT JOIN taken AS t ON t.usage_point_id = d.usage_point_id
  GROUP BY d.parent_usage_point_id
),
charged AS (
  -- losses are inside the energy lines of the main point; their own lines say how much
  SELECT
    s.parent_usage_point_id,
    CAST(sum(CASE WHEN l.component = 'energy' THEN l.quantity ELSE 0 END) AS DECIMAL(18, 4)) AS billed_kwh,
    CAST(sum(CASE WHEN l.component IN ('transformer_loss', 'line_loss') THEN l.quantity ELSE 0 END) AS DECIMAL(18, 4)) AS loss_kwh,
    min(l.bill_id) AS bill_id
  FROM summed AS s
  JOIN live_line AS l ON l.usage_point_id = s.parent_usage_point_id
  WHERE l.billing_period = :period
  GROUP BY s.parent_usage_point_id
),
judged AS (
  SELECT
    p.usage_point_id, p.effective_from, p.customer_id, p.org_id, s.subs, s.sub_id, t.kwh AS parent_kwh, s.sub_kwh,
    c.billed_kwh, c.loss_kwh, c.bill_id,
    CAST(greatest(t.kwh - s.sub_kwh, 0) + coalesce(c.loss_kwh, 0) AS DECIMAL(18, 4)) AS right_kwh,
    CASE
      WHEN t.usage_point_id IS NULL THEN 'parent_not_read'
      WHEN s.subs_unread > 0 THEN 'sub_not_read'
      WHEN s.first_start <> s.last_start OR s.first_end <> s.last_end OR s.first_start <> t.started_on
        OR s.first_end <> t.read_on THEN 'days_differ'
      WHEN t.kwh < s.sub_kwh * (1 - :tol) THEN 'sub_above_parent'
      WHEN c.billed_kwh > greatest(t.kwh - s.sub_kwh, 0) + c.loss_kwh + :loss * t.kwh THEN 'not_deducted'
    END AS verdict
  FROM summed AS s
  JOIN parents AS p ON p.usage_point_id = s.parent_usage_point_id
  LEFT JOIN taken AS t ON t.usage_point_id = s.parent_usage_point_id
  LEFT JOIN charged AS c ON c.parent_usage_point_id = s.parent_usage_point_id
),
told AS (
  SELECT
    usage_point_id, effective_from, customer_id, org_id, subs, sub_id, parent_kwh, sub_kwh, billed_kwh, loss_kwh, bill_id,
    right_kwh, verdict
  FROM judged
  WHERE verdict IS NOT NULL
  UNION ALL
  SELECT
    usage_point_id, effective_from, customer_id, org_id,
    CAST(NULL AS BIGINT) AS subs,
    parent_usage_point_id AS sub_id,
    CAST(NULL AS DECIMAL(18, 4)) AS parent_kwh,
    CAST(NULL AS DECIMAL(18, 4)) AS sub_kwh,
    CAST(NULL AS DECIMAL(18, 4)) AS billed_kwh,
    CAST(NULL AS DECIMAL(18, 4)) AS loss_kwh,
    CAST(NULL AS VARCHAR) AS bill_id,
    CAST(NULL AS DECIMAL(18, 4)) AS right_kwh,
    'parent_not_in_force' AS verdict
  FROM orphans
)
SELECT
  t.usage_point_id AS subject_id,
  t.customer_id,
  t.org_id,
  :period_start AS period_start,
  :period_end AS period_end,
  CASE WHEN t.verdict IN ('parent_not_read', 'sub_not_read', 'days_differ') THEN 'insufficient_data' ELSE 'hit' END AS exit,
  CASE WHEN t.verdict IN ('sub_above_parent', 'not_deducted', 'parent_not_in_force') THEN 'order' END AS band,
  t.verdict AS reason,
  CASE
    WHEN t.verdict = 'sub_above_parent' THEN kwh(t.sub_kwh - t.parent_kwh)
    WHEN t.verdict = 'not_deducted' THEN kwh(t.right_kwh - t.billed_kwh)
  END AS energy_kwh,
  CAST(NULL AS DECIMAL(18, 2)) AS back_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS penalty_cny,
  CASE WHEN t.verdict = 'not_deducted' THEN money((t.billed_kwh - t.right_kwh) * m.p) END AS refund_cny,
  CASE WHEN t.verdict = 'sub_above_parent' THEN money((t.sub_kwh - t.parent_kwh) * m.p) END AS exposed_cny,
  t.effective_from AS point_effective_from,
  CAST(t.subs AS INTEGER) AS subs,
  CASE WHEN t.verdict <> 'parent_not_in_force' THEN t.sub_id END AS sub_id,
  CASE WHEN t.verdict = 'parent_not_in_force' THEN t.sub_id END AS missing_parent_id,
  t.parent_kwh,
  t.sub_kwh,
  t.loss_kwh,
  t.right_kwh,
  t.billed_kwh,
  t.bill_id,
  m.p AS price
FROM told AS t
LEFT JOIN cust_month AS m ON m.customer_id = t.customer_id AND m.billing_period = :period AND m.p > 0
