WITH in_force AS (
  SELECT transformer_id, status
  FROM transformer_status
  WHERE effective_from <= :data_date
    AND (effective_to IS NULL OR effective_to > :data_date)
  QUALIFY row_number() OVER (PARTITION BY transformer_id ORDER BY effective_from DESC) = 1
)
SELECT
  t.transformer_id,
  t.customer_id,
  t.capacity_kva,
  s.status
FROM transformer AS t
LEFT JOIN in_force AS s ON s.transformer_id = t.transformer_id
WHERE t.kind = 'dedicated'
  AND t.customer_id IS NOT NULL
