WITH farms AS (
  SELECT
    customer_id, org_id, contract_id, effective_from, industry_code, voltage_kv, opened_on,
    coalesce(industry IN (:allowed), FALSE)
      OR coalesce(substring(industry, 1, 3) IN (:allowed), FALSE)
      OR coalesce(substring(industry, 1, 2) IN (:allowed), FALSE) AS all_year
  FROM contract_span
  WHERE usage_category = 'agriculture'
    AND effective_from < :period_end
    AND effective_until > :period_start
    AND (status IS NULL OR status = 'active')
  QUALIFY row_number() OVER (PARTITION BY customer_id ORDER BY effective_from DESC, contract_id) = 1
),
year AS (
  SELECT
    f.customer_id,
    min(m.billing_period) AS first_period,
    max(m.billing_period) AS last_period,
    CAST(sum(m.kwh) AS DECIMAL(18, 4)) AS year_kwh,
    CAST(sum(CASE WHEN CAST(substring(m.billing_period, 6, 2) AS INTEGER) IN (:off_months) THEN m.kwh ELSE 0 END)
      AS DECIMAL(18, 4)) AS off_kwh,
    CAST(sum(CASE WHEN m.billing_period > ym_add(:period, -:back_months) THEN m.kwh ELSE 0 END) AS DECIMAL(18, 4)) AS back_kwh,
    max(CASE WHEN m.billing_period = :period THEN m.p END) AS p_used
  FROM farms AS f
  JOIN cust_month AS m ON m.customer_id = f.customer_id
  WHERE m.billing_period > ym_add(:period, -12)
    AND m.billing_period <= :period
  GROUP BY f.customer_id
),
seasons AS (
  SELECT
    f.customer_id, y.year_kwh, y.off_kwh, y.back_kwh, y.p_used, y.first_period,
    CAST(safe_div(y.off_kwh, y.year_kwh) AS DECIMAL(9, 4)) AS off_share,
    -- bills of two months: the first of the year may stand for the month before it
    coalesce(y.first_period <= ym_add(:period, -10) AND y.last_period >= ym_add(:period, -1), FALSE)
      AND (f.opened_on IS NULL OR f.opened_on <= ym_start(ym_add(:period, -11))) AS whole_year
  FROM farms AS f
  LEFT JOIN year AS y ON y.customer_id = f.customer_id
),
load AS (
  SELECT f.customer_id, v."at", CAST(sum(v.p_kw) AS DECIMAL(18, 4)) AS kw
  FROM farms AS f
  JOIN point_span AS p
    ON p.customer_id = f.customer_id
    AND p.role = 'sale'
    AND p.parent_usage_point_id IS NULL
    AND p.effective_from < :period_end
    AND p.effective_until >= :period_end
  JOIN curve AS v ON v.usage_point_id = p.usage_point_id
  WHERE v.day >= :period_end - 30
    AND v.day < :period_end
    AND v.p_kw IS NOT NULL
    AND NOT f.all_year
  GROUP BY f.customer_id, v."at"
),
hours AS (
  SELECT
    customer_id, extract(hour FROM "at") AS hour_no,
    count(*) AS points,
    CAST(sum(kw) AS DECIMAL(18, 4)) AS sum_kw,
    max(kw) AS max_kw
  FROM load
  GROUP BY customer_id, extract(hour FROM "at")
),
shape AS (
  SELECT
    customer_id,
    sum(points) AS points,
    CAST(safe_div(sum(sum_kw), sum(points)) AS DECIMAL(18, 4)) AS mean_kw,
    max(max_kw) AS max_kw,
    min(CAST(safe_div(sum_kw, points) AS DECIMAL(18, 4))) AS least_hour_kw,
    count(*) AS hours
  FROM hours
  GROUP BY customer_id
),
flat AS (
  SELECT
    customer_id, mean_kw, max_kw, least_hour_kw,
    CAST(safe_div(mean_kw, max_kw) AS DECIMAL(9, 4)) AS load_factor
  FROM shape
  WHERE hours = 24
    AND points >= :min_cover * 2880
),
irrigating AS (
  SELECT DISTINCT f.customer_id
  FROM farms AS f
  JOIN excl_entitlement AS e ON e.customer_id = f.customer_id
  WHERE e.kind = 'farm_irrigation'
    AND e.from_day < :period_end
    AND e.to_day > :period_start
),
judged AS (
  SELECT
    f.customer_id, f.org_id, f.contract_id, f.effective_from, f.industry_code, f.voltage_kv, f.all_year,
    s.year_kwh, s.off_kwh, s.off_share, s.back_kwh, s.p_used, s.first_period, s.whole_year,
    l.mean_kw, l.max_kw, l.least_hour_kw, l.load_factor,
    coalesce(s.whole_year AND s.year_kwh >= :min_kwh AND s.off_share > :off_share, FALSE) AS off_season,
    coalesce(l.load_factor > :lf AND l.least_hour_kw > :min_kw AND i.customer_id IS NULL, FALSE) AS even_load
  FROM farms AS f
  JOIN seasons AS s ON s.customer_id = f.customer_id
  LEFT JOIN flat AS l ON l.customer_id = f.customer_id
  LEFT JOIN irrigating AS i ON i.customer_id = f.customer_id
),
told AS (
  SELECT
    customer_id, org_id, contract_id, effective_from, industry_code, voltage_kv, year_kwh, off_kwh, off_share, back_kwh,
    p_used, first_period, mean_kw, max_kw, least_hour_kw, load_factor, off_season, even_load,
    CASE
      WHEN all_year AND (off_season OR even_load) THEN 'all_year_farming'
      WHEN off_season THEN 'off_season'
      WHEN even_load THEN 'even_load'
      WHEN NOT whole_year AND NOT all_year THEN 'history_short'
    END AS verdict
  FROM judged
),
priced AS (
  SELECT t.customer_id, g.p AS p_general
  FROM told AS t
  JOIN price_of_category AS g
    ON g.usage_category = 'general'
    AND g.billing_period = :period
    AND g.low_voltage = (t.voltage_kv < 1)
  WHERE t.verdict IN ('off_season', 'even_load')
    AND g.p > t.p_used
)
SELECT
  t.customer_id AS subject_id,
  t.customer_id,
  t.org_id,
  :period_start AS period_start,
  :period_end AS period_end,
  CASE t.verdict WHEN 'all_year_farming' THEN 'not_applicable' WHEN 'history_short' THEN 'insufficient_data' ELSE 'hit' END
    AS exit,
  CASE WHEN t.verdict = 'off_season' THEN 'order' WHEN t.verdict = 'even_load' THEN 'watch' END AS band,
  t.verdict AS reason,
  CASE WHEN p.p_general IS NOT NULL THEN t.back_kwh END AS energy_kwh,
  money(t.back_kwh * (p.p_general - t.p_used)) AS back_cny,
  money(:penalty_multiple * t.back_kwh * (p.p_general - t.p_used)) AS penalty_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS refund_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS exposed_cny,
  t.contract_id,
  t.effective_from AS contract_effective_from,
  t.industry_code,
  t.year_kwh,
  t.off_kwh,
  t.off_share AS off_part,
  t.first_period,
  t.mean_kw,
  t.max_kw,
  t.least_hour_kw,
  t.load_factor,
  t.off_season,
  t.even_load,
  t.p_used,
  p.p_general
FROM told AS t
LEFT JOIN priced AS p ON p.customer_id = t.customer_id
WHERE t.verdict IS NOT NULL
