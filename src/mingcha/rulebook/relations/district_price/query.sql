SELECT
  c.district_id,
  m.billing_period,
  CAST(sum(m.kwh) AS DECIMAL(18, 4)) AS kwh,
  TRY_CAST(
    safe_div(sum(CAST(m.kwh * m.p AS DECIMAL(24, 6))), sum(m.kwh)) AS DECIMAL(18, 8)
  ) AS p
FROM cust_month AS m
JOIN customer AS c ON c.customer_id = m.customer_id
WHERE m.p IS NOT NULL
  AND m.kwh > 0
  AND c.district_id IS NOT NULL
GROUP BY c.district_id, m.billing_period
