WITH changed AS (
  SELECT
    change_id, object_type, object_id, field, old_value, new_value, changed_at, changed_by, approved_by, ticket_id,
    date_trunc('hour', changed_at) AS changed_hour
  FROM archive_change
  WHERE field IN (:key_fields)
    AND object_type IN ('customer', 'contract', 'usage_point')
    AND changed_at >= CAST(:period_start AS TIMESTAMP)
    AND changed_at < CAST(:period_end AS TIMESTAMP)
    AND coalesce(old_value, '') <> coalesce(new_value, '')
),
bulk AS (
  -- a change of policy: many rows set to one value within the hour, all approved by one person
  SELECT field, new_value, changed_hour
  FROM changed
  GROUP BY field, new_value, changed_hour
  HAVING count(*) >= :mass
    AND count(approved_by) = count(*)
    AND count(DISTINCT approved_by) = 1
),
contract_owner AS (
  SELECT contract_id, customer_id
  FROM contract
  QUALIFY row_number() OVER (PARTITION BY contract_id ORDER BY effective_from DESC) = 1
),
customer_contract AS (
  SELECT customer_id, contract_id
  FROM contract
  WHERE effective_from < :period_end
  QUALIFY row_number() OVER (PARTITION BY customer_id ORDER BY effective_from DESC, contract_id) = 1
),
point_owner AS (
  SELECT usage_point_id, customer_id
  FROM usage_point
  WHERE effective_from < :period_end
  QUALIFY row_number() OVER (PARTITION BY usage_point_id ORDER BY effective_from DESC) = 1
),
owned AS (
  SELECT
    x.change_id, x.object_type, x.object_id, x.field, x.old_value, x.new_value, x.changed_at, x.changed_by, x.approved_by,
    x.ticket_id, b.changed_hour IS NOT NULL AS is_bulk,
    CASE x.object_type WHEN 'customer' THEN x.object_id WHEN 'contract' THEN o.customer_id ELSE p.customer_id END AS customer_id
  FROM changed AS x
  LEFT JOIN bulk AS b
    ON b.field = x.field
    AND coalesce(b.new_value, '') = coalesce(x.new_value, '')
    AND b.changed_hour = x.changed_hour
  LEFT JOIN contract_owner AS o ON x.object_type = 'contract' AND o.contract_id = x.object_id
  LEFT JOIN point_owner AS p ON x.object_type = 'usage_point' AND p.usage_point_id = x.object_id
),
judged AS (
  SELECT
    w.change_id, w.object_type, w.object_id, w.field, w.old_value, w.new_value, w.changed_at, w.changed_by, w.approved_by,
    w.ticket_id, w.customer_id, t.kind AS ticket_kind, t.customer_id AS ticket_customer_id, t.accepted_at, t.archived_at,
    CASE WHEN w.object_type = 'contract' THEN o.contract_id ELSE k.contract_id END AS contract_id,
    CASE
      WHEN w.is_bulk THEN 'bulk'
      WHEN w.ticket_id IS NULL THEN 'no_ticket'
      WHEN t.ticket_id IS NULL THEN 'ticket_not_found'
      WHEN t.customer_id <> w.customer_id THEN 'other_customer'
      WHEN w.changed_at < t.accepted_at THEN 'before_acceptance'
      WHEN w.changed_at > t.archived_at THEN 'after_archiving'
    END AS verdict
  FROM owned AS w
  LEFT JOIN ticket AS t ON t.ticket_id = w.ticket_id
  LEFT JOIN customer_contract AS k ON k.customer_id = w.customer_id
  LEFT JOIN contract_owner AS o ON w.object_type = 'contract' AND o.contract_id = w.object_id
),
gravest AS (
  SELECT
    change_id, object_type, object_id, field, old_value, new_value, changed_at, changed_by, approved_by, ticket_id, customer_id,
    ticket_kind, ticket_customer_id, accepted_at, archived_at, contract_id, verdict,
    count(CASE WHEN verdict NOT IN ('bulk', 'ticket_not_found') THEN 1 END) OVER (PARTITION BY contract_id) AS changes
  FROM judged
  WHERE verdict IS NOT NULL
    AND contract_id IS NOT NULL
  QUALIFY row_number() OVER (
    PARTITION BY contract_id
    ORDER BY
      CASE verdict
        WHEN 'no_ticket' THEN 0 WHEN 'other_customer' THEN 1 WHEN 'after_archiving' THEN 2 WHEN 'before_acceptance' THEN 3
        WHEN 'ticket_not_found' THEN 4
        ELSE 5
      END,
      CASE WHEN approved_by IS NULL THEN 0 ELSE 1 END, changed_at, change_id
  ) = 1
)
SELECT
  g.contract_id AS subject_id,
  g.customer_id,
  c.org_id,
  CAST(g.changed_at AS DATE) AS period_start,
  CAST(CAST(g.changed_at AS DATE) + INTERVAL 1 DAY AS DATE) AS period_end,
  CASE g.verdict
    WHEN 'bulk' THEN 'not_applicable'
    WHEN 'ticket_not_found' THEN 'mapping_suspect'
    ELSE 'hit'
  END AS exit,
  CASE
    WHEN g.verdict IN ('bulk', 'ticket_not_found') THEN NULL
    WHEN g.verdict = 'no_ticket' AND g.approved_by IS NULL THEN 'urgent'
    ELSE 'order'
  END AS band,
  g.verdict AS reason,
  CAST(NULL AS DECIMAL(18, 4)) AS energy_kwh,
  CAST(NULL AS DECIMAL(18, 2)) AS back_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS penalty_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS refund_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS exposed_cny,
  g.change_id,
  g.object_type,
  g.object_id,
  g.field,
  g.old_value,
  g.new_value,
  g.changed_at,
  g.changed_by,
  g.approved_by,
  g.ticket_id,
  g.ticket_kind,
  g.ticket_customer_id,
  g.accepted_at,
  g.archived_at,
  g.changes
FROM gravest AS g
LEFT JOIN customer AS c ON c.customer_id = g.customer_id
