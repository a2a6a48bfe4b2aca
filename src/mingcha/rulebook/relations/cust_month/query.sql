WITH billed AS (
  SELECT
    customer_id,
    billing_period,
    CAST(sum(energy_kwh) AS DECIMAL(18, 4)) AS kwh,
    CAST(sum(amount) AS DECIMAL(18, 2)) AS amount
  FROM live_bill
  WHERE billing_period >= ym_add(:first_period, -1)
  GROUP BY customer_id, billing_period
),
-- lines are by far the largest table: they are read for the screened months and the one before, from which
-- prices are taken; older months keep the price of the whole bill
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
  WHERE billing_period >= ym_add(:first_period, -1)
  GROUP BY customer_id, billing_period
),
months AS (
  SELECT
    b.customer_id, b.billing_period, b.kwh, b.amount, l.energy_amt, l.fund_amt, l.basic_amt, l.pf_amt
  FROM billed AS b
  LEFT JOIN lines AS l ON l.customer_id = b.customer_id AND l.billing_period = b.billing_period
  UNION ALL
  SELECT
    customer_id,
    billing_period,
    CAST(sum(energy_kwh) AS DECIMAL(18, 4)) AS kwh,
    CAST(sum(amount) AS DECIMAL(18, 2)) AS amount,
    CAST(NULL AS DECIMAL(18, 2)) AS energy_amt,
    CAST(NULL AS DECIMAL(18, 2)) AS fund_amt,
    CAST(NULL AS DECIMAL(18, 2)) AS basic_amt,
    CAST(NULL AS DECIMAL(18, 2)) AS pf_amt
  FROM live_bill
  WHERE billing_period < ym_add(:first_period, -1)
  GROUP BY customer_id, billing_period
)
SELECT
  customer_id,
  billing_period,
  kwh,
  amount,
  energy_amt,
  fund_amt,
  basic_amt,
  pf_amt,
  CASE
    WHEN kwh <= 0 THEN NULL
    WHEN energy_amt > 0
      THEN TRY_CAST(safe_div(energy_amt + coalesce(fund_amt, 0), kwh) AS DECIMAL(18, 8))
    WHEN amount > 0 THEN TRY_CAST(safe_div(amount, kwh) AS DECIMAL(18, 8))
  END AS p,
  CASE
    WHEN kwh <= 0 THEN NULL
    WHEN energy_amt > 0 THEN 'lines'
    WHEN amount > 0 THEN 'bill'
  END AS p_basis
FROM months
