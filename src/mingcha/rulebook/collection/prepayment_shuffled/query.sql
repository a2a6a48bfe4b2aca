WITH transfer AS (
  SELECT receipt_id, customer_id, counterpart_customer_id, kind, received_at, amount, cashier_id, approved_by
  FROM receipt
  WHERE kind IN ('transfer_out', 'transfer_in')
    AND received_at >= CAST(ym_start(ym_add(:period, -11)) AS TIMESTAMP)
    AND received_at < CAST(:period_end AS TIMESTAMP)
),
paired AS (
  -- one shuffle stands in the books twice, out and in: the outgoing row speaks for both
  SELECT DISTINCT i.receipt_id
  FROM transfer AS i
  JOIN transfer AS o
    ON o.kind = 'transfer_out'
    AND o.customer_id = i.counterpart_customer_id
    AND o.counterpart_customer_id = i.customer_id
    AND abs(o.amount) = abs(i.amount)
  WHERE i.kind = 'transfer_in'
    AND abs(date_diff('day', CAST(o.received_at AS DATE), CAST(i.received_at AS DATE))) <= 1
),
single AS (
  SELECT t.receipt_id, t.customer_id, t.counterpart_customer_id, t.kind, t.received_at, t.amount, t.cashier_id, t.approved_by
  FROM transfer AS t
  LEFT JOIN paired AS p ON p.receipt_id = t.receipt_id
  WHERE p.receipt_id IS NULL
),
side AS (
  SELECT customer_id, receipt_id
  FROM single
  UNION
  SELECT counterpart_customer_id AS customer_id, receipt_id
  FROM single
  WHERE counterpart_customer_id IS NOT NULL
),
often AS (
  SELECT customer_id, count(*) AS transfers
  FROM side
  GROUP BY customer_id
),
renamed AS (
  SELECT customer_id, min(ticket_id) AS ticket_id
  FROM excl_change
  WHERE kind = 'transfer_name'
    AND from_day < :period_end
    AND to_day > :period_start
  GROUP BY customer_id
),
judged AS (
  SELECT
    s.receipt_id, s.customer_id, s.counterpart_customer_id, s.kind, s.received_at, s.amount, s.cashier_id, s.approved_by,
    a.org_id,
    coalesce(n.ticket_id, q.ticket_id) AS ticket_id,
    greatest(coalesce(f.transfers, 0), coalesce(g.transfers, 0)) AS transfers,
    s.approved_by IS NULL AS unapproved,
    s.counterpart_customer_id IS NULL OR b.customer_id IS NULL AS nobody,
    a.id_number IS NULL OR b.id_number IS NULL AS holder_unknown,
    coalesce(a.id_number = b.id_number, FALSE) OR coalesce(a.account_group_id = b.account_group_id, FALSE) AS related
  FROM single AS s
  LEFT JOIN customer AS a ON a.customer_id = s.customer_id
  LEFT JOIN customer AS b ON b.customer_id = s.counterpart_customer_id
  LEFT JOIN often AS f ON f.customer_id = s.customer_id
  LEFT JOIN often AS g ON g.customer_id = s.counterpart_customer_id
  LEFT JOIN renamed AS n ON n.customer_id = s.customer_id
  LEFT JOIN renamed AS q ON q.customer_id = s.counterpart_customer_id
  WHERE s.received_at >= CAST(:period_start AS TIMESTAMP)
),
told AS (
  SELECT
    receipt_id, customer_id, counterpart_customer_id, kind, received_at, amount, cashier_id, approved_by, org_id,
    ticket_id, transfers, unapproved, nobody, holder_unknown, related,
    CASE
      WHEN ticket_id IS NOT NULL AND (unapproved OR NOT related OR transfers >= :times) THEN 'transfer_of_name'
      WHEN NOT nobody AND NOT holder_unknown AND NOT related THEN 'unrelated'
      WHEN unapproved THEN 'not_approved'
      WHEN transfers >= :times THEN 'repeated'
      WHEN nobody THEN 'counterpart_missing'
      WHEN holder_unknown AND NOT related THEN 'holder_unknown'
    END AS reason
  FROM judged
)
SELECT
  receipt_id AS subject_id,
  customer_id,
  org_id,
  :period_start AS period_start,
  :period_end AS period_end,
  CASE
    WHEN reason = 'transfer_of_name' THEN 'not_applicable'
    WHEN reason = 'counterpart_missing' THEN 'mapping_suspect'
    WHEN reason = 'holder_unknown' THEN 'insufficient_data'
    ELSE 'hit'
  END AS exit,
  CASE
    WHEN reason IN ('transfer_of_name', 'counterpart_missing', 'holder_unknown') THEN NULL
    WHEN reason = 'unrelated' AND unapproved THEN 'urgent'
    WHEN reason = 'repeated' THEN 'watch'
    ELSE 'order'
  END AS band,
  reason,
  CAST(NULL AS DECIMAL(18, 4)) AS energy_kwh,
  CAST(NULL AS DECIMAL(18, 2)) AS back_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS penalty_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS refund_cny,
  CASE
    WHEN reason IN ('transfer_of_name', 'counterpart_missing', 'holder_unknown') THEN NULL
    ELSE money(abs(amount))
  END AS exposed_cny,
  counterpart_customer_id,
  kind,
  received_at,
  amount,
  cashier_id,
  approved_by,
  transfers AS transfers_in_12_months,
  holder_unknown,
  related AS same_holder_or_group,
  ticket_id
FROM told
WHERE reason IS NOT NULL
