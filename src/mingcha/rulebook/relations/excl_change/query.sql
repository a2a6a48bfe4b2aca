SELECT
  customer_id,
  kind,
  ticket_id,
  CAST(accepted_at AS DATE) AS from_day,
  CAST(
    coalesce(CAST(completed_at AS DATE), CAST(archived_at AS DATE), :data_date) + INTERVAL :chg_days DAY AS DATE
  ) AS to_day
FROM ticket
WHERE status <> 'cancelled'
  AND customer_id IS NOT NULL
