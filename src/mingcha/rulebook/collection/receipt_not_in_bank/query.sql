WITH reversed AS (
  SELECT DISTINCT reversed_receipt_id
  FROM receipt
  WHERE kind = 'reversal'
    AND reversed_receipt_id IS NOT NULL
    AND received_at >= CAST(:period_start - 31 AS TIMESTAMP)
),
money_in AS (
  SELECT
    r.receipt_id, r.customer_id, r.bill_id, r.received_at, r.amount, r.kind, r.channel, r.instrument,
    r.cashier_id, nullif(trim(r.bank_reference), '') AS bank_reference,
    CAST(r.received_at AS DATE) AS day,
    v.reversed_receipt_id IS NOT NULL AS was_reversed
  FROM receipt AS r
  LEFT JOIN reversed AS v ON v.reversed_receipt_id = r.receipt_id
  WHERE r.received_at >= CAST(:period_start - 31 AS TIMESTAMP)
    AND r.received_at < CAST(:period_end + 31 AS TIMESTAMP)
    AND r.kind IN ('payment', 'prepayment')
    AND r.amount > 0
    -- where the instrument is not recorded, the channel tells whether it can have been cash
    AND (r.instrument <> 'cash' OR (r.instrument IS NULL AND r.channel IN ('bank', 'online', 'agent', 'third_party')))
    AND (r.instrument IS NULL OR r.instrument <> 'bill_of_exchange')
),
statement AS (
  SELECT
    statement_id, booked_on, amount, payer_name,
    nullif(trim(reference), '') AS reference
  FROM bank_statement
  WHERE booked_on >= :period_start - 45
    AND booked_on < :period_end + 45
),
cover AS (
  SELECT min(booked_on) AS from_day, max(booked_on) AS to_day
  FROM statement
),
batch AS (
  SELECT
    bank_reference,
    count(*) AS receipts,
    min(receipt_id) AS first_receipt_id,
    min(day) AS first_day,
    CAST(sum(amount) AS DECIMAL(18, 2)) AS amount
  FROM money_in
  WHERE bank_reference IS NOT NULL
    AND NOT was_reversed
  GROUP BY bank_reference
),
booked AS (
  SELECT
    reference,
    min(statement_id) AS statement_id,
    min(booked_on) AS booked_on,
    max(payer_name) AS payer_name,
    CAST(sum(amount) AS DECIMAL(18, 2)) AS amount
  FROM statement
  WHERE reference IS NOT NULL
  GROUP BY reference
),
loose AS (
  -- money on the account that names no reference: it can still be the receipt's
  SELECT amount, min(booked_on) AS first_on, max(booked_on) AS last_on
  FROM statement
  WHERE reference IS NULL
  GROUP BY amount
),
bank_day AS (
  -- working days since Monday 2000-01-03, corrected by the calendar's exceptions
  SELECT
    x.day,
    5 * (date_diff('day', DATE '2000-01-03', x.day) // 7) + least(date_diff('day', DATE '2000-01-03', x.day) % 7 + 1, 5)
      + coalesce(CAST(sum(e.shift) AS INTEGER), 0) AS workdays
  FROM (
    SELECT day
    FROM money_in
    UNION
    SELECT booked_on AS day
    FROM statement
    UNION
    SELECT to_day AS day
    FROM cover
    WHERE to_day IS NOT NULL
  ) AS x
  LEFT JOIN (
    SELECT
      day,
      CASE
        WHEN kind = 'workday' AND date_diff('day', DATE '2000-01-03', day) % 7 >= 5 THEN 1
        WHEN kind <> 'workday' AND date_diff('day', DATE '2000-01-03', day) % 7 < 5 THEN -1
        ELSE 0
      END AS shift
    FROM calendar_day
    WHERE day >= :period_start - 45
      AND day < :period_end + 45
  ) AS e ON e.day <= x.day
  GROUP BY x.day
),
matched AS (
  SELECT
    m.receipt_id, m.customer_id, m.bill_id, m.received_at, m.day, m.amount, m.kind, m.channel, m.instrument,
    m.cashier_id, m.bank_reference, m.was_reversed,
    b.receipts, b.first_receipt_id, b.amount AS batch_amount,
    s.statement_id, s.booked_on, s.amount AS booked_amount, s.payer_name AS booked_payer,
    l.amount IS NOT NULL AS loose_match,
    rd.workdays AS receipt_workdays,
    sd.workdays AS booked_workdays,
    cd.workdays AS cover_workdays,
    v.from_day AS cover_from
  FROM money_in AS m
  CROSS JOIN cover AS v
  LEFT JOIN batch AS b ON b.bank_reference = m.bank_reference
  LEFT JOIN booked AS s ON s.reference = m.bank_reference
  LEFT JOIN loose AS l
    ON l.amount = m.amount
    AND l.last_on >= m.day - 7
    AND l.first_on <= m.day + 7
    AND s.reference IS NULL
  LEFT JOIN bank_day AS rd ON rd.day = m.day
  LEFT JOIN bank_day AS sd ON sd.day = s.booked_on
  LEFT JOIN bank_day AS cd ON cd.day = v.to_day
  WHERE m.received_at >= CAST(:period_start AS TIMESTAMP)
    AND m.received_at < CAST(:period_end AS TIMESTAMP)
),
judged AS (
  SELECT
    receipt_id, customer_id, bill_id, received_at, day, amount, kind, channel, instrument, cashier_id,
    bank_reference, receipts, first_receipt_id, batch_amount, statement_id, booked_on, booked_amount, booked_payer,
    CASE
      WHEN was_reversed THEN 'reversed'
      WHEN cover_workdays IS NULL OR cover_from > day + 7 THEN 'no_statements'
      WHEN statement_id IS NULL AND loose_match THEN NULL
      WHEN statement_id IS NULL AND cover_workdays - receipt_workdays <= :match_wd THEN 'not_yet_due'
      WHEN statement_id IS NULL AND bank_reference IS NULL AND channel IN ('agent', 'third_party') THEN 'settled_in_total'
      WHEN statement_id IS NULL AND bank_reference IS NULL THEN 'no_reference'
      WHEN statement_id IS NULL THEN 'not_in_bank'
      WHEN abs(batch_amount - booked_amount) > :tol_cny THEN 'amount_differs'
      WHEN booked_workdays - receipt_workdays > :match_wd THEN 'booked_late'
      WHEN booked_payer IS NOT NULL AND receipts = 1 THEN 'check_payer'
    END AS reason
  FROM matched
),
named AS (
  SELECT
    j.receipt_id, j.amount, j.booked_payer, j.bank_reference, j.customer_id, own.name AS own_name
  FROM judged AS j
  JOIN customer AS own ON own.customer_id = j.customer_id
  WHERE j.reason = 'check_payer'
    AND j.booked_payer <> own.name
    AND NOT contains(j.booked_payer, own.name)
    AND NOT contains(own.name, j.booked_payer)
),
other AS (
  SELECT n.receipt_id, n.amount, c.customer_id AS other_customer_id
  FROM named AS n
  JOIN customer AS c ON c.name = n.booked_payer AND c.customer_id <> n.customer_id
  UNION ALL
  SELECT n.receipt_id, n.amount, c.customer_id AS other_customer_id
  FROM named AS n
  JOIN customer AS c ON c.customer_id = n.bank_reference AND c.customer_id <> n.customer_id
),
misplaced AS (
  SELECT o.receipt_id, min(o.other_customer_id) AS other_customer_id, min(b.bill_id) AS other_bill_id
  FROM other AS o
  JOIN bill AS b ON b.customer_id = o.other_customer_id AND b.amount = o.amount
  WHERE b.status IN ('open', 'partly_paid')
    AND b.kind IN ('regular', 'reissue', 'supplementary')
    AND b.billing_period >= :history_period
  GROUP BY o.receipt_id
),
told AS (
  SELECT
    j.receipt_id, j.customer_id, j.bill_id, j.received_at, j.amount, j.kind, j.channel, j.instrument,
    j.cashier_id, j.bank_reference, j.receipts, j.batch_amount, j.statement_id, j.booked_on, j.booked_amount,
    m.other_customer_id, m.other_bill_id,
    CASE WHEN j.reason = 'check_payer' THEN 'other_customer' ELSE j.reason END AS reason
  FROM judged AS j
  LEFT JOIN misplaced AS m ON m.receipt_id = j.receipt_id
  WHERE j.reason IS NOT NULL
    AND (j.reason <> 'check_payer' OR m.receipt_id IS NOT NULL)
    -- a batch that does not add up, or came late, is one fact: its first receipt speaks for it
    AND (j.reason NOT IN ('amount_differs', 'booked_late', 'not_in_bank') OR j.receipt_id = j.first_receipt_id)
)
SELECT
  t.receipt_id AS subject_id,
  t.customer_id,
  c.org_id,
  :period_start AS period_start,
  :period_end AS period_end,
  CASE
    WHEN t.reason IN ('reversed', 'settled_in_total') THEN 'not_applicable'
    WHEN t.reason IN ('no_statements', 'not_yet_due') THEN 'insufficient_data'
    ELSE 'hit'
  END AS exit,
  CASE
    WHEN t.reason IN ('reversed', 'settled_in_total', 'no_statements', 'not_yet_due') THEN NULL
    WHEN t.reason IN ('no_reference', 'booked_late') THEN 'watch'
    WHEN t.reason = 'not_in_bank' AND coalesce(t.batch_amount, t.amount) >= :urgent_cny THEN 'urgent'
    ELSE 'order'
  END AS band,
  t.reason,
  CAST(NULL AS DECIMAL(18, 4)) AS energy_kwh,
  CAST(NULL AS DECIMAL(18, 2)) AS back_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS penalty_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS refund_cny,
  CASE
    WHEN t.reason IN ('reversed', 'settled_in_total', 'no_statements', 'not_yet_due') THEN NULL
    WHEN t.reason = 'amount_differs' THEN money(abs(t.batch_amount - t.booked_amount))
    WHEN t.reason = 'not_in_bank' THEN money(t.batch_amount)
    ELSE money(t.amount)
  END AS exposed_cny,
  t.received_at,
  t.amount,
  t.kind,
  t.channel,
  t.instrument,
  t.cashier_id,
  t.bill_id,
  t.bank_reference,
  t.receipts AS receipts_of_reference,
  t.batch_amount AS receipts_amount,
  t.statement_id,
  t.booked_on,
  t.booked_amount,
  t.other_customer_id,
  t.other_bill_id
FROM told AS t
LEFT JOIN customer AS c ON c.customer_id = t.customer_id
