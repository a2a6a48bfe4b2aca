WITH original AS (
  SELECT receipt_id, bill_id, kind
  FROM receipt
  WHERE kind IN ('payment', 'prepayment_use')
    AND received_at >= CAST(:history_start AS TIMESTAMP)
),
-- a reversal counts against the bill of what it reverses, also where it names no bill itself
undone AS (
  SELECT
    r.receipt_id, r.customer_id, r.received_at, r.kind, r.amount, r.reversed_receipt_id,
    coalesce(o.bill_id, r.bill_id) AS bill_id,
    o.receipt_id AS original_id
  FROM receipt AS r
  LEFT JOIN original AS o ON o.receipt_id = r.reversed_receipt_id
  WHERE r.kind IN ('reversal', 'refund')
    AND r.received_at >= CAST(:history_start AS TIMESTAMP)
)
SELECT
  receipt_id,
  customer_id,
  bill_id,
  received_at,
  kind,
  amount,
  CAST(NULL AS VARCHAR) AS reversed_receipt_id
FROM receipt
WHERE kind IN ('payment', 'prepayment_use')
  AND received_at >= CAST(:history_start AS TIMESTAMP)
  AND received_at < CAST(:data_date + INTERVAL 1 DAY AS TIMESTAMP)
UNION ALL
SELECT
  receipt_id,
  customer_id,
  bill_id,
  received_at,
  kind,
  CAST(-abs(amount) AS DECIMAL(18, 2)) AS amount,
  reversed_receipt_id
FROM undone
WHERE received_at < CAST(:data_date + INTERVAL 1 DAY AS TIMESTAMP)
  -- the reversal of a late fee, a prepayment or a deposit takes nothing from a bill
  AND (original_id IS NOT NULL OR reversed_receipt_id IS NULL)
