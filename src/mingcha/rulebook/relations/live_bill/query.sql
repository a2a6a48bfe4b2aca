WITH voided AS (
  SELECT DISTINCT original_bill_id
  FROM bill
  WHERE kind = 'void'
    AND billing_period >= :history_period
    AND original_bill_id IS NOT NULL
)
SELECT
  b.bill_id,
  b.customer_id,
  c.org_id,
  b.billing_period,
  b.kind,
  b.issued_at,
  b.issued_by,
  b.checked_by,
  b.energy_kwh,
  b.power_factor,
  b.amount,
  b.due_on,
  b.status
FROM bill AS b
LEFT JOIN customer AS c ON c.customer_id = b.customer_id
-- a plain anti join: a correlated NOT EXISTS keeps the planner from reading one month only
LEFT JOIN voided AS v ON v.original_bill_id = b.bill_id
WHERE b.kind IN ('regular', 'reissue')
  AND b.status <> 'void'
  AND b.billing_period >= :history_period
  AND b.billing_period <= :last_period
  AND v.original_bill_id IS NULL
