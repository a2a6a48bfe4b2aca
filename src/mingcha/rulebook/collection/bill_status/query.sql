WITH bills AS (
  SELECT bill_id, customer_id, org_id, billing_period, amount, status, due_on
  FROM live_bill
  WHERE billing_period > ym_add(:period, -:months)
    AND billing_period <= :period
    AND status <> 'written_off'
    AND amount > 0
),
got AS (
  SELECT
    b.bill_id,
    CAST(sum(r.amount) AS DECIMAL(18, 2)) AS received,
    count(*) AS receipts,
    max(CASE WHEN r.amount > 0 THEN CAST(r.received_at AS DATE) END) AS last_on,
    max(CASE WHEN r.amount > 0 THEN r.receipt_id END) AS receipt_id
  FROM bills AS b
  JOIN bill_receipt AS r ON r.bill_id = b.bill_id
  GROUP BY b.bill_id
),
fees AS (
  -- a payment may hold the late fee: only what exceeds both is too much
  SELECT bill_id, CAST(sum(charged) AS DECIMAL(18, 2)) AS charged
  FROM late_fee
  GROUP BY bill_id
),
loose AS (
  -- money of the customer that was not matched to a bill: it may have paid this one
  SELECT customer_id, CAST(sum(amount) AS DECIMAL(18, 2)) AS amount
  FROM bill_receipt
  WHERE bill_id IS NULL
    AND kind IN ('payment', 'prepayment_use')
    AND received_at >= CAST(ym_start(ym_add(:period, 1 - :months)) AS TIMESTAMP)
  GROUP BY customer_id
),
standing AS (
  -- payments that were not reversed
  SELECT r.bill_id, r.receipt_id, r.amount, r.received_at
  FROM bill_receipt AS r
  JOIN bills AS b ON b.bill_id = r.bill_id
  LEFT JOIN bill_receipt AS v ON v.reversed_receipt_id = r.receipt_id
  WHERE r.kind = 'payment'
    AND r.amount > 0
    AND v.receipt_id IS NULL
),
twice AS (
  SELECT
    a.bill_id, a.receipt_id AS first_receipt_id, z.receipt_id AS second_receipt_id, z.amount,
    CAST(z.received_at AS DATE) AS second_on
  FROM standing AS a
  JOIN standing AS z
    ON z.bill_id = a.bill_id
    AND z.amount = a.amount
    AND (z.received_at > a.received_at OR (z.received_at = a.received_at AND z.receipt_id > a.receipt_id))
    AND date_diff('day', CAST(a.received_at AS DATE), CAST(z.received_at AS DATE)) <= :dup_days
  QUALIFY row_number() OVER (PARTITION BY a.bill_id ORDER BY z.received_at DESC, z.receipt_id, a.receipt_id) = 1
),
compared AS (
  SELECT
    b.bill_id, b.customer_id, b.org_id, b.billing_period, b.amount, b.status, b.due_on,
    coalesce(g.received, 0) AS received, coalesce(g.receipts, 0) AS receipts, g.last_on,
    coalesce(f.charged, 0) AS late_fee, coalesce(l.amount, 0) AS loose,
    t.first_receipt_id,
    coalesce(t.second_receipt_id, g.receipt_id) AS receipt_id,
    t.second_receipt_id IS NOT NULL AS is_twice,
    CAST(coalesce(g.received, 0) - b.amount AS DECIMAL(18, 2)) AS difference,
    CAST(coalesce(g.received, 0) - b.amount - coalesce(f.charged, 0) AS DECIMAL(18, 2)) AS excess,
    coalesce(g.last_on <= :data_date - :settle_days, FALSE) AS is_settled
  FROM bills AS b
  LEFT JOIN got AS g ON g.bill_id = b.bill_id
  LEFT JOIN fees AS f ON f.bill_id = b.bill_id
  LEFT JOIN loose AS l ON l.customer_id = b.customer_id
  LEFT JOIN twice AS t ON t.bill_id = b.bill_id
),
signalled AS (
  SELECT
    bill_id, customer_id, org_id, billing_period, amount, status, due_on, received, receipts, last_on, late_fee, loose,
    first_receipt_id, receipt_id, difference, excess,
    CASE
      WHEN excess > :tol_cny AND is_twice AND is_settled THEN 'paid_twice'
      WHEN status = 'paid' AND difference < -:tol_cny AND loose >= -difference THEN 'not_matched'
      WHEN status = 'paid' AND difference < -:tol_cny THEN 'paid_not_received'
      WHEN excess > :tol_cny AND is_settled THEN 'overpaid'
      WHEN status IN ('open', 'partly_paid') AND difference >= 0 AND is_settled THEN 'received_still_open'
    END AS signal
  FROM compared
),
ranked AS (
  SELECT
    bill_id, customer_id, org_id, billing_period, amount, status, due_on, received, receipts, last_on, late_fee, loose,
    first_receipt_id, receipt_id, difference, excess, signal,
    count(CASE WHEN signal <> 'not_matched' THEN 1 END) OVER (PARTITION BY customer_id) AS bills,
    sum(CASE WHEN signal = 'paid_not_received' THEN -difference END) OVER (PARTITION BY customer_id) AS missing,
    sum(CASE WHEN signal IN ('paid_twice', 'overpaid') THEN excess END) OVER (PARTITION BY customer_id) AS too_much,
    row_number() OVER (
      PARTITION BY customer_id
      ORDER BY
        CASE signal
          WHEN 'paid_twice' THEN 0 WHEN 'paid_not_received' THEN 1 WHEN 'overpaid' THEN 2 WHEN 'received_still_open' THEN 3
          ELSE 4
        END,
        abs(difference) DESC, bill_id
    ) AS place
  FROM signalled
  WHERE signal IS NOT NULL
)
SELECT
  customer_id AS subject_id,
  customer_id,
  org_id,
  :period_start AS period_start,
  :period_end AS period_end,
  CASE WHEN signal = 'not_matched' THEN 'insufficient_data' ELSE 'hit' END AS exit,
  CASE signal
    WHEN 'paid_twice' THEN 'urgent'
    WHEN 'paid_not_received' THEN 'order'
    WHEN 'overpaid' THEN 'order'
    WHEN 'received_still_open' THEN 'watch'
  END AS band,
  signal AS reason,
  CAST(NULL AS DECIMAL(18, 4)) AS energy_kwh,
  CAST(NULL AS DECIMAL(18, 2)) AS back_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS penalty_cny,
  CASE WHEN signal <> 'not_matched' THEN CAST(too_much AS DECIMAL(18, 2)) END AS refund_cny,
  CASE WHEN signal <> 'not_matched' THEN CAST(missing AS DECIMAL(18, 2)) END AS exposed_cny,
  bill_id,
  billing_period,
  status AS bill_status,
  amount AS bill_amount,
  received,
  difference,
  receipts,
  late_fee,
  last_on AS last_received_on,
  first_receipt_id,
  receipt_id,
  loose AS not_matched_cny,
  bills
FROM ranked
WHERE place = 1
