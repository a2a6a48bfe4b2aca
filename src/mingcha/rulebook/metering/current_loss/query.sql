WITH rated AS (
  SELECT i.usage_point_id, max(m.rated_current_a) AS rated_current_a
  FROM meter_install AS i
  JOIN meter AS m ON m.meter_id = i.meter_id
  WHERE i.removed_at IS NULL
  GROUP BY i.usage_point_id
),
sale AS (
  -- a single-phase meter has no other phase to compare with
  SELECT
    p.usage_point_id, p.effective_from, p.customer_id, p.customer_org_id, p.wiring, r.rated_current_a,
    CAST(p.multiplier AS DOUBLE) AS multiplier,
    CAST(p.rated_voltage_v AS DECIMAL(19, 4)) * :u_min AS u_min,
    CAST(r.rated_current_a AS DECIMAL(19, 4)) * :i_low AS i_low,
    CAST(r.rated_current_a AS DECIMAL(19, 4)) * :i_other AS i_other
  FROM point_now AS p
  JOIN rated AS r ON r.usage_point_id = p.usage_point_id
  WHERE p.role = 'sale'
    AND p.wiring IN ('3p3w', '3p4w')
),
moment AS (
  SELECT
    s.usage_point_id, c."at", c.day, s.wiring, s.multiplier,
    CASE WHEN c.u_a > s.u_min AND c.i2_a < s.i_low AND greatest(coalesce(c.i2_b, 0), coalesce(c.i2_c, 0)) > s.i_other
      THEN 1 ELSE 0 END AS lost_a,
    CASE WHEN s.wiring = '3p4w' AND c.u_b > s.u_min AND c.i2_b < s.i_low
      AND greatest(coalesce(c.i2_a, 0), coalesce(c.i2_c, 0)) > s.i_other
      THEN 1 ELSE 0 END AS lost_b,
    CASE WHEN c.u_c > s.u_min AND c.i2_c < s.i_low AND greatest(coalesce(c.i2_a, 0), coalesce(c.i2_b, 0)) > s.i_other
      THEN 1 ELSE 0 END AS lost_c,
    CAST(c.u_a AS DOUBLE) AS u_a, CAST(c.u_b AS DOUBLE) AS u_b, CAST(c.u_c AS DOUBLE) AS u_c,
    CAST(greatest(coalesce(c.i2_a, 0), coalesce(c.i2_b, 0), coalesce(c.i2_c, 0)) AS DOUBLE) AS i_ref,
    CAST(coalesce(nullif(abs(c.pf), 0), :pf_default) AS DOUBLE) AS pf
  FROM curve AS c
  JOIN sale AS s ON s.usage_point_id = c.usage_point_id AND s.effective_from <= c.day
  WHERE c.day > :period_start - :of_days
    AND c.day <= least(:data_date, :period_end - 1)
    AND (c.i2_a < s.i_low OR (s.wiring = '3p4w' AND c.i2_b < s.i_low) OR c.i2_c < s.i_low)
),
day_points AS (
  SELECT
    m.usage_point_id, m.day,
    sum(m.lost_a) AS points_a,
    sum(m.lost_b) AS points_b,
    sum(m.lost_c) AS points_c,
    -- the largest of the other currents stands for the one that is missing; an upper bound where phases are loaded unevenly
    CAST(sum(TRY_CAST(
      m.lost_a * m.u_a * m.i_ref * m.pf * m.multiplier * CASE WHEN m.wiring = '3p3w' THEN sqrt(3.0) / 2 ELSE 1 END / 4000
      AS DECIMAL(18, 6))) AS DECIMAL(18, 4)) AS kwh_a,
    CAST(sum(TRY_CAST(
      m.lost_b * coalesce(m.u_b, 0) * m.i_ref * m.pf * m.multiplier / 4000
      AS DECIMAL(18, 6))) AS DECIMAL(18, 4)) AS kwh_b,
    CAST(sum(TRY_CAST(
      m.lost_c * m.u_c * m.i_ref * m.pf * m.multiplier * CASE WHEN m.wiring = '3p3w' THEN sqrt(3.0) / 2 ELSE 1 END / 4000
      AS DECIMAL(18, 6))) AS DECIMAL(18, 4)) AS kwh_c
  FROM moment AS m
  WHERE m.lost_a + m.lost_b + m.lost_c > 0
    AND NOT EXISTS (
      SELECT 1
      FROM excl_outage AS o
      WHERE o.usage_point_id = m.usage_point_id
        AND o.from_at <= m."at"
        AND o.to_at > m."at"
    )
  GROUP BY m.usage_point_id, m.day
),
phase_day AS (
  SELECT usage_point_id, day, 'a' AS phase, points_a AS points, kwh_a AS kwh FROM day_points WHERE points_a >= :pts
  UNION ALL
  SELECT usage_point_id, day, 'b' AS phase, points_b AS points, kwh_b AS kwh FROM day_points WHERE points_b >= :pts
  UNION ALL
  SELECT usage_point_id, day, 'c' AS phase, points_c AS points, kwh_c AS kwh FROM day_points WHERE points_c >= :pts
),
repeated AS (
  SELECT z.usage_point_id, z.phase, z.day
  FROM phase_day AS z
  JOIN phase_day AS y
    ON y.usage_point_id = z.usage_point_id
    AND y.phase = z.phase
    AND y.day > z.day - :of_days
    AND y.day <= z.day
  WHERE z.day >= :period_start
  GROUP BY z.usage_point_id, z.phase, z.day
  HAVING count(*) >= :days
),
by_curve AS (
  SELECT
    d.usage_point_id, d.phase,
    count(*) AS days,
    CAST(sum(d.points) AS INTEGER) AS points,
    CAST(sum(d.kwh) AS DECIMAL(18, 4)) AS kwh,
    min(d.day) AS first_day,
    max(d.day) AS last_day
  FROM phase_day AS d
  WHERE EXISTS (
    SELECT 1
    FROM repeated AS r
    WHERE r.usage_point_id = d.usage_point_id
      AND r.phase = d.phase
      AND d.day > r.day - :of_days
      AND d.day <= r.day
  )
  GROUP BY d.usage_point_id, d.phase
  QUALIFY row_number() OVER (PARTITION BY d.usage_point_id ORDER BY count(*) DESC, d.phase) = 1
),
told AS (
  SELECT
    s.usage_point_id, e.event_id,
    lower(coalesce(e.phase, '')) AS phase,
    greatest(e.started_at, CAST(least(:data_date, :period_end - 1) - :window + 1 AS TIMESTAMP)) AS from_at,
    least(
      coalesce(e.ended_at, CAST(least(:data_date, :period_end - 1) + 1 AS TIMESTAMP)),
      CAST(least(:data_date, :period_end - 1) + 1 AS TIMESTAMP)
    ) AS to_at
  FROM event AS e
  JOIN sale AS s ON s.usage_point_id = e.usage_point_id
  WHERE e.kind IN ('current_loss', 'open_current')
    AND e.started_at < CAST(least(:data_date, :period_end - 1) + 1 AS TIMESTAMP)
    AND (e.ended_at IS NULL OR e.ended_at > CAST(least(:data_date, :period_end - 1) - :window + 1 AS TIMESTAMP))
    AND NOT (s.wiring = '3p3w' AND lower(coalesce(e.phase, '')) = 'b')
),
dark AS (
  SELECT
    t.event_id,
    sum(date_diff('minute', greatest(o.from_at, t.from_at), least(o.to_at, t.to_at))) AS minutes
  FROM told AS t
  JOIN excl_outage AS o
    ON o.usage_point_id = t.usage_point_id
    AND o.from_at < t.to_at
    AND o.to_at > t.from_at
  GROUP BY t.event_id
),
by_event AS (
  SELECT
    t.usage_point_id, t.phase,
    CAST(safe_div(sum(greatest(0, date_diff('minute', t.from_at, t.to_at) - coalesce(d.minutes, 0))), 60)
      AS DECIMAL(18, 2)) AS hours,
    count(*) AS events,
    min(t.event_id) AS event_id,
    CAST(min(t.from_at) AS DATE) AS first_day,
    CAST(max(t.to_at) AS DATE) AS last_day
  FROM told AS t
  LEFT JOIN dark AS d ON d.event_id = t.event_id
  GROUP BY t.usage_point_id, t.phase
  HAVING sum(greatest(0, date_diff('minute', t.from_at, t.to_at) - coalesce(d.minutes, 0))) >= :hours * 60
  QUALIFY row_number() OVER (PARTITION BY t.usage_point_id ORDER BY count(*) DESC, t.phase) = 1
),
suspect AS (
  SELECT
    s.usage_point_id, s.effective_from, s.customer_id, s.customer_org_id, s.wiring, s.rated_current_a, s.i_other,
    c.days, c.points, c.kwh, e.hours, e.events, e.event_id,
    coalesce(c.phase, e.phase) AS phase,
    coalesce(c.first_day, e.first_day) AS first_day,
    coalesce(c.last_day, e.last_day) AS last_day,
    CASE WHEN c.usage_point_id IS NOT NULL THEN 'curve' ELSE 'event' END AS signal
  FROM sale AS s
  LEFT JOIN by_curve AS c ON c.usage_point_id = s.usage_point_id
  LEFT JOIN by_event AS e ON e.usage_point_id = s.usage_point_id
  WHERE c.usage_point_id IS NOT NULL OR e.usage_point_id IS NOT NULL
),
before AS (
  -- what the phase carried before: a phase that never carried anything has lost nothing
  SELECT
    s.usage_point_id,
    max(CASE s.phase
      WHEN 'a' THEN c.i2_a
      WHEN 'b' THEN c.i2_b
      WHEN 'c' THEN c.i2_c
      ELSE least(coalesce(c.i2_a, 0), coalesce(c.i2_c, 0))
    END) AS highest_a
  FROM suspect AS s
  JOIN curve AS c
    ON c.usage_point_id = s.usage_point_id
    AND c.day >= s.first_day - :history_days
    AND c.day < s.first_day
  GROUP BY s.usage_point_id
),
judged AS (
  SELECT
    s.usage_point_id, s.effective_from, s.customer_id, s.customer_org_id, s.wiring, s.rated_current_a, s.days, s.points, s.kwh,
    s.hours, s.events, s.event_id, s.phase, s.first_day, s.last_day, s.signal,
    b.highest_a,
    coalesce(b.highest_a >= s.i_other, FALSE) AS was_healthy
  FROM suspect AS s
  LEFT JOIN before AS b ON b.usage_point_id = s.usage_point_id
)
SELECT
  j.usage_point_id AS subject_id,
  j.customer_id,
  j.customer_org_id AS org_id,
  j.first_day AS period_start,
  CAST(j.last_day + INTERVAL 1 DAY AS DATE) AS period_end,
  'hit' AS exit,
  CASE WHEN j.was_healthy THEN 'order' ELSE 'watch' END AS band,
  CASE j.signal WHEN 'curve' THEN 'current_lost' ELSE 'meter_reports' END AS reason,
  CASE WHEN j.was_healthy THEN j.kwh END AS energy_kwh,
  CASE WHEN j.was_healthy THEN money(CAST(j.kwh AS DECIMAL(19, 4)) * m.p) END AS back_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS penalty_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS refund_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS exposed_cny,
  j.effective_from AS point_effective_from,
  j.wiring,
  j.rated_current_a,
  nullif(j.phase, '') AS phase,
  j.days AS days_lost,
  j.points AS points_lost,
  j.hours AS event_hours,
  j.events,
  j.event_id,
  j.highest_a AS before_a,
  m.p AS price
FROM judged AS j
LEFT JOIN cust_month AS m ON m.customer_id = j.customer_id AND m.billing_period = :period
