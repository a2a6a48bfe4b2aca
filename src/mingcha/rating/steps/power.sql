-- :: rt_power
-- active and reactive energy of the main points with the losses added, for customers with a standard
SELECT p.sid, CAST(sum(m.active) + coalesce(max(l.kwh), 0) AS DECIMAL(18,4)) AS wp,
    CAST(sum(m.reactive) + coalesce(max(l.kvarh), 0) AS DECIMAL(18,4)) AS wq
FROM rq_point AS p
JOIN rq_last_contract AS c ON c.sid = p.sid AND c.pf_standard IS NOT NULL
JOIN rq_metered AS m ON m.sid = p.sid AND m.usage_point_id = p.usage_point_id
LEFT JOIN (SELECT sid, sum(kwh) AS kwh, sum(kvarh) AS kvarh FROM rt_loss GROUP BY sid) AS l ON l.sid = p.sid
WHERE p.main AND p.metering_method = 'meter'
GROUP BY p.sid

-- :: gap_no_reactive
SELECT p.sid, 'no_reading' AS reason, 'no reactive energy, though a power factor is assessed' AS detail
FROM rt_power AS p
JOIN rq_last_contract AS c ON c.sid = p.sid
JOIN rt_settlement AS s ON s.sid = p.sid
JOIN rt_tariff AS t ON t.tariff_id = c.tariff_id AND t.pf_base IS NOT NULL AND t.in_force_from < greatest(s.read_on, s.started_on + 1)
    AND (t.in_force_to IS NULL OR t.in_force_to >= greatest(s.read_on, s.started_on + 1))
JOIN (SELECT sid, max(has_reactive) AS has_reactive FROM rq_metered GROUP BY sid) AS m ON m.sid = p.sid
WHERE p.wp > 0 AND m.has_reactive = 0
