WITH seldom AS (
  -- who was ever near: everybody else need not be looked at month by month
  SELECT DISTINCT m.customer_id, c.district_id
  FROM cust_month AS m
  JOIN customer AS c ON c.customer_id = m.customer_id
  WHERE c.usage_category = 'residential'
    AND c.status = 'active'
    AND m.billing_period > ym_add(:period, -6)
    AND m.billing_period <= :period
    AND m.kwh > least(:limit, :min_kwh)
),
near AS (
  SELECT c.customer_id, c.org_id, c.district_id, c.voltage_kv
  FROM customer AS c
  WHERE c.usage_category = 'residential'
    AND c.status = 'active'
    AND (c.district_id IN (SELECT district_id FROM seldom) OR c.customer_id IN (SELECT customer_id FROM seldom))
),
billed AS (
  SELECT
    n.customer_id, n.org_id, n.district_id, n.voltage_kv, m.billing_period, m.kwh, m.p,
    CAST(substring(m.billing_period, 1, 4) AS INTEGER) * 12 + CAST(substring(m.billing_period, 6, 2) AS INTEGER) AS month_no,
    CAST(substring(m.billing_period, 6, 2) AS INTEGER) AS moy
  FROM near AS n
  JOIN cust_month AS m ON m.customer_id = n.customer_id
  WHERE m.billing_period >= :history_period
    AND m.billing_period <= :period
),
paced AS (
  SELECT
    customer_id, org_id, district_id, voltage_kv, billing_period, kwh, p, moy,
    month_no - lag(month_no) OVER (PARTITION BY customer_id ORDER BY month_no) AS since,
    lead(month_no) OVER (PARTITION BY customer_id ORDER BY month_no) - month_no AS until_next
  FROM billed
),
monthly AS (
  -- a bill of two months counts two months, each with half of it
  SELECT
    customer_id, org_id, district_id, voltage_kv, billing_period, kwh, p, moy,
    coalesce(since, until_next, 1) AS months,
    CAST(safe_div(kwh, coalesce(since, until_next, 1)) AS DECIMAL(18, 4)) AS kwh_month
  FROM paced
  WHERE billing_period > ym_add(:period, -6)
),
ranked AS (
  SELECT
    district_id, billing_period, kwh_month,
    row_number() OVER (PARTITION BY district_id, billing_period ORDER BY kwh_month, customer_id) AS place,
    count(*) OVER (PARTITION BY district_id, billing_period) AS homes
  FROM monthly
  WHERE kwh_month > 0
    AND district_id IS NOT NULL
),
middle AS (
  SELECT district_id, billing_period, kwh_month AS median_kwh, CAST(homes AS INTEGER) AS homes
  FROM ranked
  WHERE place * 2 IN (homes, homes + 1)
),
judged AS (
  SELECT
    m.customer_id, m.org_id, m.voltage_kv, m.billing_period, m.kwh, m.p, m.months, m.kwh_month,
    d.median_kwh, d.homes,
    CAST(CASE WHEN m.moy IN (:heating) THEN :limit * :factor ELSE :limit END AS DECIMAL(18, 4)) AS limit_kwh,
    m.kwh_month > CASE WHEN m.moy IN (:heating) THEN :limit * :factor ELSE :limit END AS over_limit,
    coalesce(d.homes >= :min_group AND m.kwh_month > :ratio * d.median_kwh AND m.kwh_month > :min_kwh, FALSE) AS over_others
  FROM monthly AS m
  JOIN (SELECT DISTINCT customer_id FROM seldom) AS s ON s.customer_id = m.customer_id
  LEFT JOIN middle AS d ON d.district_id = m.district_id AND d.billing_period = m.billing_period
),
counted AS (
  SELECT
    customer_id,
    CAST(sum(months) AS INTEGER) AS months_known,
    CAST(sum(CASE WHEN over_limit THEN months ELSE 0 END) AS INTEGER) AS months_over_limit,
    CAST(sum(CASE WHEN over_limit OR over_others THEN months ELSE 0 END) AS INTEGER) AS months_over,
    CAST(sum(CASE WHEN billing_period > ym_add(:period, -:back_months) THEN kwh ELSE 0 END) AS DECIMAL(18, 4)) AS back_kwh
  FROM judged
  GROUP BY customer_id
),
latest AS (
  SELECT
    customer_id, org_id, voltage_kv, billing_period, p, months, kwh_month, median_kwh, homes, limit_kwh,
    over_limit OR over_others AS still_over
  FROM judged
  QUALIFY row_number() OVER (PARTITION BY customer_id ORDER BY billing_period DESC) = 1
),
told AS (
  SELECT
    l.customer_id, l.org_id, l.voltage_kv, l.billing_period, l.p, l.kwh_month, l.median_kwh, l.homes, l.limit_kwh,
    c.months_known, c.months_over, c.back_kwh,
    CASE
      WHEN c.months_over_limit >= :run THEN 'over_limit'
      WHEN c.months_over >= :run THEN 'over_others'
      ELSE 'history_short'
    END AS verdict
  FROM latest AS l
  JOIN counted AS c ON c.customer_id = l.customer_id
  WHERE l.still_over
    AND (c.months_over >= :run OR c.months_known < :run)
),
explained AS (
  SELECT t.customer_id, 'entitled' AS why
  FROM told AS t
  JOIN excl_entitlement AS e ON e.customer_id = t.customer_id
  WHERE e.kind IN ('many_members', 'shared_meter')
    AND e.from_day < :period_end
    AND e.to_day > :period_start
  UNION ALL
  SELECT t.customer_id, 'charger' AS why
  FROM told AS t
  JOIN charger AS h ON h.customer_id = t.customer_id
  WHERE h.installed_on < :period_end
    AND (h.removed_on IS NULL OR h.removed_on > :period_start)
),
reasoned AS (
  SELECT customer_id, max(why) AS why
  FROM explained
  GROUP BY customer_id
),
suspect AS (
  SELECT
    t.customer_id, t.org_id, t.billing_period, t.p, t.kwh_month, t.median_kwh, t.homes, t.limit_kwh, t.months_known,
    t.months_over, t.back_kwh, g.p AS p_general,
    coalesce(r.why, t.verdict) AS verdict
  FROM told AS t
  LEFT JOIN reasoned AS r ON r.customer_id = t.customer_id
  LEFT JOIN price_of_category AS g
    ON g.usage_category = 'general'
    AND g.billing_period = :period
    AND g.low_voltage = (t.voltage_kv < 1)
)
SELECT
  customer_id AS subject_id,
  customer_id,
  org_id,
  :period_start AS period_start,
  :period_end AS period_end,
  CASE
    WHEN verdict IN ('entitled', 'charger') THEN 'not_applicable'
    WHEN verdict = 'history_short' THEN 'insufficient_data'
    ELSE 'hit'
  END AS exit,
  CASE verdict WHEN 'over_limit' THEN 'order' WHEN 'over_others' THEN 'watch' END AS band,
  verdict AS reason,
  CASE WHEN verdict IN ('over_limit', 'over_others') AND p_general > p THEN back_kwh END AS energy_kwh,
  CASE WHEN verdict IN ('over_limit', 'over_others') AND p_general > p THEN money(back_kwh * (p_general - p)) END AS back_cny,
  CASE WHEN verdict IN ('over_limit', 'over_others') AND p_general > p
    THEN money(:penalty_multiple * back_kwh * (p_general - p)) END AS penalty_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS refund_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS exposed_cny,
  billing_period AS last_period,
  kwh_month,
  limit_kwh,
  median_kwh,
  homes,
  months_over,
  months_known,
  p AS p_used,
  p_general
FROM suspect
