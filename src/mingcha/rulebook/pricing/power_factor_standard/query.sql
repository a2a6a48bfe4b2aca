WITH held AS (
  SELECT
    contract_id, effective_from, customer_id, org_id, usage_category, capacity_kva, voltage_kv, power_factor_standard,
    industry_code,
    industry_section IN (:industry_sections) AS industrial,
    industry_section IS NULL AND usage_category <> 'large_industrial' AS industry_unknown
  FROM contract_span
  WHERE usage_category NOT IN ('residential', 'school')
    AND power_factor_standard IS NOT NULL
    AND effective_from < :period_end
    AND effective_until > :period_start
    AND effective_from < effective_until
    AND (status IS NULL OR status IN ('active', 'suspended'))
  QUALIFY row_number() OVER (PARTITION BY contract_id ORDER BY effective_from DESC) = 1
),
tabled AS (
  SELECT
    contract_id, effective_from, customer_id, org_id, usage_category, capacity_kva, voltage_kv, power_factor_standard,
    industry_code, industry_unknown,
    CASE
      WHEN usage_category IN ('agriculture', 'wholesale') THEN CAST(0.80 AS DECIMAL(18, 6))
      WHEN voltage_kv >= 1 AND capacity_kva > :kva_090
        AND (usage_category = 'large_industrial' OR coalesce(industrial, FALSE)) THEN CAST(0.90 AS DECIMAL(18, 6))
      ELSE CAST(0.85 AS DECIMAL(18, 6))
    END AS right_standard,
    voltage_kv >= 1 AND capacity_kva = :kva_090
      AND (usage_category = 'large_industrial' OR coalesce(industrial, FALSE)) AS on_the_line
  FROM held
  WHERE capacity_kva IS NULL OR capacity_kva = 0 OR capacity_kva >= :min_kva
),
told AS (
  SELECT
    contract_id, effective_from, customer_id, org_id, usage_category, capacity_kva, voltage_kv, power_factor_standard,
    industry_code, right_standard,
    CASE
      WHEN capacity_kva IS NULL OR capacity_kva = 0 THEN 'no_capacity'
      WHEN power_factor_standard = right_standard THEN NULL
      WHEN on_the_line AND power_factor_standard = 0.90 THEN 'texts_differ'
      WHEN industry_unknown AND power_factor_standard = 0.90 AND voltage_kv >= 1 AND capacity_kva > :kva_090
        AND usage_category NOT IN ('agriculture', 'wholesale') THEN 'industry_unknown'
      WHEN power_factor_standard < right_standard THEN 'too_low'
      ELSE 'too_high'
    END AS verdict
  FROM tabled
),
assessed AS (
  SELECT
    t.contract_id, b.bill_id, b.power_factor, l.quantity AS used_pct, l.base_amount, l.amount AS used_cny,
    p.pct AS right_pct
  FROM told AS t
  JOIN live_bill AS b ON b.customer_id = t.customer_id
  JOIN live_line AS l ON l.bill_id = b.bill_id
  LEFT JOIN power_factor_table AS p ON p.standard = t.right_standard AND p.pf = b.power_factor
  WHERE t.verdict IN ('too_low', 'too_high', 'texts_differ')
    AND b.billing_period = :period
    AND l.billing_period = :period
    AND l.component = 'power_factor'
),
summed AS (
  SELECT
    contract_id,
    min(bill_id) AS bill_id,
    max(power_factor) AS power_factor,
    max(used_pct) AS used_pct,
    max(right_pct) AS right_pct,
    CAST(sum(base_amount) AS DECIMAL(18, 2)) AS base_amount,
    CAST(sum(used_cny) AS DECIMAL(18, 2)) AS used_cny,
    -- one bill without factor or base leaves the month unestimated
    CASE
      WHEN count(*) = count(CASE WHEN base_amount IS NOT NULL AND right_pct IS NOT NULL THEN 1 END)
        THEN CAST(sum(CAST(CAST(base_amount AS DECIMAL(18, 2)) * CAST(right_pct AS DECIMAL(9, 4)) / 100 AS DECIMAL(18, 2)))
          AS DECIMAL(18, 2))
    END AS right_cny
  FROM assessed
  GROUP BY contract_id
)
SELECT
  t.contract_id AS subject_id,
  t.customer_id,
  t.org_id,
  :period_start AS period_start,
  :period_end AS period_end,
  CASE WHEN t.verdict IN ('no_capacity', 'industry_unknown') THEN 'insufficient_data' ELSE 'hit' END AS exit,
  CASE
    WHEN t.verdict = 'texts_differ' THEN 'watch'
    WHEN t.verdict IN ('too_low', 'too_high') THEN 'order'
  END AS band,
  t.verdict AS reason,
  CAST(NULL AS DECIMAL(18, 4)) AS energy_kwh,
  CASE WHEN t.verdict <> 'texts_differ' AND s.right_cny > s.used_cny
    THEN CAST(s.right_cny - s.used_cny AS DECIMAL(18, 2)) END AS back_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS penalty_cny,
  CASE WHEN t.verdict <> 'texts_differ' AND s.right_cny < s.used_cny
    THEN CAST(s.used_cny - s.right_cny AS DECIMAL(18, 2)) END AS refund_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS exposed_cny,
  t.effective_from AS contract_effective_from,
  t.usage_category,
  t.industry_code,
  t.voltage_kv,
  t.capacity_kva,
  t.power_factor_standard AS used_standard,
  t.right_standard,
  s.bill_id,
  s.power_factor,
  s.used_pct,
  s.right_pct,
  s.base_amount,
  s.used_cny,
  s.right_cny
FROM told AS t
LEFT JOIN summed AS s ON s.contract_id = t.contract_id
WHERE t.verdict IS NOT NULL
