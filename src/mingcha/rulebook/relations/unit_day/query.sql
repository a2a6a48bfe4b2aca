WITH days AS (
  SELECT
    'district' AS level, district_id AS unit_id, day, gateways, gateways_valued, points, points_valued,
    supply_kwh, sales_kwh, loss_kwh, computable
  FROM district_day
  UNION ALL
  SELECT
    'feeder' AS level, feeder_id AS unit_id, day, gateways, gateways_valued, points, points_valued,
    supply_kwh, sales_kwh, loss_kwh, computable
  FROM feeder_day
  UNION ALL
  SELECT
    'bus' AS level, bus_id AS unit_id, day, gateways, gateways_valued, points, points_valued,
    supply_kwh, sales_kwh, loss_kwh, computable
  FROM bus_day
)
SELECT
  level, unit_id, day, gateways, gateways_valued, points, points_valued, supply_kwh, sales_kwh, loss_kwh, computable,
  CASE
    WHEN supply_kwh > 0
      -- held within what the column can show: a supply next to nothing must not make the rate unknown
      THEN CAST(
        greatest(-99999, least(99999, safe_div(CAST(loss_kwh AS DECIMAL(19, 4)) * 100, supply_kwh))) AS DECIMAL(9, 4)
      )
  END AS loss_pct
FROM days
