WITH spans AS (
  SELECT
    usage_point_id, effective_from,
    least(
      coalesce(effective_to, DATE '9999-12-31'),
      coalesce(lead(effective_from) OVER (PARTITION BY usage_point_id ORDER BY effective_from), DATE '9999-12-31')
    ) AS effective_until,
    role, customer_id, transformer_id, metering_method, fixed_value, parent_usage_point_id, relation, metering_side,
    tariff_id, category, loss_billed
  FROM usage_point
)
SELECT
  s.usage_point_id,
  s.effective_from,
  s.effective_until,
  s.role,
  s.customer_id,
  c.org_id,
  c.voltage_kv,
  c.status AS customer_status,
  s.transformer_id,
  s.metering_method,
  s.fixed_value,
  s.parent_usage_point_id,
  s.relation,
  s.metering_side,
  s.tariff_id,
  s.category,
  s.loss_billed
FROM spans AS s
LEFT JOIN customer AS c ON c.customer_id = s.customer_id
