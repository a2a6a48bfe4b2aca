-- :: rq_low_side
-- main points metered on the low side of a transformer of the customer's own whose losses are billed
SELECT p.sid, p.usage_point_id, p.transformer_id
FROM rq_point AS p
JOIN rt_settlement AS s ON s.sid = p.sid
JOIN customer AS c ON c.customer_id = s.customer_id AND c.voltage_kv >= 1
JOIN transformer AS t ON t.transformer_id = p.transformer_id AND t.kind = 'dedicated'
WHERE p.main AND p.metering_method = 'meter' AND p.metering_side = 'low' AND coalesce(p.loss_billed, 'none') <> 'none'

-- :: rq_metered
-- metered sums of main points, before anything is taken from them or added; only where losses or the power factor
-- ask for them
SELECT r.sid, r.usage_point_id,
    CAST(sum(CASE WHEN r.register = 'active' THEN r.kwh ELSE 0 END) AS DECIMAL(18,4)) AS active,
    CAST(sum(CASE WHEN r.register IN ('reactive_import', 'reactive_export') THEN abs(r.kwh) ELSE 0 END) AS DECIMAL(18,4))
        AS reactive,
    max(CASE WHEN r.register IN ('reactive_import', 'reactive_export') THEN 1 ELSE 0 END) AS has_reactive
FROM rq_register AS r
JOIN (
    SELECT p.sid, p.usage_point_id FROM rq_point AS p
    JOIN rq_last_contract AS c ON c.sid = p.sid
    WHERE p.main AND c.pf_standard IS NOT NULL
    UNION
    SELECT sid, usage_point_id FROM rq_low_side
) AS p ON p.sid = r.sid AND p.usage_point_id = r.usage_point_id
WHERE NOT r.guest
GROUP BY r.sid, r.usage_point_id

-- :: rq_transformer
-- values of those transformers: their own, else those of the series the model begins with, at the same capacity
WITH wanted AS (
    SELECT DISTINCT transformer_id FROM rq_low_side
),
seeds AS (
    SELECT t.transformer_id, s.no_load_loss_kw, s.load_loss_kw, s.no_load_current_pct, s.impedance_pct,
        row_number() OVER (PARTITION BY t.transformer_id ORDER BY length(s.series) DESC, s.series, s.document) AS nth
    FROM wanted AS w
    JOIN transformer AS t ON t.transformer_id = w.transformer_id
    JOIN tb_transformer AS s ON starts_with(upper(t.model), upper(s.series)) AND s.capacity_kva = t.capacity_kva
)
SELECT t.transformer_id, t.capacity_kva, coalesce(t.no_load_loss_kw, s.no_load_loss_kw) AS p0,
    coalesce(t.load_loss_kw, s.load_loss_kw) AS pk, coalesce(t.no_load_current_pct, s.no_load_current_pct) AS i0,
    coalesce(t.impedance_pct, s.impedance_pct) AS uk
FROM wanted AS w
JOIN transformer AS t ON t.transformer_id = w.transformer_id
LEFT JOIN seeds AS s ON s.transformer_id = t.transformer_id AND s.nth = 1

-- :: rq_running
-- hours each of them was under voltage between the readings; without any status, all hours
WITH u AS (
    SELECT sid, transformer_id FROM rq_low_side GROUP BY sid, transformer_id
),
st AS (
    SELECT x.transformer_id, x.status, x.effective_from,
        least(coalesce(x.effective_to, DATE '9999-12-31'),
            coalesce(lead(x.effective_from) OVER (PARTITION BY x.transformer_id ORDER BY x.effective_from),
                DATE '9999-12-31')) AS effective_to
    FROM transformer_status AS x
    WHERE x.transformer_id IN (SELECT t.transformer_id FROM rq_transformer AS t)
)
SELECT u.sid, u.transformer_id,
    CAST(24 * CASE WHEN count(st.transformer_id) = 0 THEN max(date_diff('day', s.started_on, s.read_on))
        ELSE sum(CASE WHEN st.status IN ('running', 'standby_hot') THEN greatest(date_diff('day',
            greatest(st.effective_from, s.started_on), least(st.effective_to, s.read_on)), 0) ELSE 0 END)
        END AS DECIMAL(18,4)) AS hours
FROM u
JOIN rt_settlement AS s ON s.sid = u.sid
LEFT JOIN st ON st.transformer_id = u.transformer_id
GROUP BY u.sid, u.transformer_id

-- :: rq_transformer_loss
-- W = P0·T + K·Pk·(Wp² + Wq²) / (Sn²·T), and the reactive loss likewise with I0 and Uk; to 0.01.
-- The quotient is taken in DOUBLE: a tie at half a cent of a kWh is not to be expected of such a number.
WITH w AS (
    SELECT l.sid, l.transformer_id, sum(m.active) AS wp, sum(m.reactive) AS wq
    FROM rq_low_side AS l
    JOIN rq_metered AS m ON m.sid = l.sid AND m.usage_point_id = l.usage_point_id
    GROUP BY l.sid, l.transformer_id
),
k AS (
    SELECT w.sid, w.transformer_id, w.wp, w.wq, t.capacity_kva AS sn, t.p0, t.pk, t.i0 * t.capacity_kva / 100 AS q0,
        t.uk * t.capacity_kva / 100 AS qk, t.i0, t.uk, r.hours, x.number AS k
    FROM w
    JOIN rq_transformer AS t ON t.transformer_id = w.transformer_id
    JOIN rq_running AS r ON r.sid = w.sid AND r.transformer_id = w.transformer_id
    JOIN rt_settlement AS s ON s.sid = w.sid
    JOIN rq_last_contract AS c ON c.sid = w.sid
    JOIN rt_parameter AS x ON x.book = c.book AND x.name = 'transformer.k.' || coalesce(CAST(c.shift AS VARCHAR), '3')
        AND x.in_force_from <= s.month_start AND (x.in_force_to IS NULL OR x.in_force_to > s.month_start)
),
d AS (
    SELECT sid, transformer_id, wp, wq, sn, p0, pk, hours, k,
        CAST(p0 AS DOUBLE) * CAST(hours AS DOUBLE) AS idle, CAST(q0 AS DOUBLE) * CAST(hours AS DOUBLE) AS idle_q,
        CAST(k AS DOUBLE) * (CAST(wp AS DOUBLE) * CAST(wp AS DOUBLE) + CAST(wq AS DOUBLE) * CAST(wq AS DOUBLE)) AS load,
        CAST(sn AS DOUBLE) * CAST(sn AS DOUBLE) * CAST(hours AS DOUBLE) AS base, qk
    FROM k
)
SELECT sid, transformer_id, CAST(wp AS DECIMAL(18,4)) AS wp,
    CAST(CAST(idle + coalesce(safe_div(CAST(pk AS DOUBLE) * load, base), 0) AS DECIMAL(18,2)) AS DECIMAL(18,4)) AS kwh,
    CAST(CAST(coalesce(idle_q + coalesce(safe_div(CAST(qk AS DOUBLE) * load, base), 0), 0) AS DECIMAL(18,2))
        AS DECIMAL(18,4)) AS kvarh,
    CAST(p0 AS VARCHAR) || ' kW × ' || CAST(CAST(hours AS DECIMAL(18,0)) AS VARCHAR) || ' h + '
        || CAST(CAST(k AS DECIMAL(9,2)) AS VARCHAR) || ' × ' || CAST(pk AS VARCHAR) || ' kW × ('
        || CAST(CAST(wp AS DECIMAL(18,2)) AS VARCHAR) || '² + ' || CAST(CAST(wq AS DECIMAL(18,2)) AS VARCHAR) || '²) ÷ ('
        || CAST(CAST(sn AS DECIMAL(18,2)) AS VARCHAR) || '² × ' || CAST(CAST(hours AS DECIMAL(18,0)) AS VARCHAR) || ' h)'
        AS formula
FROM d

-- :: rq_point_loss
-- shared over the points behind the transformer by metered kWh; the last point takes the remainder
WITH c AS (
    SELECT l.sid, l.usage_point_id, CAST(m.active AS DECIMAL(14,2)) AS part, CAST(t.wp AS DECIMAL(14,2)) AS whole,
        CAST(t.kwh AS DECIMAL(14,2)) AS kwh, CAST(t.kvarh AS DECIMAL(14,2)) AS kvarh, t.formula,
        row_number() OVER (PARTITION BY l.sid, l.transformer_id ORDER BY l.usage_point_id DESC) AS nth, l.transformer_id
    FROM rq_low_side AS l
    JOIN rq_metered AS m ON m.sid = l.sid AND m.usage_point_id = l.usage_point_id
    JOIN rq_transformer_loss AS t ON t.sid = l.sid AND t.transformer_id = l.transformer_id
),
q AS (
    SELECT sid, usage_point_id, transformer_id, part, whole, kwh, kvarh, formula, nth,
        coalesce(CAST(safe_div(kwh * part, whole) AS DECIMAL(14,2)), 0) AS near,
        coalesce(CAST(safe_div(kvarh * part, whole) AS DECIMAL(14,2)), 0) AS near_q
    FROM c
),
e AS (
    SELECT sid, usage_point_id, transformer_id, whole, kwh, kvarh, formula, nth, near, near_q,
        2 * (kwh * part - near * whole) AS twice, 2 * (kvarh * part - near_q * whole) AS twice_q
    FROM q
),
r AS (
    SELECT sid, usage_point_id, transformer_id, kwh, kvarh, formula, nth,
        near + CASE WHEN whole = 0 THEN 0 WHEN twice >= 0.01 * whole THEN 0.01 WHEN twice < -0.01 * whole THEN -0.01
            ELSE 0 END AS share,
        near_q + CASE WHEN whole = 0 THEN 0 WHEN twice_q >= 0.01 * whole THEN 0.01
            WHEN twice_q < -0.01 * whole THEN -0.01 ELSE 0 END AS share_q
    FROM e
),
t AS (
    SELECT sid, usage_point_id, kwh, kvarh, formula, nth, share, share_q,
        sum(CASE WHEN nth = 1 THEN 0 ELSE share END) OVER (PARTITION BY sid, transformer_id) AS others,
        sum(CASE WHEN nth = 1 THEN 0 ELSE share_q END) OVER (PARTITION BY sid, transformer_id) AS others_q
    FROM r
)
SELECT sid, usage_point_id, CAST(CASE WHEN nth = 1 THEN kwh - others ELSE share END AS DECIMAL(18,4)) AS kwh,
    CAST(CASE WHEN nth = 1 THEN kvarh - others_q ELSE share_q END AS DECIMAL(18,4)) AS kvarh, formula
FROM t

-- :: rt_loss
-- transformer loss, then line loss: (kWh with transformer loss) × percentage of the contract
WITH billable AS (
    SELECT c.sid, c.usage_point_id, sum(c.kwh) AS kwh
    FROM rq_cell AS c
    JOIN rq_last_contract AS k ON k.sid = c.sid AND k.line_loss_pct IS NOT NULL
    GROUP BY c.sid, c.usage_point_id
),
line AS (
    SELECT b.sid, b.usage_point_id, CAST(b.kwh + coalesce(l.kwh, 0) AS DECIMAL(18,4)) AS base, k.line_loss_pct AS pct
    FROM billable AS b
    JOIN rq_last_contract AS k ON k.sid = b.sid
    JOIN rq_point AS p ON p.sid = b.sid AND p.usage_point_id = b.usage_point_id AND p.main
    JOIN rt_settlement AS s ON s.sid = b.sid
    LEFT JOIN customer AS c ON c.customer_id = s.customer_id
    LEFT JOIN rq_point_loss AS l ON l.sid = b.sid AND l.usage_point_id = b.usage_point_id
    WHERE p.loss_billed = 'transformer_line' OR c.line_kind = 'dedicated'
)
SELECT sid, usage_point_id, 'transformer' AS kind, kwh, kvarh, formula FROM rq_point_loss
UNION ALL
SELECT sid, usage_point_id, 'line' AS kind,
    CAST(CAST(base * pct * CAST(0.01 AS DECIMAL(3,2)) AS DECIMAL(18,2)) AS DECIMAL(18,4)) AS kwh,
    CAST(0 AS DECIMAL(18,4)) AS kvarh,
    CAST(CAST(base AS DECIMAL(18,2)) AS VARCHAR) || ' kWh × ' || CAST(pct AS VARCHAR) || ' %' AS formula
FROM line WHERE pct <> 0

-- :: rq_with_loss
-- billable kWh with losses, spread over a point's intervals and periods by kWh; the last one takes the remainder
WITH added AS (
    SELECT sid, usage_point_id, sum(kwh) AS kwh FROM rt_loss GROUP BY sid, usage_point_id
),
c AS (
    SELECT b.sid, b.usage_point_id, b.ival, b.day_from, b.day_to, b.pos, b.period, CAST(b.kwh AS DECIMAL(14,2)) AS kwh,
        CAST(a.kwh AS DECIMAL(14,2)) AS amount,
        CAST(sum(b.kwh) OVER (PARTITION BY b.sid, b.usage_point_id) AS DECIMAL(14,2)) AS whole,
        row_number() OVER (PARTITION BY b.sid, b.usage_point_id
            ORDER BY CASE WHEN b.kwh > 0 THEN 0 ELSE 1 END, b.ival DESC, b.pos DESC) AS nth
    FROM rq_cell AS b
    JOIN added AS a ON a.sid = b.sid AND a.usage_point_id = b.usage_point_id
),
q AS (
    SELECT sid, usage_point_id, ival, day_from, day_to, pos, period, kwh, amount, whole, nth,
        coalesce(CAST(safe_div(amount * kwh, whole) AS DECIMAL(14,2)), 0) AS near
    FROM c
),
e AS (
    SELECT sid, usage_point_id, ival, day_from, day_to, pos, period, kwh, amount, whole, nth, near,
        2 * (amount * kwh - near * whole) AS twice
    FROM q
),
r AS (
    SELECT sid, usage_point_id, ival, day_from, day_to, pos, period, kwh, amount, nth,
        near + CASE WHEN whole = 0 THEN 0 WHEN twice >= 0.01 * whole THEN 0.01 WHEN twice < -0.01 * whole THEN -0.01
            ELSE 0 END AS share
    FROM e
),
t AS (
    SELECT sid, usage_point_id, ival, day_from, day_to, pos, period, kwh, amount, nth, share,
        sum(CASE WHEN nth = 1 THEN 0 ELSE share END) OVER (PARTITION BY sid, usage_point_id) AS others
    FROM r
)
SELECT sid, usage_point_id, ival, day_from, day_to, pos, period,
    CAST(kwh + CASE WHEN nth = 1 THEN amount - others ELSE share END AS DECIMAL(18,4)) AS kwh
FROM t
UNION ALL
SELECT b.sid, b.usage_point_id, b.ival, b.day_from, b.day_to, b.pos, b.period, b.kwh
FROM rq_cell AS b
LEFT JOIN added AS a ON a.sid = b.sid AND a.usage_point_id = b.usage_point_id
WHERE a.sid IS NULL

-- :: gap_no_transformer_data
SELECT l.sid, 'no_transformer_data' AS reason, 'losses of ' || l.transformer_id || ' unknown' AS detail
FROM rq_low_side AS l
JOIN rq_transformer AS t ON t.transformer_id = l.transformer_id
LEFT JOIN rq_last_contract AS c ON c.sid = l.sid
WHERE t.p0 IS NULL OR t.pk IS NULL OR t.capacity_kva <= 0
    OR (c.pf_standard IS NOT NULL AND (t.i0 IS NULL OR t.uk IS NULL))

-- :: gap_no_transformer
SELECT p.sid, 'no_transformer_data' AS reason, 'transformer ' || p.transformer_id || ' is not listed' AS detail
FROM rq_point AS p
JOIN rt_settlement AS s ON s.sid = p.sid
JOIN customer AS c ON c.customer_id = s.customer_id AND c.voltage_kv >= 1
LEFT JOIN transformer AS t ON t.transformer_id = p.transformer_id
WHERE p.main AND p.metering_method = 'meter' AND p.metering_side = 'low' AND coalesce(p.loss_billed, 'none') <> 'none'
    AND p.transformer_id IS NOT NULL AND t.transformer_id IS NULL
