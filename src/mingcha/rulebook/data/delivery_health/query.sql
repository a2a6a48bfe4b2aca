WITH month_rows AS (
  SELECT 'bill' AS table_name, billing_period AS month, count(bill_id) AS row_count
  FROM bill
  WHERE billing_period >= ym_add(:period, -3) AND billing_period <= :period AND kind IN ('regular', 'reissue')
  GROUP BY billing_period
  UNION ALL
  SELECT 'reading' AS table_name, billing_period AS month, count(reading_id) AS row_count
  FROM reading
  WHERE billing_period >= ym_add(:period, -3) AND billing_period <= :period
  GROUP BY billing_period
  UNION ALL
  SELECT 'receipt' AS table_name, period_of(CAST(received_at AS DATE)) AS month, count(receipt_id) AS row_count
  FROM receipt
  WHERE received_at >= CAST(ym_start(ym_add(:period, -3)) AS TIMESTAMP) AND received_at < CAST(:period_end AS TIMESTAMP)
  GROUP BY period_of(CAST(received_at AS DATE))
  UNION ALL
  -- by the day, for months differ in their days
  SELECT
    'daily_energy' AS table_name, month, greatest(1, CAST(safe_div(sum(row_count), max(days_in_ym(month))) AS BIGINT)) AS row_count
  FROM (
    SELECT period_of(day) AS month, count(usage_point_id) AS row_count
    FROM daily_energy
    WHERE day >= ym_start(ym_add(:period, -3)) AND day < :period_end
    GROUP BY period_of(day)
  ) AS d
  GROUP BY month
),
four AS (
  SELECT
    table_name,
    coalesce(max(CASE WHEN month = :period THEN row_count END), 0) AS rows_now,
    coalesce(max(CASE WHEN month = ym_add(:period, -1) THEN row_count END), 0) AS rows_1,
    coalesce(max(CASE WHEN month = ym_add(:period, -2) THEN row_count END), 0) AS rows_2,
    coalesce(max(CASE WHEN month = ym_add(:period, -3) THEN row_count END), 0) AS rows_3
  FROM month_rows
  GROUP BY table_name
),
swung AS (
  -- of three numbers the median is what is left without the least and the most
  SELECT
    table_name, rows_now,
    rows_1 + rows_2 + rows_3 - greatest(rows_1, rows_2, rows_3) - least(rows_1, rows_2, rows_3) AS rows_usual,
    least(rows_1, rows_2, rows_3) AS fewest,
    greatest(rows_1, rows_2, rows_3) AS most
  FROM four
),
newest AS (
  SELECT 'bill' AS table_name, max(CAST(issued_at AS DATE)) AS newest_on, 31 AS cycle
  FROM bill
  WHERE billing_period >= ym_add(:period, -3) AND issued_at < CAST(:data_date + 1 AS TIMESTAMP)
  UNION ALL
  SELECT 'reading' AS table_name, max(read_on) AS newest_on, 31 AS cycle
  FROM reading
  WHERE billing_period >= ym_add(:period, -3) AND read_on <= :data_date
  UNION ALL
  SELECT 'receipt' AS table_name, max(CAST(received_at AS DATE)) AS newest_on, 1 AS cycle
  FROM receipt
  WHERE received_at >= CAST(ym_start(ym_add(:period, -3)) AS TIMESTAMP) AND received_at < CAST(:data_date + 1 AS TIMESTAMP)
  UNION ALL
  SELECT 'daily_energy' AS table_name, max(day) AS newest_on, 1 AS cycle
  FROM daily_energy
  WHERE day >= ym_start(ym_add(:period, -3)) AND day <= :data_date
),
reference AS (
  SELECT 'usage_point' AS table_name, 'customer_id' AS reference, count(u.customer_id) AS refs,
    count(CASE WHEN c.customer_id IS NULL THEN u.customer_id END) AS orphans,
    min(CASE WHEN c.customer_id IS NULL THEN u.customer_id END) AS example
  FROM usage_point AS u
  LEFT JOIN customer AS c ON c.customer_id = u.customer_id
  UNION ALL
  SELECT 'contract' AS table_name, 'customer_id' AS reference, count(u.customer_id) AS refs,
    count(CASE WHEN c.customer_id IS NULL THEN u.customer_id END) AS orphans,
    min(CASE WHEN c.customer_id IS NULL THEN u.customer_id END) AS example
  FROM contract AS u
  LEFT JOIN customer AS c ON c.customer_id = u.customer_id
  UNION ALL
  SELECT 'meter_install' AS table_name, 'meter_id' AS reference, count(u.meter_id) AS refs,
    count(CASE WHEN c.meter_id IS NULL THEN u.meter_id END) AS orphans,
    min(CASE WHEN c.meter_id IS NULL THEN u.meter_id END) AS example
  FROM meter_install AS u
  LEFT JOIN meter AS c ON c.meter_id = u.meter_id
  UNION ALL
  SELECT 'reading' AS table_name, 'usage_point_id' AS reference, count(u.usage_point_id) AS refs,
    count(CASE WHEN c.usage_point_id IS NULL THEN u.usage_point_id END) AS orphans,
    min(CASE WHEN c.usage_point_id IS NULL THEN u.usage_point_id END) AS example
  FROM reading AS u
  LEFT JOIN (SELECT DISTINCT usage_point_id FROM usage_point) AS c ON c.usage_point_id = u.usage_point_id
  WHERE u.billing_period = :period
  UNION ALL
  SELECT 'daily_energy' AS table_name, 'usage_point_id' AS reference, count(u.usage_point_id) AS refs,
    count(CASE WHEN c.usage_point_id IS NULL THEN u.usage_point_id END) AS orphans,
    min(CASE WHEN c.usage_point_id IS NULL THEN u.usage_point_id END) AS example
  FROM daily_energy AS u
  LEFT JOIN (SELECT DISTINCT usage_point_id FROM usage_point) AS c ON c.usage_point_id = u.usage_point_id
  WHERE u.day >= :period_start AND u.day < :period_end
  UNION ALL
  SELECT 'bill' AS table_name, 'customer_id' AS reference, count(u.customer_id) AS refs,
    count(CASE WHEN c.customer_id IS NULL THEN u.customer_id END) AS orphans,
    min(CASE WHEN c.customer_id IS NULL THEN u.customer_id END) AS example
  FROM bill AS u
  LEFT JOIN customer AS c ON c.customer_id = u.customer_id
  WHERE u.billing_period = :period
  UNION ALL
  SELECT 'bill_line' AS table_name, 'bill_id' AS reference, count(u.bill_id) AS refs,
    count(CASE WHEN c.bill_id IS NULL THEN u.bill_id END) AS orphans,
    min(CASE WHEN c.bill_id IS NULL THEN u.bill_id END) AS example
  FROM bill_line AS u
  LEFT JOIN bill AS c ON c.bill_id = u.bill_id
  UNION ALL
  SELECT 'receipt' AS table_name, 'bill_id' AS reference, count(u.bill_id) AS refs,
    count(CASE WHEN c.bill_id IS NULL THEN u.bill_id END) AS orphans,
    min(CASE WHEN c.bill_id IS NULL THEN u.bill_id END) AS example
  FROM receipt AS u
  LEFT JOIN bill AS c ON c.bill_id = u.bill_id
  WHERE u.received_at >= CAST(:period_start AS TIMESTAMP) AND u.received_at < CAST(:period_end AS TIMESTAMP)
),
target AS (
  -- what is referred to; a table nobody delivered resolves nothing and is not counted against the other
  SELECT 'customer_id' AS reference, count(customer_id) AS row_count FROM customer
  UNION ALL
  SELECT 'usage_point_id' AS reference, count(usage_point_id) AS row_count FROM usage_point
  UNION ALL
  SELECT 'meter_id' AS reference, count(meter_id) AS row_count FROM meter
  UNION ALL
  SELECT 'bill_id' AS reference, count(bill_id) AS row_count FROM bill
),
older_bills AS (
  -- money comes in for bills of months before: without those a receipt cannot find its bill
  SELECT count(bill_id) AS bills FROM bill WHERE billing_period <= ym_add(:period, -3)
),
measured AS (
  SELECT
    t.table_name, s.rows_now, s.rows_usual, s.fewest, s.most, n.newest_on, n.cycle,
    date_diff('day', n.newest_on, :data_date) - n.cycle AS days_late,
    r.reference, r.refs, r.orphans, r.example,
    CAST(safe_div(r.orphans, r.refs) AS DECIMAL(9, 6)) AS orphan_share,
    CAST(safe_div(s.rows_now - s.rows_usual, s.rows_usual) AS DECIMAL(12, 4)) AS change,
    k.row_count > 0 AND (t.table_name <> 'receipt' OR o.bills > 0) AS is_resolvable
  FROM delivered_table AS t
  CROSS JOIN older_bills AS o
  LEFT JOIN swung AS s ON s.table_name = t.table_name
  LEFT JOIN newest AS n ON n.table_name = t.table_name
  LEFT JOIN reference AS r ON r.table_name = t.table_name
  LEFT JOIN target AS k ON k.reference = r.reference
),
judged AS (
  SELECT
    table_name, rows_now, rows_usual, change, newest_on, days_late, reference, refs, orphans, orphan_share, example,
    CASE
      WHEN is_resolvable AND orphan_share > :orphan THEN 'references_broken'
      WHEN fewest > 0 AND change < -:swing THEN 'fewer_rows'
      WHEN days_late > :late_days THEN 'late'
      WHEN fewest > 0 AND change > :swing THEN 'more_rows'
      WHEN most = 0 AND rows_now > 0 THEN 'first_delivery'
      WHEN fewest = 0 AND most > 0 THEN 'history_short'
    END AS verdict
  FROM measured
)
SELECT
  table_name AS subject_id,
  CAST(NULL AS VARCHAR) AS customer_id,
  CAST(NULL AS VARCHAR) AS org_id,
  :period_start AS period_start,
  :period_end AS period_end,
  CASE verdict
    WHEN 'first_delivery' THEN 'not_applicable'
    WHEN 'history_short' THEN 'insufficient_data'
    ELSE 'hit'
  END AS exit,
  CASE
    WHEN verdict IN ('first_delivery', 'history_short') THEN NULL
    WHEN verdict = 'more_rows' THEN 'watch'
    ELSE 'order'
  END AS band,
  verdict AS reason,
  CAST(NULL AS DECIMAL(18, 4)) AS energy_kwh,
  CAST(NULL AS DECIMAL(18, 2)) AS back_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS penalty_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS refund_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS exposed_cny,
  rows_now,
  rows_usual,
  change,
  newest_on,
  days_late,
  reference,
  refs,
  orphans,
  orphan_share,
  example
FROM judged
WHERE verdict IS NOT NULL
