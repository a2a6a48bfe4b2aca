WITH in_force AS (
  SELECT
    usage_point_id, effective_from, effective_to, role, customer_id, transformer_id, feeder_id, district_id,
    metering_method, parent_usage_point_id, relation, metering_side, wiring, rated_voltage_v, multiplier, tariff_id
  FROM usage_point
  WHERE effective_from <= :data_date
    AND (effective_to IS NULL OR effective_to > :data_date)
  QUALIFY row_number() OVER (PARTITION BY usage_point_id ORDER BY effective_from DESC) = 1
)
SELECT
  u.usage_point_id,
  u.effective_from,
  u.effective_to,
  u.role,
  u.customer_id,
  c.status AS customer_status,
  c.org_id AS customer_org_id,
  c.opened_on,
  c.closed_on,
  c.usage_category,
  c.voltage_kv,
  c.contract_capacity_kva,
  c.running_capacity_kva,
  c.supply_kind,
  u.transformer_id,
  coalesce(u.feeder_id, c.feeder_id) AS feeder_id,
  coalesce(u.district_id, c.district_id) AS district_id,
  u.metering_method,
  u.parent_usage_point_id,
  u.relation,
  u.metering_side,
  u.wiring,
  u.rated_voltage_v,
  u.multiplier,
  u.tariff_id
FROM in_force AS u
LEFT JOIN customer AS c ON c.customer_id = u.customer_id
