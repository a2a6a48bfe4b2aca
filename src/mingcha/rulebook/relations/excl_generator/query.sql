SELECT
  customer_id,
  min(connected_on) AS from_day,
  max(coalesce(removed_on, DATE '9999-12-31')) AS to_day
FROM generator
GROUP BY customer_id
