WITH archive AS (
  SELECT
    usage_point_id, role, customer_id, district_id, effective_from,
    least(
      coalesce(effective_to, DATE '9999-12-31'),
      coalesce(lead(effective_from) OVER (PARTITION BY usage_point_id ORDER BY effective_from), DATE '9999-12-31')
    ) AS effective_until
  FROM usage_point
),
owned AS (
  SELECT
    a.usage_point_id, a.role, a.customer_id, a.effective_from, a.effective_until,
    c.org_id,
    coalesce(a.district_id, c.district_id) AS district_id
  FROM archive AS a
  LEFT JOIN customer AS c ON c.customer_id = a.customer_id
)
SELECT
  d.usage_point_id,
  d.day,
  o.customer_id,
  o.org_id,
  o.district_id,
  o.role,
  d.import_kwh,
  d.export_kwh,
  CAST(d.import_kwh - coalesce(d.export_kwh, 0) AS DECIMAL(18, 4)) AS net_kwh,
  d.register_active,
  d.quality
FROM daily_energy AS d
JOIN owned AS o
  ON o.usage_point_id = d.usage_point_id
  AND o.effective_from <= d.day
  AND o.effective_until > d.day
WHERE d.day >= :history_start
  AND d.day <= :data_date
