WITH agreed AS (
  -- by capacity on every day of the month
  SELECT contract_id, effective_from, customer_id, org_id, capacity_kva, tariff_id
  FROM contract_span
  WHERE basic_charge_method = 'capacity'
    AND effective_from <= :period_start
    AND effective_until >= :period_end
    AND (opened_on IS NULL OR opened_on <= :period_start)
    AND (closed_on IS NULL OR closed_on >= :period_end)
  QUALIFY row_number() OVER (PARTITION BY customer_id ORDER BY effective_from DESC, contract_id) = 1
),
running AS (
  SELECT
    customer_id, max(status_unknown) AS status_unknown, min(kva) AS least_kva, max(kva) AS most_kva,
    min(from_day) AS from_day, max(to_day) AS to_day
  FROM kva_run
  WHERE from_day < :period_end
    AND to_day > :period_start
  GROUP BY customer_id
),
billed AS (
  SELECT customer_id, min(bill_id) AS bill_id
  FROM live_bill
  WHERE billing_period = :period
  GROUP BY customer_id
),
charged AS (
  -- a line for part of the month counts by its days
  SELECT
    a.customer_id,
    count(*) AS lines,
    CAST(sum(CASE
      WHEN l.component <> 'basic_capacity' THEN NULL
      WHEN l.days IS NULL THEN CAST(l.quantity AS DECIMAL(18, 4))
      ELSE CAST(safe_div(CAST(l.quantity AS DECIMAL(18, 4)) * l.days, days_in_ym(:period)) AS DECIMAL(18, 4))
    END) AS DECIMAL(18, 4)) AS billed_kva,
    max(CASE WHEN l.component = 'basic_capacity' THEN l.price END) AS price_kva,
    CAST(sum(CASE WHEN l.component = 'basic_capacity' THEN l.amount END) AS DECIMAL(18, 2)) AS billed_cny
  FROM agreed AS a
  JOIN live_line AS l ON l.customer_id = a.customer_id
  WHERE l.billing_period = :period
  GROUP BY a.customer_id
),
listed AS (
  SELECT a.customer_id, max(r.price) AS price_kva
  FROM agreed AS a
  JOIN tariff_price AS r ON r.tariff_id = a.tariff_id
  WHERE r.component = 'basic_capacity'
    AND r.effective_from < :period_end
    AND (r.effective_to IS NULL OR r.effective_to >= :period_end)
  GROUP BY a.customer_id
),
judged AS (
  SELECT
    a.contract_id, a.effective_from, a.customer_id, a.org_id, a.capacity_kva, a.tariff_id,
    r.most_kva, r.status_unknown, b.bill_id,
    c.billed_kva, c.billed_cny, coalesce(c.price_kva, p.price_kva) AS price_kva,
    CASE
      WHEN r.customer_id IS NULL THEN 'no_status'
      WHEN r.status_unknown > 0 THEN 'status_unknown'
      WHEN r.least_kva <> r.most_kva OR r.from_day > :period_start OR r.to_day < :period_end THEN 'capacity_changed'
      WHEN r.most_kva = 0 THEN NULL
      WHEN c.customer_id IS NULL THEN 'no_bill'
      WHEN c.billed_kva IS NULL AND r.most_kva > :tol_kva THEN 'no_line'
      WHEN c.billed_kva < r.most_kva - :tol_kva THEN 'short'
    END AS verdict
  FROM agreed AS a
  LEFT JOIN running AS r ON r.customer_id = a.customer_id
  LEFT JOIN billed AS b ON b.customer_id = a.customer_id
  LEFT JOIN charged AS c ON c.customer_id = a.customer_id
  LEFT JOIN listed AS p ON p.customer_id = a.customer_id
)
SELECT
  customer_id AS subject_id,
  customer_id,
  org_id,
  :period_start AS period_start,
  :period_end AS period_end,
  CASE
    WHEN verdict = 'capacity_changed' THEN 'not_applicable'
    WHEN verdict IN ('no_status', 'status_unknown', 'no_bill') THEN 'insufficient_data'
    ELSE 'hit'
  END AS exit,
  CASE WHEN verdict IN ('no_line', 'short') THEN 'order' END AS band,
  verdict AS reason,
  CAST(NULL AS DECIMAL(18, 4)) AS energy_kwh,
  CASE
    WHEN verdict IN ('no_line', 'short') THEN money(CAST(most_kva - coalesce(billed_kva, 0) AS DECIMAL(19, 4)) * price_kva)
  END AS back_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS penalty_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS refund_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS exposed_cny,
  contract_id,
  effective_from AS contract_effective_from,
  tariff_id,
  capacity_kva,
  most_kva AS running_kva,
  billed_kva,
  price_kva,
  billed_cny,
  bill_id,
  status_unknown
FROM judged
WHERE verdict IS NOT NULL
