WITH sale AS (
  SELECT
    usage_point_id, effective_from, customer_id, customer_org_id, contract_capacity_kva, multiplier,
    CAST(CAST(contract_capacity_kva AS DECIMAL(19, 4)) * 24 * :k AS DECIMAL(18, 4)) AS day_limit
  FROM point_now
  WHERE role = 'sale'
),
daily AS (
  SELECT usage_point_id, day, import_kwh
  FROM daily_energy
  WHERE day >= :period_start
    AND day < :period_end
    AND import_kwh > 0
    AND (quality IS NULL OR quality = 'measured')
),
jump_event AS (
  SELECT usage_point_id, CAST(started_at AS DATE) AS day, min(event_id) AS event_id
  FROM event
  WHERE kind IN ('fly', 'register_jump')
    AND started_at >= CAST(:period_start AS TIMESTAMP)
    AND started_at < CAST(:period_end AS TIMESTAMP)
    AND usage_point_id IS NOT NULL
  GROUP BY usage_point_id, CAST(started_at AS DATE)
),
candidate AS (
  SELECT
    d.usage_point_id, d.day, d.import_kwh, s.day_limit,
    s.day_limit > 0 AND d.import_kwh > s.day_limit AS over_limit,
    e.event_id
  FROM daily AS d
  JOIN sale AS s ON s.usage_point_id = d.usage_point_id AND s.effective_from <= d.day
  LEFT JOIN jump_event AS e ON e.usage_point_id = d.usage_point_id AND e.day = d.day
  WHERE (s.day_limit > 0 AND d.import_kwh > s.day_limit)
    OR e.event_id IS NOT NULL
),
suspect AS (
  SELECT usage_point_id, min(day) AS first_day
  FROM candidate
  GROUP BY usage_point_id
),
before AS (
  SELECT
    s.usage_point_id, d.day, d.import_kwh,
    row_number() OVER (PARTITION BY s.usage_point_id ORDER BY d.import_kwh, d.day) AS rn,
    count(*) OVER (PARTITION BY s.usage_point_id) AS n
  FROM suspect AS s
  JOIN daily_energy AS d
    ON d.usage_point_id = s.usage_point_id
    AND d.day >= s.first_day - :span_days
    AND d.day < s.first_day
  WHERE d.day >= :period_start - 92
    AND d.day < :period_end
    AND d.import_kwh IS NOT NULL
),
usual AS (
  -- the median day before: the middle value, or the mean of the two in the middle
  SELECT
    usage_point_id,
    max(n) AS days_known,
    CAST(CAST(sum(import_kwh) AS DOUBLE) / 2 * (3 - count(*)) AS DECIMAL(18, 4)) AS median_kwh
  FROM before
  WHERE 2 * rn >= n AND 2 * rn <= n + 2
  GROUP BY usage_point_id
),
preceded AS (
  -- a value after days without one may hold the energy of all of them
  SELECT c.usage_point_id, c.day, max(d.day) AS previous_day
  FROM candidate AS c
  JOIN daily_energy AS d
    ON d.usage_point_id = c.usage_point_id
    AND d.day >= c.day - :span_days
    AND d.day < c.day
  WHERE d.day >= :period_start - 92
    AND d.day < :period_end
    AND d.import_kwh IS NOT NULL
  GROUP BY c.usage_point_id, c.day
),
measured AS (
  -- what the load curve of the same day says, wherever half of its points are there
  SELECT
    c.usage_point_id, c.day,
    CASE
      WHEN count(l.p_kw) >= 48 THEN safe_div(sum(l.p_kw), count(l.p_kw)) * 24 * CAST(max(s.multiplier) AS DOUBLE)
    END AS curve_kwh
  FROM candidate AS c
  JOIN sale AS s ON s.usage_point_id = c.usage_point_id
  JOIN load_curve AS l
    ON l.usage_point_id = c.usage_point_id
    AND l."at" >= CAST(c.day AS TIMESTAMP)
    AND l."at" < CAST(c.day + INTERVAL 1 DAY AS TIMESTAMP)
  WHERE l."at" >= CAST(:period_start AS TIMESTAMP)
    AND l."at" < CAST(:period_end AS TIMESTAMP)
  GROUP BY c.usage_point_id, c.day
),
judged AS (
  SELECT
    c.usage_point_id, c.day, c.import_kwh, c.day_limit, c.event_id,
    coalesce(u.days_known, 0) AS days_known,
    u.median_kwh,
    p.previous_day,
    m.curve_kwh,
    CASE
      WHEN c.over_limit AND p.previous_day IS NULL THEN 'no_day_before'
      WHEN c.over_limit
        AND c.import_kwh > CAST(c.day_limit AS DECIMAL(19, 4)) * date_diff('day', p.previous_day, c.day)
        THEN CASE WHEN m.curve_kwh >= CAST(:agree AS DOUBLE) * c.import_kwh THEN 'curve_confirms' ELSE 'over_capacity' END
      WHEN c.event_id IS NULL THEN NULL
      WHEN coalesce(u.days_known, 0) < :min_days THEN 'too_few_days'
      WHEN c.import_kwh >= :min_kwh AND c.import_kwh > :jump * CAST(u.median_kwh AS DECIMAL(19, 4))
        THEN CASE WHEN m.curve_kwh >= CAST(:agree AS DOUBLE) * c.import_kwh THEN 'curve_confirms' ELSE 'jump_with_event' END
    END AS verdict
  FROM candidate AS c
  LEFT JOIN usual AS u ON u.usage_point_id = c.usage_point_id
  LEFT JOIN preceded AS p ON p.usage_point_id = c.usage_point_id AND p.day = c.day
  LEFT JOIN measured AS m ON m.usage_point_id = c.usage_point_id AND m.day = c.day
),
pointwise AS (
  SELECT
    usage_point_id,
    max(CASE WHEN verdict = 'over_capacity' THEN 1 ELSE 0 END) AS is_over,
    max(CASE WHEN verdict = 'jump_with_event' THEN 1 ELSE 0 END) AS is_jump,
    max(CASE WHEN verdict = 'curve_confirms' THEN 1 ELSE 0 END) AS is_confirmed,
    max(CASE WHEN verdict = 'too_few_days' THEN 1 ELSE 0 END) AS is_short,
    count(CASE WHEN verdict IN ('over_capacity', 'jump_with_event') THEN 1 END) AS days_hit,
    min(CASE WHEN verdict IN ('over_capacity', 'jump_with_event') THEN day END) AS first_hit,
    max(CASE WHEN verdict IN ('over_capacity', 'jump_with_event') THEN day END) AS last_hit,
    min(day) AS first_day,
    max(day) AS last_day,
    max(import_kwh) AS highest_kwh,
    min(event_id) AS event_id,
    max(day_limit) AS day_limit,
    max(median_kwh) AS median_kwh,
    max(days_known) AS days_known,
    CAST(max(curve_kwh) AS DECIMAL(18, 4)) AS curve_kwh,
    CAST(sum(CASE WHEN verdict IN ('over_capacity', 'jump_with_event') THEN import_kwh - median_kwh END)
      AS DECIMAL(18, 4)) AS excess_kwh
  FROM judged
  WHERE verdict IS NOT NULL
  GROUP BY usage_point_id
),
reduced AS (
  SELECT DISTINCT w.usage_point_id
  FROM pointwise AS w
  JOIN sale AS s ON s.usage_point_id = w.usage_point_id
  JOIN excl_change AS x
    ON x.customer_id = s.customer_id
    AND x.kind IN ('capacity_reduction', 'split')
    AND x.from_day <= w.last_day
    AND x.to_day > w.first_day
),
verdicts AS (
  SELECT
    w.usage_point_id, s.customer_id, s.customer_org_id, s.effective_from, s.contract_capacity_kva,
    w.days_hit, w.first_hit, w.last_hit, w.first_day, w.last_day, w.highest_kwh, w.event_id, w.day_limit,
    w.median_kwh, w.days_known, w.curve_kwh,
    CASE WHEN w.days_known >= :min_days AND w.excess_kwh > 0 THEN w.excess_kwh END AS excess_kwh,
    m.kwh AS billed_kwh, m.p, m.p_basis,
    CASE
      WHEN w.is_over = 1 AND r.usage_point_id IS NOT NULL AND w.is_jump = 0 THEN 'capacity_reduced'
      WHEN w.is_over = 1 AND r.usage_point_id IS NULL THEN 'over_capacity'
      WHEN w.is_jump = 1 THEN 'jump_with_event'
      WHEN w.is_confirmed = 1 THEN 'curve_confirms'
      WHEN w.is_short = 1 THEN 'too_few_days'
      ELSE 'no_day_before'
    END AS verdict
  FROM pointwise AS w
  JOIN sale AS s ON s.usage_point_id = w.usage_point_id
  LEFT JOIN reduced AS r ON r.usage_point_id = w.usage_point_id
  LEFT JOIN cust_month AS m ON m.customer_id = s.customer_id AND m.billing_period = :period
)
SELECT
  usage_point_id AS subject_id,
  customer_id,
  customer_org_id AS org_id,
  coalesce(first_hit, first_day) AS period_start,
  CAST(coalesce(last_hit, last_day) + INTERVAL 1 DAY AS DATE) AS period_end,
  CASE
    WHEN verdict IN ('over_capacity', 'jump_with_event') THEN 'hit'
    WHEN verdict IN ('too_few_days', 'no_day_before') THEN 'insufficient_data'
    ELSE 'not_applicable'
  END AS exit,
  CASE
    WHEN verdict NOT IN ('over_capacity', 'jump_with_event') THEN NULL
    WHEN billed_kwh < excess_kwh THEN 'watch'
    ELSE 'order'
  END AS band,
  verdict AS reason,
  CASE WHEN verdict IN ('over_capacity', 'jump_with_event') THEN CAST(-excess_kwh AS DECIMAL(18, 4)) END AS energy_kwh,
  CAST(NULL AS DECIMAL(18, 2)) AS back_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS penalty_cny,
  CASE
    WHEN verdict IN ('over_capacity', 'jump_with_event') AND billed_kwh >= excess_kwh
      THEN money(CAST(excess_kwh AS DECIMAL(19, 4)) * p)
  END AS refund_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS exposed_cny,
  effective_from AS point_effective_from,
  contract_capacity_kva,
  day_limit AS day_limit_kwh,
  days_hit,
  highest_kwh,
  median_kwh,
  days_known,
  curve_kwh,
  event_id,
  billed_kwh,
  p AS price,
  p_basis AS price_basis
FROM verdicts
