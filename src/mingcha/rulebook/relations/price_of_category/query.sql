SELECT
  m.billing_period,
  c.usage_category,
  c.voltage_kv < 1 AS low_voltage,
  count(*) AS customers,
  CAST(safe_div(sum(CAST(m.kwh AS DECIMAL(19, 4)) * m.p), sum(m.kwh)) AS DECIMAL(18, 8)) AS p
FROM cust_month AS m
JOIN customer AS c ON c.customer_id = m.customer_id
WHERE m.p > 0
  AND m.kwh > 0
  AND m.billing_period >= :first_period
GROUP BY m.billing_period, c.usage_category, c.voltage_kv < 1
