WITH held AS (
  SELECT
    contract_id, effective_from, customer_id, org_id, usage_category, capacity_kva, voltage_kv, tariff_id,
    basic_charge_method, opened_on
  FROM contract_span
  WHERE usage_category IN ('general', 'large_industrial')
    AND effective_from < :period_end
    AND effective_until > :period_start
    AND effective_from < effective_until
    AND (status IS NULL OR status IN ('active', 'suspended'))
  QUALIFY row_number() OVER (PARTITION BY contract_id ORDER BY effective_from DESC) = 1
),
running AS (
  SELECT
    customer_id, max(kva) AS most_kva, min(from_day) AS from_day, max(to_day) AS to_day,
    max(status_unknown) AS status_unknown
  FROM kva_run
  WHERE from_day < :period_end
    AND to_day > :period_start
  GROUP BY customer_id
),
large AS (
  SELECT
    h.contract_id, h.effective_from, h.customer_id, h.org_id, h.usage_category, h.capacity_kva, h.voltage_kv,
    h.tariff_id, h.basic_charge_method, h.opened_on, r.most_kva,
    CASE
      WHEN h.basic_charge_method = 'none' THEN 'due'
      WHEN r.most_kva > 0 AND r.most_kva < :must_kva AND r.status_unknown = 0
        AND r.from_day <= :period_start AND r.to_day >= :period_end THEN 'below'
    END AS side
  FROM held AS h
  LEFT JOIN running AS r ON r.customer_id = h.customer_id
  WHERE h.capacity_kva >= :must_kva
),
past AS (
  -- who was on single-part before the reform and has changed nothing since may stay on it
  SELECT
    l.contract_id,
    min(v.effective_from) AS known_from,
    count(CASE WHEN v.basic_charge_method <> 'none' OR v.capacity_kva <> l.capacity_kva THEN 1 END) AS changes
  FROM large AS l
  JOIN contract_span AS v ON v.customer_id = l.customer_id
  WHERE l.side = 'due'
    AND v.effective_until > :reform
    AND v.effective_from < :period_end
  GROUP BY l.contract_id
),
entitled AS (
  SELECT DISTINCT l.customer_id
  FROM large AS l
  JOIN excl_entitlement AS e ON e.customer_id = l.customer_id
  WHERE l.side = 'due'
    AND e.kind = 'ev_charging'
    AND e.from_day < :period_end
    AND e.to_day > :period_start
),
told AS (
  SELECT
    l.contract_id, l.effective_from, l.customer_id, l.org_id, l.usage_category, l.capacity_kva, l.voltage_kv,
    l.tariff_id, l.basic_charge_method, l.opened_on, l.most_kva, p.known_from,
    CASE
      WHEN l.side = 'below' THEN 'below_threshold'
      WHEN e.customer_id IS NOT NULL THEN 'ev_charging'
      WHEN p.changes = 0 AND p.known_from < :reform THEN 'kept_by_choice'
      WHEN l.opened_on < :reform AND p.known_from >= :reform THEN 'past_unknown'
      ELSE 'two_part_due'
    END AS verdict
  FROM large AS l
  LEFT JOIN past AS p ON p.contract_id = l.contract_id
  LEFT JOIN entitled AS e ON e.customer_id = l.customer_id
  WHERE l.side IS NOT NULL
),
offered AS (
  -- the two-part tariff of that voltage with the lowest capacity price, so that nothing is overstated
  SELECT
    t.contract_id, r.tariff_id, r.price AS price_kva, r.effective_from, r.effective_to
  FROM told AS t
  JOIN tariff AS f
    ON f.parts = 'two'
    AND f.usage_category IN ('general', 'large_industrial')
    AND t.voltage_kv >= f.voltage_kv_from
    AND (f.voltage_kv_to IS NULL OR t.voltage_kv < f.voltage_kv_to)
    AND f.effective_from < :period_end
    AND (f.effective_to IS NULL OR f.effective_to >= :period_end)
  JOIN tariff_price AS r ON r.tariff_id = f.tariff_id
  WHERE t.verdict = 'two_part_due'
    AND r.component = 'basic_capacity'
    AND r.effective_from < :period_end
    AND (r.effective_to IS NULL OR r.effective_to >= :period_end)
  QUALIFY row_number() OVER (PARTITION BY t.contract_id ORDER BY r.price, r.tariff_id) = 1
),
carriage AS (
  SELECT tariff_id, max(price) AS price
  FROM tariff_price
  WHERE component = 'transmission'
    AND period = 'all'
    AND effective_from < :period_end
    AND (effective_to IS NULL OR effective_to >= :period_end)
  GROUP BY tariff_id
),
used AS (
  SELECT t.contract_id, CAST(sum(b.energy_kwh) AS DECIMAL(18, 4)) AS kwh
  FROM told AS t
  JOIN live_bill AS b ON b.customer_id = t.customer_id
  WHERE b.billing_period = :period
  GROUP BY t.contract_id
),
weighed AS (
  SELECT
    t.contract_id, o.tariff_id AS two_part_tariff_id, o.price_kva, u.kwh,
    s.price AS transmission_now, d.price AS transmission_two,
    money(CAST(coalesce(t.most_kva, t.capacity_kva) AS DECIMAL(19, 4)) * o.price_kva) AS capacity_cny,
    money(CAST(u.kwh AS DECIMAL(19, 4)) * (s.price - d.price)) AS saving_cny
  FROM told AS t
  JOIN offered AS o ON o.contract_id = t.contract_id
  LEFT JOIN used AS u ON u.contract_id = t.contract_id
  LEFT JOIN carriage AS s ON s.tariff_id = t.tariff_id
  LEFT JOIN carriage AS d ON d.tariff_id = o.tariff_id
)
SELECT
  t.contract_id AS subject_id,
  t.customer_id,
  t.org_id,
  :period_start AS period_start,
  :period_end AS period_end,
  CASE
    WHEN t.verdict IN ('ev_charging', 'kept_by_choice') THEN 'not_applicable'
    WHEN t.verdict = 'past_unknown' THEN 'insufficient_data'
    ELSE 'hit'
  END AS exit,
  CASE
    WHEN t.verdict = 'below_threshold' THEN 'watch'
    -- below one kilovolt most provinces have no two-part price
    WHEN t.verdict = 'two_part_due' AND t.voltage_kv < 1 THEN 'watch'
    WHEN t.verdict = 'two_part_due' THEN 'order'
  END AS band,
  t.verdict AS reason,
  CAST(NULL AS DECIMAL(18, 4)) AS energy_kwh,
  CASE
    WHEN t.verdict = 'two_part_due' AND t.voltage_kv >= 1 AND w.capacity_cny > w.saving_cny
      THEN CAST(w.capacity_cny - w.saving_cny AS DECIMAL(18, 2))
  END AS back_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS penalty_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS refund_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS exposed_cny,
  t.effective_from AS contract_effective_from,
  t.usage_category,
  t.capacity_kva,
  t.most_kva AS running_kva,
  t.voltage_kv,
  t.tariff_id,
  t.basic_charge_method,
  t.opened_on,
  t.known_from,
  w.two_part_tariff_id,
  w.price_kva,
  w.capacity_cny,
  w.kwh AS billed_kwh,
  w.transmission_now,
  w.transmission_two,
  w.saving_cny
FROM told AS t
LEFT JOIN weighed AS w ON w.contract_id = t.contract_id
