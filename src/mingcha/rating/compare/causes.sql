-- Why a component differs: a suggestion, made of facts, for the person who checks.

-- :: cmp_judged
SELECT o.sid, o.component, o.billed_amount, o.rerated_amount, o.billed_lines, o.rerated_lines, f.billed_quantity, f.rerated_quantity,
    f.billed_top, f.rerated_top, f.moved, f.common, f.tier_moved, f.by_quantity, f.by_price,
    m.billed_price, m.rerated_price, m.billed_days, m.rerated_days,
    CASE WHEN f.price_gap > :price_tolerance THEN 1 ELSE 0 END AS price_off,
    CASE WHEN m.billed_tariff <> m.rerated_tariff THEN 1 ELSE 0 END AS tariff_off,
    coalesce(k.own, 0) AS price_of_other_days, coalesce(k.other, 0) AS price_of_other_tariff,
    CASE WHEN o.component = 'energy' AND (
            abs(m.billed_price * coalesce(t.agent_factor, 1) - m.rerated_price) <= :price_tolerance
            OR abs(m.billed_price - m.rerated_price * coalesce(t.agent_factor, 1)) <= :price_tolerance
            OR abs(m.billed_price * :agent_factor - m.rerated_price) <= :price_tolerance
            OR abs(m.billed_price - m.rerated_price * :agent_factor) <= :price_tolerance)
        OR o.component IN ('basic_demand', 'basic_demand_over') AND (
            abs(m.billed_price * :demand_discount - m.rerated_price) <= :price_tolerance
            OR abs(m.billed_price - m.rerated_price * :demand_discount) <= :price_tolerance)
        THEN 1 ELSE 0 END AS factor_off,
    CASE WHEN w.true_kwh <> w.stated_kwh
            AND abs(CAST(f.billed_quantity AS DECIMAL(19,2)) * CAST(w.true_kwh AS DECIMAL(19,2))
                - CAST(f.rerated_quantity AS DECIMAL(19,2)) * CAST(w.stated_kwh AS DECIMAL(19,2)))
            <= :share_tolerance * abs(CAST(f.rerated_quantity AS DECIMAL(19,2)) * CAST(w.stated_kwh AS DECIMAL(19,2)))
        OR w.true_kwh <> w.raw_kwh AND abs(f.billed_quantity - w.raw_kwh) <= :quantity_tolerance
        THEN 1 ELSE 0 END AS multiplier_off,
    CASE WHEN e.billed_loss <> e.rerated_loss
            AND abs(f.billed_quantity - f.rerated_quantity - e.billed_loss + e.rerated_loss) <= :quantity_tolerance * 4
        THEN 1 ELSE 0 END AS loss_off,
    CASE WHEN abs(e.billed_kwh - e.rerated_kwh) > :quantity_tolerance THEN 1 ELSE 0 END AS kwh_off,
    CASE WHEN x.sid IS NULL THEN 0 ELSE 1 END AS folded, e.billed_kwh, e.rerated_kwh,
    CASE WHEN a.billed_pf IS NULL OR p.power_factor IS NULL OR a.billed_pf = p.power_factor THEN 0 ELSE 1 END AS pf_off,
    CASE WHEN n.components > 1 THEN 1 ELSE 0 END AS others_off,
    CASE WHEN abs(CAST(CAST(m.billed_price AS DECIMAL(20,8)) * f.billed_top AS DECIMAL(28,8)) * m.billed_days
            - CAST(o.billed_amount AS DECIMAL(20,2)) * 30) <= :line_tolerance * 30
        OR abs(CAST(CAST(m.billed_price AS DECIMAL(20,8)) * f.billed_top AS DECIMAL(28,8)) * m.billed_days
            - CAST(o.billed_amount AS DECIMAL(20,2)) * days_in_ym(:period)) <= :line_tolerance * 31
        THEN 1 ELSE 0 END AS by_days
FROM cmp_off AS o
JOIN cmp_fact AS f ON f.sid = o.sid AND f.component = o.component
JOIN cmp_main AS m ON m.sid = o.sid AND m.component = o.component
JOIN cmp_kwh AS e ON e.sid = o.sid
JOIN cmp_account AS a ON a.sid = o.sid
JOIN (SELECT sid, count(*) AS components FROM cmp_off GROUP BY sid) AS n ON n.sid = o.sid
LEFT JOIN cmp_known AS k ON k.sid = o.sid AND k.component = o.component
LEFT JOIN cmp_terms AS t ON t.sid = o.sid
LEFT JOIN cmp_meter AS w ON w.sid = o.sid
LEFT JOIN cmp_pf AS p ON p.sid = o.sid
LEFT JOIN cmp_folded AS x ON x.sid = o.sid

-- :: cmp_cause
WITH reasons AS (
    SELECT sid, component, billed_amount, rerated_amount, billed_lines, rerated_lines, billed_quantity, rerated_quantity, billed_top,
        rerated_top, billed_price, rerated_price, moved, common, tier_moved, by_quantity, by_price, kwh_off, folded, pf_off, others_off,
        price_off, by_days, billed_days, rerated_days, billed_kwh, rerated_kwh,
        CASE WHEN multiplier_off = 1 THEN 'wrong_multiplier' WHEN loss_off = 1 THEN 'wrong_loss' ELSE 'wrong_kwh' END AS energy_cause,
        CASE WHEN tariff_off = 1 THEN 'wrong_tariff' WHEN price_of_other_days = 1 THEN 'wrong_price'
            WHEN factor_off = 1 THEN 'wrong_factor' WHEN price_of_other_tariff = 1 THEN 'wrong_tariff' ELSE 'wrong_price' END
            AS price_cause
    FROM cmp_judged
)
SELECT sid, component, billed_amount, rerated_amount, billed_lines, rerated_lines,
    CASE WHEN component IN ('basic_capacity', 'basic_demand', 'power_factor') THEN billed_top
        WHEN component = 'energy' AND folded = 1 THEN billed_kwh ELSE billed_quantity END AS billed_quantity,
    CASE WHEN component IN ('basic_capacity', 'basic_demand', 'power_factor') THEN rerated_top
        WHEN component = 'energy' AND folded = 1 THEN rerated_kwh ELSE rerated_quantity END AS rerated_quantity,
    billed_price, rerated_price,
    CASE
        WHEN billed_lines > 0 AND rerated_lines > 0
            AND abs(billed_amount - rerated_amount) <= :line_tolerance * greatest(billed_lines, rerated_lines) THEN 'rounding'
        WHEN billed_lines = 0 OR (billed_amount = 0 AND billed_quantity = 0) THEN 'missing_component'
        WHEN rerated_lines = 0 OR (rerated_amount = 0 AND rerated_quantity = 0) THEN 'extra_component'
        WHEN component = 'power_factor' AND abs(billed_top - rerated_top) <= CAST('0.005' AS DECIMAL(5,4))
            THEN CASE WHEN others_off = 1 THEN 'follows' ELSE 'other' END
        WHEN component = 'power_factor' THEN CASE WHEN pf_off = 1 AND kwh_off = 1 THEN 'follows' ELSE 'wrong_factor' END
        WHEN component IN ('basic_capacity', 'basic_demand', 'basic_demand_over') AND abs(billed_top - rerated_top) > :quantity_tolerance
            THEN CASE component WHEN 'basic_capacity' THEN 'wrong_capacity' ELSE 'wrong_demand' END
        WHEN component IN ('basic_capacity', 'basic_demand', 'basic_demand_over') AND billed_days <> rerated_days THEN 'wrong_days'
        WHEN component IN ('basic_capacity', 'basic_demand', 'basic_demand_over')
            THEN CASE WHEN price_off = 1 THEN price_cause WHEN by_days = 1 THEN 'wrong_days' ELSE 'other' END
        WHEN component = 'tier' OR (component = 'energy' AND folded = 1)
            THEN CASE WHEN kwh_off = 1 THEN energy_cause WHEN tier_moved = 1 THEN 'wrong_tier'
                WHEN price_off = 1 OR folded = 1 THEN price_cause ELSE 'other' END
        WHEN component = 'other' AND billed_days <> rerated_days THEN 'wrong_days'
        WHEN moved > :quantity_tolerance AND common = 0 THEN 'wrong_tariff'
        WHEN moved > :quantity_tolerance AND (price_off = 0 OR by_quantity >= by_price) THEN energy_cause
        WHEN price_off = 1 THEN price_cause
        ELSE 'other' END AS cause
FROM reasons
