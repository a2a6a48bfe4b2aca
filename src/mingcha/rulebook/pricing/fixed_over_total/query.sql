WITH children AS (
  SELECT
    p.usage_point_id, p.parent_usage_point_id, p.metering_method, p.fixed_value, p.relation, p.tariff_id,
    CAST(date_diff('day', greatest(p.effective_from, :period_start), least(p.effective_until, :period_end)) AS INTEGER) AS days
  FROM point_span AS p
  WHERE p.parent_usage_point_id IS NOT NULL
    AND p.role = 'sale'
    AND p.effective_from < :period_end
    AND p.effective_until > :period_start
    AND p.effective_from < p.effective_until
),
fixed AS (
  SELECT
    parent_usage_point_id,
    count(*) AS children,
    min(usage_point_id) AS child_id,
    -- a quantity is due by the days it was in force, as in the bill
    CAST(sum(CASE WHEN metering_method = 'fixed_quantity'
      THEN CAST(safe_div(CAST(fixed_value AS DECIMAL(18, 4)) * days, days_in_ym(:period)) AS DECIMAL(18, 4)) ELSE 0 END)
      AS DECIMAL(18, 4)) AS quantity_kwh,
    CAST(sum(CASE WHEN metering_method = 'fixed_ratio' AND days = days_in_ym(:period) THEN fixed_value ELSE 0 END)
      AS DECIMAL(18, 6)) AS share,
    count(CASE WHEN fixed_value IS NULL THEN 1 END) AS unset
  FROM children
  WHERE metering_method IN ('fixed_quantity', 'fixed_ratio')
  GROUP BY parent_usage_point_id
),
metered AS (
  SELECT c.parent_usage_point_id, CAST(sum(m.kwh) AS DECIMAL(18, 4)) AS kwh
  FROM children AS c
  JOIN fixed AS f ON f.parent_usage_point_id = c.parent_usage_point_id
  JOIN point_month AS m ON m.usage_point_id = c.usage_point_id
  WHERE c.metering_method = 'meter'
    AND c.relation = 'sub_deducted'
    AND m.billing_period = :period
  GROUP BY c.parent_usage_point_id
),
parents AS (
  SELECT usage_point_id, effective_from, customer_id, org_id, tariff_id
  FROM point_span
  WHERE usage_point_id IN (SELECT parent_usage_point_id FROM fixed)
    AND effective_from < :period_end
    AND effective_until > :period_start
  QUALIFY row_number() OVER (PARTITION BY usage_point_id ORDER BY effective_from DESC) = 1
),
judged AS (
  SELECT
    f.parent_usage_point_id, p.effective_from, p.customer_id, p.org_id, p.tariff_id, f.children, f.child_id, f.quantity_kwh,
    f.share, f.unset, m.kwh AS parent_kwh, coalesce(s.kwh, 0) AS sub_kwh,
    CAST(m.kwh - coalesce(s.kwh, 0) AS DECIMAL(18, 4)) AS left_kwh
  FROM fixed AS f
  LEFT JOIN parents AS p ON p.usage_point_id = f.parent_usage_point_id
  LEFT JOIN point_month AS m ON m.usage_point_id = f.parent_usage_point_id AND m.billing_period = :period
  LEFT JOIN metered AS s ON s.parent_usage_point_id = f.parent_usage_point_id
),
told AS (
  SELECT
    parent_usage_point_id, effective_from, customer_id, org_id, tariff_id, children, child_id, quantity_kwh, share, unset,
    parent_kwh, sub_kwh, left_kwh,
    CASE
      WHEN share >= :share_max THEN 'share_over_one'
      WHEN unset > 0 THEN 'value_missing'
      WHEN quantity_kwh > 0 AND parent_kwh IS NULL THEN 'not_read'
      WHEN quantity_kwh > 0 AND parent_kwh > 0 AND quantity_kwh >= left_kwh THEN 'quantity_over_total'
    END AS verdict
  FROM judged
),
prices AS (
  SELECT
    r.tariff_id,
    CAST(sum(CASE WHEN r.component = 'energy' AND r.period <> 'all' THEN 0 ELSE r.price END) AS DECIMAL(18, 8)) AS p_all,
    max(CASE WHEN r.component = 'energy' AND r.period = 'flat' THEN r.price END) AS p_flat
  FROM tariff_price AS r
  WHERE r.component IN ('energy', 'transmission', 'grid_loss', 'system', 'fund')
    AND r.tier <= 1
    AND (r.component = 'energy' OR r.period = 'all')
    AND r.effective_from < :period_end
    AND (r.effective_to IS NULL OR r.effective_to >= :period_end)
  GROUP BY r.tariff_id
),
priced AS (
  SELECT
    t.parent_usage_point_id,
    CAST(p.p_all + coalesce(p.p_flat, 0) AS DECIMAL(18, 8)) AS price_main,
    CAST(q.p_all + coalesce(q.p_flat, 0) AS DECIMAL(18, 8)) AS price_child
  FROM told AS t
  JOIN children AS c ON c.usage_point_id = t.child_id
  JOIN prices AS p ON p.tariff_id = t.tariff_id
  JOIN prices AS q ON q.tariff_id = c.tariff_id
  WHERE t.verdict IN ('quantity_over_total', 'share_over_one')
)
SELECT
  t.parent_usage_point_id AS subject_id,
  t.customer_id,
  t.org_id,
  :period_start AS period_start,
  :period_end AS period_end,
  CASE WHEN t.verdict IN ('not_read', 'value_missing') THEN 'insufficient_data' ELSE 'hit' END AS exit,
  CASE WHEN t.verdict IN ('quantity_over_total', 'share_over_one') THEN 'order' END AS band,
  t.verdict AS reason,
  CAST(NULL AS DECIMAL(18, 4)) AS energy_kwh,
  CAST(NULL AS DECIMAL(18, 2)) AS back_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS penalty_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS refund_cny,
  CASE
    WHEN t.verdict IN ('quantity_over_total', 'share_over_one') AND t.left_kwh > 0 AND p.price_main > p.price_child
      THEN money(t.left_kwh * (p.price_main - p.price_child))
  END AS exposed_cny,
  t.effective_from AS point_effective_from,
  CAST(t.children AS INTEGER) AS children,
  t.child_id,
  t.quantity_kwh,
  t.share AS share_sum,
  t.parent_kwh,
  t.sub_kwh,
  t.left_kwh,
  p.price_main,
  p.price_child
FROM told AS t
LEFT JOIN priced AS p ON p.parent_usage_point_id = t.parent_usage_point_id
WHERE t.verdict IS NOT NULL
