SELECT
  usage_point_id,
  billing_period,
  CAST(sum(CASE WHEN register = 'active' THEN energy END) AS DECIMAL(18, 4)) AS kwh,
  CAST(sum(CASE WHEN register = 'active_export' THEN energy END) AS DECIMAL(18, 4)) AS export_kwh,
  CAST(count(CASE WHEN register = 'active' THEN 1 END) AS INTEGER) AS readings
FROM reading
WHERE billing_period >= :history_period
  AND billing_period <= :last_period
  AND register IN ('active', 'active_export')
GROUP BY usage_point_id, billing_period
