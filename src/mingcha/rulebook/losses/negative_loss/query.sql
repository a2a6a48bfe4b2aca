WITH recent AS (
  SELECT
    district_id,
    count(*) AS days,
    count(CASE WHEN CAST(loss_kwh AS DECIMAL(19, 4)) * 100 <= supply_kwh * :low THEN 1 END) AS low_days,
    CAST(
      sum(CASE WHEN CAST(loss_kwh AS DECIMAL(19, 4)) * 100 <= supply_kwh * :low THEN -loss_kwh ELSE 0 END)
      AS DECIMAL(18, 4)
    ) AS low_days_kwh
  FROM district_day
  WHERE day >= :period_end - :window
    AND day < :period_end
    AND computable
    AND supply_kwh > 0
  GROUP BY district_id
),
measured AS (
  SELECT
    u.unit_id AS district_id, u.org_id, u.parent_id AS feeder_id,
    m.month_days, m.computable_days, m.supply_kwh, m.sales_kwh, m.loss_kwh, m.loss_pct, m.why,
    coalesce(m.computable, FALSE) AS computable,
    coalesce(r.days, 0) AS days_judged,
    coalesce(r.low_days, 0) AS low_days,
    coalesce(r.low_days_kwh, 0) AS low_days_kwh
  FROM network_unit AS u
  LEFT JOIN district_month AS m ON m.district_id = u.unit_id AND m.billing_period = :period
  LEFT JOIN recent AS r ON r.district_id = u.unit_id
  WHERE u.level = 'district'
),
judged AS (
  SELECT
    district_id, org_id, feeder_id, month_days, computable_days, supply_kwh, sales_kwh, loss_kwh, loss_pct,
    days_judged, low_days,
    CASE
      WHEN computable AND supply_kwh > 0 AND CAST(loss_kwh AS DECIMAL(19, 4)) * 100 <= supply_kwh * :low
        AND -loss_kwh >= :min_gain_kwh THEN 'negative_month'
      WHEN low_days >= :days AND low_days_kwh >= :min_gain_kwh THEN 'negative_days'
      WHEN month_days IS NULL THEN 'no_gateway_value'
      WHEN NOT computable THEN why
      WHEN supply_kwh <= 0 THEN 'no_supply'
    END AS reason
  FROM measured
),
neighbour AS (
  -- the lossiest computable district of the same feeder: where a wrongly placed customer would be missing
  SELECT u.parent_id AS feeder_id, m.district_id, m.loss_pct
  FROM district_month AS m
  JOIN network_unit AS u ON u.level = 'district' AND u.unit_id = m.district_id
  WHERE m.billing_period = :period
    AND m.computable
    AND m.loss_pct > 0
    AND u.parent_id IS NOT NULL
  QUALIFY row_number() OVER (PARTITION BY u.parent_id ORDER BY m.loss_pct DESC, m.district_id) = 1
)
SELECT
  j.district_id AS subject_id,
  CAST(NULL AS VARCHAR) AS customer_id,
  j.org_id,
  :period_start AS period_start,
  :period_end AS period_end,
  CASE WHEN j.reason IN ('negative_month', 'negative_days') THEN 'hit' ELSE 'insufficient_data' END AS exit,
  CASE j.reason WHEN 'negative_month' THEN 'order' WHEN 'negative_days' THEN 'watch' END AS band,
  j.reason,
  CAST(NULL AS DECIMAL(18, 4)) AS energy_kwh,
  CAST(NULL AS DECIMAL(18, 2)) AS back_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS penalty_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS refund_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS exposed_cny,
  j.feeder_id,
  j.supply_kwh,
  j.sales_kwh,
  j.loss_kwh,
  j.loss_pct,
  j.low_days,
  j.days_judged,
  j.computable_days,
  j.month_days,
  n.district_id AS lossy_neighbour_id,
  n.loss_pct AS neighbour_loss_pct
FROM judged AS j
LEFT JOIN neighbour AS n ON n.feeder_id = j.feeder_id AND n.district_id <> j.district_id
WHERE j.reason IS NOT NULL
