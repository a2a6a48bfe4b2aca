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
    u.usage_point_id, u.role, u.customer_id, u.metering_method, u.effective_from,
    coalesce(u.feeder_id, d.feeder_id, c.feeder_id) AS feeder_id,
    u.parent_usage_point_id IS NULL OR u.relation = 'standalone' AS counted,
    least(
      coalesce(u.effective_to, DATE '9999-12-31'),
      coalesce(lead(u.effective_from) OVER (PARTITION BY u.usage_point_id ORDER BY u.effective_from), DATE '9999-12-31')
    ) AS effective_until
  FROM usage_point AS u
  LEFT JOIN customer AS c ON c.customer_id = u.customer_id
  LEFT JOIN district AS d ON d.district_id = coalesce(u.district_id, c.district_id)
  WHERE u.role IN ('sale', 'generation')
),
member AS (
  SELECT usage_point_id, feeder_id, role, metering_method, effective_from, effective_until
  FROM archive
  WHERE feeder_id IS NOT NULL
    AND role = 'sale'
    AND counted
  UNION ALL
  SELECT
    a.usage_point_id, a.feeder_id, a.role, a.metering_method,
    greatest(a.effective_from, f.from_day) AS effective_from,
    least(a.effective_until, f.to_day) AS effective_until
  FROM archive AS a
  JOIN feeding AS f ON f.customer_id = a.customer_id
  WHERE a.feeder_id IS NOT NULL
    AND a.role = 'generation'
),
supplied AS (
  SELECT
    g.unit_id AS feeder_id, d.day,
    count(CASE WHEN d.import_kwh IS NOT NULL THEN 1 END) AS gateways_valued,
    CAST(sum(g.sign * (d.import_kwh - coalesce(d.export_kwh, 0))) AS DECIMAL(18, 4)) AS supply_kwh
  FROM daily_energy AS d
  JOIN gateway_span AS g
    ON g.usage_point_id = d.usage_point_id
    AND g.effective_from <= d.day
    AND g.effective_until > d.day
  WHERE g.level = 'feeder'
    AND d.day >= :history_start
    AND d.day <= :data_date
  GROUP BY g.unit_id, d.day
),
expected_gateway AS (
  SELECT s.feeder_id, s.day, count(*) AS gateways
  FROM supplied AS s
  JOIN gateway_span AS g
    ON g.level = 'feeder'
    AND g.unit_id = s.feeder_id
    AND g.effective_from <= s.day
    AND g.effective_until > s.day
  GROUP BY s.feeder_id, s.day
),
sold AS (
  -- days are added up while they are read: nothing as long as points times days is ever held
  SELECT
    m.feeder_id, d.day,
    count(CASE WHEN m.metering_method = 'meter' AND d.import_kwh IS NOT NULL THEN 1 END) AS points_valued,
    CAST(
      sum(
        CASE WHEN m.role = 'sale' THEN d.import_kwh - coalesce(d.export_kwh, 0) ELSE -d.import_kwh END
      ) AS DECIMAL(18, 4)
    ) AS sales_kwh
  FROM daily_energy AS d
  JOIN member AS m
    ON m.usage_point_id = d.usage_point_id
    AND m.effective_from <= d.day
    AND m.effective_until > d.day
  WHERE d.day >= :history_start
    AND d.day <= :data_date
  GROUP BY m.feeder_id, d.day
),
cohort AS (
  -- points in force are counted in cohorts of equal days; what began before the history began together
  SELECT
    feeder_id,
    greatest(effective_from, :history_start) AS from_day,
    effective_until AS until_day,
    count(*) AS points
  FROM member
  WHERE metering_method = 'meter'
    AND effective_until > :history_start
    AND effective_from <= :data_date
  GROUP BY feeder_id, greatest(effective_from, :history_start), effective_until
),
expected_point AS (
  SELECT s.feeder_id, s.day, CAST(sum(c.points) AS INTEGER) AS points
  FROM supplied AS s
  JOIN cohort AS c ON c.feeder_id = s.feeder_id AND c.from_day <= s.day AND c.until_day > s.day
  GROUP BY s.feeder_id, s.day
),
joined AS (
  SELECT
    s.feeder_id, s.day, g.gateways, s.gateways_valued,
    coalesce(p.points, 0) AS points,
    coalesce(b.points_valued, 0) AS points_valued,
    coalesce(s.supply_kwh, 0) AS supply_kwh,
    coalesce(b.sales_kwh, 0) AS sales_kwh
  FROM supplied AS s
  JOIN expected_gateway AS g ON g.feeder_id = s.feeder_id AND g.day = s.day
  LEFT JOIN expected_point AS p ON p.feeder_id = s.feeder_id AND p.day = s.day
  LEFT JOIN sold AS b ON b.feeder_id = s.feeder_id AND b.day = s.day
)
SELECT
  feeder_id,
  day,
  CAST(gateways AS INTEGER) AS gateways,
  CAST(gateways_valued AS INTEGER) AS gateways_valued,
  CAST(points AS INTEGER) AS points,
  CAST(points_valued AS INTEGER) AS points_valued,
  CAST(supply_kwh AS DECIMAL(18, 4)) AS supply_kwh,
  CAST(sales_kwh AS DECIMAL(18, 4)) AS sales_kwh,
  CAST(supply_kwh - sales_kwh AS DECIMAL(18, 4)) AS loss_kwh,
  gateways_valued = gateways AND points > 0 AND points_valued >= points * :cover_min AS computable
FROM joined
