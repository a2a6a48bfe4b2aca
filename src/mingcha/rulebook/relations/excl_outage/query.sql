WITH bounds AS (
  SELECT
    customer_id,
    CASE WHEN customer_id IS NULL THEN district_id END AS district_id,
    CASE WHEN customer_id IS NULL AND district_id IS NULL THEN feeder_id END AS feeder_id,
    CAST(started_at - INTERVAL :pad_min MINUTE AS TIMESTAMP) AS from_at,
    CAST(
      coalesce(ended_at, CAST(:data_date + INTERVAL 1 DAY AS TIMESTAMP)) + INTERVAL :pad_min MINUTE AS TIMESTAMP
    ) AS to_at
  FROM outage
  WHERE ended_at IS NULL OR ended_at >= CAST(:history_start AS TIMESTAMP)
),
place AS (
  SELECT
    p.usage_point_id, p.customer_id, p.district_id,
    coalesce(p.feeder_id, d.feeder_id) AS feeder_id
  FROM point_now AS p
  LEFT JOIN district AS d ON d.district_id = p.district_id
)
SELECT p.usage_point_id, b.from_at, b.to_at
FROM bounds AS b
JOIN place AS p ON p.customer_id = b.customer_id
UNION ALL
SELECT p.usage_point_id, b.from_at, b.to_at
FROM bounds AS b
JOIN place AS p ON p.district_id = b.district_id
UNION ALL
SELECT p.usage_point_id, b.from_at, b.to_at
FROM bounds AS b
JOIN place AS p ON p.feeder_id = b.feeder_id
