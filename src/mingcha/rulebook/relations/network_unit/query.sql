SELECT 'district' AS level, district_id AS unit_id, org_id, feeder_id AS parent_id, TRUE AS running
FROM district
UNION ALL
SELECT 'feeder' AS level, feeder_id AS unit_id, org_id, bus_id AS parent_id, status = 'running' AS running
FROM feeder
UNION ALL
SELECT 'bus' AS level, b.bus_id AS unit_id, s.org_id, b.substation_id AS parent_id, TRUE AS running
FROM bus AS b
LEFT JOIN substation AS s ON s.substation_id = b.substation_id
