-- :: versions
-- contracts by version, the first reaching back and the last on as far as anybody asks
CREATE OR REPLACE TABLE cv AS
SELECT n, tariff_id, purchase_mode, pf_std, CASE v WHEN 1 THEN DATE '1900-01-01' ELSE effective_from END AS v_from,
    CASE WHEN v < max(v) OVER (PARTITION BY n) THEN effective_to ELSE DATE '9999-01-01' END AS v_to
FROM up_version;

-- :: intervals
-- what was measured between two looks at the meter: k as in `pt`; a meter changed gives two intervals in one bill
CREATE OR REPLACE TABLE bi AS
SELECT n, k, period_m AS m, CASE WHEN instalment THEN part ELSE 2 END AS inst, started_on, read_on,
    kwh_of(sum(energy) FILTER (register = 'active')) AS e,
    kwh_of(coalesce(sum(energy) FILTER (register = 'active_sharp'), 0)) AS e1,
    kwh_of(coalesce(sum(energy) FILTER (register = 'active_peak'), 0)) AS e2,
    kwh_of(coalesce(sum(energy) FILTER (register = 'active_valley'), 0)) AS e4,
    kwh_of(sum(abs(energy)) FILTER (register IN ('reactive_import', 'reactive_export'))) AS kvarh,
    kwh_of(round(max(energy) FILTER (register = 'demand'), 2)) AS kw
FROM t_reading WHERE k IN (1, 3) GROUP BY ALL
HAVING e IS NOT NULL
UNION ALL
SELECT n, 1, m, 2, greatest(d0, opened_on), least(d1, coalesce(closed_on, d1)),
    CASE kind WHEN 'lamp' THEN part_of(base, date_diff('day', greatest(d0, opened_on), least(d1, coalesce(closed_on, d1))), days)
        ELSE kwh_of(cap * {hours} * date_diff('day', greatest(d0, opened_on), least(d1, coalesce(closed_on, d1)))) END,
    0, 0, 0, NULL, NULL
FROM c, mo WHERE kind IN ('lamp', 'temp') AND m BETWEEN 0 AND {months} - 1
    AND greatest(d0, opened_on) < least(d1, coalesce(closed_on, d1));

-- :: settlements
CREATE OR REPLACE TABLE bs AS
WITH s AS (
    SELECT n, m, inst, kwh_of(sum(e)) AS e, kwh_of(sum(kvarh)) AS kvarh, max(kw) AS kw, min(started_on) AS started_on,
        max(read_on) AS read_on FROM bi WHERE k = 1 GROUP BY n, m, inst
),
a AS (
    -- never more comes off than there is
    SELECT s.*, least(coalesce(b.e, 0), s.e) AS sub, mo.ym, mo.d0, mo.d1, mo.days AS month_days, c.cap, c.opened_on,
        c.closed_on, c.loss_billed, c.line_pct,
        c.many_members, c.fixed_kwh, c.fixed_share, c.kva1, c.cid, c.county_org,
        24 * date_diff('day', s.started_on, s.read_on) AS t,
        CASE c.shift WHEN '1' THEN {k1} WHEN '2' THEN {k2} ELSE {k3} END AS k_load, least(mo.d1, coalesce(closed_on, mo.d1)) AS last_day,
        greatest(mo.d0, opened_on) AS first_day
    FROM s JOIN c USING (n) JOIN mo ON mo.m = s.m LEFT JOIN bi b ON b.n = s.n AND b.m = s.m AND b.inst = s.inst AND b.k = 3
),
l AS (
    SELECT a.*, CASE WHEN loss_billed THEN kwh_of(round(no_load_kw * t
            + k_load * load_kw * (CAST(e AS DOUBLE) * e + CAST(kvarh AS DOUBLE) * kvarh) / (CAST(kva AS DOUBLE) * kva * t), 2))
            ELSE kwh_of(0) END AS loss,
        CASE WHEN loss_billed THEN kwh_of(round(no_load_pct * kva / 100 * t
            + k_load * (CASE WHEN kva <= 500 THEN 4.0 ELSE 4.5 END) * kva / 100
                * (CAST(e AS DOUBLE) * e + CAST(kvarh AS DOUBLE) * kvarh) / (CAST(kva AS DOUBLE) * kva * t), 2))
            ELSE kwh_of(0) END AS loss_kvarh
    FROM a LEFT JOIN plate ON a.loss_billed AND plate.kva = a.kva1
),
f AS (
    SELECT *, least(coalesce(part_of(fixed_kwh, date_diff('day', started_on, read_on), month_days), 0), greatest(e - sub, 0)) AS fixed
    FROM l
)
SELECT f.*, kwh_of(round(coalesce(CAST(fixed_share AS DECIMAL(4,2)), 0) * greatest(e - sub - fixed, 0), 2)) AS shared,
    CASE WHEN loss_billed AND line_pct IS NOT NULL THEN kwh_of(round((e + loss) * CAST(line_pct / 100 AS DECIMAL(6,4)), 2))
        ELSE kwh_of(0) END AS line_loss,
    v.pf_std
FROM f JOIN cv v ON v.n = f.n AND f.read_on > v.v_from AND f.read_on <= v.v_to;

-- :: cells
-- billable energy by interval and period: subs off the main point, losses on it, both by kWh
CREATE OR REPLACE TABLE cell AS
WITH r AS (
    SELECT bi.*, c.tou, c.kind, c.two_rate FROM bi JOIN c USING (n) WHERE k = 1
),
x AS (
    SELECT n, m, inst, 1 AS k, started_on, read_on, 0 AS ord, 'all' AS period, e FROM r WHERE NOT tou
    UNION ALL SELECT n, m, inst, 1, started_on, read_on, 1, 'sharp', e1 FROM r WHERE tou AND kind <> 'home'
    UNION ALL SELECT n, m, inst, 1, started_on, read_on, 2, 'peak', CASE WHEN two_rate THEN e - e4 ELSE e2 END FROM r WHERE tou
    UNION ALL SELECT n, m, inst, 1, started_on, read_on, 3, 'flat', e - e1 - e2 - e4 FROM r WHERE tou AND kind <> 'home'
    UNION ALL SELECT n, m, inst, 1, started_on, read_on, 4, 'valley', CASE WHEN kind = 'home' AND NOT two_rate THEN e - e2 ELSE e4 END
        FROM r WHERE tou
),
y AS (
    SELECT x.*, part_of(bs.sub + bs.fixed + bs.shared, CAST(x.e * 100 AS BIGINT), CAST(bs.e * 100 AS BIGINT)) AS off,
        part_of(bs.loss + bs.line_loss, CAST(x.e * 100 AS BIGINT), CAST(bs.e * 100 AS BIGINT)) AS plus, bs.sub + bs.fixed + bs.shared AS all_off,
        bs.loss + bs.line_loss AS all_plus, row_number() OVER (PARTITION BY n, m, inst ORDER BY x.started_on DESC, ord DESC) = 1 AS last
    FROM x JOIN bs USING (n, m, inst) WHERE bs.sub + bs.fixed + bs.shared + bs.loss > 0
)
SELECT * FROM x ANTI JOIN (SELECT DISTINCT n, m, inst FROM y) z USING (n, m, inst)
UNION ALL
SELECT n, m, inst, k, started_on, read_on, ord, period,
    CASE WHEN last THEN e - (all_off - (sum(off) OVER w - off)) + (all_plus - (sum(plus) OVER w - plus)) ELSE e - off + plus END
FROM y WINDOW w AS (PARTITION BY n, m, inst)
UNION ALL
SELECT n, m, inst, 3, started_on, read_on, 0, 'all', e FROM bi WHERE k = 3 AND e > 0
UNION ALL
SELECT n, m, inst, 5, started_on, read_on, 0, 'all', fixed FROM bs WHERE fixed > 0
UNION ALL
SELECT n, m, inst, 6, started_on, read_on, 0, 'all', shared FROM bs WHERE shared > 0;

-- :: segments
-- an interval is cut where the contract or a price changes; energy goes by days. A segment lies inside one interval
CREATE OR REPLACE TABLE bt AS
WITH s AS (
    SELECT x.*, greatest(x.started_on, v_from, pv_from) AS seg_from, least(x.read_on, v_to, pv_to) AS seg_to, v.purchase_mode,
        w.* EXCLUDE (pv_from, pv_to)
    FROM cell x JOIN cv v ON v.n = x.n AND v_from < x.read_on AND v_to > x.started_on
    JOIN tw w ON w.tariff_id = CASE WHEN x.k = 1 THEN v.tariff_id ELSE 'RES-H' END AND w.pv_from < least(x.read_on, v_to)
        AND w.pv_to > greatest(x.started_on, v_from)
),
p AS (
    SELECT *, part_of(e, date_diff('day', seg_from, seg_to), date_diff('day', started_on, read_on)) AS share FROM s
    WHERE seg_from > started_on OR seg_to < read_on
),
z AS (
    SELECT *, e AS kwh FROM s WHERE seg_from = started_on AND seg_to = read_on
    UNION ALL
    SELECT * EXCLUDE (share), CASE WHEN seg_to = read_on THEN e - (sum(share) OVER (PARTITION BY n, m, inst, k, started_on, ord) - share)
            ELSE share END
    FROM p
)
SELECT *, CAST(dense_rank() OVER (PARTITION BY n, m, inst, k ORDER BY seg_from) - 1 AS INTEGER) AS si FROM z;

-- :: energy
CREATE OR REPLACE TABLE ln AS
WITH e AS (
    SELECT n, m, inst, k, si, any_value(seg_from) AS seg_from, ord, period, tariff_id, any_value(purchase_mode) AS purchase_mode,
        kwh_of(sum(kwh)) AS kwh, any_value(p_all) AS p_all, any_value(p_sharp) AS p_sharp, any_value(p_peak) AS p_peak,
        any_value(p_flat) AS p_flat, any_value(p_valley) AS p_valley
    FROM bt GROUP BY n, m, inst, k, si, started_on, ord, period, tariff_id
),
p AS (
    SELECT e.*, CASE period WHEN 'sharp' THEN p_sharp WHEN 'peak' THEN p_peak WHEN 'flat' THEN p_flat WHEN 'valley' THEN p_valley
        ELSE p_all END AS listed FROM e
)
SELECT n, m, inst, 50 * si + CASE k WHEN 1 THEN greatest(ord, 1) ELSE 17 + k END AS line_no, k, 'energy' AS component, period,
    CAST(NULL AS INTEGER) AS tier, CAST(kwh AS DECIMAL(18,4)) AS quantity, 'kWh' AS unit, CAST(NULL AS INTEGER) AS days,
    CAST(NULL AS DECIMAL(18,2)) AS base_amount, price, cny(kwh, price) AS amount, tariff_id, CAST(NULL AS DATE) AS day_from
FROM (
    SELECT p.*, CAST(CASE WHEN k > 1 OR purchase_mode = 'regulated' THEN listed
        -- the market's price: the customer's own
        WHEN purchase_mode = 'direct' THEN round(listed * (0.92 + 0.14 * rnd2(n, m + 1, 607)), 6)
        ELSE listed * CAST(agent_factor AS DECIMAL(2,1)) END AS DECIMAL(8,6)) AS price
    FROM p JOIN (SELECT n, agent_factor FROM c) f USING (n)
);

-- :: per_kwh
INSERT INTO ln
WITH e AS (
    SELECT n, m, inst, si, tariff_id, kwh_of(sum(kwh)) AS kwh, any_value(p_loss) AS p_loss, any_value(p_trans) AS p_trans,
        any_value(p_sys) AS p_sys, CASE WHEN any_value(fund_exempt) THEN NULL ELSE any_value(p_fund) END AS p_fund
    FROM bt JOIN (SELECT n, fund_exempt FROM c) f USING (n) WHERE k = 1 AND p_trans IS NOT NULL GROUP BY n, m, inst, si, tariff_id
)
SELECT n, m, inst, 50 * si + i.no, 1, i.component, 'all', NULL, kwh, 'kWh', NULL, NULL, p, cny(kwh, p), tariff_id, NULL
FROM e, LATERAL (SELECT unnest(['grid_loss', 'transmission', 'system', 'fund']) AS component, unnest([8, 9, 10, 11]) AS no,
    unnest([p_loss, p_trans, p_sys, p_fund]) AS p) i
WHERE kwh > 0 AND p IS NOT NULL;

-- :: tiers
-- the ladder runs from January; who came later has his months of it, a large household more
INSERT INTO ln
WITH q AS (
    SELECT n, m, inst, si, any_value(tariff_id) AS tariff_id, any_value(add1) AS a1, any_value(add2) AS a2, any_value(add3) AS a3,
        kwh_of(sum(kwh)) AS kwh FROM bt WHERE k = 1 AND tiered GROUP BY n, m, inst, si
),
y AS (
    SELECT n, m, inst, CAST(left(ym, 4) AS INTEGER) AS year, opened_on, many_members,
        CASE WHEN date_part('year', opened_on) = CAST(left(ym, 4) AS INTEGER) THEN 13 - date_part('month', opened_on) ELSE 12 END AS months,
        coalesce(sum(CASE WHEN read_on > opened_on THEN e ELSE 0 END) OVER (PARTITION BY n, left(ym, 4)
            ORDER BY m ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS seen
    FROM bs SEMI JOIN q USING (n, m, inst)
),
b AS (
    SELECT q.*, seen + CASE WHEN year = {first_year} AND opened_on < DATE '{start}' THEN kwh_of(round(c.base * {months_before}, 2))
            ELSE 0 END + coalesce(sum(q.kwh) OVER (PARTITION BY n, m, inst ORDER BY si
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS prior,
        kwh_of(({tier1} + CASE WHEN many_members THEN {member_kwh} * 12 ELSE 0 END) * months / 12) AS upto1,
        kwh_of(({tier2} + CASE WHEN many_members THEN {member_kwh} * 12 ELSE 0 END) * months / 12) AS upto2
    FROM q JOIN y USING (n, m, inst) JOIN (SELECT n, base FROM c) c USING (n)
),
t AS (
    SELECT *, greatest(least(prior + kwh, upto1) - prior, 0) AS t1, greatest(least(prior + kwh, upto2) - greatest(prior, upto1), 0) AS t2
    FROM b
)
SELECT n, m, inst, 50 * si + 4 + i.tier, 1, 'tier', 'all', i.tier, i.part, 'kWh', NULL, NULL, i.price, cny(i.part, i.price), tariff_id, NULL
FROM t, LATERAL (SELECT unnest([1, 2, 3]) AS tier, unnest([t1, t2, kwh - t1 - t2]) AS part, unnest([a1, a2, a3]) AS price) i
WHERE i.part > 0;

-- :: capacity
-- kVA in service, day by day: a transformer sealed for less than half a month counts as running
CREATE OR REPLACE TABLE stretch AS
WITH f AS (
    SELECT bs.n, bs.m, bs.first_day, bs.last_day, c.kva1, c.kva2, c.trait, c.eff_on, c.seal_to,
        c.trait = 'standby' AND (c.seal_to > DATE '{data_date}' OR c.seal_to - c.eff_on >= {min_days}) AS sealed
    FROM bs JOIN c USING (n) WHERE inst = 2 AND c.tariff0 = 'IND-10C'
),
d AS (
    SELECT n, m, first_day AS day FROM f
    UNION SELECT n, m, eff_on FROM f WHERE (trait = 'recap' OR sealed) AND eff_on > first_day AND eff_on < last_day
    UNION SELECT n, m, seal_to FROM f WHERE sealed AND seal_to > first_day AND seal_to < last_day
)
SELECT f.*, d.day AS day_from, coalesce(lead(d.day) OVER (PARTITION BY n, m ORDER BY d.day), f.last_day) AS day_to,
    kva1 + CASE WHEN trait = 'recap' AND d.day < eff_on THEN 0 WHEN sealed AND d.day >= eff_on AND d.day < seal_to THEN 0
        ELSE kva2 END AS kva,
    CAST(row_number() OVER (PARTITION BY n, m ORDER BY d.day) - 1 AS INTEGER) AS i
FROM d JOIN f USING (n, m);

INSERT INTO ln
SELECT s.n, s.m, 2, 50 * i + 12, 1, 'basic_capacity', NULL, NULL, kva, 'kVA', CASE WHEN d < mo.days THEN d END, NULL, p_cap,
    CASE WHEN d < mo.days THEN by_days(kva, p_cap, d, CASE WHEN mo.d0 < DATE '{calendar_from}' THEN 30 ELSE mo.days END)
        ELSE cny(kva, p_cap) END,
    'IND-10C', day_from
FROM (SELECT *, date_diff('day', day_from, day_to) AS d FROM stretch) s JOIN mo ON mo.m = s.m
JOIN tw ON tw.tariff_id = 'IND-10C' AND pv_from <= day_from AND pv_to > day_from WHERE kva > 0;

-- :: demand
INSERT INTO ln
WITH f AS (
    SELECT bs.n, bs.m, bs.kw, bs.month_days, bs.d0, bs.first_day, date_diff('day', bs.first_day, bs.last_day) AS d,
        CASE WHEN c.demand_kw IS NOT NULL THEN greatest(CAST(c.demand_kw AS DECIMAL(18,2)), kwh_of({floor_share} * c.cap)) END
            AS agreed, c.cap,
        (SELECT sum(e) FROM bi WHERE bi.n = bs.n AND bi.m = bs.m AND bi.k = 1) AS kwh
    FROM bs JOIN c USING (n) WHERE inst = 2 AND c.tariff0 = 'IND-10D' AND bs.kw IS NOT NULL
),
g AS (
    SELECT f.*, CAST(CASE WHEN kwh >= {discount_hours} * cap THEN p_dem * CAST({discount} AS DECIMAL(3,2)) ELSE p_dem END
            AS DECIMAL(8,6)) AS price,
        coalesce(agreed, kw) AS q, CASE WHEN kw > kwh_of({over_share} * agreed) THEN 2 * (kw - kwh_of({over_share} * agreed)) END AS over
    FROM f JOIN tw ON tw.tariff_id = 'IND-10D' AND pv_from <= first_day AND pv_to > first_day
)
SELECT n, m, 2, i.no, 1, i.component, NULL, NULL, i.part, 'kW', CASE WHEN d < month_days THEN d END, NULL, price,
    CASE WHEN d < month_days THEN by_days(i.part, price, d, CASE WHEN d0 < DATE '{calendar_from}' THEN 30 ELSE month_days END)
        ELSE cny(i.part, price) END, 'IND-10D', first_day
FROM g, LATERAL (SELECT unnest(['basic_demand', 'basic_demand_over']) AS component, unnest([12, 13]) AS no, unnest([q, over]) AS part) i
WHERE i.part > 0;

-- :: losses
INSERT INTO ln
SELECT n, m, inst, 15, 1, 'transformer_loss', NULL, NULL, loss, 'kWh', NULL, NULL, NULL, 0, any_value(tariff_id), NULL
FROM bs JOIN (SELECT n, m, inst, tariff_id FROM bt WHERE k = 1) t USING (n, m, inst) WHERE loss > 0 GROUP BY n, m, inst, loss
UNION ALL
SELECT n, m, inst, 16, 1, 'line_loss', NULL, NULL, line_loss, 'kWh', NULL, NULL, NULL, 0, any_value(tariff_id), NULL
FROM bs JOIN (SELECT n, m, inst, tariff_id FROM bt WHERE k = 1) t USING (n, m, inst) WHERE line_loss > 0 GROUP BY n, m, inst, line_loss;

-- :: factor
-- what the power factor adds or takes off, on energy and basic charge without the funds
CREATE OR REPLACE TABLE bf AS
WITH w AS (
    SELECT n, m, inst, pf_std, e + loss + line_loss AS wp, kvarh + loss_kvarh AS wq FROM bs
    WHERE pf_std IS NOT NULL AND e + loss + line_loss > 0 AND kvarh IS NOT NULL
),
a AS (
    SELECT w.*, CAST(round(wp / sqrt(CAST(wp AS DOUBLE) * wp + CAST(wq AS DOUBLE) * wq), 2) AS DECIMAL(4,2)) AS pf FROM w
)
SELECT n, m, inst, any_value(pf) AS pf, any_value(pf_std) AS pf_std, any_value(CAST(pf_percent(pf_std, pf) AS DECIMAL(9,4))) AS pct,
    CAST(sum(l.amount) AS DECIMAL(14,2)) AS base, any_value(l.tariff_id) AS tariff_id
FROM a JOIN ln l USING (n, m, inst)
WHERE l.k = 1 AND l.component IN ('energy', 'grid_loss', 'transmission', 'system', 'basic_capacity', 'basic_demand', 'basic_demand_over')
GROUP BY n, m, inst;

-- :: factor_lines
INSERT INTO ln
SELECT n, m, inst, 14, 1, 'power_factor', NULL, NULL, pct, 'pct', NULL, base, NULL,
    CAST(round(base * pct * CAST(0.01 AS DECIMAL(3,2)), 2) AS DECIMAL(18,2)), tariff_id, NULL
FROM bf;

-- :: bills
CREATE OR REPLACE TABLE t_bill AS
SELECT 'B' || replace(ym, '-', '') || zeros(n, 8) || inst AS bill_id, cid AS customer_id, ym AS billing_period, 'regular' AS kind,
    CAST(NULL AS VARCHAR) AS original_bill_id,
    at_hour(read_on + 1 + CAST(floor(rnd2(n, m, 601) * 3) AS INTEGER), 9 + 8 * rnd2(n, m, 602)) AS issued_at,
    'E' || county_org || 'B' || (1 + n % 4) AS issued_by, 'E' || county_org || 'B' || (1 + (n + 1) % 4) AS checked_by,
    a.kwh AS energy_kwh, bf.pf AS power_factor, a.amount, read_on + 28 AS due_on, 'open' AS status, n, m
FROM bs JOIN (SELECT n, m, inst, CAST(sum(amount) AS DECIMAL(18,2)) AS amount, kwh_of(sum(quantity) FILTER (component = 'energy')) AS kwh
    FROM ln GROUP BY n, m, inst) a USING (n, m, inst) LEFT JOIN bf USING (n, m, inst);

CREATE OR REPLACE TABLE t_bill_line AS
SELECT 'B' || replace(ym, '-', '') || zeros(ln.n, 8) || inst AS bill_id, line_no, component, period, tier, quantity, unit,
    ln.days, base_amount,
    CAST(price AS DECIMAL(18,8)) AS price, amount, tariff_id, 'P' || zeros(ln.n, 8) || k AS usage_point_id
FROM ln JOIN mo ON mo.m = ln.m;
DROP TABLE cell; DROP TABLE bt;

-- :: reissues
-- a wrong charge found the same day: the first bill is voided and issued again without it
CREATE OR REPLACE TABLE redo AS
SELECT b.bill_id, b.n, b.m, substr(b.bill_id, 1, 15) AS stem, 5 + die(b.n, 603, 60) AS too_much
FROM t_bill b JOIN c USING (n)
WHERE c.plain AND c.kind IN ('home', 'shop') AND b.amount > 20 AND rnd2(b.n, b.m, 604) < 0.0006
    AND n NOT IN (SELECT n FROM kept);

CREATE OR REPLACE TABLE redo_bill AS
SELECT b.* REPLACE ('reissue' AS kind, r.bill_id AS original_bill_id, stem || '3' AS bill_id,
    issued_at + INTERVAL 3 HOUR AS issued_at) FROM t_bill b JOIN redo r USING (bill_id)
UNION ALL
SELECT b.* REPLACE ('void' AS kind, r.bill_id AS original_bill_id, stem || '4' AS bill_id, issued_at + INTERVAL 2 HOUR AS issued_at,
    -energy_kwh AS energy_kwh, -amount - too_much AS amount, 'void' AS status) FROM t_bill b JOIN redo r USING (bill_id);

CREATE OR REPLACE TABLE redo_line AS
SELECT l.* REPLACE (stem || '3' AS bill_id) FROM t_bill_line l JOIN redo r USING (bill_id)
UNION ALL
SELECT l.* REPLACE (stem || '4' AS bill_id, -amount AS amount, -quantity AS quantity) FROM t_bill_line l JOIN redo r USING (bill_id)
UNION ALL
SELECT r.bill_id, 30, 'other', NULL, NULL, 1, 'item', NULL, NULL, too_much, too_much, NULL, NULL FROM redo r
UNION ALL
SELECT stem || '4', 30, 'other', NULL, NULL, -1, 'item', NULL, NULL, too_much, -too_much, NULL, NULL FROM redo r;

UPDATE t_bill b SET amount = amount + r.too_much, status = 'void' FROM redo r WHERE r.bill_id = b.bill_id;
INSERT INTO t_bill BY NAME SELECT * FROM redo_bill;
INSERT INTO t_bill_line BY NAME SELECT * FROM redo_line;

-- :: checks
CREATE OR REPLACE TABLE t_bill_check AS
SELECT bill_id, choose(['电量突变', '零电量', '金额异常'], rnd2(n, m, 605)) AS check_code, issued_at - INTERVAL 5 HOUR AS flagged_at,
    issued_at - INTERVAL 1 HOUR AS released_at, checked_by AS released_by, '核实无误' AS reason
FROM t_bill WHERE kind = 'regular' AND rnd2(n, m, 606) < 0.004;

-- :: adjustments
-- corrections of the clean books: refund or charge with its ticket, evidence and second approval
CREATE OR REPLACE TABLE t_adjustment AS
SELECT 'J' || zeros(n, 8) || '1' AS adjustment_id, cid AS customer_id, mo.ym AS billing_period,
    CAST(mo.d0 - INTERVAL 1 MONTH AS DATE) AS window_from, mo.d0 AS window_to, CASE WHEN n % 3 = 0 THEN 'charge' ELSE 'refund' END
        AS kind,
    CASE WHEN n % 2 = 0 THEN 'misreading' ELSE 'price' END AS cause, CASE WHEN n % 2 = 0 THEN 20 + n % 60 ELSE 0 END AS energy_kwh,
    kwh_of(12 + n % 70) AS amount, at_hour(story_on, 10.5) AS applied_at, 'E' || station_org || 'L1' AS applied_by,
    at_hour(story_on, 15.5) AS approved_at, 'E' || county_org || 'M1' AS approved_by, 2 AS evidence_count,
    'BA' || replace(mo.ym, '-', '') || zeros(n, 8) AS bill_id, 'W' || zeros(n, 8) || 'A' AS ticket_id, n
FROM c JOIN mo ON mo.m = c.eff_m WHERE trait = 'adjusted';

INSERT INTO t_bill BY NAME
SELECT bill_id, customer_id, billing_period, CASE a.kind WHEN 'refund' THEN 'refund' ELSE 'supplementary' END AS kind,
    approved_at + INTERVAL 1 HOUR AS issued_at, 'E' || county_org || 'B1' AS issued_by, 'E' || county_org || 'B2' AS checked_by,
    CASE a.kind WHEN 'refund' THEN -energy_kwh ELSE energy_kwh END AS energy_kwh,
    CASE a.kind WHEN 'refund' THEN -amount ELSE amount END AS amount, CAST(approved_at AS DATE) + 20 AS due_on, 'paid' AS status,
    a.n, eff_m AS m
FROM t_adjustment a JOIN c USING (n);
INSERT INTO t_bill_line BY NAME
SELECT bill_id, 1 AS line_no, CASE kind WHEN 'refund' THEN 'discount' ELSE 'other' END AS component, 1 AS quantity, 'item' AS unit,
    CASE kind WHEN 'refund' THEN -amount ELSE amount END AS amount FROM t_adjustment;
