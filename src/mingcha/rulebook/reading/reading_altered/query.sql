WITH change AS (
  SELECT
    c.change_id, c.reading_id, c.field, c.old_value, c.new_value, c.changed_at, c.changed_by, c.approved_by, c.reason,
    r.usage_point_id, r.meter_id, r.billing_period, r.register, r.multiplier, u.customer_id, s.org_id, r.reader_staff_id,
    -- what the change adds to the billed energy: a higher end adds, a higher start takes away
    CAST(CASE WHEN c.field = 'end_value' THEN c.new_value - c.old_value ELSE c.old_value - c.new_value END * r.multiplier
      AS DECIMAL(18, 4)) AS effect
  FROM reading_change AS c
  JOIN reading AS r ON r.reading_id = c.reading_id
  LEFT JOIN usage_point AS u
    ON u.usage_point_id = r.usage_point_id
    AND u.effective_from <= r.started_on
    AND (u.effective_to IS NULL OR u.effective_to > r.started_on)
  LEFT JOIN customer AS s ON s.customer_id = u.customer_id
  WHERE c.changed_at < :data_date + INTERVAL 1 DAY
    AND r.billing_period >= :history_period
    AND (r.billing_period = :period OR (c.changed_at >= :period_start AND c.changed_at < :period_end))
    AND c.new_value <> c.old_value
    AND c.changed_by NOT IN (:migration_accounts)
),
issued AS (
  SELECT customer_id, billing_period, max(issued_at) AS issued_at
  FROM live_bill
  WHERE customer_id IN (SELECT customer_id FROM change)
  GROUP BY customer_id, billing_period
),
judged AS (
  SELECT
    c.change_id, c.reading_id, c.field, c.old_value, c.new_value, c.changed_at, c.changed_by, c.approved_by, c.reason,
    c.usage_point_id, c.meter_id, c.billing_period, c.register, c.multiplier, c.customer_id, c.org_id,
    c.reader_staff_id, c.effect, b.issued_at,
    c.approved_by IS NULL AS unapproved,
    coalesce(c.approved_by = c.changed_by, FALSE) AS self_approved,
    coalesce(c.changed_at > b.issued_at, FALSE) AS after_bill,
    abs(c.effect) >= :kwh AND (c.reason IS NULL OR trim(c.reason) = '') AS unexplained
  FROM change AS c
  LEFT JOIN issued AS b ON b.customer_id = c.customer_id AND b.billing_period = c.billing_period
),
faulty AS (
  SELECT
    change_id, reading_id, field, old_value, new_value, changed_at, changed_by, approved_by, reason, usage_point_id,
    meter_id, billing_period, register, multiplier, customer_id, org_id, reader_staff_id, effect, issued_at,
    unapproved, self_approved, after_bill, unexplained,
    count(*) OVER (PARTITION BY reading_id) AS changes,
    CAST(sum(effect) OVER (PARTITION BY reading_id) AS DECIMAL(18, 4)) AS total_effect,
    row_number() OVER (
      PARTITION BY reading_id
      ORDER BY
        CASE WHEN after_bill THEN 0 WHEN self_approved THEN 1 WHEN unapproved THEN 2 ELSE 3 END,
        abs(effect) DESC, change_id
    ) AS place
  FROM judged
  WHERE unapproved OR self_approved OR after_bill OR unexplained
),
reasoned AS (
  SELECT
    reading_id,
    bool_or(unapproved) AS unapproved,
    bool_or(self_approved) AS self_approved,
    bool_or(after_bill) AS after_bill,
    bool_or(unexplained) AS unexplained
  FROM faulty
  GROUP BY reading_id
),
price AS (
  SELECT customer_id, billing_period, p, p_basis
  FROM cust_month
  WHERE p > 0
    AND customer_id IN (SELECT customer_id FROM faulty)
)
SELECT
  f.reading_id AS subject_id,
  f.customer_id,
  f.org_id,
  :period_start AS period_start,
  :period_end AS period_end,
  'hit' AS exit,
  CASE
    WHEN g.after_bill AND abs(f.total_effect) >= :kwh THEN 'urgent'
    WHEN g.after_bill OR g.self_approved OR abs(f.total_effect) >= :kwh THEN 'order'
    ELSE 'watch'
  END AS band,
  CASE
    WHEN g.after_bill THEN 'after_bill'
    WHEN g.self_approved THEN 'self_approved'
    WHEN g.unapproved THEN 'not_approved'
    ELSE 'large_without_reason'
  END AS reason,
  CASE WHEN f.register NOT IN ('reactive_import', 'reactive_export', 'demand') THEN kwh(-f.total_effect) END AS energy_kwh,
  CASE WHEN f.register = 'active' AND f.total_effect < 0 THEN money(CAST(-f.total_effect * m.p AS DECIMAL(18, 6))) END AS back_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS penalty_cny,
  CASE WHEN f.register = 'active' AND f.total_effect > 0 THEN money(CAST(f.total_effect * m.p AS DECIMAL(18, 6))) END AS refund_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS exposed_cny,
  f.usage_point_id,
  f.meter_id,
  f.billing_period AS reading_period,
  f.register,
  f.change_id,
  f.field,
  f.old_value,
  f.new_value,
  f.changed_at,
  f.changed_by,
  f.approved_by,
  f.reason AS given_reason,
  f.reader_staff_id,
  f.issued_at AS bill_issued_at,
  f.multiplier,
  f.total_effect AS energy_effect,
  f.changes,
  CASE WHEN g.after_bill THEN 'after_bill ' ELSE '' END
    || CASE WHEN g.self_approved THEN 'self_approved ' ELSE '' END
    || CASE WHEN g.unapproved THEN 'not_approved ' ELSE '' END
    || CASE WHEN g.unexplained THEN 'large_without_reason' ELSE '' END AS reasons,
  m.p AS price,
  m.p_basis AS price_basis
FROM faulty AS f
JOIN reasoned AS g ON g.reading_id = f.reading_id
LEFT JOIN price AS m ON m.customer_id = f.customer_id AND m.billing_period = f.billing_period
WHERE f.place = 1
