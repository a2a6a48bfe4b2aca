WITH spans AS (
  SELECT
    usage_point_id, role, direction, bus_id, feeder_id, district_id, effective_from,
    least(
      coalesce(effective_to, DATE '9999-12-31'),
      coalesce(lead(effective_from) OVER (PARTITION BY usage_point_id ORDER BY effective_from), DATE '9999-12-31')
    ) AS effective_until
  FROM usage_point
  WHERE role IN ('gateway_district', 'gateway_feeder', 'gateway_bus')
),
placed AS (
  SELECT
    usage_point_id, effective_from, effective_until,
    CASE role WHEN 'gateway_district' THEN 'district' WHEN 'gateway_feeder' THEN 'feeder' ELSE 'bus' END AS level,
    CASE role WHEN 'gateway_district' THEN district_id WHEN 'gateway_feeder' THEN feeder_id ELSE bus_id END AS unit_id,
    CASE WHEN direction = 'out' THEN -1 ELSE 1 END AS sign
  FROM spans
)
SELECT level, unit_id, usage_point_id, CAST(sign AS INTEGER) AS sign, effective_from, effective_until
FROM placed
WHERE unit_id IS NOT NULL
