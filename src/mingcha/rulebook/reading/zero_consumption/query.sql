WITH idle AS (
  SELECT
    customer_id,
    min(billing_period) AS first_period,
    max(CASE WHEN kwh <> 0 THEN billing_period END) AS last_used
  FROM cust_month
  WHERE billing_period >= :history_period
    AND billing_period <= :period
  GROUP BY customer_id
  HAVING max(billing_period) = :period
    AND coalesce(max(CASE WHEN kwh <> 0 THEN billing_period END), '0000-00') < :period
),
run AS (
  SELECT
    i.customer_id, i.first_period, i.last_used,
    count(CASE WHEN i.last_used IS NULL OR b.billing_period > i.last_used THEN 1 END) AS zero_bills,
    CAST(sum(CASE WHEN b.billing_period <= i.last_used AND b.billing_period > ym_add(i.last_used, -12) THEN b.kwh END)
      AS DECIMAL(18, 4)) AS used_kwh
  FROM idle AS i
  JOIN cust_month AS b ON b.customer_id = i.customer_id
  WHERE b.billing_period >= :history_period
    AND b.billing_period <= :period
  GROUP BY i.customer_id, i.first_period, i.last_used
),
zero AS (
  SELECT
    r.customer_id, r.last_used, r.zero_bills,
    CASE
      WHEN r.last_used IS NULL THEN date_diff('month', ym_start(r.first_period), :period_start) + 1
      ELSE date_diff('month', ym_start(r.last_used), :period_start)
    END AS zero_months,
    -- mean of the twelve months before the zeros, or of as many as the books hold
    CAST(
      safe_div(r.used_kwh, least(12, date_diff('month', ym_start(r.first_period), ym_start(r.last_used)) + 1))
      AS DECIMAL(18, 4)
    ) AS used_before,
    c.org_id, c.premises_id, c.usage_category, c.district_id, c.status
  FROM run AS r
  JOIN customer AS c ON c.customer_id = r.customer_id
  WHERE c.status IN ('active', 'suspended')
),
lasting AS (
  SELECT
    customer_id, last_used, zero_bills, zero_months, used_before, org_id, premises_id, usage_category, district_id, status
  FROM zero
  WHERE zero_months >= :run
    AND zero_bills >= :min_bills
),
meter_point AS (
  SELECT p.usage_point_id, p.customer_id, p.rated_voltage_v
  FROM point_now AS p
  JOIN lasting AS l ON l.customer_id = p.customer_id
  WHERE p.role = 'sale'
),
daily AS (
  SELECT
    m.customer_id,
    count(*) AS daily_rows,
    CAST(sum(d.import_kwh) AS DECIMAL(18, 4)) AS daily_kwh
  FROM daily_energy AS d
  JOIN meter_point AS m ON m.usage_point_id = d.usage_point_id
  WHERE d.day >= :period_start
    AND d.day < :period_end
    AND d.import_kwh IS NOT NULL
  GROUP BY m.customer_id
),
shape AS (
  SELECT
    m.customer_id,
    count(*) AS curve_points,
    count(CASE WHEN greatest(coalesce(l.u_a, 0), coalesce(l.u_b, 0), coalesce(l.u_c, 0)) >= :u_min * m.rated_voltage_v THEN 1 END)
      AS voltage_points,
    count(CASE WHEN greatest(coalesce(abs(l.i_a), 0), coalesce(abs(l.i_b), 0), coalesce(abs(l.i_c), 0)) >= :i_min THEN 1 END)
      AS current_points
  FROM load_curve AS l
  JOIN meter_point AS m ON m.usage_point_id = l.usage_point_id
  WHERE l.at >= CAST(:period_end - :curve_days AS TIMESTAMP)
    AND l.at < CAST(:period_end AS TIMESTAMP)
  GROUP BY m.customer_id
),
automatic AS (
  -- where most idle meters of a unit report daily zeros, one that reports nothing is silent, not idle
  SELECT
    l.org_id,
    count(*) AS idle_customers,
    count(d.customer_id) AS reporting
  FROM lasting AS l
  LEFT JOIN daily AS d ON d.customer_id = l.customer_id
  GROUP BY l.org_id
),
known AS (
  SELECT l.customer_id, e.kind, e.value
  FROM lasting AS l
  JOIN external_fact AS e ON e.customer_id = l.customer_id
  WHERE e.kind IN ('water_use', 'occupied')
    AND e.valid_from < :period_end
    AND (e.valid_to IS NULL OR e.valid_to > :period_start)
  UNION ALL
  SELECT l.customer_id, e.kind, e.value
  FROM lasting AS l
  JOIN external_fact AS e ON e.premises_id = l.premises_id
  WHERE e.customer_id IS NULL
    AND e.kind IN ('water_use', 'occupied')
    AND e.valid_from < :period_end
    AND (e.valid_to IS NULL OR e.valid_to > :period_start)
),
fact AS (
  SELECT
    customer_id,
    max(CASE WHEN kind = 'water_use' THEN TRY_CAST(value AS DECIMAL(18, 4)) END) AS water_m3,
    count(CASE WHEN kind = 'occupied' THEN 1 END) AS occupied_facts
  FROM known
  GROUP BY customer_id
),
shared AS (
  SELECT premises_id
  FROM customer
  WHERE premises_id IS NOT NULL
    AND status = 'active'
  GROUP BY premises_id
  HAVING count(*) > 1
),
own_charger AS (
  SELECT DISTINCT customer_id
  FROM charger
  WHERE NOT public
    AND installed_on < :period_end
    AND (removed_on IS NULL OR removed_on >= :period_end)
),
cut AS (
  SELECT customer_id, min(disconnection_id) AS disconnection_id
  FROM disconnection
  WHERE cut_at < :period_end
    AND (restored_at IS NULL OR restored_at >= :period_end)
  GROUP BY customer_id
),
district_point AS (
  SELECT
    u.district_id, u.usage_point_id,
    CASE WHEN u.role = 'sale' THEN -1 WHEN u.direction = 'out' THEN -1 ELSE 1 END AS sign,
    u.role
  FROM usage_point AS u
  JOIN (
    SELECT DISTINCT district_id
    FROM lasting
    WHERE used_before >= :min_kwh
  ) AS c ON c.district_id = u.district_id
  WHERE u.role IN ('sale', 'gateway_district')
    AND u.effective_from < :period_end
    AND (u.effective_to IS NULL OR u.effective_to >= :period_end)
),
measured AS (
  SELECT
    d.usage_point_id,
    CAST(sum(d.import_kwh - coalesce(d.export_kwh, 0)) AS DECIMAL(18, 4)) AS net
  FROM daily_energy AS d
  JOIN district_point AS p ON p.usage_point_id = d.usage_point_id
  WHERE d.day >= :period_start
    AND d.day < :period_end
    AND d.import_kwh IS NOT NULL
  GROUP BY d.usage_point_id
),
district_loss AS (
  SELECT
    p.district_id,
    CAST(
      100 * safe_div(sum(p.sign * m.net), sum(CASE WHEN p.role = 'gateway_district' THEN p.sign * m.net END)) AS DECIMAL(18, 2)
    ) AS loss_pct
  FROM district_point AS p
  LEFT JOIN measured AS m ON m.usage_point_id = p.usage_point_id
  GROUP BY p.district_id
  HAVING sum(CASE WHEN p.role = 'gateway_district' THEN p.sign * m.net END) > 0
    AND count(CASE WHEN p.role = 'gateway_district' AND m.net IS NULL THEN 1 END) = 0
    AND count(m.net) >= 0.98 * count(*)
),
gathered AS (
  SELECT
    l.customer_id, l.org_id, l.usage_category, l.status, l.last_used, l.zero_bills, l.zero_months, l.used_before,
    coalesce(d.daily_rows, 0) AS daily_rows,
    d.daily_kwh,
    v.curve_points, v.voltage_points, v.current_points,
    f.water_m3,
    coalesce(f.occupied_facts, 0) AS occupied_facts,
    s.premises_id IS NOT NULL AS second_account,
    h.customer_id IS NOT NULL OR l.usage_category = 'ev_charging' AS charging,
    x.disconnection_id,
    q.loss_pct AS district_loss_pct,
    a.reporting >= :ami_share * a.idle_customers AND a.reporting > 0 AS unit_reports
  FROM lasting AS l
  LEFT JOIN daily AS d ON d.customer_id = l.customer_id
  LEFT JOIN shape AS v ON v.customer_id = l.customer_id
  LEFT JOIN automatic AS a ON a.org_id = l.org_id
  LEFT JOIN fact AS f ON f.customer_id = l.customer_id
  LEFT JOIN shared AS s ON s.premises_id = l.premises_id
  LEFT JOIN own_charger AS h ON h.customer_id = l.customer_id
  LEFT JOIN cut AS x ON x.customer_id = l.customer_id
  LEFT JOIN district_loss AS q ON q.district_id = l.district_id
),
reasoned AS (
  SELECT
    customer_id, org_id, usage_category, last_used, zero_bills, zero_months, used_before, daily_rows, daily_kwh,
    curve_points, voltage_points, current_points, water_m3, occupied_facts, second_account, charging, disconnection_id,
    district_loss_pct,
    CASE
      WHEN status = 'suspended' THEN 'suspended'
      WHEN disconnection_id IS NOT NULL THEN 'disconnected'
      WHEN daily_kwh >= :seen_kwh OR current_points >= :i_points THEN 'suspect'
      WHEN charging AND zero_months >= 12 THEN 'idle_charger'
      WHEN charging THEN NULL
      WHEN NOT second_account AND (water_m3 > :water_m3 OR occupied_facts > 0) THEN 'occupied'
      WHEN daily_rows = 0 AND unit_reports THEN 'no_data'
      WHEN used_before >= :min_kwh AND (voltage_points > 0 OR district_loss_pct > :loss_pct) THEN 'suspect'
      WHEN curve_points > 0 AND voltage_points = 0 THEN 'vacant'
      WHEN used_before >= :stopped_kwh AND zero_months <= :stopped_months THEN 'stopped'
      ELSE 'vacant'
    END AS reason
  FROM gathered
)
SELECT
  customer_id AS subject_id,
  customer_id,
  org_id,
  :period_start AS period_start,
  :period_end AS period_end,
  CASE WHEN reason IN ('suspended', 'disconnected', 'vacant') THEN 'not_applicable' ELSE 'hit' END AS exit,
  CASE
    WHEN reason IN ('suspended', 'disconnected', 'vacant') THEN NULL
    WHEN reason = 'suspect' AND (daily_kwh >= :seen_kwh OR current_points >= :i_points) THEN 'urgent'
    WHEN reason IN ('suspect', 'occupied') THEN 'order'
    ELSE 'watch'
  END AS band,
  reason,
  CASE WHEN daily_kwh >= :seen_kwh THEN daily_kwh ELSE kwh(used_before * zero_months) END AS energy_kwh,
  CAST(NULL AS DECIMAL(18, 2)) AS back_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS penalty_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS refund_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS exposed_cny,
  usage_category,
  zero_bills,
  zero_months,
  last_used AS last_period_used,
  used_before AS kwh_per_month_before,
  daily_rows,
  daily_kwh,
  curve_points,
  voltage_points,
  current_points,
  water_m3,
  occupied_facts,
  second_account,
  district_loss_pct,
  disconnection_id
FROM reasoned
WHERE reason IS NOT NULL
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
  zero_bills,
  zero_months,
  last_used AS last_period_used,
  used_before AS kwh_per_month_before,
  CAST(NULL AS BIGINT) AS daily_rows,
  CAST(NULL AS DECIMAL(18, 4)) AS daily_kwh,
  CAST(NULL AS BIGINT) AS curve_points,
  CAST(NULL AS BIGINT) AS voltage_points,
  CAST(NULL AS BIGINT) AS current_points,
  CAST(NULL AS DECIMAL(18, 4)) AS water_m3,
  CAST(NULL AS BIGINT) AS occupied_facts,
  CAST(NULL AS BOOLEAN) AS second_account,
  CAST(NULL AS DECIMAL(18, 2)) AS district_loss_pct,
  CAST(NULL AS VARCHAR) AS disconnection_id
FROM zero
WHERE status = 'active'
  AND last_used IS NULL
  AND (zero_months < :run OR zero_bills < :min_bills)
