SELECT day
FROM calendar_day
WHERE kind = 'holiday'
UNION
SELECT CAST(day - INTERVAL 1 DAY AS DATE) AS day
FROM calendar_day
WHERE kind = 'holiday'
UNION
SELECT CAST(day + INTERVAL 1 DAY AS DATE) AS day
FROM calendar_day
WHERE kind = 'holiday'
