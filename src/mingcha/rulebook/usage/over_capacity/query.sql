WITH owned AS (
  SELECT p.usage_point_id, p.customer_id, p.effective_from, p.effective_until
  FROM point_span AS p
  WHERE p.role = 'sale'
    AND p.parent_usage_point_id IS NULL
    AND p.customer_status = 'active'
),
agreed AS (
  -- of contracts in force at once, the one that began last decides
  SELECT
    c.contract_id, c.customer_id, c.org_id, c.effective_from, c.capacity_kva, c.basic_charge_method,
    least(
      c.effective_until,
      coalesce(
        lead(c.effective_from) OVER (PARTITION BY c.customer_id ORDER BY c.effective_from, c.contract_id),
        DATE '9999-12-31'
      )
    ) AS effective_until
  FROM contract_span AS c
  WHERE c.effective_from < :period_end
    AND c.effective_until > :period_end - :window
),
judged_contract AS (
  -- a customer billed by demand answers for its demand, not for its capacity
  SELECT
    a.contract_id, a.customer_id, a.org_id, a.effective_from, a.effective_until, a.basic_charge_method,
    a.capacity_kva AS agreed_kva,
    c.running_capacity_kva AS archive_running_kva
  FROM agreed AS a
  JOIN customer AS c ON c.customer_id = a.customer_id
  WHERE a.basic_charge_method IN ('none', 'capacity')
    AND a.capacity_kva > 0
),
load AS (
  -- power flowing out is no load
  SELECT
    o.customer_id, c."at", c.day,
    min(c.usage_point_id) AS usage_point_id,
    CAST(sum(CASE WHEN c.p_kw > 0 THEN c.kva ELSE 0 END) AS DECIMAL(18, 4)) AS kva,
    CAST(sum(CASE WHEN c.p_kw > 0 THEN c.p_kw ELSE 0 END) AS DECIMAL(18, 4)) AS kw
  FROM curve AS c
  JOIN owned AS o
    ON o.usage_point_id = c.usage_point_id
    AND o.effective_from <= c.day
    AND o.effective_until > c.day
  WHERE c.day >= :period_end - :window
    AND c.day < :period_end
    AND c.p_kw IS NOT NULL
  GROUP BY o.customer_id, c."at", c.day
),
measured AS (
  SELECT
    l.customer_id, l.day, l."at", l.usage_point_id, l.kva, l.kw, j.agreed_kva, j.contract_id, j.effective_from,
    j.archive_running_kva,
    l.kva > j.agreed_kva * :over AS above,
    extract(hour FROM l."at") * 4 + extract(minute FROM l."at") // 15 AS slot
  FROM load AS l
  JOIN judged_contract AS j
    ON j.customer_id = l.customer_id
    AND j.effective_from <= l.day
    AND j.effective_until > l.day
),
islands AS (
  SELECT
    customer_id, day, "at", usage_point_id, kva, kw, agreed_kva, contract_id, effective_from,
    slot - row_number() OVER (PARTITION BY customer_id, day ORDER BY slot) AS island
  FROM measured
  WHERE above
),
stretch AS (
  SELECT
    customer_id, day, "at", usage_point_id, kva, kw, agreed_kva, contract_id, effective_from,
    count(*) OVER (PARTITION BY customer_id, day, island) AS run_points
  FROM islands
),
over_day AS (
  SELECT
    customer_id, day,
    count(*) AS points,
    CAST(CAST(sum(kw) AS DECIMAL(19, 4)) * 0.25 AS DECIMAL(18, 4)) AS kwh
  FROM stretch
  WHERE run_points >= :pts
  GROUP BY customer_id, day
),
energy AS (
  -- the meter's own energy of the day must be able to hold what the curve claims
  SELECT v.customer_id, v.day, CAST(sum(d.import_kwh) AS DECIMAL(18, 4)) AS import_kwh
  FROM over_day AS v
  JOIN owned AS o ON o.customer_id = v.customer_id AND o.effective_from <= v.day AND o.effective_until > v.day
  JOIN daily_energy AS d ON d.usage_point_id = o.usage_point_id AND d.day = v.day
  WHERE d.day >= :period_end - :window
    AND d.day < :period_end
    AND d.import_kwh IS NOT NULL
  GROUP BY v.customer_id, v.day
),
confirmed AS (
  SELECT
    v.customer_id, v.day, v.points,
    CASE
      WHEN e.import_kwh IS NULL THEN 'unknown'
      WHEN e.import_kwh >= v.kwh * :confirm THEN 'yes'
      ELSE 'no'
    END AS agrees
  FROM over_day AS v
  LEFT JOIN energy AS e ON e.customer_id = v.customer_id AND e.day = v.day
),
overloaded AS (
  SELECT
    customer_id,
    count(CASE WHEN agrees = 'yes' THEN 1 END) AS days_over,
    count(CASE WHEN agrees = 'unknown' THEN 1 END) AS days_unconfirmed,
    min(CASE WHEN agrees <> 'no' THEN day END) AS first_day,
    max(CASE WHEN agrees <> 'no' THEN day END) AS last_day,
    CAST(sum(CASE WHEN agrees = 'yes' THEN points END) AS INTEGER) AS points_over
  FROM confirmed
  GROUP BY customer_id
  HAVING count(CASE WHEN agrees <> 'no' THEN 1 END) >= :min_days
),
highest AS (
  SELECT
    s.customer_id, s."at" AS highest_at, s.kva AS highest_kva, s.agreed_kva, s.usage_point_id, s.contract_id,
    s.effective_from AS contract_from
  FROM stretch AS s
  JOIN confirmed AS c ON c.customer_id = s.customer_id AND c.day = s.day
  WHERE s.run_points >= :pts
    AND c.agrees = 'yes'
  QUALIFY row_number() OVER (PARTITION BY s.customer_id ORDER BY s.kva DESC, s."at") = 1
),
heavy_day AS (
  SELECT m.customer_id, m.day, max(m.kva) AS kva
  FROM measured AS m
  LEFT JOIN kva_run AS k
    ON k.customer_id = m.customer_id
    AND k.from_day <= m.day
    AND k.to_day > m.day
    AND k.status_unknown = 0
  WHERE coalesce(k.kva, m.archive_running_kva) > 0
    AND m.kva > coalesce(k.kva, m.archive_running_kva) * :heavy
  GROUP BY m.customer_id, m.day
),
heavy_island AS (
  SELECT
    customer_id, day, kva,
    date_diff('day', DATE '2000-01-01', day)
      - row_number() OVER (PARTITION BY customer_id ORDER BY day) AS island
  FROM heavy_day
),
heavy_run AS (
  SELECT customer_id, island, count(*) AS days, min(day) AS first_day, max(day) AS last_day, max(kva) AS kva
  FROM heavy_island
  GROUP BY customer_id, island
),
strained AS (
  SELECT
    customer_id,
    CAST(sum(days) AS INTEGER) AS heavy_days,
    max(days) AS heavy_run_days,
    min(first_day) AS first_day,
    max(last_day) AS last_day,
    max(kva) AS kva
  FROM heavy_run
  GROUP BY customer_id
  HAVING max(days) >= :heavy_run OR sum(days) >= :heavy_days
),
signalled AS (
  SELECT
    o.customer_id,
    count(DISTINCT CAST(e.started_at AS DATE)) AS event_days,
    min(CAST(e.started_at AS DATE)) AS first_day,
    max(CAST(e.started_at AS DATE)) AS last_day,
    min(e.event_id) AS event_id
  FROM event AS e
  JOIN owned AS o
    ON o.usage_point_id = e.usage_point_id
    AND o.effective_from <= CAST(e.started_at AS DATE)
    AND o.effective_until > CAST(e.started_at AS DATE)
  WHERE e.kind IN ('overload', 'over_current', 'demand_over')
    AND e.started_at >= CAST(:period_end - :window AS TIMESTAMP)
    AND e.started_at < CAST(:period_end AS TIMESTAMP)
  GROUP BY o.customer_id
  HAVING count(DISTINCT CAST(e.started_at AS DATE)) >= :event_days
),
current_contract AS (
  SELECT customer_id, org_id, contract_id, effective_from, agreed_kva, basic_charge_method, archive_running_kva
  FROM judged_contract
  WHERE effective_until > :period_start
  QUALIFY row_number() OVER (PARTITION BY customer_id ORDER BY effective_from DESC, contract_id DESC) = 1
),
told AS (
  SELECT
    c.customer_id, c.org_id, c.basic_charge_method, c.archive_running_kva,
    coalesce(h.agreed_kva, c.agreed_kva) AS agreed_kva,
    coalesce(h.contract_id, c.contract_id) AS contract_id,
    coalesce(h.contract_from, c.effective_from) AS contract_from,
    v.days_over, v.days_unconfirmed, v.points_over, h.highest_kva, h.highest_at, h.usage_point_id,
    s.heavy_days, s.heavy_run_days, s.kva AS heavy_kva,
    e.event_days, e.event_id,
    CASE
      WHEN v.days_over >= :min_days THEN 'over_contract'
      WHEN v.customer_id IS NOT NULL THEN 'not_confirmed'
      WHEN s.customer_id IS NOT NULL THEN 'heavily_loaded'
      ELSE 'overload_events'
    END AS signal,
    coalesce(v.first_day, s.first_day, e.first_day) AS first_day,
    coalesce(v.last_day, s.last_day, e.last_day) AS last_day
  FROM current_contract AS c
  LEFT JOIN overloaded AS v ON v.customer_id = c.customer_id
  LEFT JOIN highest AS h ON h.customer_id = c.customer_id
  LEFT JOIN strained AS s ON s.customer_id = c.customer_id
  LEFT JOIN signalled AS e ON e.customer_id = c.customer_id
  WHERE v.customer_id IS NOT NULL
    OR s.customer_id IS NOT NULL
    OR e.customer_id IS NOT NULL
),
under_change AS (
  SELECT DISTINCT t.customer_id
  FROM told AS t
  JOIN excl_change AS x
    ON x.customer_id = t.customer_id
    AND x.from_day <= t.first_day
    AND x.to_day > t.first_day
  WHERE x.kind IN ('capacity_increase', 'capacity_reduction', 'suspend', 'resume')
),
settled AS (
  SELECT DISTINCT t.customer_id
  FROM told AS t
  JOIN excl_fix AS f
    ON f.customer_id = t.customer_id
    AND f.from_day <= t.first_day
    AND f.to_day > t.last_day
  WHERE f.cause = 'violation'
),
priced AS (
  SELECT l.customer_id, l.price
  FROM live_line AS l
  WHERE l.component = 'basic_capacity'
    AND l.price IS NOT NULL
    AND l.billing_period <= :period
    AND l.customer_id IN (SELECT t.customer_id FROM told AS t)
  QUALIFY row_number() OVER (
    PARTITION BY l.customer_id ORDER BY l.billing_period DESC, l.bill_id DESC, l.line_no DESC
  ) = 1
),
judged AS (
  SELECT
    t.customer_id, t.org_id, t.agreed_kva, t.basic_charge_method, t.archive_running_kva, t.contract_id, t.contract_from,
    t.days_over, t.days_unconfirmed, t.points_over, t.highest_kva, t.highest_at, t.usage_point_id, t.heavy_days,
    t.heavy_run_days, t.heavy_kva, t.event_days, t.event_id, t.first_day, t.last_day, p.price,
    CASE
      WHEN u.customer_id IS NOT NULL THEN 'under_change'
      WHEN x.customer_id IS NOT NULL THEN 'settled'
      ELSE t.signal
    END AS verdict,
    CASE
      WHEN u.customer_id IS NULL AND x.customer_id IS NULL AND t.signal = 'over_contract'
        THEN CAST(t.highest_kva - t.agreed_kva AS DECIMAL(18, 4))
    END AS excess_kva
  FROM told AS t
  LEFT JOIN under_change AS u ON u.customer_id = t.customer_id
  LEFT JOIN settled AS x ON x.customer_id = t.customer_id
  LEFT JOIN priced AS p ON p.customer_id = t.customer_id
)
SELECT
  customer_id AS subject_id,
  customer_id,
  org_id,
  :period_start AS period_start,
  :period_end AS period_end,
  CASE
    WHEN verdict IN ('under_change', 'settled') THEN 'not_applicable'
    WHEN verdict = 'not_confirmed' THEN 'insufficient_data'
    ELSE 'hit'
  END AS exit,
  CASE
    WHEN verdict = 'over_contract' THEN 'order'
    WHEN verdict IN ('heavily_loaded', 'overload_events') THEN 'watch'
  END AS band,
  verdict AS reason,
  CAST(NULL AS DECIMAL(18, 4)) AS energy_kwh,
  CASE
    WHEN basic_charge_method = 'capacity' THEN money(CAST(excess_kva AS DECIMAL(19, 4)) * price)
  END AS back_cny,
  CASE
    WHEN basic_charge_method = 'capacity' THEN money(CAST(excess_kva AS DECIMAL(19, 4)) * price * :penalty_times)
    ELSE money(CAST(excess_kva AS DECIMAL(19, 4)) * :flat_kva)
  END AS penalty_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS refund_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS exposed_cny,
  agreed_kva,
  archive_running_kva,
  basic_charge_method,
  days_over,
  days_unconfirmed,
  first_day,
  last_day,
  points_over,
  highest_kva,
  highest_at,
  usage_point_id,
  excess_kva,
  heavy_days,
  heavy_run_days,
  heavy_kva,
  event_days,
  event_id,
  price,
  contract_id,
  contract_from
FROM judged
