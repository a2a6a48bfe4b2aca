WITH act AS (
  SELECT
    applied_by AS staff_id, 'adjustment' AS kind, adjustment_id AS act_id, abs(amount) AS amount, applied_at AS acted_at
  FROM adjustment
  WHERE applied_by = approved_by
    AND applied_at >= CAST(:period_start AS TIMESTAMP)
    AND applied_at < CAST(:period_end AS TIMESTAMP)
  UNION ALL
  SELECT cashier_id AS staff_id, 'receipt' AS kind, receipt_id AS act_id, abs(amount) AS amount, received_at AS acted_at
  FROM receipt
  WHERE cashier_id = approved_by
    AND kind IN ('reversal', 'transfer_in', 'transfer_out')
    AND received_at >= CAST(:period_start AS TIMESTAMP)
    AND received_at < CAST(:period_end AS TIMESTAMP)
  UNION ALL
  SELECT changed_by AS staff_id, 'reading_change' AS kind, change_id AS act_id, CAST(NULL AS DECIMAL(18, 2)) AS amount, changed_at AS acted_at
  FROM reading_change
  WHERE changed_by = approved_by
    AND changed_at >= CAST(:period_start AS TIMESTAMP)
    AND changed_at < CAST(:period_end AS TIMESTAMP)
  UNION ALL
  SELECT changed_by AS staff_id, 'archive_change' AS kind, change_id AS act_id, CAST(NULL AS DECIMAL(18, 2)) AS amount, changed_at AS acted_at
  FROM archive_change
  WHERE changed_by = approved_by
    AND changed_at >= CAST(:period_start AS TIMESTAMP)
    AND changed_at < CAST(:period_end AS TIMESTAMP)
    -- metering parameters have a rule of their own, MET-026
    AND NOT (object_type IN ('usage_point', 'meter', 'instrument_transformer') AND field IN (:metering_fields))
  UNION ALL
  SELECT issued_by AS staff_id, 'bill' AS kind, bill_id AS act_id, abs(amount) AS amount, issued_at AS acted_at
  FROM bill
  WHERE issued_by = checked_by
    AND issued_at >= CAST(:period_start AS TIMESTAMP)
    AND issued_at < CAST(:period_end AS TIMESTAMP)
    AND billing_period >= :history_period
),
human AS (
  SELECT staff_id, kind, act_id, amount, acted_at
  FROM act
  WHERE staff_id NOT IN (:system_accounts)
    AND upper(staff_id) NOT IN (:system_accounts)
),
summed AS (
  SELECT
    staff_id,
    count(CASE WHEN kind = 'adjustment' THEN 1 END) AS adjustments,
    count(CASE WHEN kind = 'receipt' THEN 1 END) AS receipts,
    count(CASE WHEN kind = 'reading_change' THEN 1 END) AS reading_changes,
    count(CASE WHEN kind = 'archive_change' THEN 1 END) AS archive_changes,
    count(CASE WHEN kind = 'bill' THEN 1 END) AS bills,
    CAST(coalesce(sum(CASE WHEN kind = 'adjustment' THEN amount END), 0) AS DECIMAL(18, 2)) AS adjustment_amount,
    CAST(coalesce(sum(CASE WHEN kind = 'receipt' THEN amount END), 0) AS DECIMAL(18, 2)) AS receipt_amount,
    CAST(coalesce(sum(CASE WHEN kind = 'bill' THEN amount END), 0) AS DECIMAL(18, 2)) AS bill_amount,
    min(CASE WHEN kind = 'adjustment' THEN act_id END) AS adjustment_id,
    min(CASE WHEN kind = 'receipt' THEN act_id END) AS receipt_id,
    min(CASE WHEN kind = 'reading_change' THEN act_id END) AS reading_change_id,
    min(CASE WHEN kind = 'archive_change' THEN act_id END) AS archive_change_id,
    min(CASE WHEN kind = 'bill' THEN act_id END) AS bill_id,
    CAST(min(acted_at) AS TIMESTAMP) AS first_at,
    CAST(max(acted_at) AS TIMESTAMP) AS last_at
  FROM human
  GROUP BY staff_id
)
SELECT
  s.staff_id AS subject_id,
  CAST(NULL AS VARCHAR) AS customer_id,
  f.org_id,
  :period_start AS period_start,
  :period_end AS period_end,
  'hit' AS exit,
  CASE
    WHEN s.adjustment_amount + s.receipt_amount >= :urgent_cny THEN 'urgent'
    WHEN s.adjustments + s.receipts + s.reading_changes + s.archive_changes > 0 THEN 'order'
    ELSE 'watch'
  END AS band,
  CASE
    WHEN s.adjustments > 0 THEN 'adjustment'
    WHEN s.receipts > 0 THEN 'receipt'
    WHEN s.reading_changes > 0 THEN 'reading_change'
    WHEN s.archive_changes > 0 THEN 'archive_change'
    ELSE 'bill'
  END AS reason,
  CAST(NULL AS DECIMAL(18, 4)) AS energy_kwh,
  CAST(NULL AS DECIMAL(18, 2)) AS back_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS penalty_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS refund_cny,
  CASE
    WHEN s.adjustments + s.receipts > 0 THEN money(s.adjustment_amount + s.receipt_amount)
  END AS exposed_cny,
  s.adjustments,
  s.receipts,
  s.reading_changes,
  s.archive_changes,
  s.bills,
  s.adjustment_amount,
  s.receipt_amount,
  s.bill_amount,
  s.adjustment_id,
  s.receipt_id,
  s.reading_change_id,
  s.archive_change_id,
  s.bill_id,
  s.first_at,
  s.last_at,
  f.post
FROM summed AS s
LEFT JOIN staff AS f ON f.staff_id = s.staff_id
