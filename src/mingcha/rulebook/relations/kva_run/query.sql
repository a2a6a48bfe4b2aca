WITH state AS (
  SELECT
    s.transformer_id, t.customer_id,
    CASE WHEN s.status IN ('running', 'standby_hot') THEN t.capacity_kva ELSE 0 END AS kva,
    s.effective_from AS from_day,
    least(
      coalesce(s.effective_to, DATE '9999-12-31'),
      coalesce(
        lead(s.effective_from) OVER (PARTITION BY s.transformer_id ORDER BY s.effective_from), DATE '9999-12-31'
      )
    ) AS to_day
  FROM transformer_status AS s
  JOIN transformer AS t ON t.transformer_id = s.transformer_id
  WHERE t.kind = 'dedicated'
    AND t.customer_id IS NOT NULL
),
steps AS (
  SELECT customer_id, from_day AS day, kva AS step_kva
  FROM state
  WHERE from_day < to_day
  UNION ALL
  SELECT customer_id, to_day AS day, -kva AS step_kva
  FROM state
  WHERE from_day < to_day
),
turns AS (
  SELECT customer_id, day, CAST(sum(step_kva) AS DECIMAL(18, 4)) AS step_kva
  FROM steps
  GROUP BY customer_id, day
),
stretches AS (
  SELECT
    customer_id,
    day AS from_day,
    coalesce(lead(day) OVER (PARTITION BY customer_id ORDER BY day), DATE '9999-12-31') AS to_day,
    CAST(sum(step_kva) OVER (PARTITION BY customer_id ORDER BY day) AS DECIMAL(18, 4)) AS kva
  FROM turns
),
silent AS (
  SELECT t.customer_id, count(CASE WHEN s.transformer_id IS NULL THEN 1 END) AS transformers
  FROM transformer AS t
  LEFT JOIN (SELECT DISTINCT transformer_id FROM transformer_status) AS s ON s.transformer_id = t.transformer_id
  WHERE t.kind = 'dedicated'
    AND t.customer_id IS NOT NULL
  GROUP BY t.customer_id
)
SELECT
  s.customer_id,
  s.from_day,
  s.to_day,
  s.kva,
  CAST(n.transformers AS INTEGER) AS status_unknown
FROM stretches AS s
JOIN silent AS n ON n.customer_id = s.customer_id
WHERE s.from_day < s.to_day
