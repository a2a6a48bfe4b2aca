SELECT customer_id, kind, CAST(accepted_at AS DATE) AS from_day
FROM ticket
WHERE status <> 'cancelled'
  AND customer_id IS NOT NULL
