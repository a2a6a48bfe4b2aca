WITH flow AS (
  SELECT
    g.level, g.unit_id, g.usage_point_id, d.day,
    CAST(g.sign * (d.import_kwh - coalesce(d.export_kwh, 0)) AS DECIMAL(18, 4)) AS kwh
  FROM daily_energy AS d
  JOIN gateway_span AS g
    ON g.usage_point_id = d.usage_point_id
    AND g.effective_from <= d.day
    AND g.effective_until > d.day
  WHERE g.level IN ('bus', 'feeder')
    AND d.day >= :history_start
    AND d.day <= :data_date
),
supplied AS (
  SELECT unit_id AS bus_id, day, count(kwh) AS gateways_valued, CAST(sum(kwh) AS DECIMAL(18, 4)) AS supply_kwh
  FROM flow
  WHERE level = 'bus'
  GROUP BY unit_id, day
),
expected_gateway AS (
  SELECT s.bus_id, s.day, count(*) AS gateways
  FROM supplied AS s
  JOIN gateway_span AS g
    ON g.level = 'bus'
    AND g.unit_id = s.bus_id
    AND g.effective_from <= s.day
    AND g.effective_until > s.day
  GROUP BY s.bus_id, s.day
),
sent AS (
  SELECT f.bus_id, w.day, count(w.kwh) AS points_valued, CAST(sum(w.kwh) AS DECIMAL(18, 4)) AS sales_kwh
  FROM flow AS w
  JOIN feeder AS f ON f.feeder_id = w.unit_id
  WHERE w.level = 'feeder'
    AND f.bus_id IS NOT NULL
  GROUP BY f.bus_id, w.day
),
expected_feeder AS (
  SELECT s.bus_id, s.day, count(*) AS points
  FROM supplied AS s
  JOIN feeder AS f ON f.bus_id = s.bus_id
  JOIN gateway_span AS g
    ON g.level = 'feeder'
    AND g.unit_id = f.feeder_id
    AND g.effective_from <= s.day
    AND g.effective_until > s.day
  GROUP BY s.bus_id, s.day
),
joined AS (
  SELECT
    s.bus_id, s.day, g.gateways, s.gateways_valued,
    coalesce(p.points, 0) AS points,
    coalesce(b.points_valued, 0) AS points_valued,
    coalesce(s.supply_kwh, 0) AS supply_kwh,
    coalesce(b.sales_kwh, 0) AS sales_kwh
  FROM supplied AS s
  JOIN expected_gateway AS g ON g.bus_id = s.bus_id AND g.day = s.day
  LEFT JOIN expected_feeder AS p ON p.bus_id = s.bus_id AND p.day = s.day
  LEFT JOIN sent AS b ON b.bus_id = s.bus_id AND b.day = s.day
)
SELECT
  bus_id,
  day,
  CAST(gateways AS INTEGER) AS gateways,
  CAST(gateways_valued AS INTEGER) AS gateways_valued,
  CAST(points AS INTEGER) AS points,
  CAST(points_valued AS INTEGER) AS points_valued,
  CAST(supply_kwh AS DECIMAL(18, 4)) AS supply_kwh,
  CAST(sales_kwh AS DECIMAL(18, 4)) AS sales_kwh,
  CAST(supply_kwh - sales_kwh AS DECIMAL(18, 4)) AS loss_kwh,
  gateways_valued = gateways AND points > 0 AND points_valued >= points * :cover_min AS computable
FROM joined
