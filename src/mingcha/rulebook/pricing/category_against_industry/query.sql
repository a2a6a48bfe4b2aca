WITH held AS (
  SELECT
    contract_id, effective_from, customer_id, org_id, usage_category, tariff_id, voltage_kv, industry_code, industry,
    industry_section
  FROM contract_span
  WHERE effective_from < :period_end
    AND effective_until > :period_start
    AND effective_from < effective_until
    AND (status IS NULL OR status IN ('active', 'suspended'))
  QUALIFY row_number() OVER (PARTITION BY contract_id ORDER BY effective_from DESC) = 1
),
matched AS (
  -- a pair of the list is category:code; the code may be *, a section letter, or two to four digits
  SELECT
    contract_id, effective_from, customer_id, org_id, usage_category, tariff_id, voltage_kv, industry_code, industry_section,
    usage_category || ':*' IN (:allowed_matrix) AS anything,
    coalesce(usage_category || ':' || industry_section IN (:allowed_matrix), FALSE)
      OR coalesce(usage_category || ':' || substring(industry, 1, 2) IN (:allowed_matrix), FALSE)
      OR coalesce(usage_category || ':' || substring(industry, 1, 3) IN (:allowed_matrix), FALSE)
      OR coalesce(usage_category || ':' || industry IN (:allowed_matrix), FALSE) AS is_allowed,
    coalesce(usage_category || ':' || substring(industry, 1, 3) IN (:barred_matrix), FALSE)
      OR coalesce(usage_category || ':' || industry IN (:barred_matrix), FALSE) AS is_barred
  FROM held
),
told AS (
  SELECT
    contract_id, effective_from, customer_id, org_id, usage_category, tariff_id, voltage_kv, industry_code, industry_section,
    CASE
      WHEN anything THEN NULL
      -- a home is not expected to have an industry
      WHEN industry_code IS NULL AND usage_category = 'residential' THEN NULL
      WHEN industry_code IS NULL OR industry_code = '' THEN 'industry_unknown'
      WHEN is_allowed AND NOT is_barred THEN NULL
      WHEN usage_category = 'residential' THEN 'business_on_residential'
      WHEN usage_category = 'agriculture' THEN 'business_on_farming'
      WHEN usage_category = 'large_industrial' THEN 'services_on_industrial'
      ELSE 'other_mismatch'
    END AS verdict
  FROM matched
),
entitled AS (
  SELECT DISTINCT t.customer_id
  FROM told AS t
  JOIN excl_entitlement AS e ON e.customer_id = t.customer_id
  WHERE t.verdict IS NOT NULL
    AND t.verdict <> 'industry_unknown'
    AND (e.kind = 'public_welfare' OR (e.kind = 'farm_irrigation' AND t.usage_category = 'agriculture'))
    AND e.from_day < :period_end
    AND e.to_day > :period_start
),
suspect AS (
  SELECT
    t.contract_id, t.effective_from, t.customer_id, t.org_id, t.usage_category, t.tariff_id, t.voltage_kv, t.industry_code,
    t.industry_section,
    CASE WHEN e.customer_id IS NOT NULL THEN 'entitled' ELSE t.verdict END AS verdict
  FROM told AS t
  LEFT JOIN entitled AS e ON e.customer_id = t.customer_id
  WHERE t.verdict IS NOT NULL
),
used AS (
  SELECT
    s.contract_id,
    CAST(sum(m.kwh) AS DECIMAL(18, 4)) AS kwh,
    max(CASE WHEN m.billing_period = :period THEN m.p END) AS p_used
  FROM suspect AS s
  JOIN cust_month AS m ON m.customer_id = s.customer_id
  WHERE s.verdict IN ('business_on_residential', 'business_on_farming', 'other_mismatch')
    AND s.usage_category IN ('residential', 'agriculture', 'school')
    AND m.billing_period > ym_add(:period, -:back_months)
    AND m.billing_period <= :period
  GROUP BY s.contract_id
),
priced AS (
  SELECT u.contract_id, u.kwh, u.p_used, g.p AS p_general
  FROM used AS u
  JOIN suspect AS s ON s.contract_id = u.contract_id
  JOIN price_of_category AS g
    ON g.usage_category = 'general'
    AND g.billing_period = :period
    AND g.low_voltage = (s.voltage_kv < 1)
)
SELECT
  s.contract_id AS subject_id,
  s.customer_id,
  s.org_id,
  :period_start AS period_start,
  :period_end AS period_end,
  CASE s.verdict WHEN 'entitled' THEN 'not_applicable' WHEN 'industry_unknown' THEN 'insufficient_data' ELSE 'hit' END
    AS exit,
  CASE WHEN s.verdict NOT IN ('entitled', 'industry_unknown') THEN 'order' END AS band,
  s.verdict AS reason,
  CASE WHEN p.p_general > p.p_used THEN p.kwh END AS energy_kwh,
  CASE WHEN p.p_general > p.p_used THEN money(p.kwh * (p.p_general - p.p_used)) END AS back_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS penalty_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS refund_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS exposed_cny,
  s.effective_from AS contract_effective_from,
  s.usage_category,
  s.industry_code,
  s.industry_section,
  s.tariff_id,
  s.voltage_kv,
  p.p_used,
  p.p_general
FROM suspect AS s
LEFT JOIN priced AS p ON p.contract_id = s.contract_id
