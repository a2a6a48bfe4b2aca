WITH opening AS (
  -- the openings of one meter on one day are one
  SELECT
    e.meter_id, e.usage_point_id, CAST(e.started_at AS DATE) AS day,
    min(e.event_id) AS event_id,
    count(*) AS events,
    max(CASE WHEN e.kind = 'cover_open' THEN 1 ELSE 0 END) AS cover,
    max(CASE WHEN e.kind = 'terminal_open' THEN 1 ELSE 0 END) AS terminal
  FROM event AS e
  WHERE e.kind IN ('cover_open', 'terminal_open')
    AND e.started_at >= CAST(:period_start - :span_days AS TIMESTAMP)
    AND e.started_at < CAST(:period_end AS TIMESTAMP)
    AND e.usage_point_id IS NOT NULL
  GROUP BY e.meter_id, e.usage_point_id, CAST(e.started_at AS DATE)
),
of_customer AS (
  SELECT
    o.meter_id, o.usage_point_id, o.day, o.event_id, o.events, o.cover, o.terminal,
    p.customer_id, p.org_id, p.effective_from AS point_effective_from, m.model
  FROM opening AS o
  JOIN point_span AS p
    ON p.usage_point_id = o.usage_point_id
    AND p.effective_from <= o.day
    AND p.effective_until > o.day
  LEFT JOIN meter AS m ON m.meter_id = o.meter_id
  WHERE p.role = 'sale'
),
in_batch AS (
  -- many meters of one model on one day: the firmware or the head-end, not people
  SELECT model, day, count(DISTINCT meter_id) AS meters
  FROM of_customer
  GROUP BY model, day
),
valid_day AS (
  SELECT o.meter_id, o.usage_point_id, o.day AS open_day, d.day, d.import_kwh
  FROM of_customer AS o
  JOIN daily_energy AS d
    ON d.usage_point_id = o.usage_point_id
    AND d.day >= o.day - :span_days
    AND d.day <= o.day + :span_days
    AND d.day <> o.day
  LEFT JOIN excl_holiday AS h ON h.day = d.day
  WHERE d.day >= :period_start - :span_days - :span_days
    AND d.day <= :data_date
    AND d.import_kwh IS NOT NULL
    AND (d.quality IS NULL OR d.quality <> 'estimated')
    AND h.day IS NULL
),
dark AS (
  SELECT DISTINCT v.usage_point_id, v.day
  FROM valid_day AS v
  JOIN excl_outage AS x
    ON x.usage_point_id = v.usage_point_id
    AND x.from_at < CAST(v.day + INTERVAL 1 DAY AS TIMESTAMP)
    AND x.to_at > CAST(v.day AS TIMESTAMP)
),
sides AS (
  SELECT
    v.meter_id, v.usage_point_id, v.open_day,
    count(CASE WHEN v.day < v.open_day THEN 1 END) AS days_before,
    count(CASE WHEN v.day > v.open_day THEN 1 END) AS days_after,
    CAST(coalesce(sum(CASE WHEN v.day < v.open_day THEN v.import_kwh END), 0) AS DECIMAL(18, 4)) AS kwh_before,
    CAST(coalesce(sum(CASE WHEN v.day > v.open_day THEN v.import_kwh END), 0) AS DECIMAL(18, 4)) AS kwh_after
  FROM valid_day AS v
  LEFT JOIN dark AS k ON k.usage_point_id = v.usage_point_id AND k.day = v.day
  WHERE k.day IS NULL
  GROUP BY v.meter_id, v.usage_point_id, v.open_day
),
measured AS (
  SELECT
    o.meter_id, o.usage_point_id, o.day, o.event_id, o.events, o.cover, o.terminal, o.customer_id, o.org_id,
    o.point_effective_from, b.meters AS batch_meters,
    coalesce(s.days_before, 0) AS days_before,
    coalesce(s.days_after, 0) AS days_after,
    CAST(safe_div(s.kwh_before, s.days_before) AS DECIMAL(18, 4)) AS mean_before,
    CAST(safe_div(s.kwh_after, s.days_after) AS DECIMAL(18, 4)) AS mean_after
  FROM of_customer AS o
  JOIN in_batch AS b ON b.day = o.day AND coalesce(b.model, '') = coalesce(o.model, '')
  LEFT JOIN sides AS s
    ON s.meter_id = o.meter_id AND s.usage_point_id = o.usage_point_id AND s.open_day = o.day
),
visited AS (
  -- somebody of the utility was at the meter: a ticket that leads there, an inspection, a seal taken off by name
  SELECT m.meter_id, m.day
  FROM measured AS m
  JOIN ticket AS t ON t.customer_id = m.customer_id
  WHERE t.status <> 'cancelled'
    AND t.kind NOT IN ('rename', 'transfer_name', 'refund', 'price_change', 'demand_method', 'change_of_use')
    AND CAST(t.accepted_at AS DATE) <= m.day + :pad_days
    AND coalesce(CAST(t.completed_at AS DATE), CAST(t.archived_at AS DATE), :data_date) >= m.day - :pad_days
  UNION
  SELECT m.meter_id, m.day
  FROM measured AS m
  JOIN inspection_record AS i ON i.customer_id = m.customer_id
  WHERE i.inspected_on >= m.day - :pad_days
    AND i.inspected_on <= m.day + :pad_days
  UNION
  SELECT m.meter_id, m.day
  FROM measured AS m
  JOIN seal AS s ON s.usage_point_id = m.usage_point_id
  WHERE s.removed_by IS NOT NULL
    AND CAST(s.removed_at AS DATE) >= m.day - :pad_days
    AND CAST(s.removed_at AS DATE) <= m.day + :pad_days
),
settled AS (
  SELECT DISTINCT m.meter_id, m.day
  FROM measured AS m
  JOIN excl_fix AS f
    ON f.customer_id = m.customer_id
    AND f.from_day <= m.day
    AND f.to_day > m.day
  WHERE f.cause IN ('theft', 'violation', 'meter_fault')
),
judged AS (
  SELECT
    m.meter_id, m.usage_point_id, m.day, m.event_id, m.events, m.cover, m.terminal, m.customer_id, m.org_id,
    m.point_effective_from, m.batch_meters, m.days_before, m.days_after, m.mean_before, m.mean_after,
    CASE
      WHEN v.meter_id IS NOT NULL THEN 'attended'
      WHEN m.batch_meters > :batch THEN 'whole_batch'
      WHEN x.meter_id IS NOT NULL THEN 'settled'
      WHEN m.days_before < :few_days OR m.days_after < :few_days THEN 'days_missing'
      WHEN m.days_before < :min_valid OR m.days_after < :min_valid THEN 'fell_few_days'
      ELSE 'fell_after_opening'
    END AS verdict
  FROM measured AS m
  LEFT JOIN visited AS v ON v.meter_id = m.meter_id AND v.day = m.day
  LEFT JOIN settled AS x ON x.meter_id = m.meter_id AND x.day = m.day
  WHERE (m.days_before < :few_days OR m.days_after < :few_days)
    OR (m.mean_before >= :min_kwh
      AND CAST(m.mean_after AS DECIMAL(19, 4)) < CAST(m.mean_before AS DECIMAL(19, 4)) * :fall)
),
chosen AS (
  SELECT
    meter_id, usage_point_id, day, event_id, events, cover, terminal, customer_id, org_id, point_effective_from,
    batch_meters, days_before, days_after, mean_before, mean_after, verdict,
    count(*) OVER (PARTITION BY meter_id) AS openings
  FROM judged
  WHERE NOT (verdict IN ('attended', 'whole_batch', 'settled') AND (days_before < :few_days OR days_after < :few_days))
  QUALIFY row_number() OVER (
    PARTITION BY meter_id
    ORDER BY
      CASE verdict WHEN 'fell_after_opening' THEN 0 WHEN 'fell_few_days' THEN 1 WHEN 'days_missing' THEN 2 ELSE 3 END,
      day, usage_point_id
  ) = 1
),
priced AS (
  SELECT c.meter_id, m.p
  FROM chosen AS c
  JOIN cust_month AS m ON m.customer_id = c.customer_id
  WHERE m.p IS NOT NULL
    AND m.billing_period <= :period
  QUALIFY row_number() OVER (PARTITION BY c.meter_id ORDER BY m.billing_period DESC) = 1
),
valued AS (
  SELECT
    c.meter_id, c.usage_point_id, c.day, c.event_id, c.events, c.cover, c.terminal, c.customer_id, c.org_id,
    c.point_effective_from, c.batch_meters, c.days_before, c.days_after, c.mean_before, c.mean_after, c.verdict,
    c.openings, p.p,
    CASE
      WHEN c.verdict IN ('fell_after_opening', 'fell_few_days')
        THEN CAST((c.mean_before - c.mean_after) * c.days_after AS DECIMAL(18, 4))
    END AS missing_kwh
  FROM chosen AS c
  LEFT JOIN priced AS p ON p.meter_id = c.meter_id
)
SELECT
  meter_id AS subject_id,
  customer_id,
  org_id,
  day AS period_start,
  least(CAST(day + :span_days + 1 AS DATE), CAST(:data_date + INTERVAL 1 DAY AS DATE)) AS period_end,
  CASE
    WHEN verdict IN ('fell_after_opening', 'fell_few_days') THEN 'hit'
    WHEN verdict = 'days_missing' THEN 'insufficient_data'
    ELSE 'not_applicable'
  END AS exit,
  CASE verdict WHEN 'fell_after_opening' THEN 'order' WHEN 'fell_few_days' THEN 'watch' END AS band,
  verdict AS reason,
  missing_kwh AS energy_kwh,
  money(CAST(missing_kwh AS DECIMAL(19, 4)) * p) AS back_cny,
  money(CAST(missing_kwh AS DECIMAL(19, 4)) * p * :penalty_times) AS penalty_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS refund_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS exposed_cny,
  usage_point_id,
  point_effective_from,
  event_id,
  cover = 1 AS cover_opened,
  terminal = 1 AS terminal_opened,
  events AS events_that_day,
  openings AS openings_judged,
  batch_meters AS meters_that_day,
  days_before,
  days_after,
  mean_before AS before_kwh_per_day,
  mean_after AS after_kwh_per_day,
  CAST((safe_div(mean_after, mean_before) - 1) * 100 AS DECIMAL(9, 2)) AS change_pct,
  p AS price
FROM valued
