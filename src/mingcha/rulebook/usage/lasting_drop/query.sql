WITH months AS (
  SELECT
    customer_id, kwh,
    date_diff('month', ym_start(billing_period), :period_start) AS back
  FROM cust_month
  WHERE billing_period >= :history_period
    AND billing_period <= :period
),
series AS (
  -- the run, the same months a year before, the six months before the run
  SELECT
    customer_id,
    count(CASE WHEN back < :run THEN 1 END) AS run_months,
    count(CASE WHEN back >= 12 AND back < 12 + :run THEN 1 END) AS year_months,
    count(CASE WHEN back >= :run AND back < :run + 6 THEN 1 END) AS before_months,
    CAST(sum(CASE WHEN back < :run THEN kwh END) AS DECIMAL(18, 4)) AS run_kwh,
    max(CASE WHEN back < :run THEN kwh END) AS run_highest_kwh,
    CAST(sum(CASE WHEN back >= 12 AND back < 12 + :run THEN kwh END) AS DECIMAL(18, 4)) AS year_kwh,
    CAST(sum(CASE WHEN back >= :run AND back < :run + 6 THEN kwh END) AS DECIMAL(18, 4)) AS before_kwh
  FROM months
  GROUP BY customer_id
  HAVING count(CASE WHEN back = 0 THEN 1 END) > 0
),
fallen AS (
  SELECT
    m.customer_id,
    count(
      CASE WHEN CAST(m.kwh AS DECIMAL(19, 4)) < CAST(y.kwh AS DECIMAL(19, 4)) * :yoy THEN 1 END
    ) AS fallen_months
  FROM months AS m
  JOIN months AS y ON y.customer_id = m.customer_id AND y.back = m.back + 12
  WHERE m.back < :run
  GROUP BY m.customer_id
),
compared AS (
  SELECT
    s.customer_id, s.run_months, s.year_months, s.before_months, s.run_kwh, s.run_highest_kwh, s.year_kwh, s.before_kwh,
    f.fallen_months, c.org_id, c.district_id, c.usage_category, c.voltage_kv, c.opened_on,
    s.run_months = :run AND s.year_months = :run AND s.before_months = 6 AS complete,
    CAST(safe_div(s.before_kwh, 6) AS DECIMAL(18, 4)) AS before_mean_kwh,
    CAST((safe_div(s.run_kwh, s.year_kwh) - 1) * 100 AS DECIMAL(18, 2)) AS change_pct
  FROM series AS s
  JOIN customer AS c ON c.customer_id = s.customer_id
  LEFT JOIN fallen AS f ON f.customer_id = s.customer_id
  WHERE c.status = 'active'
),
suspect AS (
  SELECT
    customer_id, org_id, district_id, usage_category, voltage_kv, opened_on, run_kwh, run_highest_kwh, year_kwh,
    before_mean_kwh, change_pct
  FROM compared
  WHERE complete
    AND fallen_months = :run
    AND before_mean_kwh >= :min_kwh
    -- nothing at all is for the rule on zero consumption to judge
    AND run_highest_kwh > 0
    AND CAST(run_highest_kwh AS DECIMAL(19, 4)) < CAST(before_mean_kwh AS DECIMAL(19, 4)) * :prior
),
peer AS (
  SELECT
    c.customer_id, c.org_id, c.district_id, c.usage_category, c.change_pct,
    count(*) OVER (PARTITION BY c.usage_category, c.district_id) AS district_size,
    row_number() OVER (
      PARTITION BY c.usage_category, c.district_id ORDER BY c.change_pct, c.customer_id
    ) AS district_place,
    count(*) OVER (PARTITION BY c.usage_category, c.org_id) AS org_size,
    row_number() OVER (PARTITION BY c.usage_category, c.org_id ORDER BY c.change_pct, c.customer_id) AS org_place
  FROM compared AS c
  WHERE c.complete
    AND c.year_kwh > 0
    AND c.before_mean_kwh >= :min_kwh
),
district_median AS (
  -- the lower of the two middle ones where the group is even
  SELECT district_id, usage_category, change_pct AS median_pct, district_size AS size
  FROM peer
  WHERE district_id IS NOT NULL
    AND district_place = (district_size + 1) // 2
    AND district_size >= :group
),
org_median AS (
  SELECT org_id, usage_category, change_pct AS median_pct, org_size AS size
  FROM peer
  WHERE org_place = (org_size + 1) // 2
    AND org_size >= :group
),
changed AS (
  SELECT s.customer_id, min(x.ticket_id) AS ticket_id
  FROM suspect AS s
  JOIN excl_change AS x
    ON x.customer_id = s.customer_id
    AND x.from_day < :period_end
    AND x.to_day > ym_start(ym_add(:period, 1 - :run))
  WHERE x.kind IN (
    'capacity_reduction', 'suspend', 'resume', 'change_of_use', 'transfer_name', 'split', 'merge', 'relocate', 'closing',
    'meter_change', 'meter_check', 'meter_fault', 'temporary_supply', 'pv_connection', 'demand_method'
  )
  GROUP BY s.customer_id
),
cut AS (
  SELECT DISTINCT s.customer_id
  FROM suspect AS s
  JOIN disconnection AS x ON x.customer_id = s.customer_id
  WHERE x.cut_at < CAST(:period_end AS TIMESTAMP)
    AND (x.restored_at IS NULL OR x.restored_at >= CAST(ym_start(ym_add(:period, 1 - :run)) AS TIMESTAMP))
),
generating AS (
  SELECT DISTINCT s.customer_id
  FROM suspect AS s
  JOIN excl_generator AS g ON g.customer_id = s.customer_id
  WHERE g.from_day < :period_end
    AND g.to_day > ym_start(ym_add(:period, 1 - :run))
),
judged AS (
  SELECT
    s.customer_id, s.org_id, s.district_id, s.usage_category, s.voltage_kv, s.run_kwh, s.run_highest_kwh, s.year_kwh,
    s.before_mean_kwh, s.change_pct, t.ticket_id,
    coalesce(d.median_pct, o.median_pct) AS peer_median_pct,
    coalesce(d.size, o.size) AS peers,
    CASE WHEN d.size IS NOT NULL THEN 'district' WHEN o.size IS NOT NULL THEN 'org' END AS peer_group,
    CASE
      WHEN s.opened_on > :period_end - :new_days THEN 'new_customer'
      WHEN t.customer_id IS NOT NULL THEN 'change_ticket'
      WHEN x.customer_id IS NOT NULL THEN 'disconnected'
      WHEN g.customer_id IS NOT NULL THEN 'own_generation'
      WHEN coalesce(d.median_pct, o.median_pct) IS NULL THEN 'no_peers'
      WHEN coalesce(d.median_pct, o.median_pct) <= -:peer THEN 'peers_fell_too'
      ELSE 'fell_alone'
    END AS verdict
  FROM suspect AS s
  LEFT JOIN district_median AS d ON d.district_id = s.district_id AND d.usage_category = s.usage_category
  LEFT JOIN org_median AS o ON o.org_id = s.org_id AND o.usage_category = s.usage_category
  LEFT JOIN changed AS t ON t.customer_id = s.customer_id
  LEFT JOIN cut AS x ON x.customer_id = s.customer_id
  LEFT JOIN generating AS g ON g.customer_id = s.customer_id
)
SELECT
  customer_id AS subject_id,
  customer_id,
  org_id,
  :period_start AS period_start,
  :period_end AS period_end,
  CASE verdict
    WHEN 'fell_alone' THEN 'hit'
    WHEN 'no_peers' THEN 'insufficient_data'
    ELSE 'not_applicable'
  END AS exit,
  CASE
    WHEN verdict <> 'fell_alone' THEN NULL
    WHEN year_kwh - run_kwh >= :order_kwh THEN 'order'
    ELSE 'watch'
  END AS band,
  verdict AS reason,
  CASE WHEN verdict = 'fell_alone' THEN CAST(year_kwh - run_kwh AS DECIMAL(18, 4)) END AS energy_kwh,
  CAST(NULL AS DECIMAL(18, 2)) AS back_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS penalty_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS refund_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS exposed_cny,
  usage_category,
  voltage_kv,
  run_kwh,
  run_highest_kwh,
  year_kwh AS year_ago_kwh,
  before_mean_kwh,
  change_pct,
  peer_group,
  CAST(peers AS INTEGER) AS peers,
  peer_median_pct,
  district_id,
  ticket_id
FROM judged
UNION ALL
SELECT
  customer_id AS subject_id,
  customer_id,
  org_id,
  :period_start AS period_start,
  :period_end AS period_end,
  'insufficient_data' AS exit,
  CAST(NULL AS VARCHAR) AS band,
  'history_short' AS reason,
  CAST(NULL AS DECIMAL(18, 4)) AS energy_kwh,
  CAST(NULL AS DECIMAL(18, 2)) AS back_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS penalty_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS refund_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS exposed_cny,
  usage_category,
  voltage_kv,
  run_kwh,
  run_highest_kwh,
  year_kwh AS year_ago_kwh,
  before_mean_kwh,
  CAST(NULL AS DECIMAL(18, 2)) AS change_pct,
  CAST(NULL AS VARCHAR) AS peer_group,
  CAST(NULL AS INTEGER) AS peers,
  CAST(NULL AS DECIMAL(18, 2)) AS peer_median_pct,
  district_id,
  CAST(NULL AS VARCHAR) AS ticket_id
FROM compared
WHERE NOT complete
