WITH ratios AS (
  -- what hangs on the wall, per point: the lowest and highest ratio of each kind over its phases
  SELECT
    usage_point_id,
    count(*) AS units,
    count(CASE WHEN secondary_rating > 0 AND primary_rating > 0 THEN 1 END) AS readable_units,
    count(CASE WHEN kind = 'CTPT' THEN 1 END) AS combined_units,
    min(CASE WHEN kind = 'CT' THEN safe_div(primary_rating, secondary_rating) END) AS ct_low,
    max(CASE WHEN kind = 'CT' THEN safe_div(primary_rating, secondary_rating) END) AS ct_high,
    min(CASE WHEN kind = 'PT' THEN safe_div(primary_rating, secondary_rating) END) AS pt_low,
    max(CASE WHEN kind = 'PT' THEN safe_div(primary_rating, secondary_rating) END) AS pt_high,
    min(CASE WHEN kind = 'CT' THEN it_id END) AS ct_it_id,
    min(CASE WHEN kind = 'PT' THEN it_id END) AS pt_it_id,
    min(it_id) AS first_it_id,
    max(installed_on) AS ratio_since
  FROM instrument_transformer
  WHERE installed_on <= :data_date
    AND (removed_on IS NULL OR removed_on > :data_date)
  GROUP BY usage_point_id
),
judged AS (
  SELECT
    p.usage_point_id, p.effective_from, p.customer_id, p.customer_org_id, p.multiplier,
    r.ct_low, r.pt_low, r.units, r.ratio_since,
    coalesce(r.ct_it_id, r.first_it_id) AS ct_it_id,
    r.pt_it_id,
    CAST(coalesce(r.ct_low, 1) * coalesce(r.pt_low, 1) AS DECIMAL(18, 6)) AS k,
    CASE
      WHEN r.readable_units < r.units THEN 'ratio_unreadable'
      WHEN r.combined_units > 0 THEN 'combined_unit'
      WHEN r.ct_low IS NULL THEN 'ct_not_recorded'
      WHEN r.pt_low IS NULL
        AND p.metering_side = 'high'
        AND (p.voltage_kv >= 1 OR (p.voltage_kv IS NULL AND p.rated_voltage_v <= 110)) THEN 'pt_not_recorded'
      WHEN r.ct_high > r.ct_low * (1 + :tol) OR r.pt_high > r.pt_low * (1 + :tol) THEN 'phases_disagree'
    END AS doubt
  FROM point_now AS p
  JOIN ratios AS r ON r.usage_point_id = p.usage_point_id
),
differing AS (
  SELECT
    usage_point_id, effective_from, customer_id, customer_org_id, multiplier, ct_low, pt_low, units, ratio_since,
    ct_it_id, pt_it_id, k, doubt
  FROM judged
  WHERE abs(multiplier - k) > :tol * CAST(k AS DECIMAL(19, 6))
),
under_change AS (
  -- meter or transformers are being changed right now; an order left open for long excuses nothing
  SELECT DISTINCT d.usage_point_id
  FROM differing AS d
  JOIN ticket AS t ON t.customer_id = d.customer_id
  WHERE t.kind IN (:change_kinds)
    AND t.status = 'open'
    AND CAST(t.accepted_at AS DATE) > :data_date - :ticket_days
),
market AS (
  SELECT DISTINCT d.usage_point_id
  FROM differing AS d
  JOIN contract AS c ON c.customer_id = d.customer_id
  WHERE c.purchase_mode = 'direct'
    AND c.effective_from <= :data_date
    AND (c.effective_to IS NULL OR c.effective_to > :data_date)
),
concerned AS (
  SELECT
    d.usage_point_id,
    r.started_on,
    r.read_on,
    CAST(
      (CASE
        WHEN r.end_value >= r.start_value THEN CAST(r.end_value - r.start_value AS DECIMAL(18, 4))
        ELSE CAST(safe_div(r.energy, r.multiplier) AS DECIMAL(18, 4))
      END) * CAST(d.k - r.multiplier AS DECIMAL(19, 6)) AS DECIMAL(18, 4)
    ) AS missed_kwh
  FROM differing AS d
  JOIN reading AS r ON r.usage_point_id = d.usage_point_id
  LEFT JOIN market AS m ON m.usage_point_id = d.usage_point_id
  WHERE d.doubt IS NULL
    AND r.register = 'active'
    AND r.started_on >= d.ratio_since
    AND r.billing_period <= :period
    AND r.billing_period > ym_add(:period, -:lookback_months)
    AND (m.usage_point_id IS NULL OR r.billing_period > ym_add(:period, -:market_months))
    AND NOT EXISTS (
      SELECT 1
      FROM excl_fix AS f
      WHERE f.customer_id = d.customer_id
        AND f.cause = 'multiplier'
        AND f.from_day <= r.started_on
        AND f.to_day >= r.read_on
    )
),
missed AS (
  SELECT
    usage_point_id,
    count(*) AS readings,
    min(started_on) AS first_day,
    max(read_on) AS last_day,
    CAST(sum(missed_kwh) AS DECIMAL(18, 4)) AS kwh
  FROM concerned
  GROUP BY usage_point_id
),
priced AS (
  SELECT d.usage_point_id, m.p, m.p_basis
  FROM differing AS d
  JOIN cust_month AS m ON m.customer_id = d.customer_id
  WHERE m.p IS NOT NULL
    AND m.billing_period <= :period
  QUALIFY row_number() OVER (PARTITION BY d.usage_point_id ORDER BY m.billing_period DESC) = 1
),
valued AS (
  SELECT
    d.usage_point_id, d.effective_from, d.customer_id, d.customer_org_id, d.multiplier, d.ct_low, d.pt_low, d.units,
    d.ratio_since, d.ct_it_id, d.pt_it_id, d.k, d.doubt,
    c.usage_point_id IS NOT NULL AS changing,
    CASE WHEN d.doubt IS NULL THEN m.kwh END AS kwh,
    m.readings, m.first_day, m.last_day,
    p.p, p.p_basis,
    money(CAST(abs(m.kwh) AS DECIMAL(19, 4)) * p.p) AS worth
  FROM differing AS d
  LEFT JOIN under_change AS c ON c.usage_point_id = d.usage_point_id
  LEFT JOIN missed AS m ON m.usage_point_id = d.usage_point_id
  LEFT JOIN priced AS p ON p.usage_point_id = d.usage_point_id
)
SELECT
  usage_point_id AS subject_id,
  customer_id,
  customer_org_id AS org_id,
  :period_start AS period_start,
  :period_end AS period_end,
  CASE
    WHEN changing OR doubt = 'phases_disagree' THEN 'not_applicable'
    WHEN doubt IS NOT NULL THEN 'insufficient_data'
    ELSE 'hit'
  END AS exit,
  CASE
    WHEN changing OR doubt IS NOT NULL THEN NULL
    WHEN kwh = 0 THEN 'watch'
    ELSE 'order'
  END AS band,
  CASE
    WHEN changing THEN 'under_change'
    WHEN doubt IS NOT NULL THEN doubt
    WHEN multiplier < k THEN 'archive_too_low'
    ELSE 'archive_too_high'
  END AS reason,
  CASE WHEN NOT changing THEN kwh END AS energy_kwh,
  CASE WHEN NOT changing AND kwh > 0 THEN worth END AS back_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS penalty_cny,
  CASE WHEN NOT changing AND kwh < 0 THEN worth END AS refund_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS exposed_cny,
  multiplier AS archive_multiplier,
  effective_from AS point_effective_from,
  k AS wall_multiplier,
  CAST(ct_low AS DECIMAL(18, 6)) AS ct_ratio,
  CAST(pt_low AS DECIMAL(18, 6)) AS pt_ratio,
  units AS transformers,
  ct_it_id,
  pt_it_id,
  ratio_since,
  readings AS readings_concerned,
  first_day,
  last_day,
  p AS price,
  p_basis AS price_basis
FROM valued
