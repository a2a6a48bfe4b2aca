SELECT
  customer_id,
  max(org_id) AS org_id,
  billing_period,
  CAST(sum(energy_kwh) AS DECIMAL(18, 4)) AS kwh,
  CAST(sum(amount) AS DECIMAL(18, 2)) AS amount
FROM plain_bill
GROUP BY customer_id, billing_period
