WITH target AS (
  SELECT level, object_id AS unit_id, billing_period, technical_pct
  FROM loss_target
  WHERE technical_pct IS NOT NULL
    AND level IN ('district', 'feeder')
),
ranked AS (
  -- the months before, each with its place among them
  SELECT
    m.district_id, m.billing_period, b.loss_pct,
    count(*) OVER (PARTITION BY m.district_id, m.billing_period) AS months,
    row_number() OVER (
      PARTITION BY m.district_id, m.billing_period ORDER BY b.loss_pct, b.billing_period
    ) AS place
  FROM district_month AS m
  JOIN district_month AS b ON b.district_id = m.district_id AND b.billing_period < m.billing_period
  WHERE b.computable
    AND b.loss_pct IS NOT NULL
)
SELECT level, unit_id, billing_period, CAST(technical_pct AS DECIMAL(9, 4)) AS norm_pct, 'technical' AS basis
FROM target
UNION ALL
SELECT 'district' AS level, r.district_id AS unit_id, r.billing_period, r.loss_pct AS norm_pct, 'own_median' AS basis
FROM ranked AS r
LEFT JOIN target AS t
  ON t.level = 'district'
  AND t.unit_id = r.district_id
  AND t.billing_period = r.billing_period
WHERE t.unit_id IS NULL
  AND r.months >= :norm_months
  AND r.place = (r.months + 1) // 2
