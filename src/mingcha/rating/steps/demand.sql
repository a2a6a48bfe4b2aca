-- :: rt_demand
-- maximum of each main point over the month, added up, to 0.01 kW; in the customer's last settlement
WITH d AS (
    SELECT s.customer_id, r.usage_point_id, max(r.kwh) AS kw
    FROM rq_register AS r
    JOIN rt_settlement AS s ON s.sid = r.sid
    WHERE r.register = 'demand' AND r.main AND NOT r.guest
    GROUP BY s.customer_id, r.usage_point_id
)
SELECT s.sid, 'all' AS period, CAST(CAST(sum(d.kw) AS DECIMAL(18,2)) AS DECIMAL(18,4)) AS kw
FROM d JOIN rt_settlement AS s ON s.customer_id = d.customer_id AND s.last
GROUP BY s.sid

-- :: rq_basic
-- settlements that carry a basic charge, with their method in the billing month
SELECT DISTINCT c.sid, c.basic_charge_method
FROM rt_contract AS c
JOIN rt_settlement AS s ON s.sid = c.sid AND s.last
JOIN rt_price AS p ON p.tariff_id = c.tariff_id AND p.component IN ('basic_capacity', 'basic_demand')
    AND p.in_force_from < least(c.seg_to, s.month_end)
    AND (p.in_force_to IS NULL OR p.in_force_to > greatest(c.seg_from, s.month_start))
WHERE c.basic_charge_method <> 'none' AND c.seg_from < s.month_end AND c.seg_to > s.month_start

-- :: gap_no_demand
SELECT b.sid, 'no_demand' AS reason, 'no maximum demand was read' AS detail
FROM rq_basic AS b LEFT JOIN rt_demand AS d ON d.sid = b.sid
WHERE b.basic_charge_method IN ('demand_contract', 'demand_actual') AND d.sid IS NULL
