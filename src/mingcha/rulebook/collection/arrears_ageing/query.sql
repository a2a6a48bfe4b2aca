WITH overdue AS (
  SELECT bill_id, customer_id, org_id, billing_period, amount, due_on
  FROM live_bill
  WHERE status IN ('open', 'partly_paid')
    AND amount > 0
    AND due_on < :data_date
),
got AS (
  SELECT o.bill_id, CAST(sum(r.amount) AS DECIMAL(18, 2)) AS received
  FROM overdue AS o
  JOIN bill_receipt AS r ON r.bill_id = o.bill_id
  GROUP BY o.bill_id
),
unpaid AS (
  SELECT
    o.bill_id, o.customer_id, o.org_id, o.billing_period, o.due_on,
    date_diff('day', o.due_on, :data_date) AS age,
    CAST(o.amount - coalesce(g.received, 0) AS DECIMAL(18, 2)) AS unpaid
  FROM overdue AS o
  LEFT JOIN got AS g ON g.bill_id = o.bill_id
  WHERE o.amount > coalesce(g.received, 0)
),
reminded AS (
  SELECT u.bill_id, max(n.sent_at) AS sent_at
  FROM unpaid AS u
  JOIN notice AS n ON n.customer_id = u.customer_id AND (n.bill_id = u.bill_id OR n.bill_id IS NULL)
  WHERE n.kind = 'payment_reminder'
    AND CAST(n.sent_at AS DATE) > u.due_on
    AND CAST(n.sent_at AS DATE) <= :data_date
  GROUP BY u.bill_id
),
cut AS (
  SELECT u.bill_id, max(d.cut_at) AS cut_at
  FROM unpaid AS u
  JOIN disconnection AS d ON d.customer_id = u.customer_id
  WHERE CAST(d.cut_at AS DATE) > u.due_on
    AND CAST(d.cut_at AS DATE) <= :data_date
  GROUP BY u.bill_id
),
notices AS (
  SELECT count(*) AS sent
  FROM notice
),
fee AS (
  -- on what is unpaid today, so never too much where parts were paid on the way
  SELECT
    u.bill_id,
    CAST(
      CAST(u.unpaid AS DECIMAL(19, 4)) * CASE
        WHEN c.usage_category = 'residential' THEN :rate_residential * u.age
        WHEN substring(CAST(u.due_on AS VARCHAR), 1, 4) = substring(CAST(:data_date AS VARCHAR), 1, 4)
          THEN :rate_other * u.age
        ELSE :rate_other * date_diff('day', u.due_on, CAST(concat(substring(CAST(u.due_on AS VARCHAR), 1, 4), '-12-31') AS DATE))
          + :rate_carried * date_diff('day', CAST(concat(substring(CAST(u.due_on AS VARCHAR), 1, 4), '-12-31') AS DATE), :data_date)
      END AS DECIMAL(18, 2)) AS late_fee
  FROM unpaid AS u
  JOIN customer AS c ON c.customer_id = u.customer_id
),
account AS (
  SELECT
    u.customer_id,
    max(u.org_id) AS org_id,
    count(*) AS bills,
    min(u.due_on) AS oldest_due_on,
    max(u.age) AS oldest_age,
    min(u.billing_period) AS oldest_period,
    CAST(sum(u.unpaid) AS DECIMAL(18, 2)) AS unpaid,
    CAST(sum(CASE WHEN u.age <= 30 THEN u.unpaid END) AS DECIMAL(18, 2)) AS unpaid_to_30,
    CAST(sum(CASE WHEN u.age > 30 AND u.age <= 90 THEN u.unpaid END) AS DECIMAL(18, 2)) AS unpaid_31_90,
    CAST(sum(CASE WHEN u.age > 90 AND u.age <= 180 THEN u.unpaid END) AS DECIMAL(18, 2)) AS unpaid_91_180,
    CAST(sum(CASE WHEN u.age > 180 AND u.age <= 365 THEN u.unpaid END) AS DECIMAL(18, 2)) AS unpaid_181_365,
    CAST(sum(CASE WHEN u.age > 365 THEN u.unpaid END) AS DECIMAL(18, 2)) AS unpaid_over_365,
    CAST(coalesce(sum(CASE WHEN u.age > :age THEN u.unpaid END), 0) AS DECIMAL(18, 2)) AS aged,
    CAST(coalesce(sum(CASE
      WHEN u.age > :chase_age AND r.sent_at IS NULL AND x.cut_at IS NULL THEN u.unpaid
    END), 0) AS DECIMAL(18, 2)) AS not_chased,
    max(r.sent_at) AS reminded_at,
    max(x.cut_at) AS cut_at,
    CAST(sum(f.late_fee) AS DECIMAL(18, 2)) AS late_fee
  FROM unpaid AS u
  LEFT JOIN reminded AS r ON r.bill_id = u.bill_id
  LEFT JOIN cut AS x ON x.bill_id = u.bill_id
  LEFT JOIN fee AS f ON f.bill_id = u.bill_id
  GROUP BY u.customer_id
),
oldest AS (
  SELECT customer_id, bill_id
  FROM unpaid
  QUALIFY row_number() OVER (PARTITION BY customer_id ORDER BY due_on, bill_id) = 1
),
loose AS (
  -- money of the customer that was matched to no bill may have paid these
  SELECT r.customer_id, CAST(sum(r.amount) AS DECIMAL(18, 2)) AS amount
  FROM bill_receipt AS r
  JOIN account AS a ON a.customer_id = r.customer_id
  WHERE r.bill_id IS NULL
    AND r.kind IN ('payment', 'prepayment_use')
    AND r.received_at >= CAST(ym_start(a.oldest_period) AS TIMESTAMP)
  GROUP BY r.customer_id
),
disputed AS (
  SELECT customer_id, min(request_id) AS request_id
  FROM service_request
  WHERE topic = 'price'
    AND customer_id IS NOT NULL
    AND CAST(received_at AS DATE) <= :data_date
    AND (closed_at IS NULL OR CAST(closed_at AS DATE) > :data_date)
  GROUP BY customer_id
),
judged AS (
  SELECT
    a.customer_id, a.org_id, a.bills, a.oldest_due_on, a.oldest_age, a.unpaid, a.unpaid_to_30, a.unpaid_31_90, a.unpaid_91_180,
    a.unpaid_181_365, a.unpaid_over_365, a.aged, a.not_chased, a.reminded_at, a.cut_at, a.late_fee, o.bill_id,
    coalesce(l.amount, 0) AS loose, d.request_id, c.status AS customer_status,
    CASE
      WHEN a.aged >= :min_cny AND a.aged > 0 THEN 'old_arrears'
      WHEN n.sent = 0 THEN 'notices_unknown'
      ELSE 'not_chased'
    END AS signal
  FROM account AS a
  JOIN oldest AS o ON o.customer_id = a.customer_id
  CROSS JOIN notices AS n
  LEFT JOIN loose AS l ON l.customer_id = a.customer_id
  LEFT JOIN disputed AS d ON d.customer_id = a.customer_id
  LEFT JOIN customer AS c ON c.customer_id = a.customer_id
  WHERE (a.aged >= :min_cny AND a.aged > 0)
    OR (a.not_chased >= :chase_cny AND a.not_chased > 0)
),
told AS (
  SELECT
    customer_id, org_id, bills, oldest_due_on, oldest_age, unpaid, unpaid_to_30, unpaid_31_90, unpaid_91_180, unpaid_181_365,
    unpaid_over_365, not_chased, reminded_at, cut_at, late_fee, bill_id, loose, request_id, customer_status,
    CASE
      WHEN request_id IS NOT NULL THEN 'disputed'
      WHEN loose >= unpaid THEN 'not_matched'
      ELSE signal
    END AS verdict
  FROM judged
)
SELECT
  customer_id AS subject_id,
  customer_id,
  org_id,
  :period_start AS period_start,
  :period_end AS period_end,
  CASE
    WHEN verdict = 'disputed' THEN 'not_applicable'
    WHEN verdict IN ('not_matched', 'notices_unknown') THEN 'insufficient_data'
    ELSE 'hit'
  END AS exit,
  CASE
    WHEN verdict NOT IN ('old_arrears', 'not_chased') THEN NULL
    WHEN verdict = 'old_arrears' AND oldest_age > :urgent_age THEN 'urgent'
    WHEN verdict = 'not_chased' OR not_chased >= :chase_cny OR oldest_age > :order_age THEN 'order'
    ELSE 'watch'
  END AS band,
  verdict AS reason,
  CAST(NULL AS DECIMAL(18, 4)) AS energy_kwh,
  CAST(NULL AS DECIMAL(18, 2)) AS back_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS penalty_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS refund_cny,
  CASE WHEN verdict IN ('old_arrears', 'not_chased') THEN unpaid END AS exposed_cny,
  customer_status,
  bills,
  bill_id AS oldest_bill_id,
  oldest_due_on,
  oldest_age,
  unpaid,
  unpaid_to_30,
  unpaid_31_90,
  unpaid_91_180,
  unpaid_181_365,
  unpaid_over_365,
  not_chased AS not_chased_cny,
  reminded_at,
  cut_at,
  late_fee AS late_fee_to_date,
  loose AS not_matched_cny,
  request_id
FROM told
