WITH step AS (
  SELECT
    reading_id, usage_point_id, meter_id, customer_id, org_id, register, start_value, end_value, multiplier,
    started_on, read_on, method, prev_reading_id, prev_end_value, prev_read_on, prev_method,
    install_register, installed_at,
    CAST(installed_at AS DATE) AS installed_on,
    date_diff('day', prev_read_on, started_on) AS gap,
    -- two intervals join when they meet within half a month, or within a quarter of a longer interval
    greatest(:gap_days, least(:gap_share * date_diff('day', started_on, read_on), 62)) AS slack,
    -- a register whose size the archive does not know is taken as long as its largest index
    CAST(power(10, coalesce(digits, length(CAST(CAST(floor(greatest(start_value, coalesce(prev_end_value, 0))) AS BIGINT) AS VARCHAR))))
      AS DECIMAL(18, 4)) AS register_size
  FROM reading_step
  WHERE billing_period = :period
    AND register <> 'demand'
),
placed AS (
  SELECT
    reading_id, usage_point_id, meter_id, customer_id, org_id, register, start_value, end_value, multiplier,
    started_on, read_on, method, prev_reading_id, prev_end_value, prev_read_on, prev_method,
    install_register, installed_at, gap, slack, register_size,
    CASE
      WHEN installed_on IS NOT NULL
        AND (prev_read_on IS NULL OR installed_on >= prev_read_on)
        AND abs(date_diff('day', installed_on, started_on)) <= :gap_days
        THEN 'first'
      WHEN prev_read_on IS NULL OR prev_read_on < :history_start THEN 'unknown'
      WHEN abs(gap) <= slack THEN 'joined'
      WHEN gap > slack THEN 'hole'
      ELSE 'overlap'
    END AS place
  FROM step
),
compared AS (
  SELECT
    reading_id, usage_point_id, meter_id, customer_id, org_id, register, start_value, end_value, multiplier,
    started_on, read_on, method, prev_reading_id, prev_end_value, prev_read_on, prev_method,
    install_register, installed_at, gap, register_size, place,
    CASE WHEN place = 'first' THEN install_register ELSE prev_end_value END AS expected_start,
    -- an index that passed its last digit between the two values did not fall back
    CASE
      WHEN place <> 'first' AND start_value - prev_end_value < -0.8 * register_size
        THEN start_value - prev_end_value + register_size
      WHEN place = 'first' THEN start_value - install_register
      ELSE start_value - prev_end_value
    END AS difference
  FROM placed
  WHERE place <> 'first' OR register = 'active'
),
judged AS (
  SELECT
    reading_id, usage_point_id, meter_id, customer_id, org_id, register, start_value, end_value, multiplier,
    started_on, read_on, method, prev_reading_id, prev_end_value, prev_read_on, prev_method,
    install_register, installed_at, gap, place, expected_start, difference,
    CASE
      WHEN place = 'unknown' THEN 'no_previous_reading'
      WHEN place = 'first' AND install_register IS NULL THEN 'install_register_missing'
      WHEN place = 'first' AND difference > :tol THEN 'first_above_installed'
      WHEN place = 'first' AND difference < -:tol THEN 'first_below_installed'
      WHEN place = 'hole' AND difference > :tol THEN 'readings_missing_between'
      WHEN place = 'overlap' AND abs(difference) > :tol THEN 'intervals_overlap'
      WHEN difference < -:tol AND start_value < :restart_below AND prev_end_value > 10 * :restart_below
        THEN 'register_restarted'
      WHEN difference > :tol THEN 'above_last_end'
      WHEN difference < -:tol THEN 'below_last_end'
    END AS reason
  FROM compared
),
corrected AS (
  SELECT reading_id, min(change_id) AS change_id
  FROM reading_change
  WHERE approved_by IS NOT NULL
    AND approved_by <> changed_by
  GROUP BY reading_id
),
told AS (
  SELECT
    j.reading_id, j.usage_point_id, j.meter_id, j.customer_id, j.org_id, j.register, j.start_value, j.end_value,
    j.multiplier, j.started_on, j.read_on, j.method, j.prev_reading_id, j.prev_end_value, j.prev_read_on,
    j.prev_method, j.install_register, j.installed_at, j.gap, j.place, j.expected_start, j.difference, j.reason,
    coalesce(here.change_id, before.change_id) AS corrected_by_change
  FROM judged AS j
  LEFT JOIN corrected AS here ON here.reading_id = j.reading_id
  LEFT JOIN corrected AS before ON before.reading_id = j.prev_reading_id
  WHERE j.reason IS NOT NULL
  -- one break of a meter's chain shows on all its registers: the total speaks for them
  QUALIFY row_number() OVER (
    PARTITION BY j.usage_point_id, j.meter_id, j.started_on, j.read_on
    ORDER BY CASE WHEN j.register = 'active' THEN 0 ELSE 1 END, j.register, j.reading_id
  ) = 1
),
sized AS (
  SELECT
    t.reading_id, t.usage_point_id, t.meter_id, t.customer_id, t.org_id, t.register, t.start_value, t.end_value,
    t.multiplier, t.started_on, t.read_on, t.method, t.prev_reading_id, t.prev_end_value, t.prev_read_on,
    t.prev_method, t.installed_at, t.gap, t.place, t.expected_start, t.difference, t.reason, t.corrected_by_change,
    CASE
      WHEN t.reason IN ('no_previous_reading', 'install_register_missing', 'readings_missing_between')
        THEN 'insufficient_data'
      WHEN t.reason = 'intervals_overlap' THEN 'mapping_suspect'
      WHEN t.corrected_by_change IS NOT NULL THEN 'not_applicable'
      ELSE 'hit'
    END AS exit,
    -- billed twice is what both intervals counted; the rest of a fall was never billed here
    CASE
      WHEN t.register NOT IN ('active', 'active_sharp', 'active_peak', 'active_flat', 'active_valley', 'active_deep_valley', 'active_export')
        THEN NULL
      WHEN t.reason = 'register_restarted' THEN NULL
      WHEN t.reason IN ('below_last_end', 'first_below_installed')
        THEN kwh(greatest(least(t.expected_start, t.end_value) - t.start_value, 0) * t.multiplier)
      WHEN t.reason IN ('above_last_end', 'first_above_installed') THEN kwh(t.difference * t.multiplier)
    END AS energy,
    greatest(abs(t.end_value - t.start_value), 100) * :max_factor AS believable,
    m.p,
    m.p_basis
  FROM told AS t
  LEFT JOIN cust_month AS m ON m.customer_id = t.customer_id AND m.billing_period = :period AND m.p > 0
)
SELECT
  reading_id AS subject_id,
  customer_id,
  org_id,
  :period_start AS period_start,
  :period_end AS period_end,
  exit,
  CASE
    WHEN exit <> 'hit' THEN NULL
    WHEN reason = 'register_restarted' OR abs(difference) * multiplier >= :order_kwh THEN 'order'
    ELSE 'watch'
  END AS band,
  CASE WHEN exit = 'not_applicable' THEN 'corrected' ELSE reason END AS reason,
  CASE WHEN reason IN ('below_last_end', 'first_below_installed') THEN -energy ELSE energy END AS energy_kwh,
  CASE
    WHEN exit = 'hit' AND register = 'active' AND reason IN ('above_last_end', 'first_above_installed')
      AND difference <= believable
      THEN money(CAST(energy * p AS DECIMAL(18, 6)))
  END AS back_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS penalty_cny,
  CASE
    WHEN exit = 'hit' AND register = 'active' AND reason IN ('below_last_end', 'first_below_installed')
      THEN money(CAST(energy * p AS DECIMAL(18, 6)))
  END AS refund_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS exposed_cny,
  usage_point_id,
  meter_id,
  register,
  CASE WHEN place = 'first' THEN 'install_register' ELSE 'previous_end' END AS compared_with,
  expected_start,
  start_value,
  end_value,
  CAST(difference AS DECIMAL(18, 4)) AS difference,
  multiplier,
  started_on,
  read_on,
  method,
  prev_reading_id,
  prev_read_on,
  prev_method,
  gap AS days_between,
  CASE WHEN place = 'first' THEN installed_at END AS installed_at,
  corrected_by_change,
  p AS price,
  p_basis AS price_basis
FROM sized
