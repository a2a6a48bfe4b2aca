WITH rated AS (
  SELECT
    customer_id, seq, bill_id, bills, started_on, read_on, energy_kwh, power_factor, amount, billed_amount, evidence,
    own_prices,
    CAST(billed_amount - amount AS DECIMAL(18, 2)) AS difference
  FROM rerated_bill
  WHERE billing_period = :period
),
apart AS (
  SELECT
    customer_id, seq, bill_id, bills, started_on, read_on, energy_kwh, power_factor, amount, billed_amount, evidence,
    own_prices, difference
  FROM rated
  WHERE abs(difference) > greatest(:tol_cny, :tol * abs(amount))
),
parts AS (
  SELECT
    a.customer_id, a.seq, d.component, d.billed_amount, d.rerated_amount, d.difference, d.billed_quantity,
    d.rerated_quantity, d.billed_price, d.rerated_price, d.cause,
    -- what follows from another component, or is only rounded, does not speak for the bill
    row_number() OVER (
      PARTITION BY a.customer_id, a.seq
      ORDER BY CASE WHEN d.cause = 'rounding' THEN 2 WHEN d.cause = 'follows' THEN 1 ELSE 0 END, abs(d.difference) DESC,
        d.component
    ) AS place
  FROM apart AS a
  JOIN bill_difference AS d
    ON d.customer_id = a.customer_id
    AND d.seq = a.seq
  WHERE d.billing_period = :period
),
summed AS (
  SELECT
    customer_id, seq,
    count(*) AS components,
    string_agg(component || ' ' || CAST(difference AS VARCHAR) || ' ' || cause, '; ' ORDER BY place) AS by_component,
    CAST(sum(CASE WHEN component IN ('energy', 'tier') THEN difference ELSE 0 END) AS DECIMAL(18, 2)) AS energy_cny,
    CAST(sum(CASE WHEN component IN ('transmission', 'grid_loss', 'system') THEN difference ELSE 0 END) AS DECIMAL(18, 2))
      AS delivery_cny,
    CAST(sum(CASE WHEN component = 'fund' THEN difference ELSE 0 END) AS DECIMAL(18, 2)) AS fund_cny,
    CAST(sum(CASE WHEN component IN ('basic_capacity', 'basic_demand', 'basic_demand_over') THEN difference ELSE 0 END)
      AS DECIMAL(18, 2)) AS basic_cny,
    CAST(sum(CASE WHEN component = 'power_factor' THEN difference ELSE 0 END) AS DECIMAL(18, 2)) AS power_factor_cny,
    CAST(sum(CASE WHEN component = 'energy' THEN rerated_quantity - billed_quantity END) AS DECIMAL(18, 4)) AS missing_kwh
  FROM parts
  GROUP BY customer_id, seq
),
gaps AS (
  SELECT
    customer_id, seq, min(bill_id) AS bill_id, min(reason) AS reason,
    max(billed_amount) AS billed_amount,
    string_agg(reason || coalesce(' ' || detail, ''), '; ' ORDER BY reason) AS details
  FROM rerated_gap
  WHERE billing_period = :period
  GROUP BY customer_id, seq
),
told AS (
  SELECT
    a.bill_id, a.customer_id, 'hit' AS verdict, coalesce(p.cause, 'other') AS reason, a.seq, a.bills, a.started_on, a.read_on,
    a.amount, a.billed_amount, a.difference, a.evidence, a.own_prices, s.components, s.by_component, s.energy_cny,
    s.delivery_cny, s.fund_cny, s.basic_cny, s.power_factor_cny, s.missing_kwh, p.component, p.billed_quantity, p.rerated_quantity,
    p.billed_price, p.rerated_price, CAST(NULL AS VARCHAR) AS details
  FROM apart AS a
  LEFT JOIN parts AS p ON p.customer_id = a.customer_id AND p.seq = a.seq AND p.place = 1
  LEFT JOIN summed AS s ON s.customer_id = a.customer_id AND s.seq = a.seq
  UNION ALL
  SELECT
    g.bill_id, g.customer_id, 'insufficient_data' AS verdict, g.reason, g.seq,
    CAST(NULL AS INTEGER) AS bills, CAST(NULL AS DATE) AS started_on, CAST(NULL AS DATE) AS read_on,
    CAST(NULL AS DECIMAL(18, 2)) AS amount, g.billed_amount, CAST(NULL AS DECIMAL(18, 2)) AS difference,
    CAST(NULL AS VARCHAR) AS evidence, CAST(NULL AS BOOLEAN) AS own_prices, CAST(NULL AS BIGINT) AS components,
    CAST(NULL AS VARCHAR) AS by_component, CAST(NULL AS DECIMAL(18, 2)) AS energy_cny,
    CAST(NULL AS DECIMAL(18, 2)) AS delivery_cny, CAST(NULL AS DECIMAL(18, 2)) AS fund_cny,
    CAST(NULL AS DECIMAL(18, 2)) AS basic_cny, CAST(NULL AS DECIMAL(18, 2)) AS power_factor_cny,
    CAST(NULL AS DECIMAL(18, 4)) AS missing_kwh, CAST(NULL AS VARCHAR) AS component,
    CAST(NULL AS DECIMAL(18, 6)) AS billed_quantity, CAST(NULL AS DECIMAL(18, 6)) AS rerated_quantity,
    CAST(NULL AS DECIMAL(18, 8)) AS billed_price, CAST(NULL AS DECIMAL(18, 8)) AS rerated_price, g.details
  FROM gaps AS g
),
graded AS (
  SELECT
    bill_id, customer_id, verdict, reason, seq, bills, started_on, read_on, amount, billed_amount, difference, evidence,
    own_prices, components, by_component, energy_cny, delivery_cny, fund_cny, basic_cny, power_factor_cny, missing_kwh, component,
    billed_quantity, rerated_quantity, billed_price, rerated_price, details,
    -- a price nobody has verified is no claim
    coalesce(evidence IN ('[K?]', 'default'), FALSE) AS doubtful
  FROM told
)
SELECT
  g.bill_id AS subject_id,
  g.customer_id,
  c.org_id,
  :period_start AS period_start,
  :period_end AS period_end,
  g.verdict AS exit,
  CASE
    WHEN g.verdict <> 'hit' THEN NULL
    WHEN g.doubtful THEN 'watch'
    WHEN abs(g.difference) >= :urgent_cny THEN 'urgent'
    ELSE 'order'
  END AS band,
  g.reason,
  CASE WHEN g.missing_kwh <> 0 THEN g.missing_kwh END AS energy_kwh,
  CASE WHEN g.difference < 0 AND NOT g.doubtful THEN CAST(-g.difference AS DECIMAL(18, 2)) END AS back_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS penalty_cny,
  CASE WHEN g.difference > 0 AND NOT g.doubtful THEN g.difference END AS refund_cny,
  CASE WHEN g.doubtful THEN CAST(abs(g.difference) AS DECIMAL(18, 2)) END AS exposed_cny,
  g.seq,
  g.bills,
  g.started_on,
  g.read_on,
  g.billed_amount,
  g.amount AS rerated_amount,
  g.difference,
  g.evidence AS price_evidence,
  g.own_prices,
  CAST(g.components AS INTEGER) AS components,
  g.by_component,
  g.component,
  CAST(g.billed_quantity AS DECIMAL(18, 6)) AS billed_quantity,
  CAST(g.rerated_quantity AS DECIMAL(18, 6)) AS rerated_quantity,
  g.billed_price,
  g.rerated_price,
  g.energy_cny,
  g.delivery_cny,
  g.fund_cny,
  g.basic_cny,
  g.power_factor_cny,
  g.details AS gap_detail
FROM graded AS g
LEFT JOIN customer AS c ON c.customer_id = g.customer_id
