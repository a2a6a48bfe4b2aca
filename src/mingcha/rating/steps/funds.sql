-- Government funds per kWh, all items in one price; those exempt pay none.

-- :: rc_fund
SELECT g.sid, g.usage_point_id, g.seg, g.seg_from, g.seg_to, g.kwh AS quantity, r.rate
FROM rc_segment AS g
JOIN rc_rate AS r ON r.tariff_id = g.tariff_id AND r.on_day = g.seg_from AND r.component = 'fund' AND r.tier = 0 AND r.period = 'all'
LEFT JOIN rc_entitled AS n ON n.sid = g.sid AND n.kind = 'fund_exempt'
WHERE g.kwh <> 0 AND n.sid IS NULL
UNION ALL
SELECT e.sid, e.usage_point_id, e.seg, e.seg_from, e.seg_to, e.kwh, r.rate
FROM rt_energy AS e
JOIN rc_rate AS r ON r.tariff_id = e.tariff_id AND r.on_day = e.seg_from AND r.component = 'fund' AND r.tier = 0
    AND r.period = e.period AND r.period <> 'all'
LEFT JOIN rc_entitled AS n ON n.sid = e.sid AND n.kind = 'fund_exempt'
WHERE e.kwh <> 0 AND n.sid IS NULL;
