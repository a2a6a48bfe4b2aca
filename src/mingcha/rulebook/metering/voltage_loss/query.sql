WITH rated AS (
  SELECT i.usage_point_id, max(m.rated_current_a) AS rated_current_a
  FROM meter_install AS i
  JOIN meter AS m ON m.meter_id = i.meter_id
  WHERE i.removed_at IS NULL
  GROUP BY i.usage_point_id
),
sale AS (
  SELECT
    p.usage_point_id, p.effective_from, p.customer_id, p.customer_org_id, p.district_id, p.wiring, p.rated_voltage_v,
    r.rated_current_a,
    CAST(p.multiplier AS DOUBLE) AS multiplier,
    CAST(p.rated_voltage_v AS DECIMAL(19, 4)) * :u_loss AS u_loss,
    CAST(p.rated_voltage_v AS DECIMAL(19, 4)) * :u_break AS u_break,
    CAST(r.rated_current_a AS DECIMAL(19, 4)) * :i_min AS i_min
  FROM point_now AS p
  LEFT JOIN rated AS r ON r.usage_point_id = p.usage_point_id
  WHERE p.role = 'sale'
),
neighbours AS (
  SELECT district_id, count(*) AS points
  FROM sale
  WHERE district_id IS NOT NULL
  GROUP BY district_id
),
low AS (
  -- moments at which a phase lacks its voltage; on three wires phase b is the reference and has none
  SELECT
    s.usage_point_id, s.district_id, c."at",
    CASE WHEN c.u_a < s.u_loss AND c.i2_a > s.i_min THEN 1 ELSE 0 END AS loss_a,
    CASE WHEN s.wiring = '3p4w' AND c.u_b < s.u_loss AND c.i2_b > s.i_min THEN 1 ELSE 0 END AS loss_b,
    CASE WHEN s.wiring <> '1p2w' AND c.u_c < s.u_loss AND c.i2_c > s.i_min THEN 1 ELSE 0 END AS loss_c,
    CASE WHEN c.u_a < s.u_break AND c.i2_a < s.i_min THEN 1 ELSE 0 END AS break_a,
    CASE WHEN s.wiring = '3p4w' AND c.u_b < s.u_break AND c.i2_b < s.i_min THEN 1 ELSE 0 END AS break_b,
    CASE WHEN s.wiring <> '1p2w' AND c.u_c < s.u_break AND c.i2_c < s.i_min THEN 1 ELSE 0 END AS break_c,
    -- a phase is broken only where another still has voltage: with none there is an outage
    CASE WHEN s.wiring <> '1p2w'
      AND (c.u_a >= s.u_loss OR (s.wiring = '3p4w' AND c.u_b >= s.u_loss) OR c.u_c >= s.u_loss)
      THEN 1 ELSE 0 END AS is_partly_live,
    CAST(coalesce(nullif(abs(c.pf), 0), :pf_default) AS DOUBLE) AS pf,
    CAST(CASE
      WHEN greatest(coalesce(c.u_a, 0), coalesce(c.u_b, 0), coalesce(c.u_c, 0)) >= s.u_loss
        THEN greatest(coalesce(c.u_a, 0), coalesce(c.u_b, 0), coalesce(c.u_c, 0))
      ELSE s.rated_voltage_v
    END AS DOUBLE) AS u_ref,
    c.u_a, c.u_b, c.u_c, c.i2_a, c.i2_b, c.i2_c,
    s.multiplier * CASE WHEN s.wiring = '3p3w' THEN sqrt(3.0) / 2 ELSE 1 END AS factor
  FROM curve AS c
  JOIN sale AS s ON s.usage_point_id = c.usage_point_id AND s.effective_from <= c.day
  WHERE c.day > least(:data_date, :period_end - 1) - :window
    AND c.day <= least(:data_date, :period_end - 1)
    AND (c.u_a < s.u_loss OR (s.wiring = '3p4w' AND c.u_b < s.u_loss) OR (s.wiring <> '1p2w' AND c.u_c < s.u_loss))
),
suspect_moment AS (
  SELECT
    usage_point_id, district_id, "at", loss_a, loss_b, loss_c,
    break_a * is_partly_live AS break_a,
    break_b * is_partly_live AS break_b,
    break_c * is_partly_live AS break_c,
    -- rounded before it is added up: the last digits of a sum of DOUBLEs depend on the order of its rows
    TRY_CAST((loss_a * (u_ref - coalesce(u_a, 0)) * coalesce(i2_a, 0)
      + loss_b * (u_ref - coalesce(u_b, 0)) * coalesce(i2_b, 0)
      + loss_c * (u_ref - coalesce(u_c, 0)) * coalesce(i2_c, 0)) * factor * pf / 1000 AS DECIMAL(18, 6)) AS missing_kw
  FROM low
  WHERE loss_a + loss_b + loss_c > 0
    OR is_partly_live * (break_a + break_b + break_c) > 0
),
area_moment AS (
  SELECT district_id, "at", count(*) AS points
  FROM suspect_moment
  WHERE district_id IS NOT NULL
  GROUP BY district_id, "at"
),
curved AS (
  SELECT s.district_id, count(DISTINCT l.usage_point_id) AS points
  FROM load_curve AS l
  JOIN sale AS s ON s.usage_point_id = l.usage_point_id
  WHERE l."at" >= CAST(least(:data_date, :period_end - 1) - :window + 1 AS TIMESTAMP)
    AND l."at" < CAST(least(:data_date, :period_end - 1) + 1 AS TIMESTAMP)
    AND s.district_id IS NOT NULL
  GROUP BY s.district_id
),
own_moment AS (
  -- where most of the others lost it too, the network did
  SELECT m.usage_point_id, m."at", m.loss_a, m.loss_b, m.loss_c, m.break_a, m.break_b, m.break_c, m.missing_kw
  FROM suspect_moment AS m
  LEFT JOIN area_moment AS a ON a.district_id = m.district_id AND a."at" = m."at"
  LEFT JOIN curved AS n ON n.district_id = m.district_id
  WHERE NOT coalesce(a.points - 1 > :area_share * (n.points - 1), FALSE)
    AND NOT EXISTS (
      SELECT 1
      FROM excl_outage AS o
      WHERE o.usage_point_id = m.usage_point_id
        AND o.from_at <= m."at"
        AND o.to_at > m."at"
    )
),
by_curve AS (
  SELECT
    usage_point_id,
    CAST(greatest(sum(loss_a), sum(loss_b), sum(loss_c)) AS DECIMAL(18, 2)) * 0.25 AS loss_hours,
    CAST(greatest(sum(break_a), sum(break_b), sum(break_c)) AS DECIMAL(18, 2)) * 0.25 AS break_hours,
    CASE
      WHEN sum(loss_a + break_a) >= greatest(sum(loss_b + break_b), sum(loss_c + break_c)) THEN 'a'
      WHEN sum(loss_b + break_b) >= sum(loss_c + break_c) THEN 'b'
      ELSE 'c'
    END AS phase,
    CAST(CAST(sum(missing_kw) AS DECIMAL(18, 6)) * 0.25 AS DECIMAL(18, 4)) AS missing_kwh,
    min("at") AS first_at,
    max("at") AS last_at
  FROM own_moment
  GROUP BY usage_point_id
),
told AS (
  SELECT
    s.usage_point_id, s.district_id, e.event_id, e.kind,
    lower(coalesce(e.phase, '')) AS phase,
    e.started_at,
    greatest(e.started_at, CAST(least(:data_date, :period_end - 1) - :window + 1 AS TIMESTAMP)) AS from_at,
    least(
      coalesce(e.ended_at, CAST(least(:data_date, :period_end - 1) + 1 AS TIMESTAMP)),
      CAST(least(:data_date, :period_end - 1) + 1 AS TIMESTAMP)
    ) AS to_at
  FROM event AS e
  JOIN sale AS s ON s.usage_point_id = e.usage_point_id
  WHERE e.kind IN ('voltage_loss', 'phase_loss')
    AND e.started_at < CAST(least(:data_date, :period_end - 1) + 1 AS TIMESTAMP)
    AND (e.ended_at IS NULL OR e.ended_at > CAST(least(:data_date, :period_end - 1) - :window + 1 AS TIMESTAMP))
    AND NOT (s.wiring = '3p3w' AND lower(coalesce(e.phase, '')) = 'b')
    AND NOT (s.wiring = '1p2w' AND e.kind = 'phase_loss')
),
together AS (
  SELECT a.event_id, count(DISTINCT o.usage_point_id) AS others
  FROM told AS a
  JOIN told AS o
    ON o.district_id = a.district_id
    AND o.usage_point_id <> a.usage_point_id
    AND o.started_at >= a.started_at - INTERVAL 1 HOUR
    AND o.started_at <= a.started_at + INTERVAL 1 HOUR
  GROUP BY a.event_id
),
dark AS (
  SELECT
    t.event_id,
    sum(date_diff('minute', greatest(o.from_at, t.from_at), least(o.to_at, t.to_at))) AS minutes
  FROM told AS t
  JOIN excl_outage AS o
    ON o.usage_point_id = t.usage_point_id
    AND o.from_at < t.to_at
    AND o.to_at > t.from_at
  GROUP BY t.event_id
),
own_event AS (
  SELECT
    t.usage_point_id, t.event_id, t.kind, t.phase, t.from_at, t.to_at,
    CAST(safe_div(greatest(0, date_diff('minute', t.from_at, t.to_at) - coalesce(d.minutes, 0)), 60) AS DECIMAL(18, 2)) AS hours
  FROM told AS t
  LEFT JOIN together AS g ON g.event_id = t.event_id
  LEFT JOIN neighbours AS n ON n.district_id = t.district_id
  LEFT JOIN dark AS d ON d.event_id = t.event_id
  WHERE NOT coalesce(g.others > :area_share * (n.points - 1), FALSE)
),
event_phase AS (
  SELECT
    usage_point_id, kind, phase,
    CAST(sum(hours) AS DECIMAL(18, 2)) AS hours,
    count(*) AS events,
    min(event_id) AS event_id,
    min(from_at) AS first_at,
    max(to_at) AS last_at
  FROM own_event
  GROUP BY usage_point_id, kind, phase
),
by_event AS (
  -- the worst phase of each kind: phases that fail together are one failure
  SELECT
    usage_point_id,
    max(CASE WHEN kind = 'voltage_loss' THEN hours END) AS loss_hours,
    max(CASE WHEN kind = 'phase_loss' THEN hours END) AS break_hours,
    CAST(sum(events) AS INTEGER) AS events,
    min(event_id) AS event_id,
    min(phase) AS phase,
    min(first_at) AS first_at,
    max(last_at) AS last_at
  FROM event_phase
  GROUP BY usage_point_id
),
compared AS (
  SELECT
    s.usage_point_id, s.effective_from, s.customer_id, s.customer_org_id, s.wiring, s.rated_voltage_v, s.rated_current_a,
    greatest(coalesce(c.loss_hours, 0), coalesce(e.loss_hours, 0)) AS loss_hours,
    greatest(coalesce(c.break_hours, 0), coalesce(e.break_hours, 0)) AS break_hours,
    coalesce(c.loss_hours, 0) + coalesce(c.break_hours, 0) AS curve_hours,
    coalesce(e.events, 0) AS events, e.event_id,
    coalesce(c.phase, nullif(e.phase, '')) AS phase,
    nullif(c.missing_kwh, 0) AS missing_kwh,
    least(coalesce(c.first_at, e.first_at), coalesce(e.first_at, c.first_at)) AS first_at,
    greatest(coalesce(c.last_at, e.last_at), coalesce(e.last_at, c.last_at)) AS last_at
  FROM sale AS s
  LEFT JOIN by_curve AS c ON c.usage_point_id = s.usage_point_id
  LEFT JOIN by_event AS e ON e.usage_point_id = s.usage_point_id
  WHERE c.usage_point_id IS NOT NULL OR e.usage_point_id IS NOT NULL
),
judged AS (
  SELECT
    usage_point_id, effective_from, customer_id, customer_org_id, wiring, rated_voltage_v, rated_current_a, loss_hours,
    break_hours, curve_hours, events, event_id, phase, missing_kwh, first_at, last_at,
    CASE WHEN loss_hours >= :min_hours THEN 'voltage_loss' ELSE 'phase_loss' END AS verdict
  FROM compared
  WHERE loss_hours >= :min_hours OR break_hours >= :min_hours
)
SELECT
  j.usage_point_id AS subject_id,
  j.customer_id,
  j.customer_org_id AS org_id,
  CAST(j.first_at AS DATE) AS period_start,
  CAST(CAST(j.last_at AS DATE) + INTERVAL 1 DAY AS DATE) AS period_end,
  'hit' AS exit,
  'order' AS band,
  j.verdict AS reason,
  j.missing_kwh AS energy_kwh,
  money(CAST(j.missing_kwh AS DECIMAL(19, 4)) * m.p) AS back_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS penalty_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS refund_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS exposed_cny,
  j.effective_from AS point_effective_from,
  j.wiring,
  j.rated_voltage_v,
  j.rated_current_a,
  j.phase,
  CAST(j.loss_hours AS DECIMAL(18, 2)) AS loss_hours,
  CAST(j.break_hours AS DECIMAL(18, 2)) AS break_hours,
  CAST(j.curve_hours AS DECIMAL(18, 2)) AS curve_hours,
  j.events,
  j.event_id,
  j.first_at,
  j.last_at,
  m.p AS price
FROM judged AS j
LEFT JOIN cust_month AS m ON m.customer_id = j.customer_id AND m.billing_period = :period
