WITH rows_in_time AS (
  SELECT
    s.transformer_id, t.customer_id, t.capacity_kva, s.status, s.ticket_id, s.effective_from,
    least(
      coalesce(s.effective_to, DATE '9999-12-31'),
      coalesce(
        lead(s.effective_from) OVER (PARTITION BY s.transformer_id ORDER BY s.effective_from), DATE '9999-12-31'
      )
    ) AS until_day
  FROM transformer_status AS s
  JOIN transformer AS t ON t.transformer_id = s.transformer_id
  WHERE t.kind = 'dedicated'
    AND t.customer_id IS NOT NULL
),
off AS (
  -- the day it is switched off belongs to both states and is not judged
  SELECT
    transformer_id, customer_id, capacity_kva, status, ticket_id, effective_from,
    greatest(CAST(effective_from + INTERVAL 1 DAY AS DATE), :period_start) AS from_day,
    least(until_day, :period_end) AS to_day
  FROM rows_in_time
  WHERE status IN ('sealed', 'stopped', 'standby_cold')
    AND effective_from < :period_end - 1
    AND until_day > :period_start
),
fed AS (
  -- points of a transformer that is off
  SELECT
    o.transformer_id, o.customer_id, o.effective_from, o.from_day, o.to_day,
    p.usage_point_id, p.metering_side,
    greatest(o.from_day, p.effective_from) AS first_day,
    least(o.to_day, p.effective_until) AS last_day
  FROM off AS o
  JOIN point_span AS p ON p.transformer_id = o.transformer_id
  WHERE p.role = 'sale'
    AND o.from_day < o.to_day
),
drawn AS (
  SELECT f.transformer_id, f.effective_from, f.usage_point_id, d.day, d.import_kwh
  FROM fed AS f
  JOIN daily_energy AS d
    ON d.usage_point_id = f.usage_point_id
    AND d.day >= f.first_day
    AND d.day < f.last_day
  LEFT JOIN kva_run AS k ON k.customer_id = f.customer_id AND k.from_day <= d.day AND k.to_day > d.day
  WHERE d.day >= :period_start
    AND d.day < :period_end
    AND d.import_kwh > :min_kwh
    AND (d.quality IS NULL OR d.quality <> 'estimated')
    -- a point on the high side may measure other transformers of the customer as well
    AND (f.metering_side = 'low' OR coalesce(k.kva, 0) = 0)
),
used AS (
  SELECT
    transformer_id, effective_from,
    count(DISTINCT day) AS days,
    min(day) AS first_day,
    max(day) AS last_day,
    min(usage_point_id) AS usage_point_id,
    CAST(sum(import_kwh) AS DECIMAL(18, 4)) AS kwh
  FROM drawn
  GROUP BY transformer_id, effective_from
),
owned AS (
  SELECT p.usage_point_id, p.customer_id, p.effective_from, p.effective_until
  FROM point_span AS p
  WHERE p.role = 'sale'
    AND p.parent_usage_point_id IS NULL
    AND p.customer_id IN (SELECT o.customer_id FROM off AS o WHERE o.from_day < o.to_day)
),
load AS (
  SELECT w.customer_id, c."at", c.day, CAST(sum(c.p_kw) AS DECIMAL(18, 4)) AS kw
  FROM owned AS w
  JOIN curve AS c
    ON c.usage_point_id = w.usage_point_id
    AND c.day >= w.effective_from
    AND c.day < w.effective_until
  WHERE c.day >= :period_start
    AND c.day < :period_end
    AND c.p_kw IS NOT NULL
  GROUP BY w.customer_id, c."at", c.day
),
load_day AS (
  SELECT customer_id, day, max(kw) AS kw
  FROM load
  GROUP BY customer_id, day
),
over_day AS (
  SELECT l.customer_id, l.day, l.kw, k.kva
  FROM load_day AS l
  JOIN kva_run AS k ON k.customer_id = l.customer_id AND k.from_day < l.day AND k.to_day > l.day
  WHERE k.status_unknown = 0
    AND l.kw > greatest(k.kva * :over, :min_kw)
),
overloaded AS (
  -- told of the largest transformer that is off: one of them must be feeding the load
  SELECT
    o.transformer_id, o.effective_from, o.customer_id, o.capacity_kva,
    count(*) AS days,
    min(v.day) AS first_day,
    max(v.day) AS last_day,
    max(v.kw) AS kw,
    min(v.kva) AS kva
  FROM off AS o
  JOIN over_day AS v ON v.customer_id = o.customer_id AND v.day >= o.from_day AND v.day < o.to_day
  GROUP BY o.transformer_id, o.effective_from, o.customer_id, o.capacity_kva
  HAVING count(*) >= :min_days
  QUALIFY row_number() OVER (PARTITION BY o.customer_id ORDER BY o.capacity_kva DESC, o.transformer_id) = 1
),
voltage_day AS (
  SELECT
    f.transformer_id, f.effective_from, f.usage_point_id, c.day,
    count(*) AS points,
    count(CASE WHEN greatest(coalesce(c.u_a, 0), coalesce(c.u_b, 0), coalesce(c.u_c, 0))
      > :u_share * CAST(n.rated_voltage_v AS DECIMAL(19, 4)) THEN 1 END) AS live_points
  FROM fed AS f
  JOIN curve AS c
    ON c.usage_point_id = f.usage_point_id
    AND c.day >= f.first_day
    AND c.day < f.last_day
  JOIN point_now AS n ON n.usage_point_id = f.usage_point_id
  WHERE f.metering_side = 'low'
    AND c.day >= :period_start
    AND c.day < :period_end
    AND (c.u_a IS NOT NULL OR c.u_b IS NOT NULL OR c.u_c IS NOT NULL)
  GROUP BY f.transformer_id, f.effective_from, f.usage_point_id, c.day
),
live AS (
  SELECT
    transformer_id, effective_from,
    count(DISTINCT day) AS days,
    min(day) AS first_day,
    max(day) AS last_day,
    min(usage_point_id) AS usage_point_id
  FROM voltage_day
  WHERE live_points >= :pts_share * points
  GROUP BY transformer_id, effective_from
  HAVING count(DISTINCT day) >= :live_days
),
other_supply AS (
  SELECT customer_id, min(source_id) AS source_id
  FROM supply_source
  WHERE role IN ('backup', 'security')
    AND effective_from < :period_end
    AND (effective_to IS NULL OR effective_to > :period_start)
  GROUP BY customer_id
),
signalled AS (
  SELECT
    o.transformer_id, o.customer_id, o.capacity_kva, o.status, o.ticket_id, o.effective_from,
    u.days AS days_used, u.kwh, v.days AS days_over, v.kw, v.kva, e.days AS days_live,
    coalesce(u.usage_point_id, e.usage_point_id) AS usage_point_id,
    CASE
      WHEN u.transformer_id IS NOT NULL THEN 'energy'
      WHEN v.transformer_id IS NOT NULL THEN 'load_above_running'
      ELSE 'voltage'
    END AS signal,
    coalesce(u.first_day, v.first_day, e.first_day) AS first_day,
    coalesce(u.last_day, v.last_day, e.last_day) AS last_day
  FROM off AS o
  LEFT JOIN used AS u ON u.transformer_id = o.transformer_id AND u.effective_from = o.effective_from
  LEFT JOIN overloaded AS v ON v.transformer_id = o.transformer_id AND v.effective_from = o.effective_from
  LEFT JOIN live AS e ON e.transformer_id = o.transformer_id AND e.effective_from = o.effective_from
  WHERE u.transformer_id IS NOT NULL
    OR v.transformer_id IS NOT NULL
    OR e.transformer_id IS NOT NULL
  QUALIFY row_number() OVER (
    PARTITION BY o.transformer_id
    ORDER BY
      CASE WHEN u.transformer_id IS NOT NULL THEN 0 WHEN v.transformer_id IS NOT NULL THEN 1 ELSE 2 END,
      o.effective_from DESC
  ) = 1
),
agreed AS (
  SELECT c.customer_id, c.basic_charge_method
  FROM contract_span AS c
  JOIN signalled AS s ON s.customer_id = c.customer_id
  WHERE c.effective_from < :period_end
    AND c.effective_until > :period_start
  QUALIFY row_number() OVER (PARTITION BY c.customer_id ORDER BY c.effective_from DESC, c.contract_id) = 1
),
priced AS (
  SELECT l.customer_id, l.price
  FROM live_line AS l
  WHERE l.component IN ('basic_capacity', 'basic_demand')
    AND l.price IS NOT NULL
    AND l.billing_period <= :period
    AND l.customer_id IN (SELECT s.customer_id FROM signalled AS s)
  QUALIFY row_number() OVER (
    PARTITION BY l.customer_id
    ORDER BY CASE l.component WHEN 'basic_capacity' THEN 0 ELSE 1 END, l.billing_period DESC, l.bill_id DESC, l.line_no DESC
  ) = 1
),
judged AS (
  SELECT
    s.transformer_id, s.customer_id, c.org_id, s.capacity_kva, s.status, s.ticket_id, s.effective_from, s.days_used,
    s.kwh, s.days_over, s.kw, s.kva, s.days_live, s.usage_point_id, s.first_day, s.last_day,
    a.basic_charge_method, p.price, x.source_id,
    CASE WHEN x.source_id IS NOT NULL THEN 'other_supply' ELSE s.signal END AS verdict,
    CASE
      WHEN a.basic_charge_method <> 'none' AND s.signal <> 'voltage' AND x.source_id IS NULL THEN money(TRY_CAST(
        safe_div(
          CAST(s.capacity_kva AS DECIMAL(19, 4)) * p.price * (date_diff('day', s.first_day, s.last_day) + 1),
          CASE WHEN :period < '2024-06' THEN 30 ELSE days_in_ym(:period) END
        ) AS DECIMAL(18, 6)))
    END AS back
  FROM signalled AS s
  LEFT JOIN customer AS c ON c.customer_id = s.customer_id
  LEFT JOIN agreed AS a ON a.customer_id = s.customer_id
  LEFT JOIN priced AS p ON p.customer_id = s.customer_id
  LEFT JOIN other_supply AS x ON x.customer_id = s.customer_id
)
SELECT
  transformer_id AS subject_id,
  customer_id,
  org_id,
  first_day AS period_start,
  CAST(last_day + INTERVAL 1 DAY AS DATE) AS period_end,
  CASE WHEN verdict = 'other_supply' THEN 'not_applicable' ELSE 'hit' END AS exit,
  CASE
    WHEN verdict = 'other_supply' THEN NULL
    WHEN verdict = 'voltage' THEN 'watch'
    ELSE 'order'
  END AS band,
  verdict AS reason,
  CAST(NULL AS DECIMAL(18, 4)) AS energy_kwh,
  back AS back_cny,
  CASE
    WHEN verdict IN ('other_supply', 'voltage') THEN NULL
    WHEN basic_charge_method = 'none' THEN money(CAST(capacity_kva AS DECIMAL(19, 4)) * :sealed_kva)
    ELSE money(back * :penalty_times)
  END AS penalty_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS refund_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS exposed_cny,
  status,
  effective_from AS off_since,
  capacity_kva,
  usage_point_id,
  days_used,
  kwh AS used_kwh,
  days_over,
  kw AS highest_kw,
  kva AS running_kva,
  days_live,
  basic_charge_method,
  price,
  ticket_id,
  source_id
FROM judged
