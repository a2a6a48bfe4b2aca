WITH archive AS (
  SELECT
    u.usage_point_id, u.effective_from,
    coalesce(u.district_id, c.district_id) AS district_id,
    coalesce(u.feeder_id, d.feeder_id, c.feeder_id) AS feeder_id,
    u.role = 'sale'
      AND u.metering_method = 'meter'
      AND (u.parent_usage_point_id IS NULL OR u.relation = 'standalone') AS counted,
    least(
      coalesce(u.effective_to, DATE '9999-12-31'),
      coalesce(lead(u.effective_from) OVER (PARTITION BY u.usage_point_id ORDER BY u.effective_from), DATE '9999-12-31')
    ) AS effective_until
  FROM usage_point AS u
  LEFT JOIN customer AS c ON c.customer_id = u.customer_id
  LEFT JOIN district AS d ON d.district_id = coalesce(u.district_id, c.district_id)
),
typical AS (
  SELECT
    usage_point_id,
    min(day) AS first_day,
    CAST(safe_div(sum(import_kwh - coalesce(export_kwh, 0)), count(import_kwh)) AS DECIMAL(18, 4)) AS day_kwh
  FROM daily_energy
  WHERE day >= :history_start
    AND day <= :data_date
    AND import_kwh IS NOT NULL
  GROUP BY usage_point_id
),
member AS (
  -- a point counts from its first value on: what never had one is no gap but absence
  SELECT
    a.usage_point_id, a.district_id, a.feeder_id, t.day_kwh, a.effective_until AS until_day,
    greatest(a.effective_from, t.first_day) AS from_day
  FROM archive AS a
  JOIN typical AS t ON t.usage_point_id = a.usage_point_id
  WHERE a.counted
    AND t.day_kwh > 0
),
present AS (
  SELECT m.district_id, m.feeder_id, d.day, CAST(sum(m.day_kwh) AS DECIMAL(18, 4)) AS kwh
  FROM daily_energy AS d
  JOIN member AS m ON m.usage_point_id = d.usage_point_id AND m.from_day <= d.day AND m.until_day > d.day
  WHERE d.day >= :history_start
    AND d.day <= :data_date
    AND d.import_kwh IS NOT NULL
  GROUP BY m.district_id, m.feeder_id, d.day
),
cohort AS (
  SELECT district_id, feeder_id, from_day, until_day, CAST(sum(day_kwh) AS DECIMAL(18, 4)) AS kwh
  FROM member
  GROUP BY district_id, feeder_id, from_day, until_day
),
expected AS (
  SELECT p.district_id, p.feeder_id, p.day, p.kwh, CAST(sum(c.kwh) AS DECIMAL(18, 4)) AS full_kwh
  FROM present AS p
  JOIN cohort AS c
    ON coalesce(c.district_id, '') = coalesce(p.district_id, '')
    AND coalesce(c.feeder_id, '') = coalesce(p.feeder_id, '')
    AND c.from_day <= p.day
    AND c.until_day > p.day
  GROUP BY p.district_id, p.feeder_id, p.day, p.kwh
)
SELECT
  'district' AS level, district_id AS unit_id, day, CAST(sum(full_kwh - kwh) AS DECIMAL(18, 4)) AS missing_kwh
FROM expected
WHERE district_id IS NOT NULL
GROUP BY district_id, day
HAVING sum(full_kwh - kwh) > 0
UNION ALL
SELECT
  'feeder' AS level, feeder_id AS unit_id, day, CAST(sum(full_kwh - kwh) AS DECIMAL(18, 4)) AS missing_kwh
FROM expected
WHERE feeder_id IS NOT NULL
GROUP BY feeder_id, day
HAVING sum(full_kwh - kwh) > 0
