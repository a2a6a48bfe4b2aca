WITH first_install AS (
  SELECT meter_id, min(installed_at) AS installed_at
  FROM meter_install
  GROUP BY meter_id
),
installed AS (
  -- an installation ends at its removal or where the next of the same meter begins: an event meets at most one
  SELECT
    meter_id, usage_point_id, installed_at,
    least(
      coalesce(removed_at, TIMESTAMP '9999-12-31 00:00:00'),
      coalesce(
        lead(installed_at) OVER (PARTITION BY meter_id ORDER BY installed_at),
        TIMESTAMP '9999-12-31 00:00:00'
      )
    ) AS until_at
  FROM meter_install
),
sound AS (
  SELECT event_id, meter_id, usage_point_id, kind, phase, started_at, ended_at, value
  FROM meter_event
  WHERE (ended_at IS NULL OR ended_at >= CAST(:history_start AS TIMESTAMP))
    AND (ended_at IS NULL OR ended_at >= started_at)
    AND (received_at IS NULL OR started_at <= received_at)
    AND started_at < CAST(:data_date + INTERVAL 2 DAY AS TIMESTAMP)
  QUALIFY row_number() OVER (PARTITION BY meter_id, kind, phase, started_at ORDER BY event_id) = 1
)
SELECT
  e.event_id,
  e.meter_id,
  coalesce(e.usage_point_id, i.usage_point_id) AS usage_point_id,
  e.kind,
  e.phase,
  e.started_at,
  e.ended_at,
  e.value
FROM sound AS e
LEFT JOIN first_install AS f ON f.meter_id = e.meter_id
LEFT JOIN installed AS i
  ON i.meter_id = e.meter_id
  AND i.installed_at <= e.started_at
  AND i.until_at > e.started_at
WHERE f.installed_at IS NULL OR e.started_at >= f.installed_at
