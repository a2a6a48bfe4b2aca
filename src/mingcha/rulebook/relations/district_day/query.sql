WITH feeding AS (
  SELECT
    customer_id,
    min(connected_on) AS from_day,
    max(coalesce(removed_on, DATE '9999-12-31')) AS to_day
  FROM generator
  WHERE grid_mode = 'full_feed'
  GROUP BY customer_id
),
archive AS (
  SELECT
    u.usage_point_id, u.role, u.direction, u.customer_id, u.metering_method, u.effective_from,
    coalesce(u.district_id, c.district_id) AS district_id,
    u.parent_usage_point_id IS NULL OR u.relation = 'standalone' AS counted,
    least(
      coalesce(u.effective_to, DATE '9999-12-31'),
      coalesce(lead(u.effective_from) OVER (PARTITION BY u.usage_point_id ORDER BY u.effective_from), DATE '9999-12-31')
    ) AS effective_until
  FROM usage_point AS u
  LEFT JOIN customer AS c ON c.customer_id = u.customer_id
),
member AS (
  SELECT
    a.usage_point_id, a.district_id, a.role, a.metering_method, a.effective_from, a.effective_until,
    CASE WHEN a.role = 'gateway_district' AND a.direction = 'out' THEN -1 ELSE 1 END AS sign
  FROM archive AS a
  WHERE a.district_id IS NOT NULL
    AND (a.role = 'gateway_district' OR (a.role = 'sale' AND a.counted))
  UNION ALL
  SELECT
    a.usage_point_id, a.district_id, a.role, a.metering_method,
    greatest(a.effective_from, f.from_day) AS effective_from,
    least(a.effective_until, f.to_day) AS effective_until,
    1 AS sign
  FROM archive AS a
  JOIN feeding AS f ON f.customer_id = a.customer_id
  WHERE a.district_id IS NOT NULL
    AND a.role = 'generation'
),
metered AS (
  -- one row per gateway and day: a district without any has no day
  SELECT DISTINCT m.district_id, d.day
  FROM daily_energy AS d
  JOIN member AS m
    ON m.usage_point_id = d.usage_point_id
    AND m.effective_from <= d.day
    AND m.effective_until > d.day
  WHERE m.role = 'gateway_district'
    AND d.day >= :history_start
    AND d.day <= :data_date
),
valued AS (
  SELECT
    t.district_id, t.day, m.role, m.metering_method, m.sign, d.import_kwh,
    CAST(d.import_kwh - coalesce(d.export_kwh, 0) AS DECIMAL(18, 4)) AS net_kwh
  FROM metered AS t
  JOIN member AS m
    ON m.district_id = t.district_id
    AND m.effective_from <= t.day
    AND m.effective_until > t.day
  LEFT JOIN daily_energy AS d ON d.usage_point_id = m.usage_point_id AND d.day = t.day
),
summed AS (
  SELECT
    district_id, day,
    count(CASE WHEN role = 'gateway_district' THEN 1 END) AS gateways,
    count(CASE WHEN role = 'gateway_district' THEN net_kwh END) AS gateways_valued,
    count(CASE WHEN role <> 'gateway_district' AND metering_method = 'meter' THEN 1 END) AS points,
    count(CASE WHEN role <> 'gateway_district' AND metering_method = 'meter' THEN net_kwh END) AS points_valued,
    CAST(coalesce(sum(CASE WHEN role = 'gateway_district' THEN sign * net_kwh END), 0) AS DECIMAL(18, 4)) AS supply_kwh,
    CAST(
      coalesce(sum(CASE WHEN role = 'sale' THEN net_kwh WHEN role = 'generation' THEN -import_kwh END), 0)
      AS DECIMAL(18, 4)
    ) AS sales_kwh
  FROM valued
  GROUP BY district_id, day
)
SELECT
  district_id,
  day,
  CAST(gateways AS INTEGER) AS gateways,
  CAST(gateways_valued AS INTEGER) AS gateways_valued,
  CAST(points AS INTEGER) AS points,
  CAST(points_valued AS INTEGER) AS points_valued,
  supply_kwh,
  sales_kwh,
  CAST(supply_kwh - sales_kwh AS DECIMAL(18, 4)) AS loss_kwh,
  gateways_valued = gateways AND points > 0 AND points_valued >= points * :cover_min AS computable
FROM summed
