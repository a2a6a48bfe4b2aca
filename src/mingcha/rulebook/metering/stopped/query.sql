WITH rated AS (
  SELECT i.usage_point_id, max(m.rated_current_a) AS rated_current_a
  FROM meter_install AS i
  JOIN meter AS m ON m.meter_id = i.meter_id
  WHERE i.removed_at IS NULL
  GROUP BY i.usage_point_id
),
generating AS (
  SELECT customer_id, min(from_day) AS from_day, max(to_day) AS to_day
  FROM excl_generator
  GROUP BY customer_id
),
sale AS (
  SELECT
    p.usage_point_id, p.effective_from, p.customer_id, p.customer_org_id, p.wiring,
    CAST(p.multiplier AS DOUBLE) AS multiplier,
    CAST(p.rated_voltage_v AS DECIMAL(19, 4)) * :u_share AS u_limit,
    greatest(:i_min, coalesce(CAST(r.rated_current_a AS DECIMAL(19, 4)) * :i_share, 0)) AS i_limit,
    g.from_day AS generating_from,
    g.to_day AS generating_to
  FROM point_now AS p
  LEFT JOIN rated AS r ON r.usage_point_id = p.usage_point_id
  LEFT JOIN generating AS g ON g.customer_id = p.customer_id
  WHERE p.role = 'sale'
),
loaded AS (
  -- points of the curve with voltage and current on one phase and no power flowing out
  SELECT
    c.usage_point_id, c.day,
    -- rounded before it is added up: the last digits of a sum of DOUBLEs depend on the order of its rows
    TRY_CAST(
      CASE
        WHEN c.p_kw > 0 THEN CAST(c.p_kw AS DOUBLE)
        WHEN s.wiring = '3p3w'
          THEN (coalesce(CAST(c.u_a AS DOUBLE) * c.i2_a, 0) + coalesce(CAST(c.u_c AS DOUBLE) * c.i2_c, 0))
            * s.multiplier * sqrt(3.0) / 2000 * CAST(coalesce(nullif(abs(c.pf), 0), :pf_default) AS DOUBLE)
        ELSE (coalesce(CAST(c.u_a AS DOUBLE) * c.i2_a, 0) + coalesce(CAST(c.u_b AS DOUBLE) * c.i2_b, 0)
            + coalesce(CAST(c.u_c AS DOUBLE) * c.i2_c, 0))
          * s.multiplier / 1000 * CAST(coalesce(nullif(abs(c.pf), 0), :pf_default) AS DOUBLE)
      END AS DECIMAL(18, 6)
    ) AS kw,
    greatest(coalesce(c.i2_a, 0), coalesce(c.i2_b, 0), coalesce(c.i2_c, 0)) AS highest_a
  FROM curve AS c
  JOIN sale AS s ON s.usage_point_id = c.usage_point_id AND s.effective_from <= c.day
  WHERE c.day >= :period_start - 31
    AND c.day < :period_end
    AND ((c.u_a > s.u_limit AND c.i2_a > s.i_limit)
      OR (c.u_b > s.u_limit AND c.i2_b > s.i_limit)
      OR (c.u_c > s.u_limit AND c.i2_c > s.i_limit))
    AND (c.p_kw >= 0
      OR (c.p_kw IS NULL
        AND (s.generating_from IS NULL OR c.day < s.generating_from OR c.day >= s.generating_to)))
),
loaded_day AS (
  SELECT usage_point_id, day, count(*) AS points, CAST(sum(kw) AS DECIMAL(19, 6)) * 0.25 AS kwh, max(highest_a) AS highest_a
  FROM loaded
  GROUP BY usage_point_id, day
  HAVING count(*) >= :n
),
still_day AS (
  SELECT l.usage_point_id, l.day, l.points, l.kwh, l.highest_a, d.register_active
  FROM loaded_day AS l
  JOIN daily_energy AS d ON d.usage_point_id = l.usage_point_id AND d.day = l.day
  LEFT JOIN daily_energy AS y ON y.usage_point_id = l.usage_point_id AND y.day = l.day - 1
  WHERE d.day >= :period_start - 31
    AND d.day < :period_end
    AND d.import_kwh = 0
    AND coalesce(d.export_kwh, 0) = 0
    AND (d.quality IS NULL OR d.quality = 'measured')
    AND coalesce(d.register_active = y.register_active, TRUE)
    AND NOT EXISTS (
      SELECT 1
      FROM excl_outage AS o
      WHERE o.usage_point_id = l.usage_point_id
        AND o.from_at < CAST(l.day + INTERVAL 1 DAY AS TIMESTAMP)
        AND o.to_at > CAST(l.day AS TIMESTAMP)
    )
),
islands AS (
  SELECT
    usage_point_id, day, points, kwh, highest_a, register_active,
    date_diff('day', DATE '2000-01-01', day)
      - row_number() OVER (PARTITION BY usage_point_id ORDER BY day) AS island
  FROM still_day
),
stretch AS (
  SELECT
    usage_point_id, min(day) AS first_day, max(day) AS last_day, count(*) AS days, sum(points) AS points,
    CAST(sum(kwh) AS DECIMAL(18, 4)) AS kwh,
    max(highest_a) AS highest_a,
    max(register_active) AS register_active
  FROM islands
  GROUP BY usage_point_id, island
  HAVING count(*) >= :days AND max(day) >= :period_start
  QUALIFY row_number() OVER (PARTITION BY usage_point_id ORDER BY max(day) DESC) = 1
),
stop_event AS (
  SELECT e.usage_point_id, min(e.event_id) AS event_id, max(CAST(e.started_at AS DATE)) AS event_day
  FROM event AS e
  WHERE e.kind = 'meter_stop'
    AND e.started_at >= CAST(:period_start AS TIMESTAMP)
    AND e.started_at < CAST(:period_end AS TIMESTAMP)
  GROUP BY e.usage_point_id
),
after_event AS (
  -- the two full days after the event: energy there means the meter counts
  SELECT e.usage_point_id, e.event_id, e.event_day, count(d.import_kwh) AS values_after, max(d.import_kwh) AS most_after
  FROM stop_event AS e
  LEFT JOIN daily_energy AS d
    ON d.usage_point_id = e.usage_point_id
    AND d.day > e.event_day
    AND d.day <= e.event_day + 2
  GROUP BY e.usage_point_id, e.event_id, e.event_day
),
judged AS (
  SELECT
    s.usage_point_id, s.effective_from, s.customer_id, s.customer_org_id,
    t.first_day, t.last_day, t.days, t.points, t.kwh, t.highest_a, t.register_active,
    e.event_id, e.event_day,
    CASE
      WHEN t.usage_point_id IS NOT NULL THEN 'load_while_still'
      WHEN e.values_after > 0 AND e.most_after = 0 THEN 'event_and_no_energy'
      WHEN e.values_after = 0 THEN 'event_only'
    END AS verdict
  FROM sale AS s
  LEFT JOIN stretch AS t ON t.usage_point_id = s.usage_point_id
  LEFT JOIN after_event AS e ON e.usage_point_id = s.usage_point_id
  WHERE t.usage_point_id IS NOT NULL OR e.usage_point_id IS NOT NULL
),
settled AS (
  SELECT DISTINCT j.usage_point_id
  FROM judged AS j
  JOIN excl_fix AS f
    ON f.customer_id = j.customer_id
    AND f.cause = 'meter_fault'
    AND f.from_day <= coalesce(j.first_day, j.event_day)
    AND f.to_day > coalesce(j.last_day, j.event_day)
),
priced AS (
  SELECT j.usage_point_id, m.p, m.p_basis
  FROM judged AS j
  JOIN cust_month AS m ON m.customer_id = j.customer_id
  WHERE m.p IS NOT NULL
    AND m.billing_period <= :period
  QUALIFY row_number() OVER (PARTITION BY j.usage_point_id ORDER BY m.billing_period DESC) = 1
)
SELECT
  j.usage_point_id AS subject_id,
  j.customer_id,
  j.customer_org_id AS org_id,
  coalesce(j.first_day, j.event_day) AS period_start,
  CAST(coalesce(j.last_day, j.event_day) + INTERVAL 1 DAY AS DATE) AS period_end,
  CASE WHEN x.usage_point_id IS NOT NULL THEN 'not_applicable' ELSE 'hit' END AS exit,
  CASE
    WHEN x.usage_point_id IS NOT NULL THEN NULL
    WHEN j.verdict = 'event_only' THEN 'watch'
    ELSE 'order'
  END AS band,
  CASE WHEN x.usage_point_id IS NOT NULL THEN 'settled' ELSE j.verdict END AS reason,
  CASE WHEN x.usage_point_id IS NULL THEN j.kwh END AS energy_kwh,
  CASE WHEN x.usage_point_id IS NULL THEN money(CAST(j.kwh AS DECIMAL(19, 4)) * p.p) END AS back_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS penalty_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS refund_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS exposed_cny,
  j.effective_from AS point_effective_from,
  j.last_day,
  j.days AS days_still,
  CAST(j.points AS INTEGER) AS loaded_points,
  CAST(j.highest_a AS DECIMAL(12, 4)) AS highest_a,
  j.register_active,
  j.event_id,
  j.event_day,
  p.p AS price,
  p.p_basis AS price_basis
FROM judged AS j
LEFT JOIN settled AS x ON x.usage_point_id = j.usage_point_id
LEFT JOIN priced AS p ON p.usage_point_id = j.usage_point_id
WHERE j.verdict IS NOT NULL
