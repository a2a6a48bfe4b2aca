SELECT 'customer' AS table_name, count(customer_id) AS row_count FROM customer HAVING count(customer_id) > 0
UNION ALL
SELECT 'usage_point' AS table_name, count(usage_point_id) AS row_count FROM usage_point HAVING count(usage_point_id) > 0
UNION ALL
SELECT 'meter_install' AS table_name, count(meter_id) AS row_count FROM meter_install HAVING count(meter_id) > 0
UNION ALL
SELECT 'contract' AS table_name, count(contract_id) AS row_count FROM contract HAVING count(contract_id) > 0
UNION ALL
SELECT 'reading' AS table_name, count(reading_id) AS row_count FROM reading HAVING count(reading_id) > 0
UNION ALL
SELECT 'bill' AS table_name, count(bill_id) AS row_count FROM bill HAVING count(bill_id) > 0
UNION ALL
SELECT 'bill_line' AS table_name, count(bill_id) AS row_count FROM bill_line HAVING count(bill_id) > 0
UNION ALL
SELECT 'receipt' AS table_name, count(receipt_id) AS row_count FROM receipt HAVING count(receipt_id) > 0
UNION ALL
SELECT 'daily_energy' AS table_name, count(usage_point_id) AS row_count FROM daily_energy HAVING count(usage_point_id) > 0
