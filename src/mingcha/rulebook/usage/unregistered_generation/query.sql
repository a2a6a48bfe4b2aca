WITH sale AS (
  SELECT usage_point_id, effective_from, customer_id, customer_org_id
  FROM point_now
  WHERE role = 'sale'
    AND parent_usage_point_id IS NULL
    AND customer_status IN ('active', 'suspended')
),
fed_back AS (
  SELECT
    s.customer_id, d.day,
    CAST(sum(d.export_kwh) AS DECIMAL(18, 4)) AS export_kwh
  FROM daily_energy AS d
  JOIN sale AS s ON s.usage_point_id = d.usage_point_id AND s.effective_from <= d.day
  LEFT JOIN excl_generator AS g ON g.customer_id = s.customer_id AND g.from_day <= d.day AND g.to_day > d.day
  WHERE d.day >= :period_end - 30
    AND d.day < :period_end
    AND d.export_kwh IS NOT NULL
    AND (d.quality IS NULL OR d.quality <> 'estimated')
    AND g.customer_id IS NULL
  GROUP BY s.customer_id, d.day
  HAVING sum(d.export_kwh) >= :min_kwh
),
in_week AS (
  SELECT f.customer_id, f.day, count(*) AS days
  FROM fed_back AS f
  JOIN fed_back AS o ON o.customer_id = f.customer_id AND o.day <= f.day AND o.day > f.day - 7
  GROUP BY f.customer_id, f.day
),
exporting AS (
  SELECT
    f.customer_id,
    count(*) AS export_days,
    max(w.days) AS week_days,
    min(f.day) AS first_day,
    max(f.day) AS last_day,
    CAST(sum(f.export_kwh) AS DECIMAL(18, 4)) AS export_kwh
  FROM fed_back AS f
  JOIN in_week AS w ON w.customer_id = f.customer_id AND w.day = f.day
  GROUP BY f.customer_id
),
drawn AS (
  SELECT s.customer_id, min(s.usage_point_id) AS usage_point_id, CAST(sum(d.import_kwh) AS DECIMAL(18, 4)) AS import_kwh
  FROM daily_energy AS d
  JOIN sale AS s ON s.usage_point_id = d.usage_point_id AND s.effective_from <= d.day
  JOIN fed_back AS f ON f.customer_id = s.customer_id AND f.day = d.day
  WHERE d.day >= :period_end - 30
    AND d.day < :period_end
  GROUP BY s.customer_id
),
flow AS (
  SELECT
    f.customer_id, c."at", f.day, f.export_kwh,
    extract(hour FROM c."at") AS hour,
    CAST(-sum(c.p_kw) AS DECIMAL(18, 4)) AS kw
  FROM curve AS c
  JOIN sale AS s ON s.usage_point_id = c.usage_point_id
  JOIN fed_back AS f ON f.customer_id = s.customer_id AND f.day = c.day
  WHERE c.day >= :period_end - 30
    AND c.day < :period_end
    AND c.p_kw < 0
  GROUP BY f.customer_id, c."at", f.day, f.export_kwh
),
flow_day AS (
  -- a day whose curve holds too little of what was fed back says nothing about the hours
  SELECT
    customer_id, day,
    CAST(sum(kw) AS DECIMAL(18, 4)) AS kw_points,
    CAST(coalesce(sum(CASE WHEN hour >= 8 AND hour < 17 THEN kw END), 0) AS DECIMAL(18, 4)) AS day_kw_points,
    max(kw) AS kw
  FROM flow
  GROUP BY customer_id, day, export_kwh
  HAVING CAST(sum(kw) AS DECIMAL(19, 4)) * 0.25 >= CAST(export_kwh AS DECIMAL(19, 4)) * :curve_cover
),
daylight AS (
  SELECT
    customer_id,
    count(*) AS curve_days,
    max(kw) AS highest_kw,
    CAST(safe_div(sum(day_kw_points), sum(kw_points)) AS DECIMAL(9, 4)) AS day_part
  FROM flow_day
  GROUP BY customer_id
),
applied AS (
  SELECT t.customer_id, t.ticket_id, t.status, CAST(t.accepted_at AS DATE) AS accepted_on
  FROM ticket AS t
  JOIN exporting AS e ON e.customer_id = t.customer_id
  WHERE t.kind = 'pv_connection'
    AND t.status <> 'cancelled'
    AND t.accepted_at < CAST(:period_end AS TIMESTAMP)
  QUALIFY row_number() OVER (PARTITION BY t.customer_id ORDER BY t.accepted_at DESC, t.ticket_id) = 1
),
who AS (
  SELECT customer_id, min(customer_org_id) AS org_id
  FROM sale
  GROUP BY customer_id
),
judged AS (
  SELECT
    e.customer_id, w.org_id, e.export_days, e.week_days, e.first_day, e.last_day, e.export_kwh, d.import_kwh,
    d.usage_point_id, l.curve_days, l.day_part, l.highest_kw, a.ticket_id, a.status AS ticket_status, a.accepted_on,
    CASE
      WHEN a.status = 'open' AND date_diff('day', a.accepted_on, :period_end) <= :ticket_days THEN 'connection_under_way'
      WHEN CAST(coalesce(d.import_kwh, 0) AS DECIMAL(19, 4)) < CAST(e.export_kwh AS DECIMAL(19, 4)) * :import_part
        THEN 'wiring_reversed'
      WHEN a.ticket_id IS NOT NULL THEN 'not_registered'
      WHEN l.customer_id IS NOT NULL THEN 'by_daylight'
      ELSE 'no_curve'
    END AS verdict
  FROM exporting AS e
  JOIN who AS w ON w.customer_id = e.customer_id
  LEFT JOIN drawn AS d ON d.customer_id = e.customer_id
  LEFT JOIN daylight AS l ON l.customer_id = e.customer_id
  LEFT JOIN applied AS a ON a.customer_id = e.customer_id
  WHERE (l.customer_id IS NOT NULL AND l.day_part >= :day_share AND e.week_days >= :days)
    OR (l.customer_id IS NULL AND e.export_days >= :days_blind)
)
SELECT
  customer_id AS subject_id,
  customer_id,
  org_id,
  :period_start AS period_start,
  :period_end AS period_end,
  CASE WHEN verdict IN ('connection_under_way', 'wiring_reversed') THEN 'not_applicable' ELSE 'hit' END AS exit,
  CASE
    WHEN verdict IN ('connection_under_way', 'wiring_reversed') THEN NULL
    WHEN verdict = 'no_curve' THEN 'watch'
    ELSE 'order'
  END AS band,
  verdict AS reason,
  CAST(NULL AS DECIMAL(18, 4)) AS energy_kwh,
  CAST(NULL AS DECIMAL(18, 2)) AS back_cny,
  CASE
    WHEN verdict = 'by_daylight' THEN money(CAST(highest_kw AS DECIMAL(19, 4)) * :source_kw)
  END AS penalty_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS refund_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS exposed_cny,
  export_days,
  week_days,
  first_day,
  last_day,
  export_kwh,
  import_kwh,
  curve_days,
  day_part,
  highest_kw,
  usage_point_id,
  ticket_id,
  ticket_status,
  accepted_on
FROM judged
