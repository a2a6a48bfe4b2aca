WITH differing AS (
  SELECT
    reading_id, usage_point_id, meter_id, customer_id, org_id, register, start_value, end_value, multiplier,
    energy, started_on, read_on, archive_multiplier, archive_effective_from,
    CASE
      WHEN rolled_over THEN CAST(end_value - start_value + TRY_CAST(power(10, digits) AS DECIMAL(18, 4)) AS DECIMAL(18, 4))
      WHEN end_value >= start_value THEN CAST(end_value - start_value AS DECIMAL(18, 4))
    END AS raw
  FROM reading_step
  WHERE billing_period = :period
    AND (archive_multiplier IS NULL
      OR abs(multiplier - archive_multiplier) > :tol * CAST(archive_multiplier AS DECIMAL(19, 6)))
),
changed AS (
  -- the archive took over the billed multiplier inside the interval: on which day
  SELECT d.reading_id, min(u.effective_from) AS changed_on
  FROM differing AS d
  JOIN usage_point AS u
    ON u.usage_point_id = d.usage_point_id
    AND u.effective_from > d.started_on
    AND u.effective_from < d.read_on
  WHERE abs(d.multiplier - u.multiplier) <= :tol * CAST(u.multiplier AS DECIMAL(19, 6))
  GROUP BY d.reading_id
),
weighed AS (
  SELECT
    d.reading_id, d.usage_point_id, d.meter_id, d.customer_id, d.org_id, d.register, d.start_value, d.end_value,
    d.multiplier, d.energy, d.started_on, d.read_on, d.archive_multiplier, d.archive_effective_from, d.raw,
    c.changed_on,
    -- what is missing, over the days before the change where there was one
    CAST(
      CAST(d.raw AS DECIMAL(19, 4)) * (d.archive_multiplier - d.multiplier) AS DECIMAL(18, 4)
    ) AS whole_kwh,
    CASE
      WHEN c.changed_on IS NULL THEN 1
      ELSE safe_div(date_diff('day', d.started_on, c.changed_on), date_diff('day', d.started_on, d.read_on))
    END AS share,
    CASE WHEN d.register IN ('active', 'active_sharp', 'active_peak', 'active_flat', 'active_valley', 'active_deep_valley')
      THEN 1 ELSE 0 END AS is_import
  FROM differing AS d
  LEFT JOIN changed AS c ON c.reading_id = d.reading_id
),
grouped AS (
  -- the registers of one meter and interval are one fact: the total register speaks for them
  SELECT
    reading_id, usage_point_id, meter_id, customer_id, org_id, register, start_value, end_value,
    multiplier, energy, started_on, read_on, archive_multiplier, archive_effective_from, raw, changed_on, share,
    is_import,
    count(*) OVER (PARTITION BY usage_point_id, meter_id, started_on, read_on, multiplier) AS registers,
    CASE
      WHEN register = 'active' THEN whole_kwh
      WHEN is_import = 1 THEN CAST(
        sum(CASE WHEN is_import = 1 THEN whole_kwh END)
          OVER (PARTITION BY usage_point_id, meter_id, started_on, read_on, multiplier) AS DECIMAL(18, 4))
    END AS group_kwh
  FROM weighed
  QUALIFY row_number() OVER (
    PARTITION BY usage_point_id, meter_id, started_on, read_on, multiplier
    ORDER BY CASE WHEN register = 'active' THEN 0 WHEN is_import = 1 THEN 1 ELSE 2 END, reading_id
  ) = 1
),
settled AS (
  SELECT DISTINCT g.reading_id
  FROM grouped AS g
  JOIN excl_fix AS f
    ON f.customer_id = g.customer_id
    AND f.cause = 'multiplier'
    AND f.from_day <= g.started_on
    AND f.to_day >= g.read_on
),
priced AS (
  SELECT g.reading_id, m.p, m.p_basis
  FROM grouped AS g
  JOIN cust_month AS m ON m.customer_id = g.customer_id
  WHERE m.p IS NOT NULL
    AND m.billing_period <= :period
  QUALIFY row_number() OVER (PARTITION BY g.reading_id ORDER BY m.billing_period DESC) = 1
),
judged AS (
  SELECT
    g.reading_id, g.usage_point_id, g.meter_id, g.customer_id, g.org_id, g.register, g.start_value, g.end_value,
    g.multiplier, g.energy, g.started_on, g.read_on, g.archive_multiplier, g.archive_effective_from, g.changed_on,
    g.registers,
    CASE
      WHEN g.archive_multiplier IS NULL THEN 'no_archive_row'
      WHEN s.reading_id IS NOT NULL THEN 'settled'
      WHEN date_diff('day', g.started_on, g.changed_on) <= :grace_days THEN 'change_at_boundary'
      WHEN g.changed_on IS NOT NULL THEN 'change_not_split'
      WHEN g.register <> 'demand'
        AND abs(g.energy - CAST(g.raw AS DECIMAL(19, 4)) * g.archive_multiplier) <= :tol_kwh THEN 'not_in_energy'
      WHEN g.multiplier < g.archive_multiplier THEN 'billed_too_low'
      ELSE 'billed_too_high'
    END AS verdict,
    CAST(CAST(g.group_kwh AS DOUBLE) * g.share AS DECIMAL(18, 4)) AS missed_kwh,
    p.p, p.p_basis
  FROM grouped AS g
  LEFT JOIN settled AS s ON s.reading_id = g.reading_id
  LEFT JOIN priced AS p ON p.reading_id = g.reading_id
),
valued AS (
  SELECT
    reading_id, usage_point_id, meter_id, customer_id, org_id, register, start_value, end_value,
    multiplier, energy, started_on, read_on, archive_multiplier, archive_effective_from, changed_on, registers,
    verdict, p, p_basis,
    verdict IN ('billed_too_low', 'billed_too_high', 'change_not_split', 'not_in_energy') AS is_hit,
    CASE
      WHEN verdict = 'not_in_energy' THEN CAST(0 AS DECIMAL(18, 4))
      WHEN verdict IN ('billed_too_low', 'billed_too_high', 'change_not_split') THEN missed_kwh
    END AS kwh
  FROM judged
)
SELECT
  reading_id AS subject_id,
  customer_id,
  org_id,
  :period_start AS period_start,
  :period_end AS period_end,
  CASE
    WHEN is_hit THEN 'hit'
    WHEN verdict = 'no_archive_row' THEN 'insufficient_data'
    ELSE 'not_applicable'
  END AS exit,
  CASE
    WHEN verdict = 'not_in_energy' THEN 'watch'
    WHEN is_hit THEN 'order'
  END AS band,
  verdict AS reason,
  kwh AS energy_kwh,
  CASE WHEN kwh > 0 THEN money(CAST(kwh AS DECIMAL(19, 4)) * p) END AS back_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS penalty_cny,
  CASE WHEN kwh < 0 THEN money(CAST(abs(kwh) AS DECIMAL(19, 4)) * p) END AS refund_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS exposed_cny,
  usage_point_id,
  meter_id,
  register,
  registers,
  multiplier AS billed_multiplier,
  archive_multiplier,
  archive_effective_from,
  changed_on,
  start_value,
  end_value,
  energy AS billed_kwh,
  started_on,
  read_on,
  p AS price,
  p_basis AS price_basis
FROM valued
