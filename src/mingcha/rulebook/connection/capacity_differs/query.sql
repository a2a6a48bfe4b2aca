WITH owned AS (
  SELECT
    customer_id,
    count(CASE WHEN status IS NULL OR status <> 'removed' THEN 1 END) AS transformers,
    count(CASE WHEN status IS NULL THEN 1 END) AS unknown,
    min(CASE WHEN status IS NULL OR status <> 'removed' THEN transformer_id END) AS transformer_id,
    CAST(coalesce(sum(CASE WHEN status IS NULL OR status <> 'removed' THEN capacity_kva END), 0)
      AS DECIMAL(18, 4)) AS connected_kva,
    CAST(coalesce(sum(CASE WHEN status = 'standby_cold' THEN capacity_kva END), 0) AS DECIMAL(18, 4)) AS cold_kva,
    CAST(coalesce(sum(CASE WHEN status IN ('running', 'standby_hot') THEN capacity_kva END), 0)
      AS DECIMAL(18, 4)) AS running_kva
  FROM transformer_now
  GROUP BY customer_id
),
compared AS (
  SELECT
    c.customer_id, c.org_id, c.contract_capacity_kva, c.running_capacity_kva, c.voltage_kv,
    o.transformers, o.unknown, o.transformer_id, o.connected_kva, o.cold_kva, o.running_kva,
    -- a spare transformer kept cold may be left out of the contract
    abs(o.connected_kva - c.contract_capacity_kva) > :tol_kva
      AND abs(o.connected_kva - o.cold_kva - c.contract_capacity_kva) > :tol_kva AS contract_differs,
    abs(o.running_kva - c.running_capacity_kva) > :tol_kva AS running_differs
  FROM customer AS c
  JOIN owned AS o ON o.customer_id = c.customer_id
  WHERE c.voltage_kv >= 1
    AND c.status IN ('active', 'suspended')
    AND c.customer_id NOT IN (:motor_customers)
),
differing AS (
  SELECT
    customer_id, org_id, contract_capacity_kva, running_capacity_kva, voltage_kv, transformers, unknown,
    transformer_id, connected_kva, cold_kva, running_kva, contract_differs, running_differs
  FROM compared
  WHERE contract_differs OR running_differs
),
under_change AS (
  SELECT DISTINCT d.customer_id
  FROM differing AS d
  JOIN excl_change AS x ON x.customer_id = d.customer_id
  WHERE x.kind IN ('capacity_increase', 'capacity_reduction', 'suspend', 'resume')
    AND x.from_day <= :data_date
    AND x.to_day > :data_date
),
charged AS (
  -- what the capacity charge of the month was computed on, where it was a whole month
  SELECT
    d.customer_id,
    CAST(sum(l.quantity) AS DECIMAL(18, 4)) AS billed_kva,
    max(l.price) AS price_kva,
    max(l.days) AS part_days
  FROM differing AS d
  JOIN live_line AS l ON l.customer_id = d.customer_id
  WHERE l.component = 'basic_capacity'
    AND l.billing_period = :period
  GROUP BY d.customer_id
),
judged AS (
  SELECT
    d.customer_id, d.org_id, d.contract_capacity_kva, d.running_capacity_kva, d.voltage_kv, d.transformers,
    d.unknown, d.transformer_id, d.connected_kva, d.cold_kva, d.running_kva, d.contract_differs, d.running_differs,
    c.billed_kva, c.price_kva,
    CASE
      WHEN u.customer_id IS NOT NULL THEN 'under_change'
      WHEN d.unknown > 0 THEN 'status_unknown'
      WHEN d.contract_differs AND d.connected_kva > d.contract_capacity_kva THEN 'connected_above_contract'
      WHEN d.contract_differs THEN 'connected_below_contract'
      WHEN d.running_kva > d.running_capacity_kva THEN 'running_above_archive'
      ELSE 'running_below_archive'
    END AS verdict,
    CASE
      WHEN u.customer_id IS NULL AND d.unknown = 0 AND c.part_days IS NULL
        THEN money(CAST(abs(d.running_kva - c.billed_kva) AS DECIMAL(19, 4)) * c.price_kva)
    END AS worth
  FROM differing AS d
  LEFT JOIN under_change AS u ON u.customer_id = d.customer_id
  LEFT JOIN charged AS c ON c.customer_id = d.customer_id
)
SELECT
  customer_id AS subject_id,
  customer_id,
  org_id,
  :period_start AS period_start,
  :period_end AS period_end,
  CASE
    WHEN verdict = 'under_change' THEN 'not_applicable'
    WHEN verdict = 'status_unknown' THEN 'insufficient_data'
    ELSE 'hit'
  END AS exit,
  CASE WHEN verdict NOT IN ('under_change', 'status_unknown') THEN 'order' END AS band,
  verdict AS reason,
  CAST(NULL AS DECIMAL(18, 4)) AS energy_kwh,
  CASE WHEN running_kva > billed_kva THEN worth END AS back_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS penalty_cny,
  CASE WHEN running_kva < billed_kva THEN worth END AS refund_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS exposed_cny,
  voltage_kv,
  contract_capacity_kva,
  connected_kva,
  cold_kva,
  running_capacity_kva,
  running_kva,
  contract_differs,
  running_differs,
  transformers,
  unknown AS status_unknown,
  transformer_id,
  billed_kva,
  price_kva
FROM judged
