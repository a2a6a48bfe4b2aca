-- Live lines beside re-rated lines, per settlement that could be rated.

-- :: cmp_bill
-- which settlement each live bill belongs to
SELECT s.sid, b.bill_id, b.amount, b.power_factor
FROM rt_settlement AS s
JOIN bill AS b ON b.customer_id = s.customer_id AND b.billing_period = s.billing_period
WHERE contains(',' || s.bill_ids || ',', ',' || b.bill_id || ',')

-- :: cmp_account
SELECT s.sid, CAST(coalesce(sum(b.amount), 0) AS DECIMAL(18,2)) AS billed_amount, max(b.power_factor) AS billed_pf
FROM rt_settlement AS s LEFT JOIN cmp_bill AS b ON b.sid = s.sid
GROUP BY s.sid

-- :: cmp_failed
SELECT DISTINCT sid FROM rt_gap

-- :: cmp_billed
-- A loss that is charged by itself is energy here: rated anew, losses are priced inside energy.
SELECT b.sid, l.usage_point_id,
    CASE WHEN l.component IN ('transformer_loss', 'line_loss') AND l.amount <> 0 THEN 'energy' ELSE l.component END AS component,
    coalesce(l.period, 'all') AS period, coalesce(l.tier, 0) AS tier, l.quantity, l.days, l.price, l.amount, l.tariff_id,
    l.component IN ('transformer_loss', 'line_loss') AS loss
FROM cmp_bill AS b
JOIN bill_line AS l ON l.bill_id = b.bill_id
LEFT JOIN cmp_failed AS f ON f.sid = b.sid
WHERE f.sid IS NULL

-- :: cmp_folded
-- settlements whose tiers were billed as prices of energy, not as additions to them
SELECT sid FROM cmp_billed
GROUP BY sid
HAVING sum(CASE WHEN component = 'tier' THEN 1 ELSE 0 END) = 0
    AND sum(CASE WHEN component = 'energy' AND tier > 0 THEN 1 ELSE 0 END) > 0

-- :: cmp_both
SELECT sid, usage_point_id, component, period, tier, quantity, days, price, amount, tariff_id, loss, TRUE AS billed
FROM cmp_billed
UNION ALL
SELECT l.sid, l.usage_point_id, CASE WHEN l.component = 'tier' AND f.sid IS NOT NULL THEN 'energy' ELSE l.component END AS component,
    coalesce(l.period, 'all') AS period, coalesce(l.tier, 0) AS tier, l.quantity, l.days, l.price, l.amount, l.tariff_id,
    l.component IN ('transformer_loss', 'line_loss', 'tier') AND (l.component <> 'tier' OR f.sid IS NOT NULL) AS loss, FALSE AS billed
FROM rt_line AS l LEFT JOIN cmp_folded AS f ON f.sid = l.sid

-- :: cmp_off
-- components whose sums differ
SELECT sid, component,
    CAST(sum(CASE WHEN billed THEN amount ELSE 0 END) AS DECIMAL(18,2)) AS billed_amount,
    CAST(sum(CASE WHEN billed THEN 0 ELSE amount END) AS DECIMAL(18,2)) AS rerated_amount,
    CAST(sum(CASE WHEN billed THEN 1 ELSE 0 END) AS INTEGER) AS billed_lines,
    CAST(sum(CASE WHEN billed THEN 0 ELSE 1 END) AS INTEGER) AS rerated_lines,
    count(usage_point_id) = count(*) AS pointed
FROM cmp_both
GROUP BY sid, component
HAVING sum(CASE WHEN billed THEN amount ELSE 0 END) <> sum(CASE WHEN billed THEN 0 ELSE amount END)

-- :: cmp_pair
-- billed beside re-rated by point (where both name one), period and tier
SELECT o.sid, o.component, CASE WHEN o.pointed THEN l.usage_point_id ELSE '' END AS usage_point_id, l.period, l.tier,
    CAST(sum(CASE WHEN l.billed THEN 1 ELSE 0 END) AS INTEGER) AS billed_lines,
    CAST(sum(CASE WHEN l.billed THEN 0 ELSE 1 END) AS INTEGER) AS rerated_lines,
    CAST(sum(CASE WHEN l.billed THEN l.quantity ELSE 0 END) AS DECIMAL(18,4)) AS billed_quantity,
    CAST(sum(CASE WHEN l.billed THEN 0 ELSE l.quantity END) AS DECIMAL(18,4)) AS rerated_quantity,
    CAST(sum(CASE WHEN l.billed THEN l.amount ELSE 0 END) AS DECIMAL(18,2)) AS billed_amount,
    CAST(sum(CASE WHEN l.billed THEN 0 ELSE l.amount END) AS DECIMAL(18,2)) AS rerated_amount,
    CASE WHEN count(CASE WHEN l.billed THEN l.price END) = 0 THEN NULL
        WHEN min(CASE WHEN l.billed THEN l.price END) = max(CASE WHEN l.billed THEN l.price END)
        THEN min(CASE WHEN l.billed THEN l.price END)
        ELSE CAST(safe_div(sum(CASE WHEN l.billed THEN l.amount END), sum(CASE WHEN l.billed THEN l.quantity END)) AS DECIMAL(18,8)) END AS billed_price,
    CASE WHEN count(CASE WHEN NOT l.billed THEN l.price END) = 0 THEN NULL
        WHEN min(CASE WHEN NOT l.billed THEN l.price END) = max(CASE WHEN NOT l.billed THEN l.price END)
        THEN min(CASE WHEN NOT l.billed THEN l.price END)
        ELSE CAST(safe_div(sum(CASE WHEN NOT l.billed THEN l.amount END), sum(CASE WHEN NOT l.billed THEN l.quantity END)) AS DECIMAL(18,8)) END AS rerated_price,
    max(CASE WHEN l.billed THEN l.quantity END) AS billed_top, max(CASE WHEN NOT l.billed THEN l.quantity END) AS rerated_top,
    CAST(sum(CASE WHEN l.billed THEN coalesce(l.days, days_in_ym(:period)) ELSE 0 END) AS INTEGER) AS billed_days,
    CAST(sum(CASE WHEN l.billed THEN 0 ELSE coalesce(l.days, days_in_ym(:period)) END) AS INTEGER) AS rerated_days,
    min(CASE WHEN l.billed THEN l.tariff_id END) AS billed_tariff, min(CASE WHEN NOT l.billed THEN l.tariff_id END) AS rerated_tariff
FROM cmp_off AS o
JOIN cmp_both AS l ON l.sid = o.sid AND l.component = o.component
GROUP BY o.sid, o.component, CASE WHEN o.pointed THEN l.usage_point_id ELSE '' END, l.period, l.tier
