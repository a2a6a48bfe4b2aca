WITH installed AS (
  SELECT meter_id, usage_point_id, CAST(installed_at AS DATE) AS installed_on, CAST(removed_at AS DATE) AS removed_on
  FROM meter_install
  WHERE installed_at < CAST(:data_date + 1 AS TIMESTAMP)
),
metered AS (
  SELECT usage_point_id, customer_id, customer_org_id, effective_from, opened_on
  FROM point_now
  WHERE role = 'sale'
    AND metering_method = 'meter'
    AND customer_status = 'active'
),
held AS (
  SELECT
    usage_point_id,
    -- within the days of grace a removed meter still counts as there
    max(CASE WHEN removed_on IS NULL OR removed_on > :data_date - :grace THEN 1 ELSE 0 END) AS has_meter,
    max(removed_on) AS last_removed_on
  FROM installed
  GROUP BY usage_point_id
),
cover AS (
  SELECT count(*) AS points, count(h.usage_point_id) AS known
  FROM metered AS m
  LEFT JOIN held AS h ON h.usage_point_id = m.usage_point_id
),
meterless AS (
  SELECT
    m.customer_id, m.customer_org_id AS org_id,
    CASE WHEN v.known < :min_cover * v.points THEN 'installs_incomplete' ELSE 'no_meter_installed' END AS reason,
    m.usage_point_id AS object_id,
    m.effective_from AS since,
    CAST(NULL AS VARCHAR) AS state,
    h.last_removed_on AS other_day
  FROM metered AS m
  CROSS JOIN cover AS v
  LEFT JOIN held AS h ON h.usage_point_id = m.usage_point_id
  WHERE coalesce(h.has_meter, 0) = 0
    AND m.effective_from < :data_date - :grace
    AND m.opened_on < :data_date - :grace
),
latest AS (
  SELECT meter_id, usage_point_id, installed_on, removed_on
  FROM installed
  QUALIFY row_number() OVER (
    PARTITION BY meter_id ORDER BY CASE WHEN removed_on IS NULL THEN 0 ELSE 1 END, installed_on DESC, usage_point_id
  ) = 1
),
asset AS (
  SELECT
    p.customer_id, p.customer_org_id AS org_id,
    CASE WHEN l.removed_on IS NULL THEN 'meter_not_installed_status' ELSE 'meter_installed_nowhere' END AS reason,
    l.meter_id AS object_id,
    l.installed_on AS since,
    m.status AS state,
    l.removed_on AS other_day
  FROM latest AS l
  JOIN meter AS m ON m.meter_id = l.meter_id
  JOIN point_now AS p ON p.usage_point_id = l.usage_point_id
  WHERE p.customer_id IS NOT NULL
    AND (
      (l.removed_on IS NULL AND m.status <> 'installed' AND l.installed_on < :data_date - :grace)
      OR (l.removed_on <= :data_date - :grace AND m.status = 'installed')
    )
),
running AS (
  SELECT
    c.customer_id, c.org_id,
    'transformer_on_closed' AS reason,
    t.transformer_id AS object_id,
    c.closed_on AS since,
    t.status AS state,
    CAST(NULL AS DATE) AS other_day
  FROM transformer_now AS t
  JOIN customer AS c ON c.customer_id = t.customer_id
  WHERE t.status = 'running'
    AND c.status = 'closed'
    AND coalesce(c.closed_on, DATE '1900-01-01') < :data_date - :grace
),
stopped AS (
  SELECT p.usage_point_id, p.customer_id, p.customer_org_id AS org_id, f.feeder_id
  FROM feeder AS f
  JOIN point_now AS p ON p.feeder_id = f.feeder_id
  WHERE f.status = 'stopped'
    AND p.role = 'sale'
    AND p.customer_id IS NOT NULL
  UNION
  SELECT p.usage_point_id, p.customer_id, p.customer_org_id AS org_id, f.feeder_id
  FROM feeder AS f
  JOIN district AS d ON d.feeder_id = f.feeder_id
  JOIN point_now AS p ON p.district_id = d.district_id
  WHERE f.status = 'stopped'
    AND p.feeder_id IS NULL
    AND p.role = 'sale'
    AND p.customer_id IS NOT NULL
),
drawn AS (
  SELECT
    s.feeder_id, s.customer_id, max(s.org_id) AS org_id,
    max(d.day) AS last_day,
    CAST(sum(d.import_kwh) AS DECIMAL(18, 4)) AS kwh
  FROM daily_energy AS d
  JOIN stopped AS s ON s.usage_point_id = d.usage_point_id
  WHERE d.day > :data_date - :recent_days
    AND d.day <= :data_date
    AND d.import_kwh > 0
  GROUP BY s.feeder_id, s.customer_id
),
live_feeder AS (
  -- one stopped feeder that still delivers is one fact: its largest customer speaks for all on it
  SELECT
    customer_id, org_id,
    'stopped_feeder_delivers' AS reason,
    feeder_id AS object_id,
    last_day AS since,
    'stopped' AS state,
    CAST(NULL AS DATE) AS other_day,
    count(*) OVER (PARTITION BY feeder_id) AS customers,
    CAST(sum(kwh) OVER (PARTITION BY feeder_id) AS DECIMAL(18, 4)) AS kwh
  FROM drawn
  QUALIFY row_number() OVER (PARTITION BY feeder_id ORDER BY kwh DESC, customer_id) = 1
),
contradiction AS (
  SELECT customer_id, org_id, reason, object_id, since, state, other_day, CAST(NULL AS BIGINT) AS customers, CAST(NULL AS DECIMAL(18, 4)) AS kwh
  FROM meterless
  UNION ALL
  SELECT customer_id, org_id, reason, object_id, since, state, other_day, CAST(NULL AS BIGINT) AS customers, CAST(NULL AS DECIMAL(18, 4)) AS kwh
  FROM asset
  UNION ALL
  SELECT customer_id, org_id, reason, object_id, since, state, other_day, CAST(NULL AS BIGINT) AS customers, CAST(NULL AS DECIMAL(18, 4)) AS kwh
  FROM running
  UNION ALL
  SELECT customer_id, org_id, reason, object_id, since, state, other_day, customers, kwh
  FROM live_feeder
),
ranked AS (
  SELECT
    customer_id, org_id, reason, object_id, since, state, other_day, customers, kwh,
    count(*) OVER (PARTITION BY customer_id) AS contradictions,
    row_number() OVER (
      PARTITION BY customer_id
      ORDER BY
        CASE reason
          WHEN 'transformer_on_closed' THEN 0
          WHEN 'no_meter_installed' THEN 1
          WHEN 'stopped_feeder_delivers' THEN 2
          WHEN 'meter_not_installed_status' THEN 3
          WHEN 'meter_installed_nowhere' THEN 4
          ELSE 5
        END,
        object_id
    ) AS place
  FROM contradiction
)
SELECT
  customer_id AS subject_id,
  customer_id,
  org_id,
  :period_start AS period_start,
  :period_end AS period_end,
  CASE WHEN reason = 'installs_incomplete' THEN 'insufficient_data' ELSE 'hit' END AS exit,
  CASE
    WHEN reason = 'installs_incomplete' THEN NULL
    WHEN reason IN ('transformer_on_closed', 'no_meter_installed') THEN 'order'
    ELSE 'watch'
  END AS band,
  reason,
  CASE WHEN reason = 'stopped_feeder_delivers' THEN kwh END AS energy_kwh,
  CAST(NULL AS DECIMAL(18, 2)) AS back_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS penalty_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS refund_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS exposed_cny,
  object_id,
  state,
  since,
  other_day,
  customers AS customers_on_feeder,
  contradictions
FROM ranked
WHERE place = 1
