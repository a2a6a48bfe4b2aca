WITH coded AS (
  SELECT
    customer_id, org_id, status, opened_on, closed_on, usage_category, contract_capacity_kva, voltage_kv,
    upper(trim(industry_code)) AS industry_code
  FROM customer
),
numbered AS (
  -- codes are delivered as C1711, 1711 or C17: the digits decide, the section letter follows from them
  SELECT
    customer_id, org_id, status, opened_on, closed_on, usage_category, contract_capacity_kva, voltage_kv, industry_code,
    CASE
      WHEN substring(industry_code, 1, 1) BETWEEN 'A' AND 'Z' THEN substring(industry_code, 2, 4)
      ELSE substring(industry_code, 1, 4)
    END AS industry
  FROM coded
),
spans AS (
  SELECT
    contract_id, customer_id, effective_from,
    least(
      coalesce(effective_to, DATE '9999-12-31'),
      coalesce(lead(effective_from) OVER (PARTITION BY contract_id ORDER BY effective_from), DATE '9999-12-31')
    ) AS effective_until,
    usage_category, capacity_kva, voltage_kv, tariff_id, purchase_mode, basic_charge_method, contract_demand_kw,
    power_factor_standard, tou, metering_side, shift
  FROM contract
)
SELECT
  s.contract_id,
  s.customer_id,
  n.org_id,
  s.effective_from,
  s.effective_until,
  s.usage_category,
  coalesce(s.capacity_kva, n.contract_capacity_kva) AS capacity_kva,
  coalesce(s.voltage_kv, n.voltage_kv) AS voltage_kv,
  s.tariff_id,
  s.purchase_mode,
  s.basic_charge_method,
  s.contract_demand_kw,
  s.power_factor_standard,
  s.tou,
  s.metering_side,
  s.shift,
  n.status,
  n.opened_on,
  n.closed_on,
  n.industry_code,
  CASE WHEN n.industry <> '' THEN n.industry END AS industry,
  CASE
    WHEN substring(n.industry_code, 1, 1) BETWEEN 'A' AND 'Z' THEN substring(n.industry_code, 1, 1)
    WHEN substring(n.industry, 1, 2) BETWEEN '01' AND '05' THEN 'A'
    WHEN substring(n.industry, 1, 2) BETWEEN '06' AND '12' THEN 'B'
    WHEN substring(n.industry, 1, 2) BETWEEN '13' AND '43' THEN 'C'
    WHEN substring(n.industry, 1, 2) BETWEEN '44' AND '46' THEN 'D'
    WHEN substring(n.industry, 1, 2) BETWEEN '47' AND '50' THEN 'E'
    WHEN substring(n.industry, 1, 2) BETWEEN '51' AND '52' THEN 'F'
    WHEN substring(n.industry, 1, 2) BETWEEN '53' AND '60' THEN 'G'
    WHEN substring(n.industry, 1, 2) BETWEEN '61' AND '62' THEN 'H'
    WHEN substring(n.industry, 1, 2) BETWEEN '63' AND '65' THEN 'I'
    WHEN substring(n.industry, 1, 2) BETWEEN '66' AND '69' THEN 'J'
    WHEN substring(n.industry, 1, 2) = '70' THEN 'K'
    WHEN substring(n.industry, 1, 2) BETWEEN '71' AND '72' THEN 'L'
    WHEN substring(n.industry, 1, 2) BETWEEN '73' AND '75' THEN 'M'
    WHEN substring(n.industry, 1, 2) BETWEEN '76' AND '79' THEN 'N'
    WHEN substring(n.industry, 1, 2) BETWEEN '80' AND '82' THEN 'O'
    WHEN substring(n.industry, 1, 2) = '83' THEN 'P'
    WHEN substring(n.industry, 1, 2) BETWEEN '84' AND '85' THEN 'Q'
    WHEN substring(n.industry, 1, 2) BETWEEN '86' AND '90' THEN 'R'
    WHEN substring(n.industry, 1, 2) BETWEEN '91' AND '96' THEN 'S'
    WHEN substring(n.industry, 1, 2) = '97' THEN 'T'
  END AS industry_section
FROM spans AS s
LEFT JOIN numbered AS n ON n.customer_id = s.customer_id
