WITH removed AS (
  -- meters taken down in the month, the last removal of each
  SELECT
    meter_id, usage_point_id, installed_at, removed_at, install_register, remove_register,
    CAST(removed_at AS DATE) AS removed_on
  FROM meter_install
  WHERE removed_at >= CAST(:period_start AS TIMESTAMP)
    AND removed_at < CAST(:period_end AS TIMESTAMP)
  QUALIFY row_number() OVER (PARTITION BY meter_id ORDER BY removed_at DESC, installed_at DESC) = 1
),
archive AS (
  SELECT r.meter_id, u.multiplier, u.effective_from, u.customer_id, c.org_id
  FROM removed AS r
  JOIN usage_point AS u ON u.usage_point_id = r.usage_point_id AND u.effective_from <= r.removed_on
  LEFT JOIN customer AS c ON c.customer_id = u.customer_id
  QUALIFY row_number() OVER (PARTITION BY r.meter_id ORDER BY u.effective_from DESC) = 1
),
frozen AS (
  -- the daily index before the removal, of days after this meter was put up
  SELECT r.meter_id, d.day, d.register_active
  FROM removed AS r
  JOIN daily_energy AS d
    ON d.usage_point_id = r.usage_point_id
    AND d.day < r.removed_on
    AND d.day >= r.removed_on - :span_days
    AND d.day >= CAST(r.installed_at AS DATE)
  WHERE d.day >= :period_start - 62
    AND d.day < :period_end
    AND d.register_active IS NOT NULL
    AND (d.quality IS NULL OR d.quality = 'measured')
),
last_frozen AS (
  SELECT
    meter_id,
    max(day) AS last_day,
    min(day) AS first_day,
    CAST(arg_max(register_active, day) AS DECIMAL(18, 4)) AS last_value,
    CAST(arg_min(register_active, day) AS DECIMAL(18, 4)) AS first_value
  FROM frozen
  GROUP BY meter_id
),
last_read AS (
  -- without daily values: the last reading of the meter before it came down
  SELECT
    r.meter_id,
    max(g.read_on) AS read_on,
    CAST(arg_max(g.end_value, g.read_on) AS DECIMAL(18, 4)) AS end_value,
    max(g.reading_id) AS reading_id
  FROM removed AS r
  JOIN reading AS g
    ON g.meter_id = r.meter_id
    AND g.usage_point_id = r.usage_point_id
    AND g.read_on <= r.removed_on
  WHERE g.register = 'active'
    AND g.billing_period >= :history_period
    AND g.billing_period <= :period
  GROUP BY r.meter_id
),
final_read AS (
  -- the reading that closes the meter's account, where the index at removal was not recorded
  SELECT r.meter_id, g.end_value, g.reading_id
  FROM removed AS r
  JOIN reading AS g
    ON g.meter_id = r.meter_id
    AND g.usage_point_id = r.usage_point_id
    AND g.read_on >= r.removed_on
    AND g.read_on <= r.removed_on + 35
  WHERE g.register = 'active'
    AND g.billing_period >= :history_period
  QUALIFY row_number() OVER (PARTITION BY r.meter_id ORDER BY g.read_on, g.reading_id) = 1
),
successor AS (
  SELECT r.meter_id, i.meter_id AS next_meter_id, i.installed_at AS next_installed_at, i.install_register
  FROM removed AS r
  JOIN meter_install AS i
    ON i.usage_point_id = r.usage_point_id
    AND i.meter_id <> r.meter_id
    AND CAST(i.installed_at AS DATE) >= r.removed_on
  QUALIFY row_number() OVER (PARTITION BY r.meter_id ORDER BY i.installed_at, i.meter_id) = 1
),
first_read AS (
  SELECT s.meter_id, g.start_value, g.reading_id
  FROM successor AS s
  JOIN removed AS r ON r.meter_id = s.meter_id
  JOIN reading AS g
    ON g.meter_id = s.next_meter_id
    AND g.usage_point_id = r.usage_point_id
    AND g.read_on > CAST(s.next_installed_at AS DATE)
  WHERE g.register = 'active'
    AND g.billing_period >= :history_period
  QUALIFY row_number() OVER (PARTITION BY s.meter_id ORDER BY g.started_on, g.read_on, g.reading_id) = 1
),
compared AS (
  SELECT
    r.meter_id, r.usage_point_id, r.installed_at, r.removed_at, r.removed_on,
    coalesce(r.remove_register, f.end_value) AS removed_value,
    CASE WHEN r.remove_register IS NOT NULL THEN 'record' WHEN f.end_value IS NOT NULL THEN 'reading' END AS value_from,
    coalesce(d.last_value, l.end_value) AS base_value,
    coalesce(d.last_day, l.read_on) AS base_day,
    CASE WHEN d.last_value IS NOT NULL THEN 'daily' WHEN l.end_value IS NOT NULL THEN 'reading' END AS base_from,
    CAST(safe_div(d.last_value - d.first_value, date_diff('day', d.first_day, d.last_day)) AS DECIMAL(18, 4)) AS mean_use,
    date_diff('day', d.last_day, r.removed_on) AS days_since,
    m.digits,
    n.next_meter_id, n.next_installed_at, n.install_register, b.start_value, b.reading_id AS next_reading_id,
    b.start_value - n.install_register AS start_gap
  FROM removed AS r
  LEFT JOIN last_frozen AS d ON d.meter_id = r.meter_id
  LEFT JOIN last_read AS l ON l.meter_id = r.meter_id
  LEFT JOIN final_read AS f ON f.meter_id = r.meter_id
  LEFT JOIN meter AS m ON m.meter_id = r.meter_id
  LEFT JOIN successor AS n ON n.meter_id = r.meter_id
  LEFT JOIN first_read AS b ON b.meter_id = r.meter_id
),
unrolled AS (
  SELECT
    meter_id, usage_point_id, installed_at, removed_at, removed_on, removed_value, value_from, base_value, base_day,
    base_from, mean_use, days_since, next_meter_id, next_installed_at, install_register, start_value,
    next_reading_id, start_gap,
    -- an index that rolled over between the two values goes on above the top
    CASE
      WHEN base_value > 0.9 * TRY_CAST(power(10, digits) AS DECIMAL(18, 4))
        AND removed_value < 0.1 * TRY_CAST(power(10, digits) AS DECIMAL(18, 4))
        THEN CAST(removed_value - base_value + TRY_CAST(power(10, digits) AS DECIMAL(18, 4)) AS DECIMAL(18, 4))
      ELSE CAST(removed_value - base_value AS DECIMAL(18, 4))
    END AS step
  FROM compared
),
judged AS (
  SELECT
    meter_id, usage_point_id, installed_at, removed_at, removed_on, removed_value, value_from, base_value, base_day,
    base_from, mean_use, days_since, next_meter_id, next_installed_at, install_register, start_value,
    next_reading_id, start_gap, step,
    CAST(:tol + :over * CAST(mean_use AS DECIMAL(19, 4)) * (days_since + 1) AS DECIMAL(18, 4)) AS most,
    step < -:tol AS is_below,
    coalesce(step > :tol + :over * CAST(mean_use AS DECIMAL(19, 4)) * (days_since + 1), FALSE) AS is_above,
    coalesce(abs(start_gap) > :tol, FALSE) AS is_gap
  FROM unrolled
),
verdicts AS (
  SELECT
    j.meter_id, j.usage_point_id, j.installed_at, j.removed_at, j.removed_on, j.removed_value, j.value_from, j.base_value,
    j.base_day, j.base_from, j.mean_use, j.most, j.step, j.next_meter_id, j.next_installed_at, j.install_register,
    j.start_value, j.next_reading_id, j.start_gap,
    a.customer_id, a.org_id, a.effective_from, a.multiplier,
    CASE
      WHEN j.is_below THEN 'below_last_value'
      WHEN j.is_above THEN 'above_use'
      WHEN j.is_gap THEN 'next_start_differs'
      WHEN j.removed_value IS NULL THEN 'no_removed_index'
      WHEN j.base_value IS NULL THEN 'nothing_to_compare'
    END AS verdict,
    -- what the customer was not charged (positive) or charged too much (negative)
    CAST(
      (CASE WHEN j.is_below THEN -j.step WHEN j.is_above THEN j.most - j.step ELSE 0 END
        + CASE WHEN j.is_gap THEN j.start_gap ELSE 0 END) * CAST(a.multiplier AS DECIMAL(19, 6)) AS DECIMAL(18, 4)
    ) AS kwh
  FROM judged AS j
  LEFT JOIN archive AS a ON a.meter_id = j.meter_id
),
named AS (
  SELECT
    meter_id, usage_point_id, installed_at, removed_at, removed_on, removed_value, value_from, base_value, base_day,
    base_from, mean_use, most, step, next_meter_id, next_installed_at, install_register, start_value,
    next_reading_id, start_gap, customer_id, org_id, effective_from, multiplier, kwh, verdict,
    verdict IN ('below_last_value', 'above_use', 'next_start_differs') AS is_hit
  FROM verdicts
  WHERE verdict IS NOT NULL
),
settled AS (
  SELECT DISTINCT n.meter_id
  FROM named AS n
  JOIN excl_fix AS f
    ON f.customer_id = n.customer_id
    AND f.cause IN ('misreading', 'meter_fault')
    AND f.from_day <= n.removed_on
    AND f.to_day > n.removed_on
),
priced AS (
  SELECT n.meter_id, m.p, m.p_basis
  FROM named AS n
  JOIN cust_month AS m ON m.customer_id = n.customer_id
  WHERE m.p IS NOT NULL
    AND m.billing_period <= :period
  QUALIFY row_number() OVER (PARTITION BY n.meter_id ORDER BY m.billing_period DESC) = 1
)
SELECT
  n.meter_id AS subject_id,
  n.customer_id,
  n.org_id,
  :period_start AS period_start,
  :period_end AS period_end,
  CASE
    WHEN NOT n.is_hit THEN 'insufficient_data'
    WHEN s.meter_id IS NOT NULL THEN 'not_applicable'
    ELSE 'hit'
  END AS exit,
  CASE
    WHEN NOT n.is_hit OR s.meter_id IS NOT NULL THEN NULL
    WHEN n.value_from = 'reading' OR n.base_from = 'reading' AND n.verdict <> 'next_start_differs' THEN 'watch'
    ELSE 'order'
  END AS band,
  CASE WHEN n.is_hit AND s.meter_id IS NOT NULL THEN 'settled' ELSE n.verdict END AS reason,
  CASE WHEN n.is_hit AND s.meter_id IS NULL THEN n.kwh END AS energy_kwh,
  CASE WHEN n.is_hit AND s.meter_id IS NULL AND n.kwh > 0 THEN money(CAST(n.kwh AS DECIMAL(19, 4)) * p.p) END AS back_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS penalty_cny,
  CASE WHEN n.is_hit AND s.meter_id IS NULL AND n.kwh < 0 THEN money(CAST(abs(n.kwh) AS DECIMAL(19, 4)) * p.p) END AS refund_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS exposed_cny,
  n.usage_point_id,
  n.effective_from AS point_effective_from,
  n.multiplier,
  n.installed_at,
  n.removed_at,
  n.removed_value,
  n.value_from,
  n.base_value,
  n.base_day,
  n.base_from,
  n.mean_use,
  n.most AS most_possible,
  n.next_meter_id,
  n.next_installed_at,
  n.install_register,
  n.start_value,
  n.next_reading_id,
  p.p AS price,
  p.p_basis AS price_basis
FROM named AS n
LEFT JOIN settled AS s ON s.meter_id = n.meter_id
LEFT JOIN priced AS p ON p.meter_id = n.meter_id
