WITH level_known AS (
  SELECT level, count(*) AS gateways
  FROM gateway_span
  GROUP BY level
),
fed AS (
  SELECT DISTINCT 'district' AS level, district_id AS unit_id
  FROM customer
  WHERE district_id IS NOT NULL
    AND status <> 'closed'
  UNION
  SELECT DISTINCT 'feeder' AS level, feeder_id AS unit_id
  FROM customer
  WHERE feeder_id IS NOT NULL
    AND status <> 'closed'
  UNION
  SELECT DISTINCT 'feeder' AS level, feeder_id AS unit_id
  FROM district
),
feeding AS (
  -- what nothing hangs on has no loss to compute
  SELECT level, unit_id
  FROM fed
  UNION
  SELECT DISTINCT 'bus' AS level, n.parent_id AS unit_id
  FROM network_unit AS n
  JOIN fed AS f ON f.level = 'feeder' AND f.unit_id = n.unit_id
  WHERE n.level = 'feeder'
    AND n.running
),
delivered AS (
  -- a day on which nobody has a value is a delivery that failed, and no fault of a unit
  SELECT DISTINCT level, day
  FROM unit_day
  WHERE day >= :period_start
    AND day < :period_end
),
in_force AS (
  SELECT level, unit_id, count(*) AS gateways, min(usage_point_id) AS gateway_id, min(effective_from) AS from_day
  FROM gateway_span
  WHERE effective_from < :period_end
    AND effective_until >= :period_end
  GROUP BY level, unit_id
),
dark AS (
  SELECT DISTINCT g.level, g.unit_id, d.day
  FROM gateway_span AS g
  JOIN excl_outage AS o ON o.usage_point_id = g.usage_point_id
  JOIN delivered AS d
    ON d.level = g.level
    AND o.from_at < CAST(d.day + INTERVAL 1 DAY AS TIMESTAMP)
    AND o.to_at > CAST(d.day AS TIMESTAMP)
),
day_by_day AS (
  SELECT
    f.level, f.unit_id, d.day,
    date_diff('day', DATE '2000-01-01', d.day) AS day_no,
    u.day IS NULL OR u.gateways_valued < u.gateways AS silent,
    u.points > 0 AND u.points_valued < u.points * :cover AS uncovered,
    CASE WHEN u.points > 0 THEN CAST(safe_div(u.points_valued, u.points) AS DECIMAL(9, 4)) END AS share
  FROM in_force AS f
  JOIN delivered AS d ON d.level = f.level AND d.day >= f.from_day
  LEFT JOIN unit_day AS u ON u.level = f.level AND u.unit_id = f.unit_id AND u.day = d.day
  LEFT JOIN dark AS x ON x.level = f.level AND x.unit_id = f.unit_id AND x.day = d.day
  WHERE x.day IS NULL
),
rolling AS (
  SELECT
    level, unit_id, day, silent, uncovered, share,
    count(CASE WHEN silent THEN 1 END) OVER (
      PARTITION BY level, unit_id ORDER BY day_no RANGE BETWEEN 6 PRECEDING AND CURRENT ROW
    ) AS silent_7,
    count(CASE WHEN silent OR uncovered THEN 1 END) OVER (
      PARTITION BY level, unit_id ORDER BY day_no RANGE BETWEEN 6 PRECEDING AND CURRENT ROW
    ) AS bad_7
  FROM day_by_day
),
summed AS (
  SELECT
    level, unit_id,
    count(*) AS days_seen,
    count(CASE WHEN silent THEN 1 END) AS silent_days,
    count(CASE WHEN uncovered AND NOT silent THEN 1 END) AS uncovered_days,
    max(silent_7) AS silent_7,
    max(bad_7) AS bad_7,
    min(share) AS least_cover,
    min(CASE WHEN silent OR uncovered THEN day END) AS first_bad_day,
    max(CASE WHEN silent OR uncovered THEN day END) AS last_bad_day
  FROM rolling
  GROUP BY level, unit_id
),
judged AS (
  SELECT
    n.level, n.unit_id, n.org_id, n.parent_id, f.gateway_id, s.days_seen, s.silent_days, s.uncovered_days,
    s.least_cover, s.first_bad_day, s.last_bad_day,
    coalesce(f.gateways, 0) AS gateways,
    CASE
      WHEN NOT n.running THEN 'stopped'
      WHEN b.unit_id IS NULL THEN 'empty'
      WHEN k.level IS NULL THEN 'level_not_delivered'
      WHEN f.unit_id IS NULL THEN 'no_gateway'
      WHEN s.unit_id IS NULL THEN 'no_days'
      WHEN s.silent_7 >= :days THEN 'gateway_silent'
      WHEN s.bad_7 >= :days THEN 'low_cover'
    END AS reason
  FROM network_unit AS n
  LEFT JOIN feeding AS b ON b.level = n.level AND b.unit_id = n.unit_id
  LEFT JOIN level_known AS k ON k.level = n.level
  LEFT JOIN in_force AS f ON f.level = n.level AND f.unit_id = n.unit_id
  LEFT JOIN summed AS s ON s.level = n.level AND s.unit_id = n.unit_id
)
SELECT
  unit_id AS subject_id,
  CAST(NULL AS VARCHAR) AS customer_id,
  org_id,
  :period_start AS period_start,
  :period_end AS period_end,
  CASE reason
    WHEN 'stopped' THEN 'not_applicable'
    WHEN 'empty' THEN 'not_applicable'
    WHEN 'level_not_delivered' THEN 'insufficient_data'
    WHEN 'no_days' THEN 'insufficient_data'
    ELSE 'hit'
  END AS exit,
  CASE reason WHEN 'no_gateway' THEN 'order' WHEN 'gateway_silent' THEN 'order' WHEN 'low_cover' THEN 'watch' END AS band,
  reason,
  CAST(NULL AS DECIMAL(18, 4)) AS energy_kwh,
  CAST(NULL AS DECIMAL(18, 2)) AS back_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS penalty_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS refund_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS exposed_cny,
  level,
  CASE level WHEN 'district' THEN unit_id END AS district_id,
  CASE level WHEN 'feeder' THEN unit_id END AS feeder_id,
  CASE level WHEN 'bus' THEN unit_id END AS bus_id,
  parent_id,
  gateway_id,
  gateways,
  days_seen,
  silent_days,
  uncovered_days,
  least_cover,
  first_bad_day,
  last_bad_day
FROM judged
WHERE reason IS NOT NULL
