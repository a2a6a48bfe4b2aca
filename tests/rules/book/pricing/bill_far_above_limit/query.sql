SELECT
  bill_id AS subject_id,
  customer_id,
  org_id,
  :period_start AS period_start,
  :period_end AS period_end,
  'hit' AS exit,
  'order' AS band,
  'far_above_limit' AS reason,
  energy_kwh,
  CAST(NULL AS DECIMAL(18, 2)) AS back_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS penalty_cny,
  CAST(amount - :limit_cny AS DECIMAL(18, 2)) AS refund_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS exposed_cny,
  amount,
  CAST(amount - :limit_cny AS DECIMAL(18, 2)) AS over
FROM plain_bill
WHERE billing_period = :period
  AND amount > :limit_cny
