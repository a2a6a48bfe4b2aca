-- :: rt_parameter once
-- one value per book, name and day: the book's own, else that of cn.rules, else the default; tariffs in another
-- currency are under other rules and have only their own
WITH books AS (
    SELECT book, max(CASE WHEN coalesce(currency, 'CNY') = 'CNY' THEN 1 ELSE 0 END) AS ours FROM tb_tariff GROUP BY book
    UNION SELECT 'own' AS book, 1 AS ours
    UNION SELECT 'cn.rules' AS book, 1 AS ours
),
offers AS (
    SELECT b.book, 1 AS place, p.name, p.value, p.number, p.unit, coalesce(p.in_force_from, DATE '1900-01-01') AS d0,
        coalesce(p.in_force_to, DATE '9999-12-31') AS d1, p.document, p.clause, p.evidence
    FROM books AS b JOIN tb_parameter AS p ON p.book = b.book
    UNION ALL
    SELECT b.book, 2 AS place, p.name, p.value, p.number, p.unit, coalesce(p.in_force_from, DATE '1900-01-01') AS d0,
        coalesce(p.in_force_to, DATE '9999-12-31') AS d1, p.document, p.clause, p.evidence
    FROM books AS b JOIN tb_parameter AS p ON p.book = 'cn.rules' AND b.book <> 'cn.rules' AND b.ours = 1
    UNION ALL
    SELECT b.book, 3 AS place, p.name, p.value, TRY_CAST(p.value AS DECIMAL(18,8)) AS number, p.unit,
        coalesce(p.in_force_from, DATE '1900-01-01') AS d0, coalesce(p.in_force_to, DATE '9999-12-31') AS d1,
        CAST(NULL AS VARCHAR) AS document, CAST(NULL AS VARCHAR) AS clause, 'default' AS evidence
    FROM books AS b CROSS JOIN rt_default AS p
    WHERE b.ours = 1
),
days AS (
    SELECT book, name, d0 AS day FROM offers UNION SELECT book, name, d1 AS day FROM offers
),
spans AS (
    SELECT book, name, day AS d0, lead(day) OVER (PARTITION BY book, name ORDER BY day) AS d1 FROM days
),
ranked AS (
    SELECT s.book, s.name, s.d0, s.d1, o.value, o.number, o.unit, o.document, o.clause, o.evidence,
        row_number() OVER (PARTITION BY s.book, s.name, s.d0 ORDER BY o.place, o.d0 DESC, o.value) AS nth
    FROM spans AS s
    JOIN offers AS o ON o.book = s.book AND o.name = s.name AND o.d0 <= s.d0 AND o.d1 >= s.d1
    WHERE s.d1 IS NOT NULL
)
SELECT book, name, value, number, unit, d0 AS in_force_from, nullif(d1, DATE '9999-12-31') AS in_force_to,
    document, clause, evidence
FROM ranked WHERE nth = 1

-- :: rq_code once
-- codes of the book for each tariff of the utility: several follow each other; of two at once the first one stands
WITH c AS (
    SELECT DISTINCT k.tariff_id, k.tariff_code, t.in_force_from, coalesce(t.in_force_to, DATE '9999-12-31') AS in_force_to
    FROM tb_code AS k JOIN tb_tariff AS t ON t.tariff_code = k.tariff_code
)
SELECT c.tariff_id, c.tariff_code, c.in_force_from, nullif(c.in_force_to, DATE '9999-12-31') AS in_force_to
FROM c
LEFT JOIN c AS d ON d.tariff_id = c.tariff_id AND d.tariff_code < c.tariff_code AND d.in_force_from < c.in_force_to
    AND d.in_force_to > c.in_force_from
WHERE d.tariff_id IS NULL

-- :: rt_tariff once
SELECT c.tariff_id, c.tariff_code, min(t.book) AS book, min(t.currency) AS currency, min(t.title_zh) AS title_zh,
    min(t.title_en) AS title_en, c.in_force_from, c.in_force_to,
    string_agg(t.usage_category, ',' ORDER BY t.usage_category) AS usage_category, min(t.parts) AS parts,
    min(t.voltage_kv_from) AS voltage_kv_from, min(t.voltage_kv_to) AS voltage_kv_to,
    min(t.programme_id) AS programme_id, min(t.tier_id) AS tier_id, min(t.tier_basis) AS tier_basis,
    min(t.tier_measure) AS tier_measure, min(t.pf_base) AS pf_base, min(t.entitlement) AS entitlement,
    min(t.price_basis) AS price_basis, FALSE AS own
FROM rq_code AS c JOIN tb_tariff AS t ON t.tariff_code = c.tariff_code
GROUP BY c.tariff_id, c.tariff_code, c.in_force_from, c.in_force_to
UNION ALL
SELECT t.tariff_id, CAST(NULL AS VARCHAR) AS tariff_code, 'own' AS book, 'CNY' AS currency, t.name AS title_zh,
    t.name AS title_en, t.effective_from AS in_force_from,
    least(t.effective_to, lead(t.effective_from) OVER (PARTITION BY t.tariff_id ORDER BY t.effective_from))
        AS in_force_to,
    t.usage_category, t.parts, t.voltage_kv_from, t.voltage_kv_to, t.tou_programme_id AS programme_id,
    CAST(NULL AS VARCHAR) AS tier_id, CAST(NULL AS VARCHAR) AS tier_basis, CAST(NULL AS VARCHAR) AS tier_measure,
    p.value AS pf_base, t.entitlement_kind AS entitlement, 'utility' AS price_basis, TRUE AS own
FROM tariff AS t
LEFT JOIN (SELECT DISTINCT tariff_id FROM rq_code) AS c ON c.tariff_id = t.tariff_id
LEFT JOIN rt_parameter AS p ON p.book = 'own' AND p.name = 'power_factor.base' AND p.in_force_from <= t.effective_from
    AND (p.in_force_to IS NULL OR p.in_force_to > t.effective_from)
WHERE c.tariff_id IS NULL

-- :: rt_price once
WITH papers AS (
    SELECT tariff_id, max(document) AS document FROM tariff GROUP BY tariff_id
)
SELECT c.tariff_id, p.tariff_code, p.component, p.item, p.period, p.tier,
    greatest(p.in_force_from, c.in_force_from) AS in_force_from, least(p.in_force_to, c.in_force_to) AS in_force_to,
    p.known_on, p.price, p.unit, p.document, p.clause, p.evidence
FROM rq_code AS c
JOIN tb_price AS p ON p.tariff_code = c.tariff_code AND (c.in_force_to IS NULL OR p.in_force_from < c.in_force_to)
    AND (p.in_force_to IS NULL OR p.in_force_to > c.in_force_from)
UNION ALL
SELECT t.tariff_id, CAST(NULL AS VARCHAR) AS tariff_code, t.component, '' AS item, coalesce(t.period, 'all') AS period,
    coalesce(t.tier, 0) AS tier, t.effective_from AS in_force_from,
    least(t.effective_to, lead(t.effective_from)
        OVER (PARTITION BY t.tariff_id, t.component, t.period, t.tier ORDER BY t.effective_from)) AS in_force_to,
    CAST(NULL AS DATE) AS known_on, t.price, t.unit, d.document, CAST(NULL AS VARCHAR) AS clause, 'own' AS evidence
FROM tariff_price AS t
LEFT JOIN (SELECT DISTINCT tariff_id FROM rq_code) AS c ON c.tariff_id = t.tariff_id
LEFT JOIN papers AS d ON d.tariff_id = t.tariff_id
WHERE c.tariff_id IS NULL

-- :: rq_tariff_period once
-- the periods a tariff prices energy by; none for a tariff with one price
SELECT DISTINCT tariff_id, period, in_force_from, in_force_to,
    CASE period WHEN 'sharp' THEN 1 WHEN 'peak' THEN 2 WHEN 'flat' THEN 3 WHEN 'valley' THEN 4 ELSE 5 END AS pos
FROM rt_price WHERE component = 'energy' AND period <> 'all'

-- :: rq_price_day once
-- days on which a tariff or one of its prices begins or ends
SELECT tariff_id, in_force_from AS day FROM rt_price WHERE in_force_from IS NOT NULL
UNION SELECT tariff_id, in_force_to AS day FROM rt_price WHERE in_force_to IS NOT NULL
UNION SELECT tariff_id, in_force_from AS day FROM rt_tariff WHERE in_force_from IS NOT NULL
UNION SELECT tariff_id, in_force_to AS day FROM rt_tariff WHERE in_force_to IS NOT NULL
