WITH main AS (
  -- the archive row of each main sale point that held last in the month
  SELECT
    usage_point_id, effective_from, effective_until, customer_id, org_id, tariff_id,
    CAST(least(effective_until, :period_end) - INTERVAL 1 DAY AS DATE) AS seen_on
  FROM point_span
  WHERE role = 'sale'
    AND parent_usage_point_id IS NULL
    AND customer_id IS NOT NULL
    AND effective_from < :period_end
    AND effective_until > :period_start
    AND effective_from < effective_until
  QUALIFY row_number() OVER (PARTITION BY usage_point_id ORDER BY effective_from DESC) = 1
),
agreed AS (
  -- of several contracts in force that day the one that fits the point speaks for it
  SELECT
    m.usage_point_id, c.contract_id, c.effective_from AS contract_effective_from, c.tariff_id AS contract_tariff_id
  FROM main AS m
  JOIN contract_span AS c
    ON c.customer_id = m.customer_id
    AND c.effective_from <= m.seen_on
    AND c.effective_until > m.seen_on
  QUALIFY row_number() OVER (
    PARTITION BY m.usage_point_id
    ORDER BY CASE WHEN c.tariff_id = m.tariff_id THEN 0 ELSE 1 END, c.effective_from DESC, c.contract_id
  ) = 1
),
placed AS (
  SELECT
    m.usage_point_id, m.effective_from, m.customer_id, m.org_id, m.tariff_id, a.contract_id,
    a.contract_effective_from, a.contract_tariff_id,
    coalesce(m.tariff_id, a.contract_tariff_id) AS archive_tariff_id,
    -- a customer with several main points may carry the contract's tariff on one of them only
    max(CASE WHEN coalesce(m.tariff_id, a.contract_tariff_id) = a.contract_tariff_id THEN 1 ELSE 0 END)
      OVER (PARTITION BY m.customer_id) AS carried
  FROM main AS m
  LEFT JOIN agreed AS a ON a.usage_point_id = m.usage_point_id
),
lined AS (
  SELECT
    usage_point_id, customer_id, tariff_id AS billed_tariff_id, min(bill_id) AS bill_id,
    CAST(sum(quantity) AS DECIMAL(18, 4)) AS billed_kwh
  FROM live_line
  WHERE billing_period = :period
    AND component = 'energy'
    AND tariff_id IS NOT NULL
    AND usage_point_id IS NOT NULL
  GROUP BY usage_point_id, customer_id, tariff_id
),
strange AS (
  SELECT p.usage_point_id, l.billed_tariff_id, l.bill_id, l.billed_kwh
  FROM placed AS p
  JOIN lined AS l ON l.usage_point_id = p.usage_point_id
  WHERE l.billed_tariff_id <> p.archive_tariff_id
),
covered AS (
  -- days the bills of the month stand for: a reading may begin well before the month
  SELECT s.usage_point_id, min(r.started_on) AS from_day, max(r.read_on) AS to_day
  FROM (SELECT DISTINCT usage_point_id FROM strange) AS s
  JOIN reading AS r ON r.usage_point_id = s.usage_point_id
  WHERE r.billing_period = :period
    AND r.register = 'active'
  GROUP BY s.usage_point_id
),
allowed AS (
  SELECT DISTINCT s.usage_point_id, s.billed_tariff_id
  FROM strange AS s
  JOIN placed AS p ON p.usage_point_id = s.usage_point_id
  LEFT JOIN covered AS d ON d.usage_point_id = s.usage_point_id
  LEFT JOIN point_span AS v
    ON v.usage_point_id = s.usage_point_id
    AND v.effective_from < coalesce(d.to_day, :period_end)
    AND v.effective_until > coalesce(d.from_day, :period_start)
    AND v.tariff_id = s.billed_tariff_id
  LEFT JOIN contract_span AS c
    ON c.customer_id = p.customer_id
    AND p.tariff_id IS NULL
    AND c.effective_from < coalesce(d.to_day, :period_end)
    AND c.effective_until > coalesce(d.from_day, :period_start)
    AND c.tariff_id = s.billed_tariff_id
  WHERE v.usage_point_id IS NOT NULL
    OR c.contract_id IS NOT NULL
),
misbilled AS (
  SELECT s.usage_point_id, s.billed_tariff_id, s.bill_id, s.billed_kwh
  FROM strange AS s
  LEFT JOIN allowed AS a ON a.usage_point_id = s.usage_point_id AND a.billed_tariff_id = s.billed_tariff_id
  WHERE a.usage_point_id IS NULL
  QUALIFY row_number() OVER (PARTITION BY s.usage_point_id ORDER BY s.billed_kwh DESC, s.billed_tariff_id) = 1
),
billed AS (
  SELECT usage_point_id, min(bill_id) AS bill_id, min(billed_tariff_id) AS billed_tariff_id
  FROM lined
  GROUP BY usage_point_id
),
told AS (
  SELECT
    p.usage_point_id, p.effective_from, p.customer_id, p.org_id, p.tariff_id, p.contract_id,
    p.contract_effective_from, p.contract_tariff_id,
    coalesce(m.bill_id, b.bill_id) AS bill_id,
    coalesce(m.billed_tariff_id, b.billed_tariff_id) AS billed_tariff_id,
    p.archive_tariff_id <> p.contract_tariff_id AND p.carried = 0 AS archive_differs,
    m.usage_point_id IS NOT NULL AS bill_differs,
    CASE
      WHEN p.contract_id IS NULL AND b.bill_id IS NOT NULL THEN 'no_contract'
      WHEN p.archive_tariff_id <> p.contract_tariff_id AND p.carried = 0 THEN 'archive_differs'
      WHEN m.usage_point_id IS NOT NULL THEN 'bill_differs'
    END AS verdict
  FROM placed AS p
  LEFT JOIN misbilled AS m ON m.usage_point_id = p.usage_point_id
  LEFT JOIN billed AS b ON b.usage_point_id = p.usage_point_id
),
changing AS (
  SELECT DISTINCT t.customer_id
  FROM told AS t
  JOIN excl_change AS x ON x.customer_id = t.customer_id
  WHERE t.verdict IN ('archive_differs', 'bill_differs')
    AND x.kind IN ('price_change', 'change_of_use', 'demand_method')
    AND x.from_day < :period_end
    AND x.to_day > :period_start
),
suspect AS (
  SELECT
    t.usage_point_id, t.effective_from, t.customer_id, t.org_id, t.tariff_id, t.contract_id, t.contract_effective_from,
    t.contract_tariff_id, t.bill_id, t.billed_tariff_id, t.archive_differs, t.bill_differs,
    CASE WHEN c.customer_id IS NOT NULL THEN 'under_change' ELSE t.verdict END AS verdict
  FROM told AS t
  LEFT JOIN changing AS c ON c.customer_id = t.customer_id
  WHERE t.verdict IS NOT NULL
),
due AS (
  -- what the contract's tariff asks per kWh, at the end of the month
  SELECT
    s.usage_point_id, r.component, r.period, r.price,
    CASE WHEN r.component = 'tier' AND r.tier > 1 THEN 1 ELSE 0 END AS tiered
  FROM suspect AS s
  JOIN tariff_price AS r ON r.tariff_id = s.contract_tariff_id
  WHERE s.verdict IN ('archive_differs', 'bill_differs')
    AND r.component IN ('energy', 'transmission', 'grid_loss', 'system', 'fund', 'tier')
    AND r.effective_from < :period_end
    AND (r.effective_to IS NULL OR r.effective_to >= :period_end)
),
due_one AS (
  SELECT
    usage_point_id,
    max(CASE WHEN component = 'energy' AND period = 'sharp' THEN price END) AS p_sharp,
    max(CASE WHEN component = 'energy' AND period = 'peak' THEN price END) AS p_peak,
    max(CASE WHEN component = 'energy' AND period = 'flat' THEN price END) AS p_flat,
    max(CASE WHEN component = 'energy' AND period = 'valley' THEN price END) AS p_valley,
    max(CASE WHEN component = 'energy' AND period = 'deep_valley' THEN price END) AS p_deep,
    max(CASE WHEN component = 'energy' AND period = 'all' THEN price END) AS p_all,
    CAST(sum(CASE WHEN component NOT IN ('energy', 'tier') THEN price ELSE 0 END) AS DECIMAL(18, 8)) AS p_rest,
    max(tiered) AS tiered
  FROM due
  GROUP BY usage_point_id
),
charged AS (
  SELECT
    s.usage_point_id,
    CAST(sum(CASE WHEN l.component = 'energy' THEN l.quantity ELSE 0 END) AS DECIMAL(18, 4)) AS kwh,
    CAST(sum(l.amount) AS DECIMAL(18, 2)) AS used_cny,
    CAST(sum(CASE
      WHEN l.component = 'energy' THEN CAST(l.quantity AS DECIMAL(19, 4)) * (d.p_rest + CASE l.period
        WHEN 'sharp' THEN coalesce(d.p_sharp, d.p_peak, d.p_all, d.p_flat)
        WHEN 'peak' THEN coalesce(d.p_peak, d.p_all, d.p_flat)
        WHEN 'valley' THEN coalesce(d.p_valley, d.p_all, d.p_flat)
        WHEN 'deep_valley' THEN coalesce(d.p_deep, d.p_valley, d.p_all, d.p_flat)
        ELSE coalesce(d.p_all, d.p_flat)
      END)
    END) AS DECIMAL(18, 2)) AS right_cny,
    max(d.tiered) AS tiered,
    -- a price that the contract's tariff does not have leaves the whole unestimated
    count(CASE WHEN l.component = 'energy' AND coalesce(d.p_all, d.p_flat, d.p_peak) IS NULL THEN 1 END) AS unpriced
  FROM suspect AS s
  JOIN live_line AS l ON l.usage_point_id = s.usage_point_id
  JOIN due_one AS d ON d.usage_point_id = s.usage_point_id
  WHERE l.billing_period = :period
    AND l.component IN ('energy', 'transmission', 'grid_loss', 'system', 'fund', 'tier')
  GROUP BY s.usage_point_id
),
worth AS (
  SELECT
    usage_point_id, kwh, used_cny,
    CASE WHEN tiered = 0 AND unpriced = 0 THEN right_cny END AS right_cny
  FROM charged
)
SELECT
  s.usage_point_id AS subject_id,
  s.customer_id,
  s.org_id,
  :period_start AS period_start,
  :period_end AS period_end,
  CASE s.verdict WHEN 'under_change' THEN 'not_applicable' WHEN 'no_contract' THEN 'insufficient_data' ELSE 'hit' END
    AS exit,
  CASE WHEN s.verdict IN ('archive_differs', 'bill_differs') THEN 'order' END AS band,
  s.verdict AS reason,
  w.kwh AS energy_kwh,
  CASE WHEN w.right_cny > w.used_cny THEN CAST(w.right_cny - w.used_cny AS DECIMAL(18, 2)) END AS back_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS penalty_cny,
  CASE WHEN w.right_cny < w.used_cny THEN CAST(w.used_cny - w.right_cny AS DECIMAL(18, 2)) END AS refund_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS exposed_cny,
  s.contract_id,
  s.contract_effective_from,
  s.contract_tariff_id,
  s.effective_from AS point_effective_from,
  s.tariff_id AS point_tariff_id,
  s.billed_tariff_id,
  s.bill_id,
  s.archive_differs,
  s.bill_differs,
  w.used_cny,
  w.right_cny
FROM suspect AS s
LEFT JOIN worth AS w ON w.usage_point_id = s.usage_point_id AND s.verdict IN ('archive_differs', 'bill_differs')
