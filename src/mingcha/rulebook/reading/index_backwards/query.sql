WITH fallen AS (
  SELECT
    reading_id, usage_point_id, meter_id, customer_id, org_id, register, start_value, end_value, multiplier, energy,
    started_on, read_on, method, digits, prev_end_value, prev_method,
    CAST((end_value - start_value) * multiplier AS DECIMAL(18, 4)) AS step,
    CAST(power(10, digits) AS DECIMAL(18, 4)) AS register_size,
    CAST(power(10, length(CAST(CAST(floor(start_value) AS BIGINT) AS VARCHAR))) AS DECIMAL(18, 4)) AS index_size
  FROM reading_step
  WHERE billing_period = :period
    AND ((end_value < start_value AND NOT rolled_over AND register <> 'demand') OR energy < 0)
),
proved AS (
  SELECT
    reading_id, usage_point_id, meter_id, customer_id, org_id, register, start_value, end_value, multiplier, energy,
    started_on, read_on, method, digits, prev_end_value, prev_method, step, register_size, index_size,
    -- the billed energy proves a roll-over when it equals the way round and the way round is short
    energy >= 0
      AND end_value - start_value + register_size <= :roll_share * register_size
      AND abs(energy - (end_value - start_value + register_size) * multiplier) <= greatest(:tol_kwh, 0.001 * energy)
      AS rolled_wide,
    energy >= 0
      AND index_size <> register_size
      AND end_value - start_value + index_size <= :roll_share * index_size
      AND abs(energy - (end_value - start_value + index_size) * multiplier) <= greatest(:tol_kwh, 0.001 * energy)
      AS rolled_elsewhere
  FROM fallen
),
reading_fault AS (
  SELECT
    reading_id, usage_point_id, meter_id, customer_id, org_id, register, start_value, end_value, multiplier, energy,
    started_on, read_on, method, digits, prev_method, step,
    CASE
      WHEN energy < 0 THEN 'negative_energy'
      WHEN rolled_elsewhere THEN 'digits_differ'
      WHEN prev_method IN ('estimated', 'customer') AND prev_end_value = start_value THEN 'over_estimated'
      ELSE 'backwards'
    END AS reason
  FROM proved
  WHERE NOT coalesce(rolled_wide, FALSE)
),
negative_bill AS (
  SELECT bill_id, customer_id, energy_kwh
  FROM live_bill
  WHERE billing_period = :period
    AND energy_kwh < 0
  QUALIFY row_number() OVER (PARTITION BY customer_id ORDER BY energy_kwh, bill_id) = 1
),
bill_fault AS (
  SELECT
    s.reading_id, s.usage_point_id, s.meter_id, s.customer_id, s.org_id, s.register, s.start_value, s.end_value,
    s.multiplier, s.energy, s.started_on, s.read_on, s.method, s.digits, s.prev_method,
    CAST((s.end_value - s.start_value) * s.multiplier AS DECIMAL(18, 4)) AS step,
    'negative_bill' AS reason,
    b.bill_id,
    b.energy_kwh AS billed_energy
  FROM negative_bill AS b
  JOIN reading_step AS s ON s.customer_id = b.customer_id
  WHERE s.billing_period = :period
    AND s.register = 'active'
  QUALIFY row_number() OVER (PARTITION BY b.customer_id ORDER BY s.energy, s.reading_id) = 1
),
fault AS (
  SELECT
    reading_id, usage_point_id, meter_id, customer_id, org_id, register, start_value, end_value, multiplier, energy,
    started_on, read_on, method, digits, prev_method, step, reason,
    CAST(NULL AS VARCHAR) AS bill_id,
    CAST(NULL AS DECIMAL(18, 4)) AS billed_energy
  FROM reading_fault
  UNION ALL
  SELECT
    reading_id, usage_point_id, meter_id, customer_id, org_id, register, start_value, end_value, multiplier, energy,
    started_on, read_on, method, digits, prev_method, step, reason, bill_id, billed_energy
  FROM bill_fault
),
chosen AS (
  SELECT
    reading_id, usage_point_id, meter_id, customer_id, org_id, register, start_value, end_value, multiplier, energy,
    started_on, read_on, method, digits, prev_method, step, reason, bill_id, billed_energy
  FROM fault
  -- one fall of a meter shows on all its registers, and on its bill: the total speaks for them
  QUALIFY row_number() OVER (
    PARTITION BY usage_point_id, meter_id, started_on, read_on
    ORDER BY CASE WHEN register = 'active' THEN 0 ELSE 1 END, register,
      CASE WHEN reason = 'negative_bill' THEN 1 ELSE 0 END, reading_id
  ) = 1
),
explained AS (
  SELECT
    f.reading_id, f.usage_point_id, f.meter_id, f.customer_id, f.org_id, f.register, f.start_value, f.end_value,
    f.multiplier, f.energy, f.started_on, f.read_on, f.method, f.digits, f.prev_method, f.step, f.reason, f.bill_id,
    f.billed_energy,
    c.change_id AS corrected_by_change,
    CASE
      WHEN f.reason = 'digits_differ' THEN 'mapping_suspect'
      WHEN c.change_id IS NOT NULL THEN 'not_applicable'
      WHEN g.customer_id IS NOT NULL AND f.register = 'active' THEN 'not_applicable'
      ELSE 'hit'
    END AS exit,
    CASE
      WHEN f.reason = 'digits_differ' THEN f.reason
      WHEN c.change_id IS NOT NULL THEN 'corrected'
      WHEN g.customer_id IS NOT NULL AND f.register = 'active' THEN 'net_metered'
      ELSE f.reason
    END AS told
  FROM chosen AS f
  LEFT JOIN (
    SELECT reading_id, min(change_id) AS change_id
    FROM reading_change
    WHERE approved_by IS NOT NULL
      AND approved_by <> changed_by
    GROUP BY reading_id
  ) AS c ON c.reading_id = f.reading_id
  LEFT JOIN (
    SELECT customer_id
    FROM excl_generator
    WHERE from_day < :period_end
      AND to_day > :period_start
    GROUP BY customer_id
  ) AS g ON g.customer_id = f.customer_id
),
price AS (
  -- a month of negative energy has no price of its own: the last month that has one stands in
  SELECT customer_id, p, p_basis
  FROM cust_month
  WHERE p > 0
    AND billing_period >= :history_period
    AND billing_period <= :period
    AND customer_id IN (SELECT customer_id FROM explained WHERE exit = 'hit')
  QUALIFY row_number() OVER (PARTITION BY customer_id ORDER BY billing_period DESC) = 1
),
sized AS (
  SELECT
    e.reading_id, e.usage_point_id, e.meter_id, e.customer_id, e.org_id, e.register, e.start_value, e.end_value,
    e.multiplier, e.energy, e.started_on, e.read_on, e.method, e.digits, e.prev_method, e.step, e.bill_id,
    e.billed_energy, e.corrected_by_change, e.exit, e.told,
    -- what was credited without ground, or billed beyond what the index shows
    CASE
      WHEN e.register IN ('reactive_import', 'reactive_export', 'demand') THEN NULL
      WHEN e.told = 'negative_bill' THEN kwh(-e.billed_energy)
      WHEN e.told = 'negative_energy' THEN kwh(-e.energy)
      WHEN e.told = 'over_estimated' THEN kwh(e.energy - e.step)
      WHEN e.told = 'backwards' AND e.energy > 0 THEN kwh(e.energy)
      ELSE kwh(abs(e.step))
    END AS stake,
    m.p,
    m.p_basis
  FROM explained AS e
  LEFT JOIN price AS m ON m.customer_id = e.customer_id
)
SELECT
  reading_id AS subject_id,
  customer_id,
  org_id,
  :period_start AS period_start,
  :period_end AS period_end,
  exit,
  CASE
    WHEN exit <> 'hit' THEN NULL
    WHEN told = 'over_estimated' THEN 'watch'
    WHEN stake < :watch_kwh THEN 'watch'
    ELSE 'order'
  END AS band,
  told AS reason,
  CASE WHEN told = 'over_estimated' OR (told = 'backwards' AND energy > 0) THEN -stake ELSE stake END AS energy_kwh,
  CASE
    WHEN exit = 'hit' AND register = 'active' AND told IN ('negative_energy', 'negative_bill')
      THEN money(CAST(stake * p AS DECIMAL(18, 6)))
  END AS back_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS penalty_cny,
  CASE
    WHEN exit = 'hit' AND register = 'active' AND (told = 'over_estimated' OR (told = 'backwards' AND energy > 0))
      THEN money(CAST(stake * p AS DECIMAL(18, 6)))
  END AS refund_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS exposed_cny,
  usage_point_id,
  meter_id,
  register,
  start_value,
  end_value,
  digits,
  multiplier,
  step AS index_energy,
  energy,
  started_on,
  read_on,
  method,
  prev_method,
  bill_id,
  billed_energy,
  corrected_by_change,
  p AS price,
  p_basis AS price_basis
FROM sized
