WITH lines AS (
  SELECT
    customer_id, bill_id, count(*) AS n,
    min(quantity) AS least_pct, max(quantity) AS used_pct,
    CAST(sum(base_amount) AS DECIMAL(18, 2)) AS base_amount,
    CAST(sum(amount) AS DECIMAL(18, 2)) AS used_cny
  FROM live_line
  WHERE billing_period = :period
    AND component = 'power_factor'
  GROUP BY customer_id, bill_id
),
bills AS (
  SELECT
    b.bill_id, b.customer_id, b.org_id, b.power_factor AS billed_pf,
    row_number() OVER (PARTITION BY b.customer_id ORDER BY b.issued_at, b.bill_id) AS turn,
    count(*) OVER (PARTITION BY b.customer_id) AS bills
  FROM live_bill AS b
  WHERE b.billing_period = :period
    AND b.customer_id IN (SELECT customer_id FROM lines)
),
points AS (
  SELECT
    p.usage_point_id, p.customer_id, p.transformer_id, p.metering_side = 'low' AND p.voltage_kv >= 1 AS low_side
  FROM point_span AS p
  WHERE p.customer_id IN (SELECT customer_id FROM lines)
    AND p.role = 'sale'
    AND p.parent_usage_point_id IS NULL
    AND p.metering_method = 'meter'
    AND p.effective_from < :period_end
    AND p.effective_until > :period_start
  QUALIFY row_number() OVER (PARTITION BY p.usage_point_id ORDER BY p.effective_from DESC) = 1
),
taken AS (
  SELECT
    p.customer_id, p.usage_point_id, p.transformer_id, p.low_side, r.started_on, r.read_on, r.register, r.energy
  FROM points AS p
  JOIN reading AS r ON r.usage_point_id = p.usage_point_id
  WHERE r.billing_period = :period
    AND r.register IN ('active', 'reactive_import', 'reactive_export')
),
days AS (
  SELECT
    customer_id, read_on,
    row_number() OVER (PARTITION BY customer_id ORDER BY read_on) AS turn,
    count(*) OVER (PARTITION BY customer_id) AS settlements
  FROM (SELECT DISTINCT customer_id, read_on FROM taken WHERE register = 'active') AS d
),
matched AS (
  -- one bill takes all readings of the month; as many bills as reading days go one by one
  SELECT b.bill_id, b.customer_id, t.usage_point_id, t.transformer_id, t.low_side, t.started_on, t.read_on, t.register, t.energy
  FROM bills AS b
  JOIN taken AS t ON t.customer_id = b.customer_id
  LEFT JOIN days AS d ON d.customer_id = t.customer_id AND d.read_on = t.read_on
  WHERE b.bills = 1
    OR (b.bills = d.settlements AND b.turn = d.turn)
),
metered AS (
  SELECT
    bill_id, customer_id, min(started_on) AS started_on, max(read_on) AS read_on,
    CAST(sum(CASE WHEN register = 'active' THEN energy ELSE 0 END) AS DECIMAL(18, 4)) AS wp,
    CAST(sum(CASE WHEN register = 'reactive_import' THEN abs(energy) ELSE 0 END) AS DECIMAL(18, 4)) AS q_import,
    CAST(sum(CASE WHEN register = 'reactive_export' THEN abs(energy) ELSE 0 END) AS DECIMAL(18, 4)) AS q_export,
    count(CASE WHEN register <> 'active' THEN 1 END) AS reactive_readings
  FROM matched
  GROUP BY bill_id, customer_id
),
lost AS (
  -- losses as billed: both enter the active energy, the transformer's brings reactive energy with it
  SELECT
    bill_id,
    CAST(sum(quantity) AS DECIMAL(18, 4)) AS loss_kwh,
    CAST(sum(CASE WHEN component = 'transformer_loss' THEN quantity ELSE 0 END) AS DECIMAL(18, 4)) AS transformer_kwh
  FROM live_line
  WHERE billing_period = :period
    AND component IN ('transformer_loss', 'line_loss')
    AND bill_id IN (SELECT bill_id FROM lines)
  GROUP BY bill_id
),
behind AS (
  -- what was metered behind each transformer of the customer's own
  SELECT
    m.bill_id, m.customer_id, m.transformer_id, min(m.started_on) AS started_on, max(m.read_on) AS read_on,
    CAST(sum(CASE WHEN m.register = 'active' THEN m.energy ELSE 0 END) AS DECIMAL(18, 4)) AS wp,
    CAST(sum(CASE WHEN m.register <> 'active' THEN abs(m.energy) ELSE 0 END) AS DECIMAL(18, 4)) AS wq
  FROM matched AS m
  JOIN lost AS l ON l.bill_id = m.bill_id AND l.transformer_kwh > 0
  WHERE m.low_side
  GROUP BY m.bill_id, m.customer_id, m.transformer_id
),
states AS (
  SELECT
    transformer_id, status, effective_from AS from_day,
    least(
      coalesce(effective_to, DATE '9999-12-31'),
      coalesce(lead(effective_from) OVER (PARTITION BY transformer_id ORDER BY effective_from), DATE '9999-12-31')
    ) AS to_day
  FROM transformer_status
  WHERE transformer_id IN (SELECT transformer_id FROM behind)
),
hours AS (
  SELECT
    b.bill_id, b.transformer_id,
    24 * CASE
      WHEN count(s.transformer_id) = 0 THEN max(date_diff('day', b.started_on, b.read_on))
      ELSE sum(CASE WHEN s.status IN ('running', 'standby_hot')
        THEN greatest(date_diff('day', greatest(s.from_day, b.started_on), least(s.to_day, b.read_on)), 0) ELSE 0 END)
    END AS running_hours
  FROM behind AS b
  LEFT JOIN states AS s ON s.transformer_id = b.transformer_id
  GROUP BY b.bill_id, b.transformer_id
),
terms AS (
  SELECT m.bill_id, c.contract_id, c.effective_from AS contract_effective_from, c.power_factor_standard, c.shift
  FROM metered AS m
  JOIN contract_span AS c
    ON c.customer_id = m.customer_id
    AND c.effective_from < m.read_on
    AND c.effective_until >= m.read_on
  QUALIFY row_number() OVER (
    PARTITION BY m.bill_id
    ORDER BY CASE WHEN c.power_factor_standard IS NULL THEN 1 ELSE 0 END, c.effective_from DESC, c.contract_id
  ) = 1
),
loaded AS (
  SELECT
    b.bill_id, t.transformer_id, t.no_load_loss_kw, t.load_loss_kw, t.no_load_current_pct, t.impedance_pct,
    CAST(t.capacity_kva AS DOUBLE) AS sn,
    CAST(h.running_hours AS DOUBLE) AS running_hours,
    CASE c.shift WHEN 1 THEN CAST(:k_one AS DOUBLE) WHEN 2 THEN CAST(:k_two AS DOUBLE) ELSE CAST(:k_three AS DOUBLE) END
      * (CAST(b.wp AS DOUBLE) * CAST(b.wp AS DOUBLE) + CAST(b.wq AS DOUBLE) * CAST(b.wq AS DOUBLE)) AS kw2
  FROM behind AS b
  JOIN hours AS h ON h.bill_id = b.bill_id AND coalesce(h.transformer_id, '') = coalesce(b.transformer_id, '')
  LEFT JOIN terms AS c ON c.bill_id = b.bill_id
  LEFT JOIN transformer AS t ON t.transformer_id = b.transformer_id
),
reactive_loss AS (
  SELECT
    bill_id,
    count(CASE WHEN transformer_id IS NULL OR no_load_current_pct IS NULL OR impedance_pct IS NULL THEN 1 END) AS unknown,
    sum(CAST(
      CAST(no_load_current_pct AS DOUBLE) * sn / 100 * running_hours
      + CAST(impedance_pct AS DOUBLE) / 100 * coalesce(safe_div(kw2, sn * running_hours), 0) AS DECIMAL(18, 2)
    )) AS kvarh,
    -- the active loss by the same data: NULL where one transformer has none
    CASE WHEN count(*) = count(no_load_loss_kw + load_loss_kw) THEN sum(CAST(
      CAST(no_load_loss_kw AS DOUBLE) * running_hours
      + CAST(load_loss_kw AS DOUBLE) * coalesce(safe_div(kw2, sn * sn * running_hours), 0) AS DECIMAL(18, 2)
    )) END AS kwh
  FROM loaded
  GROUP BY bill_id
),
powers AS (
  SELECT
    b.bill_id, b.customer_id, b.org_id, b.billed_pf, n.n AS lines, n.least_pct, n.used_pct, n.base_amount, n.used_cny,
    m.started_on, m.read_on, m.wp, m.q_import, m.q_export, m.reactive_readings,
    coalesce(l.loss_kwh, 0) AS loss_kwh, coalesce(q.kvarh, 0) AS loss_kvarh, coalesce(q.unknown, 0) AS loss_unknown,
    coalesce(abs(q.kwh - l.transformer_kwh) > :tol_loss * l.transformer_kwh, FALSE) AS loss_differs,
    c.contract_id, c.contract_effective_from, c.power_factor_standard,
    CAST(m.wp + coalesce(l.loss_kwh, 0) AS DOUBLE) AS all_wp,
    CAST(m.q_import + m.q_export + coalesce(q.kvarh, 0) AS DOUBLE) AS all_wq
  FROM lines AS n
  JOIN bills AS b ON b.bill_id = n.bill_id
  LEFT JOIN metered AS m ON m.bill_id = n.bill_id
  LEFT JOIN lost AS l ON l.bill_id = n.bill_id
  LEFT JOIN reactive_loss AS q ON q.bill_id = n.bill_id
  LEFT JOIN terms AS c ON c.bill_id = n.bill_id
),
factors AS (
  SELECT
    bill_id, customer_id, org_id, billed_pf, lines, least_pct, used_pct, base_amount, used_cny, started_on, read_on, wp,
    q_import, q_export, reactive_readings, loss_kwh, loss_kvarh, loss_unknown, loss_differs, contract_id, contract_effective_from,
    power_factor_standard,
    CAST(safe_div(all_wp, sqrt(all_wp * all_wp + all_wq * all_wq)) AS DECIMAL(9, 2)) AS right_pf,
    CAST(safe_div(all_wp, sqrt(all_wp * all_wp + (all_wq - CAST(q_export AS DOUBLE)) * (all_wq - CAST(q_export AS DOUBLE))))
      AS DECIMAL(9, 2)) AS pf_no_reverse,
    CAST(safe_div(all_wp, sqrt(all_wp * all_wp + (all_wq - CAST(loss_kvarh AS DOUBLE)) * (all_wq - CAST(loss_kvarh AS DOUBLE))))
      AS DECIMAL(9, 2)) AS pf_no_loss
  FROM powers
),
tabled AS (
  SELECT
    f.bill_id, f.customer_id, f.org_id, f.billed_pf, f.lines, f.least_pct, f.used_pct, f.base_amount, f.used_cny,
    f.started_on, f.read_on, f.wp, f.q_import, f.q_export, f.reactive_readings, f.loss_kwh, f.loss_kvarh, f.loss_unknown, f.loss_differs,
    f.contract_id, f.contract_effective_from, f.power_factor_standard, f.right_pf, f.pf_no_reverse, f.pf_no_loss,
    t.pct AS right_pct, r.pct AS pct_no_reverse, q.pct AS pct_no_loss, b.pct AS pct_of_billed,
    CAST(CAST(f.base_amount AS DECIMAL(19, 2)) * f.used_pct / 100 AS DECIMAL(18, 2)) AS by_pct_cny,
    CAST(CAST(f.base_amount AS DECIMAL(19, 2)) * t.pct / 100 AS DECIMAL(18, 2)) AS right_cny
  FROM factors AS f
  LEFT JOIN power_factor_table AS t ON t.standard = f.power_factor_standard AND t.pf = f.right_pf
  LEFT JOIN power_factor_table AS r ON r.standard = f.power_factor_standard AND r.pf = f.pf_no_reverse
  LEFT JOIN power_factor_table AS q ON q.standard = f.power_factor_standard AND q.pf = f.pf_no_loss
  LEFT JOIN power_factor_table AS b ON b.standard = f.power_factor_standard AND b.pf = f.billed_pf
),
told AS (
  SELECT
    bill_id, customer_id, org_id, billed_pf, used_pct, base_amount, used_cny, started_on, read_on, wp, q_import, q_export,
    loss_kwh, loss_kvarh, contract_id, contract_effective_from, power_factor_standard, right_pf, right_pct, right_cny,
    CASE
      WHEN wp IS NULL THEN 'no_reading'
      WHEN wp <= 0 THEN NULL
      WHEN contract_id IS NULL OR power_factor_standard IS NULL THEN 'no_standard'
      WHEN lines > 1 AND least_pct <> used_pct THEN 'several_percentages'
      WHEN reactive_readings = 0 THEN 'no_reading'
      WHEN loss_unknown > 0 THEN 'no_transformer_data'
      WHEN loss_differs THEN 'loss_differs'
      WHEN right_pct IS NULL THEN 'not_in_table'
      WHEN abs(used_pct - right_pct) <= :tol_pct AND abs(used_cny - by_pct_cny) <= :tol_cny THEN NULL
      WHEN abs(used_pct - right_pct) <= :tol_pct AND used_cny IS NOT NULL AND by_pct_cny IS NOT NULL THEN 'amount'
      WHEN abs(used_pct - right_pct) <= :tol_pct THEN NULL
      WHEN billed_pf = right_pf THEN 'table'
      WHEN q_export > 0 AND abs(used_pct - pct_no_reverse) <= :tol_pct THEN 'reverse_reactive'
      WHEN loss_kvarh > 0 AND abs(used_pct - pct_no_loss) <= :tol_pct THEN 'transformer_reactive'
      WHEN abs(used_pct - pct_of_billed) <= :tol_pct THEN 'other_factor'
      ELSE 'table'
    END AS verdict
  FROM tabled
)
SELECT
  bill_id AS subject_id,
  customer_id,
  org_id,
  :period_start AS period_start,
  :period_end AS period_end,
  CASE
    WHEN verdict IN ('no_reading', 'no_standard', 'several_percentages', 'no_transformer_data', 'loss_differs', 'not_in_table')
      THEN 'insufficient_data'
    ELSE 'hit'
  END AS exit,
  CASE WHEN verdict IN ('amount', 'table', 'reverse_reactive', 'transformer_reactive', 'other_factor') THEN 'order' END AS band,
  verdict AS reason,
  CAST(NULL AS DECIMAL(18, 4)) AS energy_kwh,
  CASE
    WHEN verdict IN ('amount', 'table', 'reverse_reactive', 'transformer_reactive', 'other_factor') AND right_cny > used_cny
      THEN CAST(right_cny - used_cny AS DECIMAL(18, 2))
  END AS back_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS penalty_cny,
  CASE
    WHEN verdict IN ('amount', 'table', 'reverse_reactive', 'transformer_reactive', 'other_factor') AND right_cny < used_cny
      THEN CAST(used_cny - right_cny AS DECIMAL(18, 2))
  END AS refund_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS exposed_cny,
  contract_id,
  contract_effective_from,
  power_factor_standard AS used_standard,
  started_on,
  read_on,
  wp AS active_kwh,
  q_import AS reactive_import_kvarh,
  q_export AS reactive_export_kvarh,
  kwh(loss_kwh) AS loss_kwh,
  kwh(loss_kvarh) AS loss_kvarh,
  billed_pf,
  right_pf,
  used_pct,
  right_pct,
  base_amount,
  used_cny,
  right_cny
FROM told
WHERE verdict IS NOT NULL
