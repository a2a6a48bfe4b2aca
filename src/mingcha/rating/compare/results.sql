-- What is kept of a rated month: the derived tables of the contract. A price that is not the book's is the market's where a
-- book knows the tariff, else the utility's own.

-- :: rerated_bill
WITH grades AS (
    SELECT sid, CAST(sum(CASE WHEN component = 'energy' THEN quantity ELSE 0 END) AS DECIMAL(18,4)) AS energy_kwh,
        CAST(sum(amount) AS DECIMAL(18,2)) AS amount,
        max(CASE evidence WHEN '[O]' THEN 1 WHEN '[S]' THEN 2 WHEN '[D]' THEN 3 WHEN '[K+]' THEN 4 WHEN '[K?]' THEN 5
            WHEN 'default' THEN 6 ELSE CASE WHEN tariff_code IS NULL THEN 8 ELSE 7 END END) AS grade,
        max(CASE WHEN evidence = 'own' AND tariff_code IS NULL AND price IS NOT NULL THEN 1 ELSE 0 END) AS own
    FROM rt_line GROUP BY sid
)
SELECT s.customer_id, s.billing_period, s.seq, s.bill_id, s.bill_ids, s.bills, s.started_on, s.read_on,
    coalesce(g.energy_kwh, 0) AS energy_kwh, p.power_factor, coalesce(g.amount, 0) AS amount, a.billed_amount,
    CASE g.grade WHEN 1 THEN '[O]' WHEN 2 THEN '[S]' WHEN 3 THEN '[D]' WHEN 4 THEN '[K+]' WHEN 5 THEN '[K?]' WHEN 6 THEN 'default'
        WHEN 7 THEN 'market' WHEN 8 THEN 'own' ELSE '[D]' END AS evidence,
    coalesce(g.own, 0) = 1 AS own_prices
FROM rt_settlement AS s
JOIN cmp_account AS a ON a.sid = s.sid
LEFT JOIN grades AS g ON g.sid = s.sid
LEFT JOIN cmp_pf AS p ON p.sid = s.sid
LEFT JOIN cmp_failed AS f ON f.sid = s.sid
WHERE f.sid IS NULL

-- :: rerated_line
SELECT s.customer_id, s.billing_period, s.seq, l.line_no, s.bill_id, l.usage_point_id, l.component, l.period, l.tier, l.quantity,
    l.unit, l.days, l.base_amount, l.price, l.amount, l.remainder, l.tariff_id, l.tariff_code, l.formula, l.source,
    CASE WHEN l.evidence = 'own' AND l.tariff_code IS NOT NULL THEN 'market' ELSE l.evidence END AS evidence, l.seg_from AS started_on, l.seg_to AS read_on
FROM rt_line AS l JOIN rt_settlement AS s ON s.sid = l.sid

-- :: rerated_gap
SELECT s.customer_id, s.billing_period, s.seq, g.reason, s.bill_id, s.bill_ids, s.bills, a.billed_amount, g.detail
FROM rt_gap AS g
JOIN rt_settlement AS s ON s.sid = g.sid
JOIN cmp_account AS a ON a.sid = g.sid

-- :: bill_difference
SELECT s.customer_id, s.billing_period, s.seq, c.component, s.bill_id, c.billed_amount, c.rerated_amount,
    c.billed_amount - c.rerated_amount AS difference,
    CASE WHEN c.billed_lines > 0 THEN c.billed_quantity END AS billed_quantity,
    CASE WHEN c.rerated_lines > 0 THEN c.rerated_quantity END AS rerated_quantity, c.billed_price, c.rerated_price, c.cause
FROM cmp_cause AS c JOIN rt_settlement AS s ON s.sid = c.sid

-- :: power_factor_table
SELECT standard, pf, pct FROM tb_pf
WHERE in_force_from <= :month_start AND (in_force_to IS NULL OR in_force_to > :month_start)

-- :: rerated_feed_in
SELECT generator_id, billing_period, fed_in_kwh, price, amount FROM rt_feed_in
