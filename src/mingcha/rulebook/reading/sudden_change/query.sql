WITH billed AS (
  SELECT
    customer_id, billing_period, kwh,
    row_number() OVER w AS place,
    lead(billing_period) OVER w AS before
  FROM cust_month
  WHERE billing_period >= :history_period
    AND billing_period <= :period
  WINDOW w AS (PARTITION BY customer_id ORDER BY billing_period DESC)
),
paced AS (
  SELECT
    customer_id, billing_period, kwh, place,
    -- months a bill covers: back to the bill before it
    date_diff('month', ym_start(before), ym_start(billing_period)) AS months
  FROM billed
  WHERE place <= 4
    OR (billing_period >= ym_add(:period, -14) AND billing_period <= ym_add(:period, -10))
),
year_ago AS (
  SELECT
    customer_id,
    abs(date_diff('month', ym_start(billing_period), :period_start) - 12) AS away,
    billing_period, kwh, months
  FROM paced
  WHERE billing_period >= ym_add(:period, -14)
    AND billing_period <= ym_add(:period, -10)
    AND months IS NOT NULL
),
series AS (
  SELECT
    customer_id,
    max(CASE WHEN place = 1 THEN billing_period END) AS latest,
    max(CASE WHEN place = 1 THEN kwh END) AS kwh,
    max(CASE WHEN place = 1 THEN months END) AS months,
    count(CASE WHEN place BETWEEN 2 AND 4 AND months IS NOT NULL THEN 1 END) AS before_n,
    CAST(sum(CASE WHEN place BETWEEN 2 AND 4 AND months IS NOT NULL THEN kwh END) AS DECIMAL(18, 4)) AS before_kwh,
    CAST(sum(CASE WHEN place BETWEEN 2 AND 4 THEN months END) AS INTEGER) AS before_months
  FROM paced
  WHERE place <= 4
  GROUP BY customer_id
  HAVING max(CASE WHEN place = 1 THEN billing_period END) = :period
),
compared AS (
  SELECT
    s.customer_id, s.kwh, s.months, s.before_n, s.before_kwh, s.before_months,
    c.org_id, c.district_id, c.usage_category, c.voltage_kv, c.opened_on, c.voltage_kv >= 1 AS hv,
    y.billing_period AS year_ago_period,
    y.kwh AS year_ago_kwh,
    y.months AS year_ago_months,
    -- monthly means, so that bills of different length compare
    CAST(safe_div(s.kwh, s.months) AS DECIMAL(18, 4)) AS rate,
    CAST(safe_div(s.before_kwh, s.before_months) AS DECIMAL(18, 4)) AS before_rate,
    CAST(safe_div(y.kwh, y.months) AS DECIMAL(18, 4)) AS year_ago_rate
  FROM series AS s
  JOIN customer AS c ON c.customer_id = s.customer_id
  LEFT JOIN (
    SELECT customer_id, billing_period, kwh, months
    FROM year_ago
    -- billed monthly, the same month; billed less often, the nearest bill within half a cycle
    WHERE away <= months // 2
    QUALIFY row_number() OVER (PARTITION BY customer_id ORDER BY away, billing_period) = 1
  ) AS y ON y.customer_id = s.customer_id
),
judged AS (
  SELECT
    customer_id, org_id, district_id, usage_category, hv, opened_on, kwh, months, before_n, before_kwh, before_months,
    year_ago_period, year_ago_kwh, year_ago_months, rate, before_rate, year_ago_rate,
    CASE
      WHEN months IS NULL OR before_n < 2 OR year_ago_rate IS NULL THEN 'history_short'
      -- a bill long after the last one: whether it covers the hole cannot be told from bills
      WHEN months > 1 AND 2 * months * before_n > 3 * before_months THEN 'bill_missing'
      WHEN before_rate < :base_kwh OR year_ago_rate < :base_kwh THEN NULL
      WHEN rate > (1 + CASE WHEN hv THEN :up_hv ELSE :up END) * before_rate
        AND rate > (1 + CASE WHEN hv THEN :up_hv ELSE :up END) * year_ago_rate
        AND rate >= CASE WHEN hv THEN :min_kwh_hv ELSE :min_kwh END
        THEN 'surge'
      WHEN rate < (1 - CASE WHEN hv THEN :down_hv ELSE :down END) * before_rate
        AND rate < (1 - CASE WHEN hv THEN :down_hv ELSE :down END) * year_ago_rate
        AND least(before_rate, year_ago_rate) >= CASE WHEN hv THEN :min_kwh_hv ELSE :min_kwh END
        THEN 'drop'
    END AS reason,
    CAST(ym_start(ym_add(:period, 1 - coalesce(months, 1))) AS DATE) AS covered_from
  FROM compared
),
festival AS (
  -- the month of the spring festival: three holidays or more in January or February after the new year days
  SELECT count(*) AS days
  FROM calendar_day
  WHERE kind = 'holiday'
    AND day >= :period_start
    AND day < :period_end
    AND extract(month FROM day) IN (1, 2)
    AND NOT (extract(month FROM day) = 1 AND extract(day FROM day) <= 4)
),
suspect AS (
  SELECT
    j.customer_id, j.org_id, j.district_id, j.usage_category, j.hv, j.opened_on, j.kwh, j.months, j.before_kwh,
    j.before_months, j.year_ago_period, j.year_ago_kwh, j.year_ago_months, j.rate, j.before_rate, j.year_ago_rate,
    j.reason, j.covered_from
  FROM judged AS j
  WHERE j.reason IN ('surge', 'drop')
),
alike AS (
  -- the district's median moved alike when more than half of its other customers moved by more than half as much
  SELECT
    s.customer_id,
    count(*) AS neighbours,
    count(
      CASE
        WHEN s.reason = 'surge' AND o.rate > o.before_rate * (1 + (safe_div(s.rate, s.before_rate) - 1) / 2) THEN 1
        WHEN s.reason = 'drop' AND o.rate < o.before_rate * (1 - (1 - safe_div(s.rate, s.before_rate)) / 2) THEN 1
      END
    ) AS moved
  FROM suspect AS s
  JOIN compared AS o ON o.district_id = s.district_id AND o.customer_id <> s.customer_id
  WHERE o.before_rate >= :base_kwh
  GROUP BY s.customer_id
),
changed AS (
  SELECT s.customer_id, min(e.ticket_id) AS ticket_id
  FROM suspect AS s
  JOIN excl_change AS e ON e.customer_id = s.customer_id
  WHERE e.kind IN (
      'new_connection', 'capacity_increase', 'capacity_reduction', 'suspend', 'resume', 'change_of_use',
      'transfer_name', 'split', 'merge', 'meter_change', 'meter_check', 'meter_fault', 'temporary_supply', 'closing',
      'relocate', 'pv_connection', 'ev_connection', 'power_restore'
    )
    AND e.from_day < :period_end
    AND e.to_day > s.covered_from
  GROUP BY s.customer_id
),
excused AS (
  SELECT
    s.customer_id, s.org_id, s.usage_category, s.hv, s.kwh, s.months, s.before_kwh, s.before_months,
    s.year_ago_period, s.year_ago_kwh, s.year_ago_months, s.rate, s.before_rate, s.year_ago_rate, s.reason,
    a.neighbours, a.moved, t.ticket_id,
    CASE
      WHEN s.opened_on > :period_end - :new_days THEN 'new_customer'
      WHEN t.ticket_id IS NOT NULL THEN 'change_ticket'
      WHEN f.days >= 3 THEN 'spring_festival'
      WHEN a.neighbours >= :min_neighbours AND a.moved * 2 > a.neighbours THEN 'district_moved_alike'
    END AS excuse
  FROM suspect AS s
  CROSS JOIN festival AS f
  LEFT JOIN alike AS a ON a.customer_id = s.customer_id
  LEFT JOIN changed AS t ON t.customer_id = s.customer_id
)
SELECT
  customer_id AS subject_id,
  customer_id,
  org_id,
  :period_start AS period_start,
  :period_end AS period_end,
  CASE WHEN excuse IS NULL THEN 'hit' ELSE 'not_applicable' END AS exit,
  CASE
    WHEN excuse IS NOT NULL THEN NULL
    WHEN abs(kwh - before_rate * months) >= :order_kwh THEN 'order'
    ELSE 'watch'
  END AS band,
  coalesce(excuse, reason) AS reason,
  kwh(abs(kwh - before_rate * months)) AS energy_kwh,
  CAST(NULL AS DECIMAL(18, 2)) AS back_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS penalty_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS refund_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS exposed_cny,
  usage_category,
  kwh,
  months AS months_covered,
  rate AS kwh_per_month,
  before_rate AS before_kwh_per_month,
  before_months AS months_before,
  year_ago_period,
  year_ago_rate AS year_ago_kwh_per_month,
  CAST((safe_div(rate, before_rate) - 1) * 100 AS DECIMAL(18, 2)) AS change_pct,
  CAST((safe_div(rate, year_ago_rate) - 1) * 100 AS DECIMAL(18, 2)) AS year_change_pct,
  neighbours AS district_customers,
  moved AS district_moved_alike,
  ticket_id AS change_ticket_id
FROM excused
UNION ALL
SELECT
  customer_id AS subject_id,
  customer_id,
  org_id,
  :period_start AS period_start,
  :period_end AS period_end,
  'insufficient_data' AS exit,
  CAST(NULL AS VARCHAR) AS band,
  reason,
  CAST(NULL AS DECIMAL(18, 4)) AS energy_kwh,
  CAST(NULL AS DECIMAL(18, 2)) AS back_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS penalty_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS refund_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS exposed_cny,
  usage_category,
  kwh,
  months AS months_covered,
  rate AS kwh_per_month,
  before_rate AS before_kwh_per_month,
  before_months AS months_before,
  year_ago_period,
  year_ago_rate AS year_ago_kwh_per_month,
  CAST(NULL AS DECIMAL(18, 2)) AS change_pct,
  CAST(NULL AS DECIMAL(18, 2)) AS year_change_pct,
  CAST(NULL AS BIGINT) AS district_customers,
  CAST(NULL AS BIGINT) AS district_moved_alike,
  CAST(NULL AS VARCHAR) AS change_ticket_id
FROM judged
WHERE reason IN ('history_short', 'bill_missing')
