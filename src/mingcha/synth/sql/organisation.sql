-- :: org
CREATE OR REPLACE TABLE org AS
WITH s AS (SELECT CAST(range AS INTEGER) AS sn FROM range({stations})),
u AS (
    SELECT sn, sn // {per_county} AS kn, sn // {per_county} // {per_city} AS cn FROM s
)
SELECT sn, kn, cn,
    '{province}' || zeros(cn + 1, 2) AS city_org,
    '{province}' || zeros(cn + 1, 2) || zeros(kn % {per_city} + 1, 2) AS county_org,
    '{province}' || zeros(cn + 1, 2) || zeros(kn % {per_city} + 1, 2) || zeros(sn % {per_county} + 1, 2)
        AS station_org
FROM u ORDER BY sn;

CREATE OR REPLACE TABLE t_org_unit AS
SELECT '{province}' AS org_id, '云岭省电力有限公司' AS name, CAST(NULL AS VARCHAR) AS parent_id, 'province' AS level
UNION ALL
SELECT DISTINCT city_org, place(cn * 31 + 5) || '市供电公司', '{province}', 'city' FROM org
UNION ALL
SELECT DISTINCT county_org, place(kn * 37 + 1001) || '县供电公司', city_org, 'county' FROM org
UNION ALL
SELECT station_org, place(sn * 41 + 5003) || '供电所', county_org, 'station' FROM org;

-- :: staff
CREATE OR REPLACE TABLE t_staff AS
SELECT 'E' || u.org_id || p.letter || (i.range + 1) AS staff_id,
    person(CAST(row_number() OVER (ORDER BY u.org_id, p.letter, i.range) AS BIGINT) + 70000) AS name,
    u.org_id, p.post,
    '100' || zeros(row_number() OVER (ORDER BY u.org_id, p.letter, i.range), 8) AS phone,
    CAST(NULL AS DATE) AS left_on
FROM t_org_unit u
JOIN posts p ON p.level = u.level
JOIN range(4) i ON i.range < p.many
ORDER BY staff_id;
-- the account of the nightly batch
INSERT INTO t_staff BY NAME SELECT 'SYSTEM' AS staff_id, '系统批处理' AS name, '99' AS org_id, 'other' AS post;

CREATE OR REPLACE TABLE t_staff_role AS
SELECT s.staff_id, r.role, DATE '2021-01-01' AS granted_on, CAST(NULL AS DATE) AS revoked_on
FROM t_staff s
JOIN t_org_unit u USING (org_id)
JOIN post_roles r ON r.level = u.level AND s.staff_id LIKE 'E%' || r.letter || '_'
ORDER BY 1, 2;
