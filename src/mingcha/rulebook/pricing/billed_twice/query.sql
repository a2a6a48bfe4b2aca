WITH several AS (
  SELECT customer_id
  FROM live_bill
  WHERE billing_period = :period
    AND kind = 'regular'
    -- an empty bill charges nothing, so it is nobody's double
    AND (energy_kwh <> 0 OR amount <> 0)
  GROUP BY customer_id
  HAVING count(*) > 1
),
issued AS (
  SELECT
    b.bill_id, b.customer_id, b.org_id, b.issued_at, b.issued_by, b.energy_kwh, b.amount, b.status,
    row_number() OVER (PARTITION BY b.customer_id ORDER BY b.issued_at, b.bill_id) AS turn
  FROM live_bill AS b
  JOIN several AS s ON s.customer_id = b.customer_id
  WHERE b.billing_period = :period
    AND b.kind = 'regular'
    AND (b.energy_kwh <> 0 OR b.amount <> 0)
),
lined AS (
  SELECT DISTINCT b.customer_id, b.bill_id, l.usage_point_id
  FROM issued AS b
  JOIN bill_line AS l ON l.bill_id = b.bill_id
  WHERE l.usage_point_id IS NOT NULL
),
pointless AS (
  -- where one bill of a customer names no point, its bills are compared as wholes
  SELECT DISTINCT b.customer_id
  FROM issued AS b
  LEFT JOIN lined AS l ON l.bill_id = b.bill_id
  WHERE l.bill_id IS NULL
),
billed AS (
  SELECT l.customer_id, l.bill_id, l.usage_point_id
  FROM lined AS l
  LEFT JOIN pointless AS n ON n.customer_id = l.customer_id
  WHERE n.customer_id IS NULL
  UNION ALL
  SELECT b.customer_id, b.bill_id, '*' AS usage_point_id
  FROM issued AS b
  JOIN pointless AS n ON n.customer_id = b.customer_id
),
taken AS (
  SELECT r.reading_id, r.customer_id, r.usage_point_id, r.meter_id, r.start_value, r.end_value, r.started_on, r.read_on, r.energy
  FROM reading_step AS r
  JOIN several AS s ON s.customer_id = r.customer_id
  WHERE r.billing_period = :period
    AND r.register = 'active'
    AND r.role = 'sale'
    AND r.energy <> 0
),
repeated AS (
  -- a reading that counts again what another one counted: same meter, days and index ranges overlap
  SELECT DISTINCT a.reading_id
  FROM taken AS a
  JOIN taken AS b
    ON b.usage_point_id = a.usage_point_id
    AND b.meter_id = a.meter_id
    AND (b.read_on < a.read_on OR (b.read_on = a.read_on AND b.reading_id < a.reading_id))
  WHERE a.started_on < b.read_on
    AND b.started_on < a.read_on
    AND least(a.end_value, b.end_value) - greatest(a.start_value, b.start_value) > :overlap_index
),
support AS (
  -- the readings bills can rest on: each stretch of a meter once
  SELECT
    t.customer_id, t.usage_point_id,
    count(*) AS readings,
    count(CASE WHEN r.reading_id IS NULL THEN 1 END) AS stretches,
    CAST(sum(CASE WHEN r.reading_id IS NULL THEN t.energy ELSE 0 END) AS DECIMAL(18, 4)) AS read_kwh
  FROM taken AS t
  LEFT JOIN repeated AS r ON r.reading_id = t.reading_id
  GROUP BY t.customer_id, t.usage_point_id
),
whole AS (
  SELECT
    customer_id,
    CAST(sum(readings) AS INTEGER) AS readings,
    CAST(sum(stretches) AS INTEGER) AS stretches,
    CAST(sum(read_kwh) AS DECIMAL(18, 4)) AS read_kwh
  FROM support
  GROUP BY customer_id
),
billed_total AS (
  SELECT customer_id, CAST(sum(energy_kwh) AS DECIMAL(18, 4)) AS billed_kwh
  FROM issued
  GROUP BY customer_id
),
ranked AS (
  SELECT
    p.customer_id, p.bill_id, p.usage_point_id, b.turn,
    row_number() OVER (PARTITION BY p.customer_id, p.usage_point_id ORDER BY b.turn) AS place,
    first_value(p.bill_id) OVER (PARTITION BY p.customer_id, p.usage_point_id ORDER BY b.turn) AS first_bill_id
  FROM billed AS p
  JOIN issued AS b ON b.bill_id = p.bill_id
),
judged AS (
  SELECT
    k.customer_id, k.bill_id, k.usage_point_id, k.place, k.first_bill_id,
    coalesce(CASE WHEN k.usage_point_id = '*' THEN w.readings ELSE s.readings END, 0) AS readings,
    coalesce(CASE WHEN k.usage_point_id = '*' THEN w.stretches ELSE s.stretches END, 0) AS stretches,
    w.read_kwh, t.billed_kwh,
    b.org_id, b.issued_at, b.issued_by, b.energy_kwh, b.amount, b.status,
    f.energy_kwh AS first_energy_kwh, f.amount AS first_amount, f.issued_at AS first_issued_at,
    f.energy_kwh = b.energy_kwh AND f.amount = b.amount AS twin
  FROM ranked AS k
  JOIN issued AS b ON b.bill_id = k.bill_id
  JOIN issued AS f ON f.bill_id = k.first_bill_id
  JOIN billed_total AS t ON t.customer_id = k.customer_id
  LEFT JOIN support AS s ON s.customer_id = k.customer_id AND s.usage_point_id = k.usage_point_id
  LEFT JOIN whole AS w ON w.customer_id = k.customer_id
  WHERE k.place > 1
    AND (b.energy_kwh > 0 OR b.amount > 0)
),
told AS (
  SELECT
    customer_id, bill_id, usage_point_id, first_bill_id, readings, stretches, read_kwh, billed_kwh, org_id, issued_at,
    issued_by, energy_kwh, amount, status, first_energy_kwh, first_amount, first_issued_at,
    CASE
      WHEN readings = 0 AND twin THEN 'identical_bills'
      WHEN readings = 0 THEN 'no_reading'
      WHEN place > stretches AND stretches < readings THEN 'overlapping_readings'
      WHEN place > stretches THEN 'same_reading'
      -- a meter change leaves two readings, which may hide a twin: the energy gives it away
      WHEN twin AND energy_kwh > 0 AND billed_kwh >= read_kwh + :twin_share * energy_kwh THEN 'identical_bills'
    END AS reason
  FROM judged
),
chosen AS (
  SELECT
    customer_id, bill_id, usage_point_id, first_bill_id, readings, stretches, read_kwh, billed_kwh, org_id, issued_at,
    issued_by, energy_kwh, amount, status, first_energy_kwh, first_amount, first_issued_at, reason,
    count(*) OVER (PARTITION BY bill_id) AS points
  FROM told
  WHERE reason IS NOT NULL
  QUALIFY row_number() OVER (
    PARTITION BY bill_id
    ORDER BY CASE WHEN reason = 'no_reading' THEN 1 ELSE 0 END, usage_point_id
  ) = 1
),
returned AS (
  SELECT original_bill_id, min(bill_id) AS refund_bill_id
  FROM bill
  WHERE kind = 'refund'
    AND billing_period >= :period
    AND original_bill_id IS NOT NULL
  GROUP BY original_bill_id
),
fixed AS (
  SELECT f.customer_id, min(f.adjustment_id) AS adjustment_id
  FROM excl_fix AS f
  JOIN adjustment AS a ON a.adjustment_id = f.adjustment_id
  WHERE a.kind = 'refund'
    AND a.cause IN ('misreading', 'archive', 'other')
    AND f.from_day < :period_end
    AND f.to_day > :period_start
  GROUP BY f.customer_id
),
common AS (
  -- what the second bill charges on points the first one also billed
  SELECT l.bill_id, CAST(sum(l.amount) AS DECIMAL(18, 2)) AS amount
  FROM bill_line AS l
  JOIN told AS t ON t.bill_id = l.bill_id AND t.usage_point_id = l.usage_point_id
  WHERE t.reason IS NOT NULL
  GROUP BY l.bill_id
),
spread AS (
  SELECT bill_id, count(*) AS points
  FROM lined
  GROUP BY bill_id
)
SELECT
  c.bill_id AS subject_id,
  c.customer_id,
  c.org_id,
  :period_start AS period_start,
  :period_end AS period_end,
  CASE
    WHEN c.reason = 'no_reading' THEN 'insufficient_data'
    WHEN r.refund_bill_id IS NOT NULL OR o.refund_bill_id IS NOT NULL OR x.adjustment_id IS NOT NULL THEN 'not_applicable'
    ELSE 'hit'
  END AS exit,
  CASE
    WHEN c.reason = 'no_reading' OR r.refund_bill_id IS NOT NULL OR o.refund_bill_id IS NOT NULL
      OR x.adjustment_id IS NOT NULL THEN NULL
    WHEN c.amount >= :urgent_cny THEN 'urgent'
    ELSE 'order'
  END AS band,
  CASE
    WHEN c.reason <> 'no_reading'
      AND (r.refund_bill_id IS NOT NULL OR o.refund_bill_id IS NOT NULL OR x.adjustment_id IS NOT NULL)
      THEN 'refunded'
    ELSE c.reason
  END AS reason,
  kwh(-c.energy_kwh) AS energy_kwh,
  CAST(NULL AS DECIMAL(18, 2)) AS back_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS penalty_cny,
  CASE
    WHEN c.reason = 'no_reading' OR r.refund_bill_id IS NOT NULL OR o.refund_bill_id IS NOT NULL
      OR x.adjustment_id IS NOT NULL OR c.amount <= 0 THEN NULL
    WHEN c.usage_point_id = '*' OR c.points >= p.points OR coalesce(m.amount, 0) <= 0 THEN c.amount
    ELSE m.amount
  END AS refund_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS exposed_cny,
  c.first_bill_id,
  CASE WHEN c.usage_point_id <> '*' THEN c.usage_point_id END AS usage_point_id,
  c.first_energy_kwh,
  c.energy_kwh AS second_energy_kwh,
  c.first_amount,
  c.amount AS second_amount,
  c.first_issued_at,
  c.issued_at AS second_issued_at,
  c.issued_by,
  c.status AS second_status,
  c.readings,
  c.stretches,
  c.read_kwh,
  c.billed_kwh,
  coalesce(r.refund_bill_id, o.refund_bill_id) AS refund_bill_id,
  x.adjustment_id
FROM chosen AS c
LEFT JOIN returned AS r ON r.original_bill_id = c.bill_id
LEFT JOIN returned AS o ON o.original_bill_id = c.first_bill_id
LEFT JOIN fixed AS x ON x.customer_id = c.customer_id
LEFT JOIN common AS m ON m.bill_id = c.bill_id
LEFT JOIN spread AS p ON p.bill_id = c.bill_id
