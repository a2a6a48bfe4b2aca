WITH reversal AS (
  SELECT receipt_id AS reversal_id, reversed_receipt_id, received_at AS reversed_at, cashier_id AS reversed_by, approved_by, amount
  FROM receipt
  WHERE kind = 'reversal'
    AND reversed_receipt_id IS NOT NULL
    AND received_at >= CAST(ym_start(ym_add(:period, -1)) AS TIMESTAMP)
    AND received_at < CAST(:period_end + 31 AS TIMESTAMP)
),
undone AS (
  SELECT
    r.receipt_id, r.customer_id, r.bill_id, r.received_at, r.amount, r.channel, r.instrument, r.cashier_id,
    r.payer_account, r.bank_reference,
    v.reversal_id, v.reversed_at, v.reversed_by, v.approved_by,
    CAST(r.received_at AS DATE) AS day,
    CAST(v.reversed_at AS DATE) AS reversed_day,
    count(*) OVER (PARTITION BY r.customer_id, coalesce(r.bill_id, ''), r.amount) AS times
  FROM receipt AS r
  JOIN reversal AS v ON v.reversed_receipt_id = r.receipt_id
  WHERE r.received_at >= CAST(ym_start(ym_add(:period, -2)) AS TIMESTAMP)
    AND r.received_at < CAST(:period_end AS TIMESTAMP)
    AND r.kind IN ('payment', 'prepayment', 'late_fee')
    AND r.amount > 0
),
signalled AS (
  SELECT
    receipt_id, customer_id, bill_id, received_at, amount, channel, instrument, cashier_id, payer_account, bank_reference,
    reversal_id, reversed_at, reversed_by, approved_by, day, reversed_day, times,
    day >= ym_end(period_of(received_at)) - :tail
      AND period_of(reversed_at) = ym_add(period_of(received_at), 1)
      AND reversed_day < ym_end(period_of(received_at)) + :head
      -- the tail of the screened month as far as known, and the tail before it, whose head is now complete
      AND period_of(received_at) IN (:period, ym_add(:period, -1)) AS at_month_end,
    times >= :times
      AND reversed_at >= CAST(:period_start AS TIMESTAMP)
      AND reversed_at < CAST(:period_end AS TIMESTAMP)
      AND row_number() OVER (
        PARTITION BY customer_id, coalesce(bill_id, ''), amount ORDER BY reversed_at DESC, receipt_id DESC
      ) = 1 AS again
  FROM undone
),
suspect AS (
  SELECT
    receipt_id, customer_id, bill_id, received_at, amount, channel, instrument, cashier_id, payer_account, bank_reference,
    reversal_id, reversed_at, reversed_by, approved_by, reversed_day, times, at_month_end, again
  FROM signalled
  WHERE at_month_end OR again
  QUALIFY row_number() OVER (PARTITION BY receipt_id ORDER BY reversed_at, reversal_id) = 1
),
entered AS (
  SELECT receipt_id, customer_id, bill_id, received_at, amount, cashier_id, payer_account, bank_reference, CAST(received_at AS DATE) AS day
  FROM receipt
  WHERE kind IN ('payment', 'prepayment')
    AND received_at >= CAST(ym_start(ym_add(:period, -1)) AS TIMESTAMP)
    AND received_at < CAST(:period_end + 62 AS TIMESTAMP)
    AND amount IN (SELECT amount FROM suspect)
),
moved AS (
  -- the payment was put on the wrong account and moved to the right one the same day
  SELECT s.receipt_id, min(e.receipt_id) AS right_receipt_id
  FROM suspect AS s
  JOIN entered AS e ON e.amount = s.amount AND e.day = s.reversed_day
  WHERE e.customer_id <> s.customer_id
    AND (e.cashier_id = s.reversed_by OR e.bank_reference = s.bank_reference OR e.payer_account = s.payer_account)
  GROUP BY s.receipt_id
),
reentered AS (
  SELECT s.receipt_id, min(e.received_at) AS reentered_at
  FROM suspect AS s
  JOIN entered AS e ON e.amount = s.amount AND e.customer_id = s.customer_id
  WHERE e.received_at >= s.reversed_at
    AND e.receipt_id <> s.receipt_id
  GROUP BY s.receipt_id
)
SELECT
  s.receipt_id AS subject_id,
  s.customer_id,
  c.org_id,
  :period_start AS period_start,
  :period_end AS period_end,
  CASE WHEN m.right_receipt_id IS NOT NULL THEN 'not_applicable' ELSE 'hit' END AS exit,
  CASE
    WHEN m.right_receipt_id IS NOT NULL THEN NULL
    WHEN s.amount >= :urgent_cny THEN 'urgent'
    WHEN NOT s.again AND CAST(e.reentered_at AS DATE) = s.reversed_day THEN 'watch'
    ELSE 'order'
  END AS band,
  CASE
    WHEN m.right_receipt_id IS NOT NULL THEN 'wrong_account'
    WHEN s.at_month_end THEN 'month_end'
    ELSE 'reversed_again'
  END AS reason,
  CAST(NULL AS DECIMAL(18, 4)) AS energy_kwh,
  CAST(NULL AS DECIMAL(18, 2)) AS back_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS penalty_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS refund_cny,
  CASE WHEN m.right_receipt_id IS NULL THEN money(s.amount) END AS exposed_cny,
  s.bill_id,
  s.received_at,
  s.amount,
  s.channel,
  s.instrument,
  s.cashier_id,
  s.reversal_id,
  s.reversed_at,
  s.reversed_by,
  s.approved_by,
  s.times AS reversals,
  e.reentered_at,
  m.right_receipt_id
FROM suspect AS s
LEFT JOIN moved AS m ON m.receipt_id = s.receipt_id
LEFT JOIN reentered AS e ON e.receipt_id = s.receipt_id
LEFT JOIN customer AS c ON c.customer_id = s.customer_id
