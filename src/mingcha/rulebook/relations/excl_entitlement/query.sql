SELECT
  customer_id,
  kind,
  valid_from AS from_day,
  coalesce(valid_to, DATE '9999-12-31') AS to_day
FROM entitlement
