WITH step AS (
  SELECT
    reading_id, usage_point_id, meter_id, customer_id, org_id, start_value, end_value, multiplier, energy,
    started_on, read_on, method, reader_staff_id, digits
  FROM reading_step
  WHERE billing_period = :period
    AND register = 'active'
),
bounds AS (
  SELECT
    CAST(min(read_on) - :window_days AS DATE) AS first_day,
    CAST(max(read_on) + :window_days AS DATE) AS last_day
  FROM step
),
swap AS (
  -- days on which the point's meter was changed; the daily register belongs to the point and jumps there
  SELECT usage_point_id, CAST(installed_at AS DATE) AS day
  FROM meter_install
  WHERE installed_at >= :period_start - 45
  UNION
  SELECT usage_point_id, CAST(removed_at AS DATE) AS day
  FROM meter_install
  WHERE removed_at >= :period_start - 45
  UNION
  SELECT s.usage_point_id, s.started_on AS day
  FROM step AS s
  JOIN (
    SELECT usage_point_id
    FROM step
    GROUP BY usage_point_id
    HAVING min(meter_id) <> max(meter_id)
  ) AS two ON two.usage_point_id = s.usage_point_id
),
swapped AS (
  SELECT DISTINCT s.reading_id
  FROM step AS s
  JOIN swap AS w
    ON w.usage_point_id = s.usage_point_id
    AND w.day >= s.read_on - :window_days
    AND w.day < s.read_on + :window_days
),
daily AS (
  SELECT d.usage_point_id, d.day, d.register_active
  FROM daily_energy AS d
  CROSS JOIN bounds AS b
  WHERE d.day >= :period_start - 5
    AND d.day < :period_end + 35
    AND d.day >= b.first_day
    AND d.day < b.last_day
    AND d.register_active IS NOT NULL
    AND coalesce(d.quality, 'measured') = 'measured'
),
held AS (
  SELECT
    s.reading_id,
    max(CASE WHEN d.day < s.read_on THEN d.register_active END) AS index_before,
    min(CASE WHEN d.day >= s.read_on THEN d.register_active END) AS index_after,
    min(d.register_active) AS lowest,
    max(d.register_active) AS highest
  FROM step AS s
  JOIN daily AS d
    ON d.usage_point_id = s.usage_point_id
    AND d.day >= s.read_on - :window_days
    AND d.day < s.read_on + :window_days
  GROUP BY s.reading_id
),
judged AS (
  SELECT
    s.reading_id, s.usage_point_id, s.meter_id, s.customer_id, s.org_id, s.start_value, s.end_value, s.multiplier,
    s.energy, s.started_on, s.read_on, s.method, s.reader_staff_id,
    h.index_before, h.index_after,
    CASE
      WHEN w.reading_id IS NOT NULL THEN 'meter_changed'
      WHEN h.reading_id IS NULL THEN 'no_daily_index'
      WHEN s.digits IS NOT NULL AND h.highest - h.lowest > 0.5 * CAST(power(10, s.digits) AS DECIMAL(18, 4))
        THEN 'register_rolled_over'
      WHEN s.end_value < h.index_before - :tol THEN 'below_daily_index'
      WHEN s.end_value > h.index_after + :tol THEN 'above_daily_index'
    END AS reason,
    CASE
      WHEN s.end_value < h.index_before - :tol THEN h.index_before - s.end_value
      WHEN s.end_value > h.index_after + :tol THEN s.end_value - h.index_after
    END AS difference
  FROM step AS s
  LEFT JOIN held AS h ON h.reading_id = s.reading_id
  LEFT JOIN swapped AS w ON w.reading_id = s.reading_id
),
sized AS (
  SELECT
    j.reading_id, j.usage_point_id, j.meter_id, j.customer_id, j.org_id, j.start_value, j.end_value, j.multiplier,
    j.energy, j.started_on, j.read_on, j.method, j.reader_staff_id, j.index_before, j.index_after, j.reason,
    CASE
      WHEN j.reason = 'meter_changed' THEN 'not_applicable'
      WHEN j.reason IN ('no_daily_index', 'register_rolled_over') THEN 'insufficient_data'
      ELSE 'hit'
    END AS exit,
    CASE WHEN j.reason IN ('below_daily_index', 'above_daily_index') THEN CAST(j.difference AS DECIMAL(18, 4)) END AS difference,
    CASE WHEN j.reason IN ('below_daily_index', 'above_daily_index') THEN kwh(j.difference * j.multiplier) END AS stake,
    m.p,
    m.p_basis
  FROM judged AS j
  LEFT JOIN cust_month AS m ON m.customer_id = j.customer_id AND m.billing_period = :period AND m.p > 0
  WHERE j.reason IS NOT NULL
)
SELECT
  reading_id AS subject_id,
  customer_id,
  org_id,
  :period_start AS period_start,
  :period_end AS period_end,
  exit,
  CASE WHEN exit <> 'hit' THEN NULL WHEN stake >= :order_kwh THEN 'order' ELSE 'watch' END AS band,
  reason,
  CASE WHEN reason = 'above_daily_index' THEN -stake ELSE stake END AS energy_kwh,
  CASE WHEN reason = 'below_daily_index' THEN money(CAST(stake * p AS DECIMAL(18, 6))) END AS back_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS penalty_cny,
  CASE WHEN reason = 'above_daily_index' THEN money(CAST(stake * p AS DECIMAL(18, 6))) END AS refund_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS exposed_cny,
  usage_point_id,
  meter_id,
  end_value,
  index_before,
  index_after,
  difference,
  multiplier,
  energy,
  started_on,
  read_on,
  CAST(read_on - 1 AS DATE) AS day_before,
  method,
  reader_staff_id,
  p AS price,
  p_basis AS price_basis
FROM sized
