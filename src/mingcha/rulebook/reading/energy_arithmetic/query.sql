WITH step AS (
  SELECT
    reading_id, usage_point_id, meter_id, customer_id, org_id, register, start_value, end_value, multiplier, energy,
    started_on, read_on, method, digits, rolled_over, step_energy, archive_multiplier,
    CAST(energy - step_energy AS DECIMAL(18, 4)) AS difference
  FROM reading_step
  WHERE billing_period = :period
    AND register <> 'demand'
    AND energy >= 0
    -- a fall of the index that is no roll-over has no right energy: REA-007 speaks of it
    AND (end_value >= start_value OR rolled_over)
    AND abs(energy - step_energy) > greatest(:tol_kwh, :tol * abs(step_energy))
),
told AS (
  SELECT
    reading_id, usage_point_id, meter_id, customer_id, org_id, register, start_value, end_value, multiplier, energy,
    started_on, read_on, method, digits, rolled_over, step_energy, archive_multiplier, difference,
    CASE
      WHEN multiplier <> 1
        AND abs(energy - (end_value - start_value + CASE WHEN rolled_over THEN CAST(power(10, digits) AS DECIMAL(18, 4)) ELSE 0 END))
          <= greatest(:tol_kwh, :tol * abs(energy))
        THEN 'multiplier_not_applied'
      WHEN end_value = start_value THEN 'energy_without_index'
      WHEN difference > 0 THEN 'energy_above_index'
      ELSE 'energy_below_index'
    END AS reason
  FROM step
  -- one error of a meter shows on all its registers: the total speaks for them
  QUALIFY row_number() OVER (
    PARTITION BY usage_point_id, meter_id, started_on, read_on
    ORDER BY CASE WHEN register = 'active' THEN 0 ELSE 1 END, register, reading_id
  ) = 1
)
SELECT
  t.reading_id AS subject_id,
  t.customer_id,
  t.org_id,
  :period_start AS period_start,
  :period_end AS period_end,
  'hit' AS exit,
  CASE
    WHEN t.reason = 'energy_without_index' AND t.method IN ('estimated', 'customer') THEN 'watch'
    WHEN abs(t.difference) >= :order_kwh THEN 'order'
    ELSE 'watch'
  END AS band,
  t.reason,
  CASE WHEN t.register NOT IN ('reactive_import', 'reactive_export') THEN kwh(-t.difference) END AS energy_kwh,
  CASE WHEN t.register = 'active' AND t.difference < 0 THEN money(CAST(-t.difference * m.p AS DECIMAL(18, 6))) END AS back_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS penalty_cny,
  CASE
    WHEN t.register = 'active' AND t.difference > 0
      AND NOT (t.reason = 'energy_without_index' AND t.method IN ('estimated', 'customer'))
      THEN money(CAST(t.difference * m.p AS DECIMAL(18, 6)))
  END AS refund_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS exposed_cny,
  t.usage_point_id,
  t.meter_id,
  t.register,
  t.start_value,
  t.end_value,
  t.rolled_over,
  t.digits,
  t.multiplier,
  t.archive_multiplier,
  t.step_energy AS expected_energy,
  t.energy,
  t.difference,
  t.started_on,
  t.read_on,
  t.method,
  m.p AS price,
  m.p_basis AS price_basis
FROM told AS t
LEFT JOIN cust_month AS m ON m.customer_id = t.customer_id AND m.billing_period = :period AND m.p > 0
