SELECT b.bill_id, b.customer_id, c.org_id, c.phone, b.billing_period, b.energy_kwh, b.amount, b.issued_by
FROM bill AS b
LEFT JOIN customer AS c ON c.customer_id = b.customer_id
WHERE b.status <> 'void'
  AND b.billing_period >= :history_period
  AND b.billing_period <= :last_period
