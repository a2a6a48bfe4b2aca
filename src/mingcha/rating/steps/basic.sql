-- Basic charge by the day over the calendar month, in the last settlement of the month; fixed charges.

-- :: rc_basic_tariff
SELECT tariff_id, max(CASE WHEN component = 'basic_capacity' THEN 1 ELSE 0 END) AS capacity,
    max(CASE WHEN component = 'basic_demand' THEN 1 ELSE 0 END) AS demand
FROM rt_price WHERE component IN ('basic_capacity', 'basic_demand') GROUP BY tariff_id;

-- :: rc_due
-- Who owes one, and from when to when in the month. A tariff that has no basic price (charging stations) owes none.
SELECT s.sid, greatest(:month_start, coalesce(c.opened_on, :month_start)) AS day_from,
    least(:month_end, coalesce(c.closed_on, :month_end)) AS day_to
FROM rt_settlement AS s
JOIN (SELECT DISTINCT k.sid FROM rt_contract AS k JOIN rc_basic_tariff AS t ON t.tariff_id = k.tariff_id
      WHERE coalesce(k.basic_charge_method, '') <> 'none') AS d ON d.sid = s.sid
JOIN customer AS c ON c.customer_id = s.customer_id
WHERE s.last;

-- :: rc_term
-- Versions of the contract inside those days, and the form of charge; unnamed: by capacity where it is offered.
SELECT k.sid, greatest(k.seg_from, d.day_from) AS day_from, least(k.seg_to, d.day_to) AS day_to, k.tariff_id, k.book,
    CASE WHEN k.basic_charge_method IS NOT NULL THEN k.basic_charge_method
        WHEN t.capacity = 1 THEN 'capacity' ELSE 'demand_actual' END AS method,
    k.contract_demand_kw, k.contract_capacity_kva
FROM rt_contract AS k
JOIN rc_due AS d ON d.sid = k.sid AND k.seg_from < d.day_to AND k.seg_to > d.day_from
JOIN rc_basic_tariff AS t ON t.tariff_id = k.tariff_id
WHERE coalesce(k.basic_charge_method, '') <> 'none';

-- :: rc_slice
-- The days cut wherever the contract, the running capacity, a price or a parameter changes.
WITH cuts AS (
    SELECT sid, day_from AS cut FROM rc_due
    UNION SELECT sid, day_from FROM rc_term
    UNION SELECT sid, day_to FROM rc_term
    UNION SELECT k.sid, k.day_from FROM rt_kva AS k JOIN rc_due AS d ON d.sid = k.sid
    UNION SELECT k.sid, k.day_to FROM rt_kva AS k JOIN rc_due AS d ON d.sid = k.sid
    UNION SELECT t.sid, p.in_force_from FROM rc_term AS t JOIN rt_price AS p ON p.tariff_id = t.tariff_id
        AND p.component IN ('basic_capacity', 'basic_demand') AND p.in_force_from > :month_start AND p.in_force_from < :month_end
    UNION SELECT t.sid, p.in_force_from FROM rc_term AS t JOIN rt_parameter AS p ON p.book = t.book
        AND p.in_force_from > :month_start AND p.in_force_from < :month_end
        AND p.name IN ('basic.day_base', 'demand.floor_share', 'demand.over_share', 'demand.over_variant',
            'demand.discount_hours', 'demand.discount')
),
inside AS (
    SELECT c.sid, c.cut, d.day_to AS until FROM cuts AS c
    JOIN rc_due AS d ON d.sid = c.sid AND c.cut >= d.day_from AND c.cut < d.day_to
)
SELECT sid, cut AS day_from, coalesce(lead(cut) OVER (PARTITION BY sid ORDER BY cut), until) AS day_to FROM inside;

-- :: rc_law
-- Parameters by book and day; day_base NULL: the days of the calendar month. grades as in energy.
WITH asked AS (
    SELECT DISTINCT t.book, s.day_from AS on_day
    FROM rc_slice AS s JOIN rc_term AS t ON t.sid = s.sid AND t.day_from <= s.day_from AND s.day_from < t.day_to
),
held AS (
    SELECT a.book, a.on_day, p.name, p.value, p.number,
        CASE WHEN coalesce(p.clause, '') = '' THEN coalesce(p.document, 'default') ELSE p.document || ' ' || p.clause END AS source,
        CASE p.evidence WHEN '[O]' THEN 1 WHEN '[S]' THEN 2 WHEN '[D]' THEN 3 WHEN '[K+]' THEN 4 WHEN '[K?]' THEN 5
            WHEN 'default' THEN 6 ELSE 7 END AS grade
    FROM asked AS a
    JOIN rt_parameter AS p ON p.book = a.book AND p.in_force_from <= a.on_day
        AND (p.in_force_to IS NULL OR p.in_force_to > a.on_day)
)
SELECT book, on_day,
    max(CASE WHEN name = 'basic.day_base' THEN CAST(number AS INTEGER) END) AS day_base,
    max(CASE WHEN name = 'basic.day_base' THEN source END) AS day_source,
    max(CASE WHEN name = 'basic.day_base' THEN grade END) AS day_grade,
    max(CASE WHEN name = 'demand.floor_share' THEN CAST(number AS DECIMAL(9,4)) END) AS floor_share,
    max(CASE WHEN name = 'demand.over_share' THEN CAST(number AS DECIMAL(9,4)) END) AS over_share,
    max(CASE WHEN name = 'demand.over_variant' THEN value END) AS variant,
    max(CASE WHEN name = 'demand.floor_share' THEN source END) AS demand_source,
    max(CASE WHEN name IN ('demand.floor_share', 'demand.over_share', 'demand.over_variant') THEN grade END) AS demand_grade,
    max(CASE WHEN name = 'demand.discount_hours' THEN CAST(number AS DECIMAL(9,4)) END) AS hours,
    max(CASE WHEN name = 'demand.discount' THEN CAST(number AS DECIMAL(9,4)) END) AS discount,
    max(CASE WHEN name = 'demand.discount' THEN source END) AS discount_source,
    max(CASE WHEN name IN ('demand.discount_hours', 'demand.discount') THEN grade END) AS discount_grade
FROM held GROUP BY book, on_day;

-- :: rc_month
-- kWh of all points of the customer in the month, for the hours of use.
SELECT s.customer_id, CAST(sum(e.kwh) AS DECIMAL(18,4)) AS kwh
FROM rt_energy AS e JOIN rt_settlement AS s ON s.sid = e.sid
WHERE s.customer_id IN (
    SELECT x.customer_id FROM rt_settlement AS x JOIN rc_term AS t ON t.sid = x.sid WHERE t.method <> 'capacity'
)
GROUP BY s.customer_id;

-- :: rc_basic_price
-- Basic prices by the day: items added up.
WITH days AS (
    SELECT DISTINCT t.tariff_id, s.day_from AS on_day
    FROM rc_slice AS s JOIN rc_term AS t ON t.sid = s.sid AND t.day_from <= s.day_from AND s.day_from < t.day_to
)
SELECT d.tariff_id, d.on_day, p.component, p.period, CAST(sum(p.price) AS DECIMAL(18,8)) AS price, min(p.tariff_code) AS tariff_code,
    min(CASE WHEN coalesce(p.clause, '') = '' THEN coalesce(p.document, 'own') ELSE p.document || ' ' || p.clause END) AS source,
    max(CASE p.evidence WHEN '[O]' THEN 1 WHEN '[S]' THEN 2 WHEN '[D]' THEN 3 WHEN '[K+]' THEN 4 WHEN '[K?]' THEN 5
        WHEN 'default' THEN 6 ELSE 7 END) AS grade
FROM days AS d
JOIN rt_price AS p ON p.tariff_id = d.tariff_id AND p.in_force_from <= d.on_day
    AND (p.in_force_to IS NULL OR p.in_force_to > d.on_day)
WHERE p.component IN ('basic_capacity', 'basic_demand') AND p.tier = 0
GROUP BY d.tariff_id, d.on_day, p.component, p.period;

-- :: rc_owed
-- What is charged on each day: kVA, or kW with the contract's base.
WITH terms AS (
    SELECT s.sid, s.day_from, s.day_to, t.tariff_id, t.method,
        CASE WHEN t.method = 'capacity' THEN 'basic_capacity' ELSE 'basic_demand' END AS component, t.contract_demand_kw,
        coalesce(t.contract_capacity_kva, k.kva) AS capacity_kva, k.kva, l.day_base, l.day_source, l.day_grade,
        l.floor_share, coalesce(l.over_share, 1) AS over_share, coalesce(l.variant, 'A') AS variant, l.demand_source,
        l.demand_grade, l.hours, l.discount, l.discount_source, l.discount_grade, m.kwh AS month_kwh
    FROM rc_slice AS s
    JOIN rc_term AS t ON t.sid = s.sid AND t.day_from <= s.day_from AND s.day_from < t.day_to
    JOIN rt_settlement AS x ON x.sid = s.sid
    LEFT JOIN rc_law AS l ON l.book = t.book AND l.on_day = s.day_from
    LEFT JOIN rt_kva AS k ON k.sid = s.sid AND k.day_from <= s.day_from AND s.day_from < k.day_to
    LEFT JOIN rc_month AS m ON m.customer_id = x.customer_id
),
priced AS (
    SELECT t.sid, t.day_from, t.day_to, t.tariff_id, t.method, t.component, t.kva, t.day_base, t.day_source, t.day_grade,
        p.period, p.price, p.tariff_code, p.source, p.grade, CAST(d.kw AS DECIMAL(18,2)) AS kw, t.contract_demand_kw,
        t.capacity_kva, t.floor_share, t.over_share, t.variant, t.demand_source, t.demand_grade, t.hours, t.discount,
        t.discount_source, t.discount_grade, t.month_kwh,
        CASE WHEN t.method <> 'capacity' AND t.hours IS NOT NULL AND t.discount IS NOT NULL AND t.capacity_kva > 0
            AND t.month_kwh >= t.hours * t.capacity_kva THEN 1 ELSE 0 END AS cheaper
    FROM terms AS t
    LEFT JOIN rc_basic_price AS p ON p.tariff_id = t.tariff_id AND p.on_day = t.day_from AND p.component = t.component
    LEFT JOIN rt_demand AS d ON d.sid = t.sid AND d.period = p.period AND t.method <> 'capacity'
)
SELECT sid, day_from, day_to, tariff_id, method, component, kva, day_base, day_source, day_grade, period, tariff_code,
    CASE WHEN cheaper = 1 THEN CAST(price * discount AS DECIMAL(18,8)) ELSE price END AS price, source, grade, kw, over_share,
    variant, demand_source, demand_grade, cheaper, discount_source, discount_grade, contract_demand_kw, capacity_kva,
    CASE WHEN method = 'demand_contract' AND floor_share * capacity_kva > coalesce(contract_demand_kw, 0) THEN 1 ELSE 0 END AS at_floor,
    CAST(CASE WHEN method <> 'demand_contract' THEN NULL
        WHEN floor_share * capacity_kva > coalesce(contract_demand_kw, 0) THEN floor_share * capacity_kva
        ELSE contract_demand_kw END AS DECIMAL(18,2)) AS base_kw,
    CASE WHEN cheaper = 1 THEN CAST(CAST(price AS DECIMAL(18,4)) AS VARCHAR) || ' × ' || CAST(CAST(discount AS DECIMAL(9,2)) AS VARCHAR)
        || ', ' || CAST(CAST(month_kwh AS DECIMAL(18,2)) AS VARCHAR) || ' kWh ÷ ' || CAST(CAST(capacity_kva AS DECIMAL(18,2)) AS VARCHAR)
        || ' kVA ≥ ' || CAST(CAST(hours AS DECIMAL(9,0)) AS VARCHAR) ELSE '' END AS discount_text,
    CASE WHEN method = 'demand_contract' THEN 'max(' || coalesce(CAST(CAST(contract_demand_kw AS DECIMAL(18,2)) AS VARCHAR), '–') || ', '
        || coalesce(CAST(CAST(floor_share AS DECIMAL(9,2)) AS VARCHAR) || ' × '
            || CAST(CAST(capacity_kva AS DECIMAL(18,2)) AS VARCHAR), '–') || ')' ELSE '' END AS base_text
FROM priced;

-- :: gap_no_basic_price
SELECT sid, 'no_price' AS reason, min(tariff_id || ' ' || component || ' ' || CAST(day_from AS VARCHAR)) AS detail
FROM rc_owed WHERE price IS NULL GROUP BY sid;

-- :: gap_no_capacity_of_day
SELECT sid, 'no_capacity' AS reason, min('running capacity on ' || CAST(day_from AS VARCHAR)) AS detail
FROM rc_owed WHERE method = 'capacity' AND kva IS NULL GROUP BY sid;

-- :: gap_no_demand_read
SELECT o.sid, 'no_demand' AS reason, 'no demand register read' AS detail
FROM rc_owed AS o LEFT JOIN rt_demand AS d ON d.sid = o.sid
WHERE o.method <> 'capacity' AND d.sid IS NULL GROUP BY o.sid;

-- :: gap_no_contract_demand
SELECT sid, 'no_demand' AS reason, 'neither contract demand nor capacity' AS detail
FROM rc_owed WHERE method = 'demand_contract' AND base_kw IS NULL GROUP BY sid;

-- :: rc_stretch
-- Days that are charged alike, put together. Where nothing runs, nothing is owed. Most months are one stretch from
-- end to end and have nothing to be put together with.
WITH charged AS (
    SELECT sid, day_from, day_to, tariff_id, method, component, period, tariff_code, price, source, grade, day_base, day_source,
        day_grade, kw, over_share, variant, demand_source, demand_grade, cheaper, discount_source, discount_grade, base_kw, at_floor,
        discount_text, base_text, CASE WHEN method = 'capacity' THEN kva WHEN method = 'demand_actual' THEN kw ELSE base_kw END AS amount_of
    FROM rc_owed
    WHERE price IS NOT NULL AND coalesce(kva, 1) > 0
        AND CASE WHEN method = 'capacity' THEN kva WHEN method = 'demand_actual' THEN kw ELSE base_kw END IS NOT NULL
),
several AS (
    SELECT sid FROM charged GROUP BY sid HAVING count(*) > 1
),
marked AS (
    SELECT c.sid, c.day_from, c.day_to, c.tariff_id, c.method, c.component, c.period, c.tariff_code, c.price, c.source, c.grade,
        c.day_base, c.day_source, c.day_grade, c.kw, c.over_share, c.variant, c.demand_source, c.demand_grade, c.cheaper,
        c.discount_source, c.discount_grade, c.at_floor, c.discount_text, c.base_text, c.amount_of,
        CASE WHEN lag(c.day_to) OVER w = c.day_from AND lag(c.method) OVER w = c.method AND lag(c.price) OVER w = c.price
            AND lag(c.amount_of) OVER w = c.amount_of AND lag(c.base_text) OVER w = c.base_text
            AND lag(c.discount_text) OVER w = c.discount_text AND lag(coalesce(c.day_base, 0)) OVER w = coalesce(c.day_base, 0)
            THEN 0 ELSE 1 END AS fresh
    FROM charged AS c JOIN several AS n ON n.sid = c.sid
    WINDOW w AS (PARTITION BY c.sid, c.period ORDER BY c.day_from)
),
numbered AS (
    SELECT m.sid, m.day_from, m.day_to, m.tariff_id, m.method, m.component, m.period, m.tariff_code, m.price, m.source, m.grade,
        m.day_base, m.day_source, m.day_grade, m.kw, m.over_share, m.variant, m.demand_source, m.demand_grade, m.cheaper,
        m.discount_source, m.discount_grade, m.at_floor, m.discount_text, m.base_text, m.amount_of,
        CAST(sum(m.fresh) OVER (PARTITION BY m.sid, m.period ORDER BY m.day_from ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
            AS INTEGER) AS stretch
    FROM marked AS m
)
SELECT sid, period, stretch, min(day_from) AS day_from, max(day_to) AS day_to, min(tariff_id) AS tariff_id, min(method) AS method,
    min(component) AS component, min(tariff_code) AS tariff_code, min(price) AS price, min(source) AS source, max(grade) AS grade,
    min(day_base) AS day_base, min(day_source) AS day_source, max(day_grade) AS day_grade, min(kw) AS kw,
    min(over_share) AS over_share, min(variant) AS variant, min(demand_source) AS demand_source, max(demand_grade) AS demand_grade,
    max(cheaper) AS cheaper, min(discount_source) AS discount_source, max(discount_grade) AS discount_grade,
    max(at_floor) AS at_floor, min(discount_text) AS discount_text, min(base_text) AS base_text, min(amount_of) AS amount_of
FROM numbered GROUP BY sid, period, stretch
UNION ALL
SELECT c.sid, c.period, CAST(1 AS INTEGER) AS stretch, c.day_from, c.day_to, c.tariff_id, c.method, c.component, c.tariff_code, c.price,
    c.source, c.grade, c.day_base, c.day_source, c.day_grade, c.kw, c.over_share, c.variant, c.demand_source, c.demand_grade, c.cheaper,
    c.discount_source, c.discount_grade, c.at_floor, c.discount_text, c.base_text, c.amount_of
FROM charged AS c LEFT JOIN several AS n ON n.sid = c.sid
WHERE n.sid IS NULL;

-- :: rc_basic_line
-- One line per stretch; a second one for demand above the contract. R4: kW to 0.01.
WITH facts AS (
    SELECT s.sid, s.period, s.stretch, s.day_from, s.day_to, s.tariff_id, s.tariff_code, s.method, s.component, s.price, s.source, s.grade,
        s.day_base, s.day_source, s.day_grade, s.kw, s.over_share, s.variant, s.demand_source, s.demand_grade, s.cheaper,
        s.discount_source, s.discount_grade, s.at_floor, s.discount_text, s.base_text, s.amount_of,
        CASE WHEN s.day_from = :month_start AND s.day_to = :month_end THEN NULL
            ELSE CAST(date_diff('day', s.day_from, s.day_to) AS INTEGER) END AS days,
        CASE WHEN s.method = 'demand_contract' AND s.kw > s.over_share * s.amount_of THEN 1 ELSE 0 END AS is_over
    FROM rc_stretch AS s
),
lines AS (
    SELECT sid, period, stretch, day_from, day_to, tariff_id, tariff_code, method, component, price, source, grade, day_base, day_source,
        day_grade, demand_source, demand_grade, cheaper, discount_source, discount_grade, discount_text, days,
        CAST(CASE WHEN is_over = 1 AND variant = 'B' THEN CAST(over_share * amount_of AS DECIMAL(18,2)) ELSE amount_of END
            AS DECIMAL(18,4)) AS quantity,
        CASE WHEN method = 'capacity' THEN 'kVA'
            WHEN method = 'demand_actual' THEN 'kW'
            WHEN is_over = 1 AND variant = 'B' THEN CAST(CAST(over_share AS DECIMAL(9,2)) AS VARCHAR) || ' × ' || base_text
            ELSE base_text END AS formula
    FROM facts
    UNION ALL
    SELECT sid, period, stretch, day_from, day_to, tariff_id, tariff_code, method, 'basic_demand_over' AS component, price, source, grade,
        day_base, day_source, day_grade, demand_source, demand_grade, cheaper, discount_source, discount_grade, discount_text, days,
        CAST(CAST(2 * (kw - over_share * amount_of) AS DECIMAL(18,2)) AS DECIMAL(18,4)) AS quantity,
        '2 × (' || CAST(kw AS VARCHAR) || ' − ' || CAST(CAST(over_share AS DECIMAL(9,2)) AS VARCHAR) || ' × '
            || CAST(CAST(amount_of AS DECIMAL(18,2)) AS VARCHAR) || ')' AS formula
    FROM facts WHERE is_over = 1
)
SELECT sid, period, stretch, day_from, day_to, tariff_id, tariff_code, component, quantity, price, days,
    CAST(coalesce(day_base, days_in_ym(:period)) AS INTEGER) AS day_base,
    formula || ' × ' || CASE WHEN discount_text = '' THEN 'price' ELSE '(' || discount_text || ')' END
        || CASE WHEN days IS NULL THEN '' ELSE ' × ' || CAST(days AS VARCHAR) || ' ÷ '
            || CAST(coalesce(day_base, days_in_ym(:period)) AS VARCHAR) END AS formula,
    source || CASE WHEN method = 'demand_contract' THEN '; ' || coalesce(demand_source, 'default') ELSE '' END
        || CASE WHEN cheaper = 1 THEN '; ' || discount_source ELSE '' END
        || CASE WHEN days IS NULL THEN '' ELSE '; ' || coalesce(day_source, 'default') END AS source,
    greatest(grade, CASE WHEN method = 'demand_contract' THEN coalesce(demand_grade, 6) ELSE 1 END,
        CASE WHEN cheaper = 1 THEN discount_grade ELSE 1 END,
        CASE WHEN days IS NULL THEN 1 ELSE coalesce(day_grade, 6) END) AS grade
FROM lines WHERE quantity <> 0;

-- :: rc_basic
-- quantity × price × days ÷ base, exactly to twelve decimals: a quotient of whole numbers, since no engine divides
-- decimals exactly. It is cut, not rounded, at the twelfth; rounding it to 0.01 gives what rounding the whole would.
WITH whole AS (
    SELECT sid, period, stretch, day_from, day_to, tariff_id, tariff_code, component, quantity, price, days, day_base, formula, source, grade,
        CAST(CAST(quantity AS DECIMAL(19,4)) * price AS DECIMAL(38,12)) AS full_month,
        CAST(floor(CAST(CAST(quantity AS DECIMAL(19,4)) * price AS DECIMAL(38,12))) AS BIGINT) AS units
    FROM rc_basic_line
),
parts AS (
    SELECT sid, period, stretch, day_from, day_to, tariff_id, tariff_code, component, quantity, price, days, day_base, formula, source, grade,
        full_month, units,
        CAST(CAST(full_month - units AS DECIMAL(19,12)) * CAST(1000000000000 AS DECIMAL(13,0)) AS BIGINT) AS crumbs,
        (units * days) // day_base AS quotient
    FROM whole
)
SELECT sid, period, stretch, day_from, day_to, tariff_id, tariff_code, component, quantity, price, days, formula, source, grade,
    CAST(CASE WHEN days IS NULL THEN full_month
        ELSE CAST(quotient AS DECIMAL(25,0)) + CAST(((units * days - quotient * day_base) * 1000000000000 + crumbs * days) // day_base
            AS DECIMAL(18,0)) * CAST('0.000000000001' AS DECIMAL(12,12)) END AS DECIMAL(38,12)) AS exact
FROM parts;

-- :: rc_fixed
-- Fixed charges of the main point: per month once in the last settlement (price of its last day), per day on all days read.
WITH point AS (
    SELECT p.sid, min(p.usage_point_id) AS usage_point_id, min(p.tariff_id) AS tariff_id FROM rt_point AS p
    WHERE p.main AND p.tariff_id IN (SELECT x.tariff_id FROM rt_price AS x WHERE x.component = 'fixed') GROUP BY p.sid
),
first AS (
    SELECT customer_id, min(started_on) AS started_on FROM rt_settlement
    WHERE customer_id IN (SELECT s.customer_id FROM rt_settlement AS s JOIN point AS p ON p.sid = s.sid) GROUP BY customer_id
),
owed AS (
    SELECT s.sid, p.usage_point_id, p.tariff_id, f.tariff_code, f.price, f.in_force_from, f.item,
        CASE WHEN f.unit LIKE '%day' THEN 'days' ELSE 'months' END AS measure,
        CAST(CASE WHEN f.unit LIKE '%day'
            THEN date_diff('day', greatest(s.started_on, f.in_force_from), least(s.read_on, coalesce(f.in_force_to, s.read_on)))
            WHEN s.last AND f.in_force_from < s.read_on AND (f.in_force_to IS NULL OR f.in_force_to >= s.read_on)
            THEN greatest(1, date_diff('month', b.started_on, s.read_on)) ELSE 0 END AS INTEGER) AS quantity,
        greatest(s.started_on, f.in_force_from) AS day_from, least(s.read_on, coalesce(f.in_force_to, s.read_on)) AS day_to,
        s.started_on, s.read_on,
        CASE WHEN coalesce(f.clause, '') = '' THEN coalesce(f.document, 'own') ELSE f.document || ' ' || f.clause END AS source,
        CASE f.evidence WHEN '[O]' THEN 1 WHEN '[S]' THEN 2 WHEN '[D]' THEN 3 WHEN '[K+]' THEN 4 WHEN '[K?]' THEN 5
            WHEN 'default' THEN 6 ELSE 7 END AS grade
    FROM point AS p
    JOIN rt_settlement AS s ON s.sid = p.sid
    JOIN first AS b ON b.customer_id = s.customer_id
    JOIN rt_price AS f ON f.tariff_id = p.tariff_id AND f.component = 'fixed'
        AND f.in_force_from < s.read_on AND (f.in_force_to IS NULL OR f.in_force_to > s.started_on)
)
SELECT sid, usage_point_id, tariff_id, tariff_code, quantity, price, source, grade,
    CASE WHEN measure = 'days' THEN quantity END AS days, measure || ' × price' AS formula,
    CASE WHEN measure = 'days' THEN day_from ELSE started_on END AS seg_from,
    CASE WHEN measure = 'days' THEN day_to ELSE read_on END AS seg_to,
    row_number() OVER (PARTITION BY sid ORDER BY in_force_from, item) AS place
FROM owed WHERE quantity > 0;
