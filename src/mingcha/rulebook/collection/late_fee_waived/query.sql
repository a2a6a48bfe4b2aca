WITH fee AS (
  -- the day a late fee was settled: it runs from the due date for so many days
  SELECT
    f.late_fee_id, f.bill_id, b.customer_id, b.org_id, b.billing_period, b.issued_by, b.due_on, b.amount AS bill_amount,
    f.days, f.computed, f.charged, f.waived, f.approved_by,
    CAST(b.due_on + CAST(f.days AS INTEGER) AS DATE) AS settled_on
  FROM late_fee AS f
  JOIN live_bill AS b ON b.bill_id = f.bill_id
  WHERE f.waived > :min_cny
),
counted AS (
  SELECT a.late_fee_id, count(*) AS times, CAST(sum(o.waived) AS DECIMAL(18, 2)) AS waived_in_year
  FROM fee AS a
  JOIN fee AS o
    ON o.customer_id = a.customer_id
    AND o.settled_on <= a.settled_on
    AND o.settled_on > CAST(a.settled_on - INTERVAL 12 MONTH AS DATE)
  WHERE a.settled_on >= :period_start
    AND a.settled_on <= :data_date
  GROUP BY a.late_fee_id
),
judged AS (
  SELECT
    f.late_fee_id, f.bill_id, f.customer_id, f.org_id, f.billing_period, f.issued_by, f.due_on, f.bill_amount, f.days,
    f.computed, f.charged, f.waived, f.approved_by, f.settled_on, c.times, c.waived_in_year,
    CASE
      WHEN f.approved_by IS NULL THEN 'not_approved'
      WHEN f.approved_by = f.issued_by THEN 'own_bill'
      WHEN c.times >= :times THEN 'repeated'
    END AS signal
  FROM fee AS f
  JOIN counted AS c ON c.late_fee_id = f.late_fee_id
),
gravest AS (
  SELECT
    late_fee_id, bill_id, customer_id, org_id, billing_period, issued_by, due_on, bill_amount, days, computed, charged,
    waived, approved_by, settled_on, times, waived_in_year, signal
  FROM judged
  WHERE signal IS NOT NULL
    AND customer_id NOT IN (:policy_list)
    AND coalesce(org_id, '') NOT IN (:policy_list)
  QUALIFY row_number() OVER (
    PARTITION BY bill_id
    ORDER BY CASE signal WHEN 'not_approved' THEN 0 WHEN 'own_bill' THEN 1 ELSE 2 END, waived DESC, late_fee_id
  ) = 1
)
SELECT
  bill_id AS subject_id,
  customer_id,
  org_id,
  due_on AS period_start,
  CAST(settled_on + INTERVAL 1 DAY AS DATE) AS period_end,
  'hit' AS exit,
  CASE signal
    WHEN 'not_approved' THEN 'order'
    WHEN 'own_bill' THEN 'order'
    WHEN 'repeated' THEN 'watch'
  END AS band,
  signal AS reason,
  CAST(NULL AS DECIMAL(18, 4)) AS energy_kwh,
  CASE WHEN signal IN ('not_approved', 'own_bill') THEN money(waived) END AS back_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS penalty_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS refund_cny,
  CASE WHEN signal = 'repeated' THEN money(waived) END AS exposed_cny,
  late_fee_id,
  billing_period,
  bill_amount,
  due_on,
  days AS days_late,
  computed,
  charged,
  waived,
  approved_by,
  issued_by,
  settled_on,
  times AS waivers_in_year,
  waived_in_year
FROM gravest
