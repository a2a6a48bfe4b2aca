WITH billed AS (
  SELECT
    customer_id,
    billing_period,
    CAST(sum(energy_kwh) AS DECIMAL(18, 4)) AS kwh,
    CAST(sum(amount) AS DECIMAL(18, 2)) AS amount
  FROM live_bill
  GROUP BY customer_id, billing_period
),
lines AS (
  SELECT
    customer_id,
    billing_period,
    CAST(sum(CASE WHEN component IN ('energy', 'transmission', 'grid_loss', 'system', 'tier') THEN amount END)
      AS DECIMAL(18, 2)) AS energy_amt,
    CAST(sum(CASE WHEN component = 'fund' THEN amount END) AS DECIMAL(18, 2)) AS fund_amt,
    CAST(sum(CASE WHEN component IN ('basic_capacity', 'basic_demand', 'basic_demand_over') THEN amount END)
      AS DECIMAL(18, 2)) AS basic_amt,
    CAST(sum(CASE WHEN component = 'power_factor' THEN amount END) AS DECIMAL(18, 2)) AS pf_amt
  FROM live_line
  GROUP BY customer_id, billing_period
)
SELECT
  b.customer_id,
  b.billing_period,
  b.kwh,
  b.amount,
  l.energy_amt,
  l.fund_amt,
  l.basic_amt,
  l.pf_amt,
  CASE
    WHEN b.kwh <= 0 THEN NULL
    WHEN l.energy_amt > 0
      THEN TRY_CAST(safe_div(l.energy_amt + coalesce(l.fund_amt, 0), b.kwh) AS DECIMAL(18, 8))
    WHEN b.amount > 0 THEN TRY_CAST(safe_div(b.amount, b.kwh) AS DECIMAL(18, 8))
  END AS p,
  CASE
    WHEN b.kwh <= 0 THEN NULL
    WHEN l.energy_amt > 0 THEN 'lines'
    WHEN b.amount > 0 THEN 'bill'
  END AS p_basis
FROM billed AS b
LEFT JOIN lines AS l ON l.customer_id = b.customer_id AND l.billing_period = b.billing_period
