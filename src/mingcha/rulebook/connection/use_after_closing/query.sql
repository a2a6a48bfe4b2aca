WITH latest AS (
  -- the newest archive row of each sale point: a point given to another customer is judged by him
  SELECT usage_point_id, effective_from, effective_to, role, customer_id, relation
  FROM usage_point
  WHERE effective_from <= least(:data_date, :period_end - 1)
  QUALIFY row_number() OVER (PARTITION BY usage_point_id ORDER BY effective_from DESC) = 1
),
ended AS (
  SELECT
    l.usage_point_id, l.effective_from, l.customer_id, c.org_id, c.status, c.closed_on, c.usage_category,
    CASE WHEN l.effective_to <= least(:data_date, :period_end - 1) THEN l.effective_to END AS point_ended_on,
    CASE WHEN c.status = 'closed' THEN 'customer_closed' ELSE 'point_ended' END AS cause
  FROM latest AS l
  LEFT JOIN customer AS c ON c.customer_id = l.customer_id
  WHERE l.role = 'sale'
    -- what a sub-point draws is billed in the total of its parent
    AND coalesce(l.relation, '') <> 'sub_added'
    AND (c.status = 'closed' OR l.effective_to <= least(:data_date, :period_end - 1))
),
dated AS (
  SELECT
    usage_point_id, effective_from, customer_id, org_id, status, closed_on, point_ended_on, cause, usage_category,
    CASE
      WHEN cause = 'point_ended' THEN point_ended_on
      ELSE least(coalesce(closed_on, point_ended_on), coalesce(point_ended_on, closed_on))
    END AS ended_on
  FROM ended
  WHERE cause = 'point_ended' OR closed_on IS NULL OR closed_on <= least(:data_date, :period_end - 1)
),
last_read AS (
  -- the final reading may come some days after the closing day: what it covers is settled with it
  SELECT e.usage_point_id, max(r.read_on) AS read_on
  FROM dated AS e
  JOIN reading AS r ON r.usage_point_id = e.usage_point_id
  WHERE r.billing_period >= :history_period
    AND r.register = 'active'
    AND r.read_on > e.ended_on
    AND r.read_on <= e.ended_on + :settle_days
  GROUP BY e.usage_point_id
),
bounded AS (
  SELECT e.usage_point_id, greatest(e.ended_on + 1, coalesce(r.read_on, e.ended_on + 1)) AS settled_to
  FROM dated AS e
  LEFT JOIN last_read AS r ON r.usage_point_id = e.usage_point_id
),
drawn AS (
  SELECT
    e.usage_point_id,
    max(e.settled_to) AS settled_to,
    CAST(sum(d.import_kwh) AS DECIMAL(18, 4)) AS kwh,
    min(CASE WHEN d.import_kwh > 0 THEN d.day END) AS first_use,
    max(CASE WHEN d.import_kwh > 0 THEN d.day END) AS last_use,
    count(d.import_kwh) AS days_known
  FROM bounded AS e
  JOIN daily_energy AS d
    ON d.usage_point_id = e.usage_point_id
    AND (e.settled_to IS NULL OR d.day > e.settled_to)
  WHERE d.day > least(:data_date, :period_end - 1) - :window
    AND d.day <= least(:data_date, :period_end - 1)
  GROUP BY e.usage_point_id
  HAVING sum(d.import_kwh) > :kwh
),
last_meter AS (
  -- only the last one: a meter taken down years ago hangs at somebody else's point by now
  SELECT w.usage_point_id, i.meter_id, i.installed_at
  FROM drawn AS w
  JOIN meter_install AS i ON i.usage_point_id = w.usage_point_id
  QUALIFY row_number() OVER (PARTITION BY w.usage_point_id ORDER BY i.installed_at DESC, i.meter_id) = 1
),
moved AS (
  -- its meter hangs at the point of another, active customer: the head-end still books on the old point
  SELECT DISTINCT i.usage_point_id
  FROM last_meter AS i
  JOIN meter_install AS n
    ON n.meter_id = i.meter_id
    AND n.usage_point_id <> i.usage_point_id
    AND n.installed_at >= i.installed_at
  JOIN point_now AS p ON p.usage_point_id = n.usage_point_id
  WHERE n.removed_at IS NULL
    AND p.customer_status = 'active'
),
hung AS (
  SELECT w.usage_point_id, max(i.meter_id) AS meter_id
  FROM drawn AS w
  JOIN meter_install AS i ON i.usage_point_id = w.usage_point_id
  WHERE i.removed_at IS NULL
  GROUP BY w.usage_point_id
),
own_price AS (
  SELECT e.usage_point_id, m.p, m.p_basis
  FROM dated AS e
  JOIN drawn AS w ON w.usage_point_id = e.usage_point_id
  JOIN cust_month AS m ON m.customer_id = e.customer_id
  WHERE m.p IS NOT NULL
    AND m.billing_period <= :period
  QUALIFY row_number() OVER (PARTITION BY e.usage_point_id ORDER BY m.billing_period DESC) = 1
),
category_price AS (
  -- who has no bill in these months has no price of his own: that of his category stands for it
  SELECT
    c.usage_category,
    CAST(safe_div(sum(CAST(m.kwh AS DECIMAL(19, 4)) * m.p), sum(m.kwh)) AS DECIMAL(18, 8)) AS p
  FROM cust_month AS m
  JOIN customer AS c ON c.customer_id = m.customer_id
  WHERE m.billing_period = :period
    AND m.p IS NOT NULL
    AND c.usage_category IN (
      SELECT e.usage_category FROM dated AS e JOIN drawn AS w ON w.usage_point_id = e.usage_point_id
    )
  GROUP BY c.usage_category
),
judged AS (
  SELECT
    e.usage_point_id, e.effective_from, e.customer_id, e.org_id, e.status, e.closed_on, e.point_ended_on, e.ended_on,
    w.settled_to, w.kwh, w.first_use, w.last_use, w.days_known, h.meter_id,
    coalesce(p.p, g.p) AS p,
    CASE WHEN p.p IS NOT NULL THEN p.p_basis WHEN g.p IS NOT NULL THEN 'category' END AS p_basis,
    CASE
      WHEN m.usage_point_id IS NOT NULL THEN 'reassigned'
      WHEN e.ended_on IS NULL THEN 'closing_day_unknown'
      ELSE e.cause
    END AS verdict
  FROM dated AS e
  JOIN drawn AS w ON w.usage_point_id = e.usage_point_id
  LEFT JOIN moved AS m ON m.usage_point_id = e.usage_point_id
  LEFT JOIN hung AS h ON h.usage_point_id = e.usage_point_id
  LEFT JOIN own_price AS p ON p.usage_point_id = e.usage_point_id
  LEFT JOIN category_price AS g ON g.usage_category = e.usage_category
)
SELECT
  usage_point_id AS subject_id,
  customer_id,
  org_id,
  :period_start AS period_start,
  :period_end AS period_end,
  CASE
    WHEN verdict = 'reassigned' THEN 'not_applicable'
    WHEN verdict = 'closing_day_unknown' THEN 'insufficient_data'
    ELSE 'hit'
  END AS exit,
  CASE WHEN verdict IN ('customer_closed', 'point_ended') THEN 'order' END AS band,
  verdict AS reason,
  CASE WHEN verdict IN ('customer_closed', 'point_ended') THEN kwh END AS energy_kwh,
  CASE WHEN verdict IN ('customer_closed', 'point_ended') THEN money(CAST(kwh AS DECIMAL(19, 4)) * p) END AS back_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS penalty_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS refund_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS exposed_cny,
  effective_from AS point_effective_from,
  status AS customer_status,
  closed_on,
  point_ended_on,
  ended_on,
  settled_to,
  first_use,
  last_use,
  days_known,
  meter_id AS meter_still_there,
  p AS price,
  p_basis AS price_basis
FROM judged
