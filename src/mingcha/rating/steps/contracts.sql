-- :: rq_contract once
-- versions of the contracts, without overlaps: the first contract goes before others.
-- `alone`: the customer's only version, as almost always; nothing has to be compared with it
WITH c AS (
    SELECT c.contract_id, c.customer_id, c.effective_from, coalesce(c.effective_to, DATE '9999-12-31') AS effective_to,
        c.tariff_id, c.basic_charge_method, c.contract_demand_kw, c.capacity_kva, c.power_factor_standard,
        c.purchase_mode, c.agent_factor, c.line_loss_pct, c.shift,
        coalesce(c.capacity_kva, k.contract_capacity_kva) AS contract_capacity_kva
    FROM contract AS c LEFT JOIN customer AS k ON k.customer_id = c.customer_id
),
-- by contract as well: its versions follow each other even where they name different customers
moved AS (
    SELECT contract_id FROM c GROUP BY contract_id HAVING count(*) > 1
),
several AS (
    SELECT customer_id FROM c GROUP BY customer_id HAVING count(*) > 1
    UNION
    SELECT c.customer_id FROM c JOIN moved AS m ON m.contract_id = c.contract_id
),
v AS (
    SELECT c.contract_id, c.customer_id, c.effective_from,
        least(c.effective_to, coalesce(lead(c.effective_from)
            OVER (PARTITION BY c.contract_id ORDER BY c.effective_from), DATE '9999-12-31')) AS effective_to,
        c.tariff_id, c.basic_charge_method, c.contract_demand_kw, c.capacity_kva, c.power_factor_standard,
        c.purchase_mode, c.agent_factor, c.line_loss_pct, c.shift, c.contract_capacity_kva
    FROM c JOIN several AS m ON m.customer_id = c.customer_id
)
SELECT c.contract_id, c.customer_id, c.effective_from, c.effective_to, c.tariff_id, c.basic_charge_method,
    c.contract_demand_kw, c.capacity_kva, c.power_factor_standard, c.purchase_mode, c.agent_factor, c.line_loss_pct,
    c.shift, c.contract_capacity_kva
FROM c LEFT JOIN several AS m ON m.customer_id = c.customer_id
WHERE m.customer_id IS NULL AND c.effective_from < c.effective_to
UNION ALL
SELECT v.contract_id, v.customer_id, v.effective_from, v.effective_to, v.tariff_id, v.basic_charge_method,
    v.contract_demand_kw, v.capacity_kva, v.power_factor_standard, v.purchase_mode, v.agent_factor, v.line_loss_pct,
    v.shift, v.contract_capacity_kva
FROM v
LEFT JOIN v AS w ON w.customer_id = v.customer_id AND w.contract_id < v.contract_id
    AND w.effective_from < v.effective_to AND w.effective_to > v.effective_from
WHERE w.contract_id IS NULL AND v.effective_from < v.effective_to

-- :: rt_contract
WITH spans AS (
    SELECT sid, customer_id, least(started_on, month_start) AS d0, greatest(read_on, month_end) AS d1
    FROM rt_settlement
),
cut AS (
    SELECT s.sid, s.customer_id, greatest(c.effective_from, s.d0) AS seg_from, least(c.effective_to, s.d1) AS seg_to,
        c.contract_id, c.tariff_id, c.basic_charge_method, c.contract_demand_kw, c.capacity_kva,
        c.power_factor_standard, c.purchase_mode, c.agent_factor, c.line_loss_pct, c.shift, c.contract_capacity_kva
    FROM spans AS s
    JOIN rq_contract AS c ON c.customer_id = s.customer_id AND c.effective_from < s.d1 AND c.effective_to > s.d0
)
SELECT c.sid, c.seg_from, c.seg_to, c.contract_id, c.tariff_id, c.basic_charge_method, c.contract_demand_kw,
    c.capacity_kva, c.power_factor_standard AS pf_standard, c.purchase_mode, c.agent_factor,
    c.contract_capacity_kva, c.line_loss_pct, c.shift,
    coalesce(t.book, 'own') AS book
FROM cut AS c
LEFT JOIN rt_tariff AS t ON t.tariff_id = c.tariff_id AND t.in_force_from <= c.seg_from
    AND (t.in_force_to IS NULL OR t.in_force_to > c.seg_from)

-- :: rq_last_contract
-- the contract on the last day of the readings
SELECT c.sid, c.tariff_id, c.pf_standard, c.line_loss_pct, c.shift, c.book, c.contract_capacity_kva
FROM rt_contract AS c JOIN rt_settlement AS s ON s.sid = c.sid
WHERE c.seg_from < greatest(s.read_on, s.started_on + 1) AND c.seg_to >= greatest(s.read_on, s.started_on + 1)

-- :: rq_point
-- points of a settlement with what holds on its last day; of several versions the newest
WITH spans AS (
    SELECT sid, customer_id, started_on, greatest(read_on, started_on + 1) AS read_on FROM rt_settlement
),
v AS (
    SELECT s.sid, v.usage_point_id, v.parent_usage_point_id, v.main, v.relation, v.metering_method, v.fixed_value,
        v.metering_side, v.loss_billed, v.transformer_id, v.tariff_id, v.alone, v.effective_from, v.since, v.opened_on
    FROM spans AS s
    JOIN rq_version AS v ON v.customer_id = s.customer_id AND v.effective_from < s.read_on
        AND v.effective_to > s.started_on
),
newest AS (
    SELECT sid, usage_point_id, parent_usage_point_id, main, relation, metering_method, fixed_value, metering_side,
        loss_billed, transformer_id, tariff_id, since, opened_on,
        row_number() OVER (PARTITION BY sid, usage_point_id ORDER BY effective_from DESC) AS nth
    FROM v WHERE NOT alone
),
one AS (
    SELECT sid, usage_point_id, parent_usage_point_id, main, relation, metering_method, fixed_value, metering_side,
        loss_billed, transformer_id, tariff_id, since, opened_on
    FROM v WHERE alone
    UNION ALL
    SELECT sid, usage_point_id, parent_usage_point_id, main, relation, metering_method, fixed_value, metering_side,
        loss_billed, transformer_id, tariff_id, since, opened_on
    FROM newest WHERE nth = 1
)
SELECT v.sid, v.usage_point_id, CASE WHEN NOT v.main THEN v.parent_usage_point_id END AS parent_usage_point_id, v.main,
    v.relation, v.metering_method, v.fixed_value, v.metering_side, v.loss_billed, v.transformer_id,
    CASE WHEN v.main THEN c.tariff_id ELSE v.tariff_id END AS tariff_id, v.since, v.opened_on
FROM one AS v LEFT JOIN rq_last_contract AS c ON c.sid = v.sid

-- :: rt_point
SELECT sid, usage_point_id, parent_usage_point_id, main, relation, metering_method, transformer_id, tariff_id
FROM rq_point

-- :: rq_tenure
-- which tariff a point is on, day by day: a main point follows the contract, another its own entry
SELECT p.sid, p.usage_point_id, c.seg_from AS day_from, c.seg_to AS day_to, c.tariff_id
FROM rq_point AS p JOIN rt_contract AS c ON c.sid = p.sid
WHERE p.main
UNION ALL
SELECT p.sid, p.usage_point_id, greatest(v.effective_from, least(s.started_on, s.month_start)) AS day_from,
    least(v.effective_to, greatest(s.read_on, s.month_end)) AS day_to, v.tariff_id
FROM rq_point AS p
JOIN rt_settlement AS s ON s.sid = p.sid
JOIN rq_version AS v ON v.usage_point_id = p.usage_point_id AND v.customer_id = s.customer_id
    AND v.effective_from < greatest(s.read_on, s.month_end) AND v.effective_to > least(s.started_on, s.month_start)
WHERE NOT p.main

-- :: gap_no_contract
SELECT s.sid, 'no_contract' AS reason, 'no contract in force on the last day of the readings' AS detail
FROM rt_settlement AS s LEFT JOIN rq_last_contract AS c ON c.sid = s.sid
WHERE c.sid IS NULL

-- :: gap_no_point
SELECT s.sid, 'no_reading' AS reason, 'no sale point in force' AS detail
FROM rt_settlement AS s LEFT JOIN rq_point AS p ON p.sid = s.sid AND p.main
WHERE p.sid IS NULL
