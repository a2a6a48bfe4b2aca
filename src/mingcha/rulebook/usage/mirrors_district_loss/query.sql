WITH measured AS (
  SELECT district_id, day, supply_kwh, loss_kwh, day >= :period_start AS in_month
  FROM district_day
  WHERE day >= :period_end - :window
    AND day < :period_end
    AND computable
    AND supply_kwh > 0
),
lossy AS (
  SELECT
    district_id,
    count(*) AS days,
    CAST(sum(CASE WHEN in_month THEN supply_kwh END) AS DECIMAL(18, 4)) AS month_supply_kwh,
    CAST(sum(CASE WHEN in_month THEN loss_kwh END) AS DECIMAL(18, 4)) AS month_loss_kwh,
    count(CASE WHEN in_month AND CAST(loss_kwh AS DECIMAL(19, 4)) * 100 >= supply_kwh * :high THEN 1 END) AS high_days
  FROM measured
  GROUP BY district_id
),
suspect_district AS (
  SELECT
    district_id, days, month_supply_kwh, month_loss_kwh, high_days,
    CAST(safe_div(CAST(month_loss_kwh AS DECIMAL(19, 4)) * 100, month_supply_kwh) AS DECIMAL(18, 4)) AS loss_pct
  FROM lossy
  WHERE days >= :min_valid
    AND month_loss_kwh >= :min_loss_kwh
    AND (CAST(month_loss_kwh AS DECIMAL(19, 4)) * 100 >= month_supply_kwh * :high OR high_days >= :high_days)
),
candidate AS (
  SELECT p.usage_point_id, p.effective_from, p.customer_id, p.customer_org_id, p.district_id
  FROM point_now AS p
  JOIN suspect_district AS s ON s.district_id = p.district_id
  WHERE p.role = 'sale'
    AND p.parent_usage_point_id IS NULL
    AND p.customer_status = 'active'
),
paired AS (
  SELECT
    c.usage_point_id,
    CAST(d.import_kwh AS DECIMAL(19, 4)) AS x,
    CAST(m.loss_kwh AS DECIMAL(19, 4)) AS l,
    CAST(m.supply_kwh AS DECIMAL(19, 4)) AS s
  FROM candidate AS c
  JOIN daily_energy AS d ON d.usage_point_id = c.usage_point_id
  JOIN measured AS m ON m.district_id = c.district_id AND m.day = d.day
  WHERE d.day >= :period_end - :window
    AND d.day < :period_end
    AND d.day >= c.effective_from
    AND d.import_kwh IS NOT NULL
    AND (d.quality IS NULL OR d.quality <> 'estimated')
),
summed AS (
  -- exact sums first, so that the order of the rows does not matter
  SELECT
    usage_point_id,
    count(*) AS n,
    CAST(sum(x) AS DECIMAL(18, 4)) AS x_sum,
    CAST(sum(x) AS DOUBLE) AS sx,
    CAST(sum(l) AS DOUBLE) AS sl,
    CAST(sum(s) AS DOUBLE) AS ss,
    CAST(sum(CAST(x * x AS DECIMAL(38, 8))) AS DOUBLE) AS sxx,
    CAST(sum(CAST(l * l AS DECIMAL(38, 8))) AS DOUBLE) AS sll,
    CAST(sum(CAST(s * s AS DECIMAL(38, 8))) AS DOUBLE) AS sss,
    CAST(sum(CAST(x * l AS DECIMAL(38, 8))) AS DOUBLE) AS sxl,
    CAST(sum(CAST(x * s AS DECIMAL(38, 8))) AS DOUBLE) AS sxs,
    CAST(sum(CAST(l * s AS DECIMAL(38, 8))) AS DOUBLE) AS sls
  FROM paired
  GROUP BY usage_point_id
  HAVING count(*) >= :min_valid
),
centred AS (
  SELECT
    usage_point_id, n, x_sum,
    sxx - safe_div(sx * sx, n) AS vxx,
    sll - safe_div(sl * sl, n) AS vll,
    sss - safe_div(ss * ss, n) AS vss,
    sxl - safe_div(sx * sl, n) AS vxl,
    sxs - safe_div(sx * ss, n) AS vxs,
    sls - safe_div(sl * ss, n) AS vls
  FROM summed
),
residual AS (
  -- what moves with the supply of the whole district is taken out of both series
  SELECT
    usage_point_id, n, x_sum,
    safe_div(vxl, sqrt(vxx * vll)) AS plain,
    vxx - CASE WHEN vss > 0.01 THEN safe_div(vxs * vxs, vss) ELSE 0 END AS rxx,
    vll - CASE WHEN vss > 0.01 THEN safe_div(vls * vls, vss) ELSE 0 END AS rll,
    vxl - CASE WHEN vss > 0.01 THEN safe_div(vxs * vls, vss) ELSE 0 END AS rxl
  FROM centred
  WHERE vxx > 0.01
    AND vll > 0.01
),
mirrored AS (
  SELECT
    usage_point_id, n, x_sum,
    TRY_CAST(plain AS DECIMAL(9, 4)) AS plain_correlation,
    TRY_CAST(safe_div(rxl, sqrt(rxx * rll)) AS DECIMAL(9, 4)) AS correlation,
    TRY_CAST(safe_div(rxl, rxx) AS DECIMAL(9, 4)) AS slope,
    TRY_CAST(sqrt(safe_div(rxx, n)) AS DECIMAL(18, 4)) AS swing_kwh
  FROM residual
  WHERE rxx > 0.01
    AND rll > 0.01
),
ranked AS (
  SELECT
    c.usage_point_id, c.effective_from, c.customer_id, c.customer_org_id, c.district_id,
    m.n, m.x_sum, m.plain_correlation, m.correlation, m.slope, m.swing_kwh,
    row_number() OVER (PARTITION BY c.district_id ORDER BY m.correlation, m.swing_kwh DESC, c.usage_point_id) AS place
  FROM mirrored AS m
  JOIN candidate AS c ON c.usage_point_id = m.usage_point_id
  WHERE m.correlation <= :r_max
    -- with an unmetered load in the supply, every lively customer seems to mirror it once supply is taken out:
    -- whoever causes the loss shows against it plainly as well
    AND m.plain_correlation <= :plain_max
    AND m.slope BETWEEN :s_lo AND :s_hi
),
generating AS (
  SELECT DISTINCT r.usage_point_id
  FROM ranked AS r
  JOIN excl_generator AS g
    ON g.customer_id = r.customer_id
    AND g.from_day < :period_end
    AND g.to_day > :period_end - :window
),
under_change AS (
  SELECT DISTINCT r.usage_point_id
  FROM ranked AS r
  JOIN excl_change AS x
    ON x.customer_id = r.customer_id
    AND x.from_day < :period_end
    AND x.to_day > :period_end - :window
  WHERE x.kind IN (
    'new_connection', 'capacity_increase', 'capacity_reduction', 'suspend', 'resume', 'change_of_use', 'split', 'merge',
    'meter_change', 'meter_fault', 'relocate', 'temporary_supply', 'closing'
  )
),
norm AS (
  SELECT object_id AS district_id, max(technical_pct) AS technical_pct
  FROM loss_target
  WHERE level = 'district'
    AND billing_period = :period
    AND technical_pct IS NOT NULL
  GROUP BY object_id
),
priced AS (
  SELECT r.usage_point_id, m.p
  FROM ranked AS r
  JOIN cust_month AS m ON m.customer_id = r.customer_id
  WHERE m.p IS NOT NULL
    AND m.billing_period <= :period
  QUALIFY row_number() OVER (PARTITION BY r.usage_point_id ORDER BY m.billing_period DESC) = 1
),
judged AS (
  SELECT
    r.usage_point_id, r.effective_from, r.customer_id, r.customer_org_id, r.district_id, r.n, r.x_sum,
    r.plain_correlation, r.correlation, r.slope, r.swing_kwh, r.place, s.days, s.month_supply_kwh, s.month_loss_kwh, s.high_days, s.loss_pct,
    t.technical_pct, p.p,
    CASE
      WHEN g.usage_point_id IS NOT NULL THEN 'own_generation'
      WHEN u.usage_point_id IS NOT NULL THEN 'under_change'
      ELSE 'mirrors_loss'
    END AS verdict,
    CAST(
      s.month_loss_kwh - CAST(s.month_supply_kwh AS DECIMAL(19, 4)) * t.technical_pct * 0.01 AS DECIMAL(18, 4)
    ) AS unexplained_kwh
  FROM ranked AS r
  JOIN suspect_district AS s ON s.district_id = r.district_id
  LEFT JOIN generating AS g ON g.usage_point_id = r.usage_point_id
  LEFT JOIN under_change AS u ON u.usage_point_id = r.usage_point_id
  LEFT JOIN norm AS t ON t.district_id = r.district_id
  LEFT JOIN priced AS p ON p.usage_point_id = r.usage_point_id
  WHERE r.place <= :rank
)
SELECT
  usage_point_id AS subject_id,
  customer_id,
  customer_org_id AS org_id,
  :period_start AS period_start,
  :period_end AS period_end,
  CASE WHEN verdict = 'mirrors_loss' THEN 'hit' ELSE 'not_applicable' END AS exit,
  CASE WHEN verdict = 'mirrors_loss' THEN 'order' END AS band,
  verdict AS reason,
  CAST(NULL AS DECIMAL(18, 4)) AS energy_kwh,
  CAST(NULL AS DECIMAL(18, 2)) AS back_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS penalty_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS refund_cny,
  CASE
    WHEN verdict = 'mirrors_loss' AND unexplained_kwh > 0 THEN money(CAST(unexplained_kwh AS DECIMAL(19, 4)) * p)
  END AS exposed_cny,
  effective_from AS point_effective_from,
  district_id,
  n AS days_compared,
  plain_correlation,
  correlation,
  slope,
  swing_kwh,
  place,
  x_sum AS point_kwh,
  days AS district_days,
  month_supply_kwh,
  month_loss_kwh,
  loss_pct,
  high_days,
  technical_pct,
  unexplained_kwh,
  p AS price
FROM judged
