WITH cuts AS (
  SELECT
    d.disconnection_id, d.customer_id, c.org_id, c.payment_mode, d.method, d.notified_at, d.reminded_at, d.approved_by,
    d.cut_at, d.restored_at,
    CAST(d.cut_at AS DATE) AS cut_on,
    coalesce(c.payment_mode = 'prepaid', FALSE) AS is_prepaid
  FROM disconnection AS d
  LEFT JOIN customer AS c ON c.customer_id = d.customer_id
  WHERE d.cause = 'arrears'
    AND d.cut_at >= CAST(:period_start AS TIMESTAMP)
    AND d.cut_at < CAST(:period_end AS TIMESTAMP)
),
billed AS (
  SELECT d.disconnection_id, d.cut_at, b.bill_id, b.due_on, b.amount
  FROM cuts AS d
  JOIN live_bill AS b ON b.customer_id = d.customer_id
  WHERE b.issued_at < d.cut_at
    AND b.amount > 0
    AND b.status <> 'written_off'
),
paid AS (
  SELECT b.disconnection_id, b.bill_id, CAST(sum(r.amount) AS DECIMAL(18, 2)) AS amount
  FROM billed AS b
  JOIN bill_receipt AS r ON r.bill_id = b.bill_id AND r.received_at < b.cut_at
  GROUP BY b.disconnection_id, b.bill_id
),
owed AS (
  SELECT
    b.disconnection_id,
    count(*) AS bills,
    CAST(sum(b.amount - coalesce(p.amount, 0)) AS DECIMAL(18, 2)) AS unpaid,
    min(b.due_on) AS oldest_due_on,
    min(b.bill_id) AS bill_id
  FROM billed AS b
  LEFT JOIN paid AS p ON p.disconnection_id = b.disconnection_id AND p.bill_id = b.bill_id
  WHERE b.amount > coalesce(p.amount, 0)
  GROUP BY b.disconnection_id
),
purse AS (
  SELECT d.disconnection_id, p.balance, p.as_of
  FROM cuts AS d
  JOIN prepayment_balance AS p ON p.customer_id = d.customer_id
  WHERE p.as_of <= d.cut_on
  QUALIFY row_number() OVER (PARTITION BY d.disconnection_id ORDER BY p.as_of DESC) = 1
),
warned AS (
  SELECT d.disconnection_id, max(n.sent_at) AS sent_at
  FROM cuts AS d
  JOIN notice AS n ON n.customer_id = d.customer_id
  WHERE n.kind = 'prepayment_low'
    AND n.sent_at < d.cut_at
    AND CAST(n.sent_at AS DATE) >= d.cut_on - :low_days
  GROUP BY d.disconnection_id
),
notices AS (
  SELECT count(*) AS sent
  FROM notice
),
dated AS (
  -- 3 January 2000 was a Monday
  SELECT
    d.disconnection_id,
    coalesce(t.kind, CASE WHEN mod(date_diff('day', DATE '2000-01-03', d.cut_on), 7) >= 5 THEN 'rest' ELSE 'workday' END)
      AS day_kind,
    coalesce(n.kind, CASE WHEN mod(date_diff('day', DATE '2000-01-03', d.cut_on) + 1, 7) >= 5 THEN 'rest' ELSE 'workday' END)
      AS next_kind
  FROM cuts AS d
  LEFT JOIN calendar_day AS t ON t.day = d.cut_on
  LEFT JOIN calendar_day AS n ON n.day = d.cut_on + 1
),
tested AS (
  SELECT
    d.disconnection_id, d.customer_id, d.org_id, d.payment_mode, d.method, d.notified_at, d.reminded_at, d.approved_by,
    d.cut_at, d.cut_on, d.restored_at, d.is_prepaid,
    o.bills, o.unpaid, o.oldest_due_on, o.bill_id, p.balance, p.as_of, w.sent_at AS warned_at, k.day_kind, k.next_kind,
    NOT d.is_prepaid AND o.disconnection_id IS NULL AS t_nothing,
    coalesce(p.balance > 0 AND p.balance >= coalesce(o.unpaid, 0), FALSE) AS t_balance,
    NOT d.is_prepaid AND coalesce(o.oldest_due_on > d.cut_on - :overdue_days, FALSE) AS t_early,
    NOT d.is_prepaid AND coalesce(CAST(d.notified_at AS DATE) > d.cut_on - :notice_days, TRUE) AS t_notice,
    d.is_prepaid AND w.sent_at IS NULL AND s.sent > 0 AS t_low,
    coalesce(date_diff('minute', d.reminded_at, d.cut_at) < :remind_min, TRUE) AS t_remind,
    date_diff('minute', CAST(d.cut_on AS TIMESTAMP), d.cut_at) >= :night_from * 60
      OR date_diff('minute', CAST(d.cut_on AS TIMESTAMP), d.cut_at) < :night_to * 60
      OR k.day_kind <> 'workday'
      OR k.next_kind <> 'workday' AS t_time,
    d.approved_by IS NULL AS t_approval
  FROM cuts AS d
  CROSS JOIN notices AS s
  LEFT JOIN owed AS o ON o.disconnection_id = d.disconnection_id
  LEFT JOIN purse AS p ON p.disconnection_id = d.disconnection_id
  LEFT JOIN warned AS w ON w.disconnection_id = d.disconnection_id
  LEFT JOIN dated AS k ON k.disconnection_id = d.disconnection_id
),
judged AS (
  SELECT
    disconnection_id, customer_id, org_id, payment_mode, method, notified_at, reminded_at, approved_by, cut_at, cut_on,
    restored_at, bills, unpaid, oldest_due_on, bill_id, balance, as_of, warned_at, day_kind, next_kind,
    CASE
      WHEN t_balance THEN 'balance_covers'
      WHEN t_nothing THEN 'nothing_owed'
      WHEN t_early THEN 'too_early'
      WHEN t_notice THEN 'no_notice'
      WHEN t_low THEN 'not_warned'
      WHEN t_approval THEN 'not_approved'
      WHEN t_remind THEN 'no_reminder'
      ELSE 'bad_time'
    END AS verdict,
    trim(concat(
      CASE WHEN t_balance THEN 'balance_covers ' ELSE '' END,
      CASE WHEN t_nothing THEN 'nothing_owed ' ELSE '' END,
      CASE WHEN t_early THEN 'too_early ' ELSE '' END,
      CASE WHEN t_notice THEN 'no_notice ' ELSE '' END,
      CASE WHEN t_low THEN 'not_warned ' ELSE '' END,
      CASE WHEN t_approval THEN 'not_approved ' ELSE '' END,
      CASE WHEN t_remind THEN 'no_reminder ' ELSE '' END,
      CASE WHEN t_time THEN 'bad_time' ELSE '' END
    )) AS reasons
  FROM tested
  WHERE t_balance OR t_nothing OR t_early OR t_notice OR t_low OR t_approval OR t_remind OR t_time
),
gravest AS (
  SELECT
    disconnection_id, customer_id, org_id, payment_mode, method, notified_at, reminded_at, approved_by, cut_at, cut_on,
    restored_at, bills, unpaid, oldest_due_on, bill_id, balance, as_of, warned_at, day_kind, next_kind, verdict, reasons,
    count(*) OVER (PARTITION BY customer_id) AS cuts
  FROM judged
  QUALIFY row_number() OVER (
    PARTITION BY customer_id
    ORDER BY
      CASE verdict
        WHEN 'balance_covers' THEN 0 WHEN 'nothing_owed' THEN 1 WHEN 'too_early' THEN 2 WHEN 'no_notice' THEN 3
        WHEN 'not_warned' THEN 4 WHEN 'not_approved' THEN 5 WHEN 'no_reminder' THEN 6
        ELSE 7
      END,
      cut_at, disconnection_id
  ) = 1
)
SELECT
  customer_id AS subject_id,
  customer_id,
  org_id,
  cut_on AS period_start,
  CAST(cut_on + INTERVAL 1 DAY AS DATE) AS period_end,
  'hit' AS exit,
  CASE WHEN verdict IN ('balance_covers', 'nothing_owed') THEN 'urgent' ELSE 'order' END AS band,
  verdict AS reason,
  CAST(NULL AS DECIMAL(18, 4)) AS energy_kwh,
  CAST(NULL AS DECIMAL(18, 2)) AS back_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS penalty_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS refund_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS exposed_cny,
  disconnection_id,
  reasons,
  payment_mode,
  method,
  cut_at,
  day_kind,
  next_kind AS next_day_kind,
  notified_at,
  reminded_at,
  warned_at,
  approved_by,
  bills AS unpaid_bills,
  unpaid,
  oldest_due_on,
  bill_id,
  balance,
  as_of AS balance_on,
  restored_at,
  cuts
FROM gravest
