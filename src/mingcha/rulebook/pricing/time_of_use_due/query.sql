WITH held AS (
  SELECT
    contract_id, effective_from, customer_id, org_id, usage_category, capacity_kva, voltage_kv, tariff_id, purchase_mode,
    tou, industry_code, industry, industry_section
  FROM contract_span
  WHERE usage_category IN ('general', 'large_industrial')
    AND effective_from < :period_end
    AND effective_until > :period_start
    AND effective_from < effective_until
    AND (status IS NULL OR status IN ('active', 'suspended'))
  QUALIFY row_number() OVER (PARTITION BY contract_id ORDER BY effective_from DESC) = 1
),
told AS (
  SELECT
    contract_id, effective_from, customer_id, org_id, usage_category, capacity_kva, voltage_kv, tariff_id, purchase_mode,
    industry_code,
    CASE
      WHEN coalesce(
        industry IN (:exempt_industries)
          OR substring(industry, 1, 3) IN (:exempt_industries)
          OR substring(industry, 1, 2) IN (:exempt_industries)
          OR industry_section IN (:exempt_industries),
        FALSE
      ) THEN 'exempt_industry'
      WHEN purchase_mode IS NULL AND :period_start >= :direct_free_from THEN 'mode_unknown'
      ELSE 'tou_missing'
    END AS verdict
  FROM held
  WHERE NOT tou
    AND capacity_kva >= :min_kva
    AND (purchase_mode IS NULL OR purchase_mode <> 'direct' OR :period_start < :direct_free_from)
),
comparable AS (
  -- a tariff of the same use, form and voltage that has periods, and what the present one asks
  SELECT
    t.contract_id, t.customer_id, t.tariff_id, f.tariff_id AS tou_tariff_id
  FROM told AS t
  JOIN tariff AS o
    ON o.tariff_id = t.tariff_id
    AND o.effective_from < :period_end
    AND (o.effective_to IS NULL OR o.effective_to >= :period_end)
  JOIN tariff AS f
    ON f.usage_category = t.usage_category
    AND f.parts = o.parts
    AND f.tou
    AND t.voltage_kv >= f.voltage_kv_from
    AND (f.voltage_kv_to IS NULL OR t.voltage_kv < f.voltage_kv_to)
    AND f.effective_from < :period_end
    AND (f.effective_to IS NULL OR f.effective_to >= :period_end)
  WHERE t.verdict = 'tou_missing'
  QUALIFY row_number() OVER (PARTITION BY t.contract_id ORDER BY f.tariff_id) = 1
),
prices AS (
  SELECT
    tariff_id,
    max(CASE WHEN period = 'all' THEN price END) AS p_all,
    max(CASE WHEN period = 'sharp' THEN price END) AS p_sharp,
    max(CASE WHEN period = 'peak' THEN price END) AS p_peak,
    max(CASE WHEN period = 'flat' THEN price END) AS p_flat,
    max(CASE WHEN period = 'valley' THEN price END) AS p_valley,
    max(CASE WHEN period = 'deep_valley' THEN price END) AS p_deep
  FROM tariff_price
  WHERE component = 'energy'
    AND tier = 0
    AND effective_from < :period_end
    AND (effective_to IS NULL OR effective_to >= :period_end)
  GROUP BY tariff_id
),
used AS (
  -- only where the head-end splits the days of the month by period
  SELECT
    c.contract_id,
    count(*) AS days,
    CAST(sum(d.import_kwh) AS DECIMAL(18, 4)) AS kwh,
    CAST(sum(coalesce(d.sharp_kwh, 0)) AS DECIMAL(18, 4)) AS sharp_kwh,
    CAST(sum(d.peak_kwh) AS DECIMAL(18, 4)) AS peak_kwh,
    CAST(sum(d.valley_kwh) AS DECIMAL(18, 4)) AS valley_kwh,
    CAST(sum(coalesce(d.deep_valley_kwh, 0)) AS DECIMAL(18, 4)) AS deep_kwh
  FROM comparable AS c
  JOIN point_span AS p
    ON p.customer_id = c.customer_id
    AND p.role = 'sale'
    AND p.parent_usage_point_id IS NULL
    AND p.effective_from <= :period_start
    AND p.effective_until >= :period_end
  JOIN daily_energy AS d ON d.usage_point_id = p.usage_point_id
  WHERE d.day >= :period_start
    AND d.day < :period_end
    AND d.import_kwh IS NOT NULL
    AND d.peak_kwh IS NOT NULL
    AND d.valley_kwh IS NOT NULL
  GROUP BY c.contract_id
),
worth AS (
  SELECT
    c.contract_id, c.tou_tariff_id, u.kwh, u.sharp_kwh, u.peak_kwh, u.valley_kwh, o.p_all AS price_now,
    money(
      CAST(u.sharp_kwh AS DECIMAL(19, 4)) * coalesce(f.p_sharp, f.p_peak) + CAST(u.peak_kwh AS DECIMAL(19, 4)) * f.p_peak
      + CAST(u.valley_kwh AS DECIMAL(19, 4)) * f.p_valley
      + CAST(u.deep_kwh AS DECIMAL(19, 4)) * coalesce(f.p_deep, f.p_valley)
      + CAST(u.kwh - u.sharp_kwh - u.peak_kwh - u.valley_kwh - u.deep_kwh AS DECIMAL(19, 4)) * f.p_flat
    ) AS tou_cny,
    money(CAST(u.kwh AS DECIMAL(19, 4)) * o.p_all) AS now_cny
  FROM comparable AS c
  LEFT JOIN used AS u ON u.contract_id = c.contract_id AND u.days >= :min_cover * days_in_ym(:period)
  LEFT JOIN prices AS o ON o.tariff_id = c.tariff_id
  LEFT JOIN prices AS f ON f.tariff_id = c.tou_tariff_id
)
SELECT
  t.contract_id AS subject_id,
  t.customer_id,
  t.org_id,
  :period_start AS period_start,
  :period_end AS period_end,
  CASE t.verdict WHEN 'exempt_industry' THEN 'not_applicable' WHEN 'mode_unknown' THEN 'insufficient_data' ELSE 'hit' END
    AS exit,
  CASE WHEN t.verdict = 'tou_missing' THEN 'order' END AS band,
  t.verdict AS reason,
  CAST(NULL AS DECIMAL(18, 4)) AS energy_kwh,
  CASE WHEN w.tou_cny > w.now_cny THEN CAST(w.tou_cny - w.now_cny AS DECIMAL(18, 2)) END AS back_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS penalty_cny,
  CASE WHEN w.tou_cny < w.now_cny THEN CAST(w.now_cny - w.tou_cny AS DECIMAL(18, 2)) END AS refund_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS exposed_cny,
  t.effective_from AS contract_effective_from,
  t.usage_category,
  t.industry_code,
  t.capacity_kva,
  t.voltage_kv,
  t.purchase_mode,
  t.tariff_id,
  w.tou_tariff_id,
  w.kwh AS month_kwh,
  w.sharp_kwh,
  w.peak_kwh,
  w.valley_kwh,
  w.price_now,
  w.now_cny,
  w.tou_cny
FROM told AS t
LEFT JOIN worth AS w ON w.contract_id = t.contract_id AND t.verdict = 'tou_missing'
