-- :: first
CREATE OR REPLACE TABLE c1 AS
SELECT r.n, 'C' || zeros(r.n, 8) AS cid, 'P' || zeros(r.n, 8) AS pstem,
    CAST((r.n - 1) // {district} AS INTEGER) AS dn, CAST((r.n - 1) // {feeder} AS INTEGER) AS fn, o.sn, o.kn, o.cn,
    o.station_org, o.county_org, o.city_org,
    (r.n * 617 + {offset}) % 1000 AS slot, CAST((r.n - 1) // 1000 AS INTEGER) AS block,
    CASE {kind_case} END AS kind, rnd(r.n, 1) AS t, rnd(r.n, 2) AS r2
FROM range({low}, {high}) r(n)
JOIN org o ON o.sn = (r.n - 1) // {station};

-- :: second
CREATE OR REPLACE TABLE c2 AS
WITH a AS (
    SELECT *, CASE
        WHEN kind = 'home' THEN CASE {home} ELSE 'plain' END
        WHEN kind IN {small_kinds} THEN CASE {small} ELSE 'plain' END
        WHEN kind IN {large_kinds} THEN CASE {large} ELSE 'plain' END
        ELSE 'plain' END AS drawn
    FROM c1
),
b AS (
    SELECT * EXCLUDE (drawn), CASE
        WHEN drawn = 'recap' AND kind NOT IN {recap_kinds} THEN 'plain'
        -- nobody could tell a rhythm of two months from so few
        WHEN drawn = 'bimonthly' AND {months} < 9 THEN 'plain'
        WHEN drawn IN ('standby', 'instalment', 'check') AND kind <> 'industry' THEN 'plain'
        WHEN kind = 'shop' AND slot < {shop_from} + 3 THEN 'plain'
        ELSE drawn END AS trait
    FROM a
)
SELECT *,
    CASE kind WHEN 'home' THEN within(lognormal(n, 10, 150, 0.6), 25, 600)
        WHEN 'shop' THEN within(lognormal(n, 10, 500, 0.8), 60, 3500)
        WHEN 'works' THEN within(lognormal(n, 10, 6000, 0.5), 2500, 18000)
        WHEN 'farm' THEN within(lognormal(n, 10, 250, 0.7), 40, 2500)
        WHEN 'school' THEN within(lognormal(n, 10, 8000, 0.4), 3000, 15000)
        WHEN 'pile' THEN within(lognormal(n, 10, 120, 0.5), 35, 400)
        WHEN 'tele' THEN 600 + 300 * r2 WHEN 'lamp' THEN 200 + 10 * die(n, 13, 40)
        WHEN 'temp' THEN 0 END AS lv_base,
    CASE kind WHEN 'industry' THEN choose([315, 400, 500, 630, 800, 1000, 1250], rnd(n, 14))
        WHEN 'hvgen' THEN choose([100, 160, 200, 250], rnd(n, 14))
        WHEN 'station' THEN choose([400, 630, 800], rnd(n, 14))
        WHEN 'wholesale' THEN choose([3150, 5000], rnd(n, 14)) ELSE 0 END AS kva1,
    rnd(n, 15) AS r15, 1 + die(n, 16, {months} - 1) AS eff_m, 4 + die(n, 17, 21) AS eff_d
FROM b;

-- :: third
CREATE OR REPLACE TABLE c3 AS
WITH a AS (
    SELECT *, kva1 > 0 AS hv,
        CASE WHEN kind = 'hvgen' AND trait = 'recap' THEN CASE WHEN kva1 = 250 THEN 50 ELSE 100 END
            WHEN kind = 'industry' AND (trait IN ('recap', 'standby') OR (trait <> 'new' AND r15 < 0.4)) THEN kva1
            ELSE 0 END AS kva2,
        CASE kind WHEN 'home' THEN CASE WHEN r15 < 0.2 THEN 4 WHEN r15 < 0.85 THEN 8 ELSE 12 END
            WHEN 'shop' THEN within(ceil(lv_base / 120 / 5) * 5, 10, 30)
            WHEN 'works' THEN within(ceil(lv_base / 150 / 10) * 10, 50, 150)
            WHEN 'farm' THEN within(ceil(lv_base / 150 / 5) * 5, 10, 30) WHEN 'school' THEN 80
            WHEN 'pile' THEN 7 WHEN 'tele' THEN 10 WHEN 'lamp' THEN 10 WHEN 'temp' THEN 10 + 5 * die(n, 16, 6) ELSE 0 END AS lv_cap,
        DATE '{start}' + to_months(eff_m) AS eff_ts
    FROM c2
),
b AS (
    -- what changes the bill and no multiplier happens on any day of the month
    SELECT *, CAST(eff_ts AS DATE) + eff_d AS story_on,
        CASE WHEN n % 4 > 0 AND (trait IN ('recat', 'standby') OR (trait = 'recap' AND hv)) THEN CAST(eff_ts AS DATE) + eff_d
            ELSE CAST(eff_ts AS DATE) END AS eff_on,
        CASE WHEN hv THEN kva1 + kva2
            WHEN kind IN {recap_kinds} AND trait = 'recap'
                THEN CAST(lv_cap AS INTEGER) + CASE WHEN kind = 'works' THEN 50 ELSE 10 END
            ELSE CAST(lv_cap AS INTEGER) END AS cap,
        CASE WHEN trait <> 'recap' THEN kva1 + kva2 + CAST(lv_cap AS INTEGER) WHEN hv THEN kva1
            ELSE CAST(lv_cap AS INTEGER) END AS cap0
    FROM a
)
SELECT * EXCLUDE (eff_ts),
    CAST(CASE WHEN trait = 'swap' AND rnd(n, 18) < 0.5
            THEN DATE '{start}' + to_months({months} - 1 - die(n, 19, 2)) ELSE CAST(eff_ts AS DATE) END AS DATE) + eff_d AS swap_day,
    CASE WHEN hv THEN kva1 * CASE kind WHEN 'industry' THEN 120 + 140 * r2 WHEN 'hvgen' THEN 60 + 90 * r2
            WHEN 'station' THEN 50 + 60 * r2 ELSE 180 + 60 * r2 END
            * CASE WHEN kva2 > 0 AND trait NOT IN ('recap', 'standby') THEN 1.8 ELSE 1 END
        WHEN trait = 'vacant' THEN 2 + 6 * r2 WHEN trait = 'cutnow' THEN 30 + 30 * r2
        ELSE lv_base END AS base,
    CASE trait WHEN 'gone' THEN 'closed' WHEN 'closed' THEN 'closed' WHEN 'asleep' THEN 'suspended'
        ELSE 'active' END AS status,
    CASE WHEN trait = 'new' THEN story_on - eff_d % 3 ELSE
        DATE '{start}' - 240 - CAST(floor(rnd(n, 20) * 5000) AS INTEGER) END AS opened_on,
    CASE trait WHEN 'closed' THEN story_on
        WHEN 'gone' THEN DATE '{start}' - 30 - die(n, 21, 180) END AS closed_on
FROM b;

-- :: last
CREATE OR REPLACE TABLE c AS
WITH a AS (
    SELECT *,
        trait = 'plain' AND NOT (kind = 'shop' AND slot < {shop_from} + 3) AS plain,
        CASE WHEN trait = 'swap' THEN swap_day END AS swap_on,
        -- for a debt more than a month old, on a working day before a working day
        CASE WHEN trait = 'cut' AND eff_m >= 3 THEN (SELECT min(day) FROM cutting_day g WHERE g.day >= story_on)
            WHEN trait = 'cutnow' AND {months} >= 6 THEN (SELECT min(day) FROM cutting_day g
            WHERE g.day >= CAST(DATE '{start}' + to_months({months} - 1 - die(n, 22, 2)) AS DATE) + eff_d) END AS cut_on,
        CASE kind WHEN 'home' THEN 'residential' WHEN 'shop' THEN 'general' WHEN 'works' THEN 'general'
            WHEN 'hvgen' THEN 'general' WHEN 'industry' THEN 'large_industrial' WHEN 'farm' THEN 'agriculture'
            WHEN 'school' THEN 'school' WHEN 'pile' THEN 'ev_charging' WHEN 'station' THEN 'ev_charging'
            WHEN 'wholesale' THEN 'wholesale' WHEN 'temp' THEN 'general' ELSE 'other' END AS category0,
        CASE WHEN kind = 'home' THEN rnd(n, 23) < 0.08 AND trait <> 'recat' WHEN kind = 'shop' THEN rnd(n, 23) < 0.35
            WHEN kind = 'works' THEN cap >= 100 OR rnd(n, 23) < 0.5
            ELSE kind IN ('hvgen', 'industry', 'pile', 'station') END AS tou,
        kind = 'industry' AND rnd(n, 24) < 0.35 AND trait NOT IN ('standby', 'recap') AS on_demand,
        hv AND kind = 'hvgen' AND rnd(n, 25) < 0.5 AND trait <> 'recap' AS low_side,
        CASE WHEN trait IN ('cut', 'cutnow') THEN 'online' WHEN kind = 'home' THEN choose(['online', 'online', 'online', 'online', 'online', 'online', 'online',
                'online', 'online', 'online', 'bank', 'bank', 'bank', 'counter', 'counter', 'agent', 'third_party',
                'prepaid', 'prepaid', 'online'], rnd(n, 26))
            WHEN kind IN ('shop', 'farm', 'pile', 'tele', 'lamp', 'temp') THEN
                choose(['online', 'online', 'counter', 'bank', 'transfer'], rnd(n, 26))
            ELSE 'transfer' END AS pay
    FROM c3
),
b AS (
    SELECT *,
        CASE kind WHEN 'home' THEN CASE WHEN tou THEN 'RES-T' ELSE 'RES' END
            WHEN 'shop' THEN CASE WHEN tou THEN 'GEN-1T' ELSE 'GEN-1' END
            WHEN 'works' THEN CASE WHEN tou THEN 'GEN-1T' ELSE 'GEN-1' END
            WHEN 'hvgen' THEN 'GEN-10T' WHEN 'industry' THEN CASE WHEN on_demand THEN 'IND-10D' ELSE 'IND-10C' END
            WHEN 'farm' THEN 'AGR' WHEN 'school' THEN 'SCH' WHEN 'pile' THEN 'PILE' WHEN 'station' THEN 'EVS-10T'
            WHEN 'wholesale' THEN 'WHS-35' WHEN 'temp' THEN 'GEN-1' ELSE 'OTH' END AS tariff0,
        CASE WHEN kind IN ('works', 'school') THEN ct_for(cap0 * 1.4434)
            WHEN low_side THEN ct_for(cap0 * 1.4434)
            WHEN kind = 'wholesale' THEN ct_for(cap0 * 0.0165 * 1.2)
            WHEN hv THEN ct_for(cap * 0.0577 * 1.2) END AS ct0,
        CASE WHEN kind IN ('works', 'school') THEN ct_for(cap * 1.4434)
            WHEN low_side THEN ct_for(cap * 1.4434)
            WHEN kind = 'wholesale' THEN ct_for(cap * 0.0165 * 1.2)
            WHEN hv THEN ct_for(cap * 0.0577 * 1.2) END AS ct1,
        CASE WHEN kind = 'wholesale' THEN 35000 WHEN hv AND NOT low_side THEN 10000 END AS pt
    FROM a
)
SELECT * EXCLUDE (t, r2, r15, swap_day, eff_d, lv_base, lv_cap),
    CASE WHEN kind IN ('home', 'pile') THEN 'home' WHEN kind IN ('industry', 'wholesale') THEN 'industry'
        -- animals eat all year round
        WHEN kind = 'farm' THEN CASE WHEN n % 13 = 0 THEN 'flat' ELSE 'farm' END
        WHEN kind IN ('tele', 'lamp', 'temp') THEN 'flat' ELSE 'business' END AS grp,
    CASE WHEN trait = 'recat' THEN 'general' ELSE category0 END AS category,
    CASE WHEN trait = 'recat' THEN 'GEN-1' ELSE tariff0 END AS tariff1,
    CASE WHEN kind = 'wholesale' THEN 35.0 WHEN hv THEN 10.0 WHEN kind IN ('home', 'pile') THEN 0.22 ELSE 0.38 END
        AS kv,
    CASE WHEN kind IN ('home', 'pile') THEN '1p2w' WHEN hv AND NOT low_side THEN '3p3w' ELSE '3p4w' END AS wiring,
    CASE WHEN hv AND NOT low_side THEN 100 ELSE 220 END AS un,
    CAST(coalesce(ct0 / 5, 1) * coalesce(pt / 100, 1) AS INTEGER) AS mult0,
    CAST(coalesce(ct1 / 5, 1) * coalesce(pt / 100, 1) AS INTEGER) AS mult1,
    CASE WHEN kind = 'industry' THEN 0.90 WHEN kind IN ('hvgen', 'station') THEN 0.85 WHEN kind = 'wholesale' THEN 0.80
        WHEN kind = 'works' AND cap >= 100 THEN 0.85 END AS pf_std,
    kind = 'industry' AND n % 2 = 0 AS direct,
    CASE WHEN kind IN ('shop', 'works', 'hvgen', 'industry') AND rnd(n, 38) < 0.03 AND NOT (kind = 'industry' AND n % 2 = 0)
        THEN 1.5 ELSE 1.0 END AS agent_factor,
    -- the demand agreed on, seldom below the floor; null: what was measured is billed
    CASE WHEN on_demand AND rnd(n, 39) < 0.5 THEN CAST(round(cap * CASE WHEN rnd(n, 40) < 0.15 THEN 0.35
        ELSE 0.45 + 0.25 * rnd(n, 41) END, -1) AS INTEGER) END AS demand_kw,
    CASE WHEN kind = 'works' AND trait = 'plain' AND n % 8 = 1 THEN 30 + 10 * die(n, 42, 12) END AS fixed_kwh,
    CASE WHEN kind = 'works' AND trait = 'plain' AND n % 16 = 2 THEN 0.05 + 0.01 * die(n, 43, 11) END AS fixed_share,
    low_side AS loss_billed,
    -- a line of the customer's own behind the meter: its loss in per cent
    CASE WHEN low_side AND rnd(n, 44) < 0.15 THEN 0.8 + 0.1 * die(n, 45, 8) END AS line_pct,
    kind IN ('shop', 'works') AND rnd(n, 46) < 0.015 AS fund_exempt, kind = 'home' AND tou AND n % 2 = 0 AS two_rate,
    kind = 'home' AND rnd(n, 802) < 0.02 AND rnd(n, 803) < 0.5 AS many_members,
    CASE WHEN low_side OR kind = 'industry' THEN choose(['1', '2', '3'], rnd(n, 801)) END AS shift,
    0.86 + 0.11 * rnd(n, 27) AS pf,
    CASE WHEN trait = 'midread' THEN 26 ELSE 1 END AS read_day,
    CASE WHEN trait = 'bimonthly' THEN die(n, 28, 2) END AS parity,
    -- a stop of less than half a month is charged as if there had been none
    CASE WHEN trait = 'standby' THEN eff_on + CASE WHEN n % 3 = 0 THEN 8 + die(n, 37, 6) ELSE 20 + die(n, 37, 150) END END AS seal_to,
    CASE WHEN trait = 'cutnow' THEN cut_on WHEN trait = 'asleep' THEN DATE '{start}' - 90
        ELSE closed_on END AS energy_to,
    CASE WHEN kind = 'shop' AND slot < {shop_from} + 3 THEN 'AG' || zeros(block, 5) || zeros(sn, 4) END AS group_id,
    CASE WHEN trait IN ('pv_surplus', 'pv_full') THEN 5 + die(n, 29, 11) END AS pv_kw,
    CASE WHEN trait IN ('pv_surplus', 'pv_full') THEN DATE '{start}' - 100 - die(n, 30, 900) END AS pv_on
FROM b;
DROP TABLE c1; DROP TABLE c2; DROP TABLE c3;

-- :: table
CREATE OR REPLACE TABLE t_customer AS
SELECT cid AS customer_id,
    CASE kind WHEN 'home' THEN person(n) WHEN 'pile' THEN person(n) WHEN 'farm' THEN person(n)
        WHEN 'shop' THEN place(coalesce(block * 0 + CASE WHEN group_id IS NOT NULL THEN block + 900000 END, n))
            || choose(['百货店', '餐馆', '超市', '药房', '理发店', '旅馆', '五金店', '快印店'], rnd(n, 905))
        WHEN 'works' THEN place(n) || choose(['加工厂', '汽修有限公司', '冷链有限公司', '印刷厂'], rnd(n, 905))
        WHEN 'industry' THEN place(n) || choose(['水泥', '化工', '机械', '纺织', '铸造', '食品'], rnd(n, 905)) || '有限公司'
        WHEN 'hvgen' THEN place(n) || choose(['商场', '超市', '酒店', '物流园', '写字楼'], rnd(n, 905))
        WHEN 'school' THEN place(n) || choose(['小学', '中学', '职业学校'], rnd(n, 905))
        WHEN 'station' THEN place(n) || '充电站' WHEN 'tele' THEN place(n) || '通信基站'
        WHEN 'lamp' THEN place(n) || '路灯' WHEN 'temp' THEN place(n) || '建筑工地' ELSE place(n) || '趸售供电公司' END AS name,
    station_org AS org_id,
    CASE WHEN NOT hv THEN 'D' || zeros(dn, 6) END AS district_id,
    CASE WHEN kind = 'wholesale' THEN 'FH' || zeros(sn // 2, 5) ELSE 'F' || zeros(fn, 5) END AS feeder_id,
    'PR' || zeros(n, 8) AS premises_id, category AS usage_category,
    CASE kind WHEN 'industry' THEN choose(['C30', 'C26', 'C34', 'C17', 'C33', 'C14'], rnd(n, 905))
        WHEN 'shop' THEN 'F52' WHEN 'works' THEN 'C41' WHEN 'school' THEN 'P83' WHEN 'tele' THEN 'I63'
        WHEN 'farm' THEN CASE WHEN n % 13 = 0 THEN 'A03' ELSE 'A01' END
        WHEN 'hvgen' THEN choose(['F52', 'F52', 'H61', 'G59', 'K70'], rnd(n, 905)) WHEN 'temp' THEN 'E47' END AS industry_code,
    kv AS voltage_kv, CASE WHEN kind = 'wholesale' THEN 'dedicated' ELSE 'public' END AS line_kind,
    cap AS contract_capacity_kva,
    CASE WHEN trait = 'standby' AND seal_to > DATE '{data_date}' THEN kva1 ELSE cap END AS running_capacity_kva,
    CASE kind WHEN 'temp' THEN 'temporary' ELSE 'permanent' END AS supply_kind,
    CASE kind WHEN 'temp' THEN DATE '{data_date}' + 200 END AS temporary_until,
    CASE WHEN kind = 'hvgen' AND rnd(n, 31) < 0.1 THEN 'second' ELSE 'none' END AS importance,
    CASE WHEN pay = 'prepaid' THEN 'prepaid' ELSE 'postpaid' END AS payment_mode, status, opened_on, closed_on,
    place(cn * 31 + 5) || '市' || place(kn * 37 + 1001) || '县' || place(dn * 43 + 7) || '路' || (1 + n % 400) || '号'
        AS address,
    round(103.0 + (sn % 20) * 0.1 + (dn % 20) * 0.004 + rnd(n, 32) * 0.004, 6) AS lon,
    round(25.0 + (sn // 20) * 0.1 + (dn % 17) * 0.004 + rnd(n, 33) * 0.004, 6) AS lat,
    '100' || zeros(n, 8) AS phone,
    CASE WHEN kind IN ('home', 'pile', 'farm') THEN '000000' || strftime(DATE '1950-01-01' + die(n, 34, 18000), '%Y%m%d')
            || zeros(n % 10000, 4)
        WHEN group_id IS NOT NULL THEN '91000000AG' || substr(group_id, 3) ELSE '91000000' || zeros(n, 10) END AS id_number,
    group_id AS account_group_id,
    CASE WHEN many_members THEN 5 + die(n, 35, 3) WHEN kind = 'home' THEN 1 + die(n, 35, 6) END AS household_size,
    'BK' || zeros(dn, 6) AS book_id, 'E' || station_org || 'R' || (1 + dn % 4) AS reader_staff_id, read_day,
    choose(['A', 'A', 'A', 'B', 'B', 'C'], rnd(n, 36)) AS credit_grade
FROM c;

-- :: ct
CREATE OR REPLACE MACRO ct_for(amps) AS CASE
    WHEN amps <= 10 THEN 10 WHEN amps <= 15 THEN 15 WHEN amps <= 20 THEN 20 WHEN amps <= 30 THEN 30
    WHEN amps <= 40 THEN 40 WHEN amps <= 50 THEN 50 WHEN amps <= 75 THEN 75 WHEN amps <= 100 THEN 100
    WHEN amps <= 150 THEN 150 WHEN amps <= 200 THEN 200 WHEN amps <= 250 THEN 250 WHEN amps <= 300 THEN 300
    WHEN amps <= 400 THEN 400 WHEN amps <= 500 THEN 500 ELSE 600 END;
