WITH ratio AS (
  SELECT
    usage_point_id,
    max(CASE WHEN kind = 'PT' AND secondary_rating > 0 THEN safe_div(primary_rating, secondary_rating) END) AS pt_ratio
  FROM instrument_transformer
  WHERE removed_on IS NULL
  GROUP BY usage_point_id
),
archive AS (
  SELECT
    usage_point_id, customer_id, multiplier, rated_voltage_v, effective_from,
    least(
      coalesce(effective_to, DATE '9999-12-31'),
      coalesce(lead(effective_from) OVER (PARTITION BY usage_point_id ORDER BY effective_from), DATE '9999-12-31')
    ) AS effective_until
  FROM usage_point
),
sized AS (
  SELECT
    a.usage_point_id, a.multiplier, a.rated_voltage_v, a.effective_from, a.effective_until,
    c.contract_capacity_kva,
    -- the current ratio is the combined multiplier less the voltage ratio: measured, else that of a 100 V secondary
    coalesce(
      r.pt_ratio,
      CASE WHEN c.voltage_kv >= 1 AND a.rated_voltage_v <= 110 THEN CAST(c.voltage_kv AS DOUBLE) * 10 END,
      1
    ) AS pt_ratio
  FROM archive AS a
  LEFT JOIN customer AS c ON c.customer_id = a.customer_id
  LEFT JOIN ratio AS r ON r.usage_point_id = a.usage_point_id
),
steps AS (
  SELECT
    usage_point_id, "at", p_kw, q_kvar, u_a, u_b, u_c, i_a, i_b, i_c, pf,
    row_number() OVER w AS rn,
    lag(p_kw) OVER w AS before_kw,
    lead(p_kw) OVER w AS after_kw
  FROM load_curve
  WHERE "at" >= CAST(:history_start AS TIMESTAMP)
    AND "at" < CAST(:data_date + INTERVAL 1 DAY AS TIMESTAMP)
  WINDOW w AS (PARTITION BY usage_point_id ORDER BY "at")
),
runs AS (
  SELECT
    usage_point_id, "at", p_kw, q_kvar, u_a, u_b, u_c, i_a, i_b, i_c, pf,
    min(CASE WHEN after_kw IS NULL OR after_kw <> p_kw THEN rn END)
      OVER (PARTITION BY usage_point_id ORDER BY "at" ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING)
    - max(CASE WHEN before_kw IS NULL OR before_kw <> p_kw THEN rn END)
      OVER (PARTITION BY usage_point_id ORDER BY "at" ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
    + 1 AS equal_points
  FROM steps
),
primary_side AS (
  SELECT
    l.usage_point_id,
    l."at",
    CAST(l."at" AS DATE) AS day,
    TRY_CAST(CAST(l.p_kw AS DECIMAL(19, 4)) * s.multiplier AS DECIMAL(18, 4)) AS p_kw,
    TRY_CAST(CAST(l.q_kvar AS DECIMAL(19, 4)) * s.multiplier AS DECIMAL(18, 4)) AS q_kvar,
    l.u_a, l.u_b, l.u_c,
    TRY_CAST(safe_div(CAST(l.i_a AS DECIMAL(19, 4)) * s.multiplier, s.pt_ratio) AS DECIMAL(12, 4)) AS i_a,
    TRY_CAST(safe_div(CAST(l.i_b AS DECIMAL(19, 4)) * s.multiplier, s.pt_ratio) AS DECIMAL(12, 4)) AS i_b,
    TRY_CAST(safe_div(CAST(l.i_c AS DECIMAL(19, 4)) * s.multiplier, s.pt_ratio) AS DECIMAL(12, 4)) AS i_c,
    l.i_a AS i2_a, l.i_b AS i2_b, l.i_c AS i2_c,
    l.pf
  FROM runs AS l
  JOIN sized AS s
    ON s.usage_point_id = l.usage_point_id
    AND s.effective_from <= CAST(l."at" AS DATE)
    AND s.effective_until > CAST(l."at" AS DATE)
  WHERE (l.p_kw IS NULL OR l.p_kw = 0 OR l.equal_points < :flat_pts)
    AND (l.p_kw IS NULL OR s.contract_capacity_kva IS NULL OR s.contract_capacity_kva = 0
      OR abs(CAST(l.p_kw AS DECIMAL(19, 4))) * s.multiplier <= :p_max * CAST(s.contract_capacity_kva AS DECIMAL(19, 4)))
    AND coalesce(l.u_a, 0) <= :u_max * CAST(s.rated_voltage_v AS DECIMAL(19, 4))
    AND coalesce(l.u_b, 0) <= :u_max * CAST(s.rated_voltage_v AS DECIMAL(19, 4))
    AND coalesce(l.u_c, 0) <= :u_max * CAST(s.rated_voltage_v AS DECIMAL(19, 4))
)
SELECT
  usage_point_id, "at", day, p_kw, q_kvar, u_a, u_b, u_c, i_a, i_b, i_c, i2_a, i2_b, i2_c, pf,
  TRY_CAST(
    CASE
      WHEN p_kw IS NOT NULL AND q_kvar IS NOT NULL
        THEN sqrt(CAST(p_kw AS DOUBLE) * CAST(p_kw AS DOUBLE) + CAST(q_kvar AS DOUBLE) * CAST(q_kvar AS DOUBLE))
      WHEN pf > 0 THEN safe_div(abs(p_kw), pf)
      ELSE safe_div(abs(p_kw), :pf_default)
    END AS DECIMAL(18, 4)
  ) AS kva
FROM primary_side
