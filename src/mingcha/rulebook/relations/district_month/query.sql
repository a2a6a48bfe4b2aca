WITH months AS (
  SELECT
    district_id,
    period_of(day) AS billing_period,
    count(*) AS days,
    count(CASE WHEN computable THEN 1 END) AS computable_days,
    count(CASE WHEN gateways_valued < gateways THEN 1 END) AS gateway_days,
    count(CASE WHEN gateways_valued = gateways AND NOT computable THEN 1 END) AS cover_days,
    CAST(coalesce(sum(CASE WHEN computable THEN supply_kwh END), 0) AS DECIMAL(18, 4)) AS supply_kwh,
    CAST(coalesce(sum(CASE WHEN computable THEN sales_kwh END), 0) AS DECIMAL(18, 4)) AS sales_kwh
  FROM district_day
  GROUP BY district_id, period_of(day)
),
measured AS (
  SELECT
    district_id, billing_period, days, computable_days, gateway_days, cover_days, supply_kwh, sales_kwh,
    days_in_ym(billing_period) AS month_days,
    CAST(supply_kwh - sales_kwh AS DECIMAL(18, 4)) AS loss_kwh,
    computable_days >= days_in_ym(billing_period) * :month_cover AS computable
  FROM months
)
SELECT
  district_id,
  billing_period,
  CAST(month_days AS INTEGER) AS month_days,
  CAST(computable_days AS INTEGER) AS computable_days,
  supply_kwh,
  sales_kwh,
  loss_kwh,
  CASE
    WHEN supply_kwh > 0
      -- held within what the column can show: a supply next to nothing must not make the rate unknown
      THEN CAST(
        greatest(-99999, least(99999, safe_div(CAST(loss_kwh AS DECIMAL(19, 4)) * 100, supply_kwh))) AS DECIMAL(9, 4)
      )
  END AS loss_pct,
  computable,
  CASE
    WHEN computable THEN NULL
    WHEN gateway_days + month_days - days >= cover_days THEN 'gateway_missing'
    ELSE 'low_cover'
  END AS why
FROM measured
