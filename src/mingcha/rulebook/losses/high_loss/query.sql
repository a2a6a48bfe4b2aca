WITH recent AS (
  SELECT
    d.district_id,
    count(*) AS days,
    count(
      CASE
        WHEN CAST(d.loss_kwh - coalesce(g.missing_kwh, 0) AS DECIMAL(19, 4)) * 100 >= d.supply_kwh * :high THEN 1
      END
    ) AS high_days
  FROM district_day AS d
  LEFT JOIN missing_energy AS g ON g.level = 'district' AND g.unit_id = d.district_id AND g.day = d.day
  WHERE d.day >= :period_end - :window
    AND d.day < :period_end
    AND d.computable
    AND d.supply_kwh > 0
  GROUP BY d.district_id
),
gap AS (
  -- the few points a computable day may lack can be the largest: what they would have taken is no loss
  SELECT d.district_id, CAST(sum(g.missing_kwh) AS DECIMAL(18, 4)) AS missing_kwh
  FROM district_day AS d
  JOIN missing_energy AS g ON g.level = 'district' AND g.unit_id = d.district_id AND g.day = d.day
  WHERE d.day >= :period_start
    AND d.day < :period_end
    AND d.computable
  GROUP BY d.district_id
),
measured AS (
  SELECT
    u.unit_id AS district_id, u.org_id, u.parent_id AS feeder_id,
    m.month_days, m.computable_days, m.supply_kwh, m.sales_kwh, m.loss_kwh, m.loss_pct, m.why,
    coalesce(g.missing_kwh, 0) AS missing_kwh,
    CAST(m.loss_kwh - coalesce(g.missing_kwh, 0) AS DECIMAL(18, 4)) AS sure_kwh,
    coalesce(m.computable, FALSE) AS computable,
    coalesce(r.days, 0) AS days_judged,
    coalesce(r.high_days, 0) AS high_days,
    coalesce(m.supply_kwh, 0) < :small_kwh AS small
  FROM network_unit AS u
  LEFT JOIN district_month AS m ON m.district_id = u.unit_id AND m.billing_period = :period
  LEFT JOIN recent AS r ON r.district_id = u.unit_id
  LEFT JOIN gap AS g ON g.district_id = u.unit_id
  WHERE u.level = 'district'
),
judged AS (
  SELECT
    district_id, org_id, feeder_id, month_days, computable_days, supply_kwh, sales_kwh, loss_kwh, loss_pct,
    missing_kwh, sure_kwh, days_judged, high_days,
    CASE
      WHEN computable AND supply_kwh > 0 AND NOT small
        AND CAST(sure_kwh AS DECIMAL(19, 4)) * 100 >= supply_kwh * :high THEN 'high_month'
      -- a rate says nothing of a district that takes next to nothing: there the kilowatt-hours decide
      WHEN computable AND supply_kwh > 0 AND small AND sure_kwh >= :small_loss THEN 'small_district'
      WHEN NOT small AND high_days >= :days THEN 'high_days'
      WHEN month_days IS NULL THEN 'no_gateway_value'
      WHEN NOT computable THEN why
      WHEN supply_kwh <= 0 THEN 'no_supply'
      WHEN NOT small AND CAST(loss_kwh AS DECIMAL(19, 4)) * 100 >= supply_kwh * :high THEN 'missing_values'
      WHEN small AND loss_kwh >= :small_loss THEN 'missing_values'
    END AS reason
  FROM measured
),
priced AS (
  SELECT
    j.district_id, j.org_id, j.feeder_id, j.month_days, j.computable_days, j.supply_kwh, j.sales_kwh, j.loss_kwh,
    j.loss_pct, j.missing_kwh, j.sure_kwh, j.days_judged, j.high_days, j.reason,
    j.reason IN ('high_month', 'small_district', 'high_days') AS is_hit,
    n.norm_pct, n.basis, p.p,
    CAST(
      j.sure_kwh - CAST(j.supply_kwh AS DECIMAL(19, 4)) * n.norm_pct * 0.01 AS DECIMAL(18, 4)
    ) AS unexplained_kwh
  FROM judged AS j
  LEFT JOIN loss_norm AS n ON n.level = 'district' AND n.unit_id = j.district_id AND n.billing_period = :period
  LEFT JOIN district_price AS p ON p.district_id = j.district_id AND p.billing_period = :period
  WHERE j.reason IS NOT NULL
)
SELECT
  district_id AS subject_id,
  CAST(NULL AS VARCHAR) AS customer_id,
  org_id,
  :period_start AS period_start,
  :period_end AS period_end,
  CASE WHEN is_hit THEN 'hit' ELSE 'insufficient_data' END AS exit,
  CASE
    WHEN NOT is_hit THEN NULL
    WHEN reason <> 'high_days' AND CAST(sure_kwh AS DECIMAL(19, 4)) * 100 >= supply_kwh * :urgent THEN 'urgent'
    ELSE 'order'
  END AS band,
  reason,
  CASE WHEN is_hit AND unexplained_kwh > 0 THEN kwh(unexplained_kwh) END AS energy_kwh,
  CAST(NULL AS DECIMAL(18, 2)) AS back_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS penalty_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS refund_cny,
  CASE WHEN is_hit AND unexplained_kwh > 0 THEN money(CAST(unexplained_kwh AS DECIMAL(19, 4)) * p) END AS exposed_cny,
  feeder_id,
  supply_kwh,
  sales_kwh,
  loss_kwh,
  loss_pct,
  missing_kwh,
  norm_pct,
  basis AS norm_basis,
  high_days,
  days_judged,
  computable_days,
  month_days,
  p AS price
FROM priced
