WITH low_side AS (
  SELECT usage_point_id, effective_from, customer_id, org_id, transformer_id, loss_billed, voltage_kv
  FROM point_span
  WHERE role = 'sale'
    AND parent_usage_point_id IS NULL
    AND metering_side = 'low'
    AND metering_method = 'meter'
    AND voltage_kv >= 1
    AND customer_id IS NOT NULL
    AND customer_status IN ('active', 'suspended')
    AND effective_from <= :period_start
    AND effective_until >= :period_end
),
owned AS (
  SELECT
    customer_id, min(transformer_id) AS transformer_id, count(*) AS transformers
  FROM transformer
  WHERE kind = 'dedicated'
    AND customer_id IS NOT NULL
  GROUP BY customer_id
),
placed AS (
  -- a point without a transformer on record hangs on the only one its customer has
  SELECT
    p.usage_point_id, p.effective_from, p.customer_id, p.org_id, p.loss_billed, p.voltage_kv,
    coalesce(t.transformer_id, CASE WHEN p.transformer_id IS NULL AND o.transformers = 1 THEN o.transformer_id END)
      AS transformer_id,
    coalesce(t.kind, CASE WHEN p.transformer_id IS NULL AND o.transformers = 1 THEN 'dedicated' END) AS kind
  FROM low_side AS p
  LEFT JOIN transformer AS t ON t.transformer_id = p.transformer_id
  LEFT JOIN owned AS o ON o.customer_id = p.customer_id
),
running AS (
  SELECT
    transformer_id,
    sum(CASE WHEN status IN ('running', 'standby_hot')
      THEN CAST(date_diff('day', greatest(from_day, :period_start), least(to_day, :period_end)) AS INTEGER) ELSE 0 END)
      AS days_running,
    count(*) AS known
  FROM (
    SELECT
      transformer_id, status, effective_from AS from_day,
      least(
        coalesce(effective_to, DATE '9999-12-31'),
        coalesce(lead(effective_from) OVER (PARTITION BY transformer_id ORDER BY effective_from), DATE '9999-12-31')
      ) AS to_day
    FROM transformer_status
  ) AS s
  WHERE from_day < :period_end
    AND to_day > :period_start
    AND from_day < to_day
  GROUP BY transformer_id
),
billed AS (
  SELECT customer_id, min(bill_id) AS bill_id
  FROM live_bill
  WHERE billing_period = :period
  GROUP BY customer_id
),
lined AS (
  SELECT p.customer_id, count(*) AS lines
  FROM (SELECT DISTINCT customer_id FROM low_side) AS p
  JOIN live_line AS l ON l.customer_id = p.customer_id
  WHERE l.billing_period = :period
  GROUP BY p.customer_id
),
lost AS (
  -- the loss of a transformer may stand on any of its points; on no point, or on another, it speaks for all
  SELECT l.customer_id, p.transformer_id, CAST(sum(l.quantity) AS DECIMAL(18, 4)) AS loss_kwh
  FROM live_line AS l
  LEFT JOIN placed AS p ON p.usage_point_id = l.usage_point_id
  WHERE l.billing_period = :period
    AND l.component = 'transformer_loss'
    AND l.customer_id IN (SELECT customer_id FROM low_side)
  GROUP BY l.customer_id, p.transformer_id
),
judged AS (
  SELECT
    p.usage_point_id, p.effective_from, p.customer_id, p.org_id, p.transformer_id, p.loss_billed, p.voltage_kv,
    b.bill_id, r.days_running,
    CASE
      WHEN p.kind = 'public' THEN NULL
      WHEN o.loss_kwh > 0 OR a.loss_kwh > 0 THEN NULL
      WHEN p.transformer_id IS NULL THEN 'no_transformer'
      WHEN r.known IS NOT NULL AND r.days_running < days_in_ym(:period) THEN 'not_running'
      WHEN p.loss_billed = 'none' THEN 'not_set'
      WHEN l.customer_id IS NULL THEN 'no_bill'
      ELSE 'no_line'
    END AS verdict
  FROM placed AS p
  LEFT JOIN running AS r ON r.transformer_id = p.transformer_id
  LEFT JOIN billed AS b ON b.customer_id = p.customer_id
  LEFT JOIN lined AS l ON l.customer_id = p.customer_id
  LEFT JOIN lost AS o ON o.customer_id = p.customer_id AND o.transformer_id = p.transformer_id
  LEFT JOIN lost AS a ON a.customer_id = p.customer_id AND a.transformer_id IS NULL
),
suspect AS (
  -- one finding per transformer: its points share one loss
  SELECT
    usage_point_id, effective_from, customer_id, org_id, transformer_id, loss_billed, voltage_kv, bill_id,
    days_running, verdict
  FROM judged
  WHERE verdict IS NOT NULL
  QUALIFY row_number() OVER (PARTITION BY coalesce(transformer_id, usage_point_id) ORDER BY usage_point_id) = 1
),
taken AS (
  SELECT
    j.transformer_id,
    CAST(sum(CASE WHEN r.register = 'active' THEN r.energy ELSE 0 END) AS DECIMAL(18, 4)) AS wp,
    CAST(sum(CASE WHEN r.register <> 'active' THEN abs(r.energy) ELSE 0 END) AS DECIMAL(18, 4)) AS wq
  FROM judged AS j
  JOIN reading AS r ON r.usage_point_id = j.usage_point_id
  WHERE j.verdict IN ('not_set', 'no_line')
    AND r.billing_period = :period
    AND r.register IN ('active', 'reactive_import', 'reactive_export')
  GROUP BY j.transformer_id
),
shifts AS (
  SELECT customer_id, max(shift) AS shift
  FROM contract_span
  WHERE effective_from < :period_end
    AND effective_until > :period_start
  GROUP BY customer_id
),
computed AS (
  SELECT
    s.usage_point_id, t.capacity_kva, t.no_load_loss_kw, t.load_loss_kw, k.wp, k.wq, h.shift, m.p,
    CAST(
      t.no_load_loss_kw * 24 * days_in_ym(:period)
      + CASE h.shift WHEN 1 THEN :k_one WHEN 2 THEN :k_two ELSE :k_three END * t.load_loss_kw * safe_div(
        CAST(k.wp AS DOUBLE) * CAST(k.wp AS DOUBLE) + CAST(k.wq AS DOUBLE) * CAST(k.wq AS DOUBLE),
        CAST(t.capacity_kva AS DOUBLE) * CAST(t.capacity_kva AS DOUBLE) * 24 * days_in_ym(:period)
      ) AS DECIMAL(18, 4)
    ) AS loss_kwh
  FROM suspect AS s
  JOIN transformer AS t ON t.transformer_id = s.transformer_id
  JOIN taken AS k ON k.transformer_id = s.transformer_id
  LEFT JOIN shifts AS h ON h.customer_id = s.customer_id
  LEFT JOIN cust_month AS m ON m.customer_id = s.customer_id AND m.billing_period = :period AND m.p > 0
)
SELECT
  s.usage_point_id AS subject_id,
  s.customer_id,
  s.org_id,
  :period_start AS period_start,
  :period_end AS period_end,
  CASE
    WHEN s.verdict = 'not_running' THEN 'not_applicable'
    WHEN s.verdict IN ('no_transformer', 'no_bill') THEN 'insufficient_data'
    ELSE 'hit'
  END AS exit,
  CASE WHEN s.verdict IN ('not_set', 'no_line') THEN 'order' END AS band,
  s.verdict AS reason,
  c.loss_kwh AS energy_kwh,
  money(CAST(c.loss_kwh AS DECIMAL(19, 4)) * c.p) AS back_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS penalty_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS refund_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS exposed_cny,
  s.effective_from AS point_effective_from,
  s.transformer_id,
  s.loss_billed,
  s.voltage_kv,
  s.bill_id,
  CAST(s.days_running AS INTEGER) AS days_running,
  c.capacity_kva,
  c.no_load_loss_kw,
  c.load_loss_kw,
  c.wp AS active_kwh,
  c.wq AS reactive_kvarh,
  c.shift,
  c.p AS price
FROM suspect AS s
LEFT JOIN computed AS c ON c.usage_point_id = s.usage_point_id AND s.verdict IN ('not_set', 'no_line')
