-- Power factor: from the month's active and reactive energy, as a percentage of what the tariff says.

-- :: rc_pf
-- PF to 0.01, half up. The guess in DOUBLE is put right by comparing squares in DECIMAL, so that a half is a half:
-- PF ≥ (p − ½)/100 means 40000 Wp² ≥ (2p − 1)² (Wp² + Wq²).
WITH assessed AS (
    SELECT w.sid, k.pf_standard, k.tariff_id, CAST(w.wp AS DECIMAL(13,2)) AS wp, CAST(w.wq AS DECIMAL(13,2)) AS wq, s.read_on
    FROM rt_power AS w
    JOIN rt_settlement AS s ON s.sid = w.sid
    JOIN rt_contract AS k ON k.sid = w.sid AND k.seg_from < s.read_on AND k.seg_to >= s.read_on
    JOIN rt_tariff AS t ON t.tariff_id = k.tariff_id AND t.in_force_from < s.read_on
        AND (t.in_force_to IS NULL OR t.in_force_to >= s.read_on)
    WHERE k.pf_standard IS NOT NULL AND t.pf_base IS NOT NULL AND w.wp > 0
),
squares AS (
    SELECT sid, pf_standard, tariff_id, wp, wq, read_on, CAST(wp AS DECIMAL(19,2)) * wp AS active,
        CAST(wp AS DECIMAL(19,2)) * wp + CAST(wq AS DECIMAL(19,2)) * wq AS apparent,
        CAST(floor(100 * safe_div(wp, sqrt(CAST(wp AS DOUBLE) * CAST(wp AS DOUBLE) + CAST(wq AS DOUBLE) * CAST(wq AS DOUBLE))) + 0.5)
            AS INTEGER) AS guess
    FROM assessed
)
SELECT sid, pf_standard, tariff_id, wp, wq, read_on,
    guess - CASE WHEN guess > 0 AND active * CAST(40000 AS DECIMAL(5,0)) < apparent * CAST((2 * guess - 1) * (2 * guess - 1) AS DECIMAL(5,0))
            THEN 1 ELSE 0 END
        + CASE WHEN guess < 100 AND active * CAST(40000 AS DECIMAL(5,0)) >= apparent * CAST((2 * guess + 1) * (2 * guess + 1) AS DECIMAL(5,0))
            THEN 1 ELSE 0 END AS hundredths
FROM squares;

-- :: rc_pf_part
-- Which components of which tariffs the percentage is on; a list by commas or spaces.
SELECT d.tariff_id, d.on_day, c.component
FROM (SELECT DISTINCT tariff_id, on_day FROM rc_day) AS d
JOIN rt_tariff AS t ON t.tariff_id = d.tariff_id AND t.in_force_from <= d.on_day
    AND (t.in_force_to IS NULL OR t.in_force_to > d.on_day)
JOIN (SELECT DISTINCT component FROM rc_rate) AS c ON contains(
    ',' || replace(t.pf_base, ' ', ',') || ',', ',' || c.component || ',');

-- :: rc_pf_base
-- Rounded amounts of those lines (R2); basic charges by the tariff of the contract.
WITH lines AS (
    SELECT e.sid, money(CAST(e.quantity AS DECIMAL(19,4)) * r.price) AS amount, r.grade
    FROM rc_energy AS e JOIN rc_pf AS f ON f.sid = e.sid JOIN rc_rate AS r ON r.rate = e.rate
    JOIN rc_pf_part AS p ON p.tariff_id = r.tariff_id AND p.on_day = r.on_day AND p.component = r.component
    UNION ALL
    SELECT e.sid, money(CAST(e.quantity AS DECIMAL(19,4)) * e.price), e.grade
    FROM rc_energy_own AS e JOIN rc_pf AS f ON f.sid = e.sid
    JOIN (SELECT DISTINCT t.tariff_id, t.in_force_from, t.in_force_to FROM rt_tariff AS t
          WHERE contains(',' || replace(t.pf_base, ' ', ',') || ',', ',energy,')) AS p
        ON p.tariff_id = e.tariff_id AND p.in_force_from <= e.seg_from AND (p.in_force_to IS NULL OR p.in_force_to > e.seg_from)
    UNION ALL
    SELECT e.sid, money(CAST(e.quantity AS DECIMAL(19,4)) * r.price), r.grade
    FROM rc_parts AS e JOIN rc_pf AS f ON f.sid = e.sid JOIN rc_rate AS r ON r.rate = e.rate
    JOIN rc_pf_part AS p ON p.tariff_id = r.tariff_id AND p.on_day = r.on_day AND p.component = r.component
    UNION ALL
    SELECT e.sid, money(CAST(e.quantity AS DECIMAL(19,4)) * r.price), r.grade
    FROM rc_tier AS e JOIN rc_pf AS f ON f.sid = e.sid JOIN rc_rate AS r ON r.rate = e.rate
    JOIN rc_pf_part AS p ON p.tariff_id = r.tariff_id AND p.on_day = r.on_day AND p.component = r.component
    UNION ALL
    SELECT b.sid, money(b.exact), b.grade
    FROM rc_basic AS b JOIN rc_pf AS f ON f.sid = b.sid
    JOIN rt_tariff AS t ON t.tariff_id = b.tariff_id AND t.in_force_from <= b.day_from
        AND (t.in_force_to IS NULL OR t.in_force_to > b.day_from)
    WHERE contains(',' || replace(t.pf_base, ' ', ',') || ',',
        CASE WHEN b.component = 'basic_capacity' THEN ',basic_capacity,' ELSE ',basic_demand,' END)
)
SELECT sid, CAST(sum(amount) AS DECIMAL(18,2)) AS base_amount, max(grade) AS grade FROM lines GROUP BY sid;

-- :: rc_pf_pct
SELECT f.sid, f.pf_standard, f.tariff_id, f.wp, f.wq, f.hundredths, t.pct, t.document AS source,
    CASE t.evidence WHEN '[O]' THEN 1 WHEN '[S]' THEN 2 WHEN '[D]' THEN 3 WHEN '[K+]' THEN 4 WHEN '[K?]' THEN 5
        WHEN 'default' THEN 6 ELSE 7 END AS grade
FROM rc_pf AS f
LEFT JOIN tb_pf AS t ON t.standard = f.pf_standard AND CAST(t.pf * 100 AS INTEGER) = f.hundredths
    AND t.in_force_from < f.read_on AND (t.in_force_to IS NULL OR t.in_force_to >= f.read_on);

-- :: gap_unsupported_standard
SELECT sid, 'unsupported' AS reason, 'no power-factor table for ' || CAST(CAST(pf_standard AS DECIMAL(4,2)) AS VARCHAR) AS detail
FROM rc_pf_pct WHERE pct IS NULL;

-- :: rc_pf_line
SELECT p.sid, p.tariff_id, p.pct, coalesce(b.base_amount, CAST(0 AS DECIMAL(18,2))) AS base_amount, p.source,
    greatest(p.grade, coalesce(b.grade, 1)) AS grade,
    'base × pct; PF = ' || CAST(p.wp AS VARCHAR) || ' ÷ √(' || CAST(p.wp AS VARCHAR) || '² + ' || CAST(p.wq AS VARCHAR) || '²) = '
        || CAST(CAST(p.hundredths * CAST('0.01' AS DECIMAL(3,2)) AS DECIMAL(4,2)) AS VARCHAR) || ', standard '
        || CAST(CAST(p.pf_standard AS DECIMAL(4,2)) AS VARCHAR) AS formula
FROM rc_pf_pct AS p LEFT JOIN rc_pf_base AS b ON b.sid = p.sid
WHERE p.pct IS NOT NULL;
