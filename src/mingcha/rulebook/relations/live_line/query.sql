SELECT
  l.bill_id,
  l.line_no,
  b.customer_id,
  b.billing_period,
  l.usage_point_id,
  l.component,
  l.period,
  l.tier,
  l.quantity,
  l.unit,
  l.days,
  l.base_amount,
  l.price,
  l.amount,
  l.tariff_id
FROM bill_line AS l
JOIN live_bill AS b ON b.bill_id = l.bill_id
