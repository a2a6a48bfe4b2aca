SELECT
  customer_id,
  cause,
  adjustment_id,
  coalesce(window_from, ym_start(billing_period), CAST(applied_at AS DATE)) AS from_day,
  coalesce(window_to, ym_end(billing_period), CAST(CAST(applied_at AS DATE) + INTERVAL 1 DAY AS DATE)) AS to_day
FROM adjustment
WHERE approved_at IS NOT NULL OR approved_by IS NOT NULL
