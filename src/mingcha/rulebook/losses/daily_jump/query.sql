WITH dark AS (
  SELECT DISTINCT g.level, g.unit_id, CAST(o.from_at AS DATE) AS from_day, CAST(o.to_at AS DATE) AS to_day
  FROM gateway_span AS g
  JOIN excl_outage AS o ON o.usage_point_id = g.usage_point_id
  WHERE g.level IN ('district', 'feeder')
    AND o.from_at < CAST(:period_end AS TIMESTAMP)
    AND o.to_at >= CAST(:period_start - (:window + :days) AS TIMESTAMP)
),
dark_day AS (
  SELECT DISTINCT u.level, u.unit_id, u.day
  FROM unit_day AS u
  JOIN dark AS x ON x.level = u.level AND x.unit_id = u.unit_id AND x.from_day <= u.day AND x.to_day >= u.day
),
series AS (
  -- what the points without a value would have taken is no loss: a large one missing for three days is no jump
  SELECT
    u.level, u.unit_id, u.day, u.supply_kwh,
    date_diff('day', DATE '2000-01-01', u.day) AS day_no,
    CAST(u.loss_kwh - coalesce(g.missing_kwh, 0) AS DECIMAL(18, 4)) AS loss_kwh,
    CAST(
      greatest(
        -99999,
        least(99999, safe_div(CAST(u.loss_kwh - coalesce(g.missing_kwh, 0) AS DECIMAL(19, 4)) * 100, u.supply_kwh))
      ) AS DECIMAL(9, 4)
    ) AS pct
  FROM unit_day AS u
  LEFT JOIN missing_energy AS g ON g.level = u.level AND g.unit_id = u.unit_id AND g.day = u.day
  LEFT JOIN dark_day AS x ON x.level = u.level AND x.unit_id = u.unit_id AND x.day = u.day
  WHERE u.level IN ('district', 'feeder')
    AND u.day >= :period_start - (:window + :days)
    AND u.day < :period_end
    AND u.computable
    AND u.supply_kwh > 0
    AND x.day IS NULL
),
framed AS (
  SELECT
    level, unit_id, day,
    count(*) OVER before_it AS n,
    CAST(sum(pct) OVER before_it AS DOUBLE) AS s,
    CAST(sum(CAST(pct * pct AS DECIMAL(24, 8))) OVER before_it AS DOUBLE) AS ss,
    count(*) OVER from_it AS run_days,
    min(pct) OVER from_it AS run_least_pct
  FROM series
  WINDOW
    before_it AS (PARTITION BY level, unit_id ORDER BY day_no RANGE BETWEEN :window PRECEDING AND 1 PRECEDING),
    from_it AS (PARTITION BY level, unit_id ORDER BY day_no RANGE BETWEEN CURRENT ROW AND :days - 1 FOLLOWING)
),
compared AS (
  SELECT
    level, unit_id, day, n, run_days, run_least_pct,
    TRY_CAST(safe_div(s, n) AS DECIMAL(9, 4)) AS mean_pct,
    TRY_CAST(sqrt(greatest(0, safe_div(ss - safe_div(s * s, n), n - 1))) AS DECIMAL(9, 4)) AS sigma_pct
  FROM framed
  WHERE day >= :period_start - (:days - 1)
    AND day <= :period_end - :days
),
seen AS (
  SELECT
    level, unit_id,
    max(n) AS base_days,
    count(CASE WHEN n >= :min_base AND run_days = :days THEN 1 END) AS starts_judged
  FROM compared
  GROUP BY level, unit_id
),
start AS (
  SELECT
    level, unit_id, day AS first_day, n AS base_days, mean_pct, sigma_pct,
    CAST(mean_pct + CAST(sigma_pct AS DECIMAL(10, 4)) * :k AS DECIMAL(18, 4)) AS limit_pct
  FROM compared
  WHERE n >= :min_base
    AND run_days = :days
    AND run_least_pct > mean_pct + CAST(sigma_pct AS DECIMAL(10, 4)) * :k
    AND run_least_pct - mean_pct >= :step
  QUALIFY row_number() OVER (PARTITION BY level, unit_id ORDER BY day) = 1
),
jump AS (
  SELECT
    t.level, t.unit_id, t.first_day, t.base_days, t.mean_pct, t.sigma_pct, t.limit_pct,
    count(*) AS days_above,
    max(s.day) AS last_day,
    max(s.pct) AS highest_pct,
    CAST(sum(s.loss_kwh - CAST(s.supply_kwh AS DECIMAL(19, 4)) * t.mean_pct * 0.01) AS DECIMAL(18, 4)) AS excess_kwh
  FROM start AS t
  JOIN series AS s ON s.level = t.level AND s.unit_id = t.unit_id AND s.day >= t.first_day
  WHERE s.pct > t.limit_pct
    AND s.pct - t.mean_pct >= :step
  GROUP BY t.level, t.unit_id, t.first_day, t.base_days, t.mean_pct, t.sigma_pct, t.limit_pct
),
moved AS (
  SELECT j.level, j.unit_id, count(*) AS relation_changes, min(a.change_id) AS change_id
  FROM jump AS j
  JOIN archive_change AS a
    ON (a.old_value = j.unit_id OR a.new_value = j.unit_id)
    AND a.changed_at >= CAST(j.first_day - :change_days AS TIMESTAMP)
    AND a.changed_at < CAST(j.last_day + 1 AS TIMESTAMP)
  WHERE a.field = CASE j.level WHEN 'district' THEN 'district_id' ELSE 'feeder_id' END
  GROUP BY j.level, j.unit_id
),
judged AS (
  SELECT
    n.level, n.unit_id, n.org_id, n.parent_id, j.first_day, j.last_day, j.days_above, j.mean_pct, j.sigma_pct, j.limit_pct,
    j.highest_pct, j.excess_kwh, m.relation_changes, m.change_id,
    coalesce(j.base_days, v.base_days, 0) AS base_days,
    CASE
      WHEN NOT n.running THEN 'stopped'
      WHEN m.unit_id IS NOT NULL THEN 'relation_changed'
      WHEN j.unit_id IS NOT NULL THEN 'jump'
      WHEN v.unit_id IS NULL THEN 'not_computable'
      WHEN v.starts_judged = 0 THEN 'short_history'
    END AS reason
  FROM network_unit AS n
  LEFT JOIN seen AS v ON v.level = n.level AND v.unit_id = n.unit_id
  LEFT JOIN jump AS j ON j.level = n.level AND j.unit_id = n.unit_id
  LEFT JOIN moved AS m ON m.level = n.level AND m.unit_id = n.unit_id
  WHERE n.level IN ('district', 'feeder')
)
SELECT
  j.unit_id AS subject_id,
  CAST(NULL AS VARCHAR) AS customer_id,
  j.org_id,
  coalesce(j.first_day, :period_start) AS period_start,
  coalesce(CAST(j.last_day + 1 AS DATE), :period_end) AS period_end,
  CASE j.reason
    WHEN 'jump' THEN 'hit'
    WHEN 'relation_changed' THEN 'mapping_suspect'
    WHEN 'stopped' THEN 'not_applicable'
    ELSE 'insufficient_data'
  END AS exit,
  CASE WHEN j.reason = 'jump' THEN 'order' END AS band,
  j.reason,
  CASE WHEN j.reason = 'jump' THEN kwh(j.excess_kwh) END AS energy_kwh,
  CAST(NULL AS DECIMAL(18, 2)) AS back_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS penalty_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS refund_cny,
  CASE WHEN j.reason = 'jump' AND j.excess_kwh > 0 THEN money(CAST(j.excess_kwh AS DECIMAL(19, 4)) * p.p) END AS exposed_cny,
  j.level,
  CASE j.level WHEN 'district' THEN j.unit_id END AS district_id,
  CASE j.level WHEN 'feeder' THEN j.unit_id END AS feeder_id,
  j.parent_id,
  j.days_above,
  j.base_days,
  j.mean_pct,
  j.sigma_pct,
  j.limit_pct,
  j.highest_pct,
  j.relation_changes,
  j.change_id,
  p.p AS price
FROM judged AS j
LEFT JOIN district_price AS p ON j.level = 'district' AND p.district_id = j.unit_id AND p.billing_period = :period
WHERE j.reason IS NOT NULL
