WITH fallen AS (
  SELECT
    usage_point_id, day, register_active,
    lag(register_active) OVER w AS previous_value,
    lag(day) OVER w AS previous_day
  FROM daily_energy
  WHERE day >= :period_start - 7
    AND day < :period_end
    AND register_active IS NOT NULL
    AND (quality IS NULL OR quality = 'measured')
  WINDOW w AS (PARTITION BY usage_point_id ORDER BY day)
  QUALIFY register_active < lag(register_active) OVER w - :tol
),
placed AS (
  SELECT
    f.usage_point_id, f.day, f.register_active, f.previous_value, f.previous_day,
    p.effective_from, p.customer_id, p.customer_org_id, p.multiplier
  FROM fallen AS f
  JOIN point_now AS p ON p.usage_point_id = f.usage_point_id
  WHERE f.day >= :period_start
    -- a meter was put up or taken down between the two values, give or take the days of writing it up
    AND NOT EXISTS (
      SELECT 1
      FROM meter_install AS i
      WHERE i.usage_point_id = f.usage_point_id
        AND CAST(i.installed_at AS DATE) > f.previous_day - :pad_days
        AND CAST(i.installed_at AS DATE) <= f.day + :pad_days
    )
    AND NOT EXISTS (
      SELECT 1
      FROM meter_install AS i
      WHERE i.usage_point_id = f.usage_point_id
        AND CAST(i.removed_at AS DATE) > f.previous_day - :pad_days
        AND CAST(i.removed_at AS DATE) <= f.day + :pad_days
    )
),
hung AS (
  SELECT i.usage_point_id, max(i.meter_id) AS meter_id, max(m.digits) AS digits
  FROM meter_install AS i
  LEFT JOIN meter AS m ON m.meter_id = i.meter_id
  WHERE i.removed_at IS NULL
  GROUP BY i.usage_point_id
),
followed AS (
  SELECT p.usage_point_id, p.day, arg_min(d.register_active, d.day) AS next_value
  FROM placed AS p
  JOIN daily_energy AS d
    ON d.usage_point_id = p.usage_point_id
    AND d.day > p.day
    AND d.day <= p.day + 7
  WHERE d.register_active IS NOT NULL
    AND d.day >= :period_start
    AND d.day < :period_end + 7
    AND (d.quality IS NULL OR d.quality = 'measured')
  GROUP BY p.usage_point_id, p.day
),
sized AS (
  SELECT
    p.usage_point_id, p.day, p.register_active, p.previous_value, p.effective_from, p.customer_id,
    p.customer_org_id, p.multiplier, h.meter_id, f.next_value,
    coalesce(
      h.digits,
      CAST(greatest(length(CAST(CAST(floor(p.previous_value) AS BIGINT) AS VARCHAR)), 4) AS INTEGER)
    ) AS digits
  FROM placed AS p
  LEFT JOIN hung AS h ON h.usage_point_id = p.usage_point_id
  LEFT JOIN followed AS f ON f.usage_point_id = p.usage_point_id AND f.day = p.day
),
judged AS (
  SELECT
    usage_point_id, day, register_active, previous_value, effective_from, customer_id, customer_org_id,
    multiplier, meter_id, digits, next_value,
    CASE
      WHEN next_value >= previous_value THEN 'transient'
      WHEN register_active <= :reset_share * CAST(previous_value AS DECIMAL(19, 4)) THEN 'reset'
      ELSE 'runs_back'
    END AS verdict
  FROM sized
  WHERE NOT (
    previous_value > 0.9 * TRY_CAST(power(10, digits) AS DECIMAL(18, 4))
    AND register_active < 0.1 * TRY_CAST(power(10, digits) AS DECIMAL(18, 4))
  )
),
pointwise AS (
  SELECT
    usage_point_id,
    max(effective_from) AS effective_from,
    max(customer_id) AS customer_id,
    max(customer_org_id) AS org_id,
    max(meter_id) AS meter_id,
    max(digits) AS digits,
    max(multiplier) AS multiplier,
    min(day) AS first_day,
    max(day) AS last_day,
    count(*) AS falls,
    arg_min(previous_value, day) AS previous_value,
    arg_min(register_active, day) AS register_active,
    arg_min(next_value, day) AS next_value,
    max(CASE WHEN verdict = 'runs_back' THEN 1 ELSE 0 END) AS is_back,
    max(CASE WHEN verdict = 'reset' THEN 1 ELSE 0 END) AS is_reset,
    CAST(
      CAST(sum(CASE WHEN verdict = 'runs_back' THEN previous_value - register_active END) AS DECIMAL(19, 4))
        * max(multiplier) AS DECIMAL(18, 4)
    ) AS kwh
  FROM judged
  GROUP BY usage_point_id
),
netted AS (
  SELECT DISTINCT w.usage_point_id
  FROM pointwise AS w
  JOIN excl_generator AS g
    ON g.customer_id = w.customer_id
    AND g.from_day <= w.last_day
    AND g.to_day > w.first_day
),
priced AS (
  SELECT w.usage_point_id, m.p, m.p_basis
  FROM pointwise AS w
  JOIN cust_month AS m ON m.customer_id = w.customer_id
  WHERE m.p IS NOT NULL
    AND m.billing_period <= :period
  QUALIFY row_number() OVER (PARTITION BY w.usage_point_id ORDER BY m.billing_period DESC) = 1
)
SELECT
  w.usage_point_id AS subject_id,
  w.customer_id,
  w.org_id,
  w.first_day AS period_start,
  CAST(w.last_day + INTERVAL 1 DAY AS DATE) AS period_end,
  CASE WHEN n.usage_point_id IS NOT NULL THEN 'not_applicable' ELSE 'hit' END AS exit,
  CASE
    WHEN n.usage_point_id IS NOT NULL THEN NULL
    WHEN w.is_back = 1 OR w.is_reset = 1 THEN 'order'
    ELSE 'watch'
  END AS band,
  CASE
    WHEN n.usage_point_id IS NOT NULL THEN 'generation'
    WHEN w.is_back = 1 THEN 'runs_back'
    WHEN w.is_reset = 1 THEN 'reset'
    ELSE 'transient'
  END AS reason,
  CASE WHEN n.usage_point_id IS NULL THEN w.kwh END AS energy_kwh,
  CASE WHEN n.usage_point_id IS NULL THEN money(CAST(w.kwh AS DECIMAL(19, 4)) * p.p) END AS back_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS penalty_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS refund_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS exposed_cny,
  w.effective_from AS point_effective_from,
  w.meter_id,
  w.digits,
  w.multiplier,
  w.falls,
  w.last_day,
  w.previous_value,
  w.register_active,
  w.next_value,
  p.p AS price,
  p.p_basis AS price_basis
FROM pointwise AS w
LEFT JOIN netted AS n ON n.usage_point_id = w.usage_point_id
LEFT JOIN priced AS p ON p.usage_point_id = w.usage_point_id
