WITH temporary AS (
  SELECT
    customer_id, org_id, opened_on, temporary_until, contract_capacity_kva, usage_category,
    -- the text in force since 1 June 2024 allows three years, the one before half a year
    coalesce(
      temporary_until,
      CASE
        WHEN opened_on >= DATE '2024-06-01' THEN CAST(opened_on + INTERVAL :max_months MONTH AS DATE)
        ELSE CAST(opened_on + INTERVAL :max_months_before MONTH AS DATE)
      END
    ) AS ends_on
  FROM customer
  WHERE supply_kind = 'temporary'
    AND status = 'active'
),
ending AS (
  SELECT
    customer_id, org_id, opened_on, temporary_until, contract_capacity_kva, usage_category, ends_on,
    ends_on < :data_date AS is_over,
    date_diff('day', ends_on, :data_date) AS days_over
  FROM temporary
  WHERE ends_on < :data_date
    OR temporary_until <= :data_date + :notice_days
),
handled AS (
  SELECT e.customer_id, min(t.ticket_id) AS ticket_id
  FROM ending AS e
  JOIN ticket AS t ON t.customer_id = e.customer_id
  WHERE t.kind IN ('temporary_supply', 'closing')
    AND t.status = 'open'
    AND CAST(t.accepted_at AS DATE) <= :data_date
  GROUP BY e.customer_id
),
noticed AS (
  SELECT e.customer_id, max(n.sent_at) AS noticed_at
  FROM ending AS e
  JOIN notice AS n ON n.customer_id = e.customer_id
  WHERE n.kind = 'temporary_expiry'
    AND CAST(n.sent_at AS DATE) >= e.ends_on - :notice_valid
    AND CAST(n.sent_at AS DATE) <= :data_date
  GROUP BY e.customer_id
),
notices AS (
  SELECT count(*) AS sent
  FROM notice
),
used AS (
  -- the month the term ended in belongs to both: only whole months after it are counted
  SELECT
    e.customer_id,
    CAST(sum(m.kwh) AS DECIMAL(18, 4)) AS kwh_since,
    CAST(sum(m.amount) AS DECIMAL(18, 2)) AS amount_since,
    count(*) AS months_since
  FROM ending AS e
  JOIN cust_month AS m ON m.customer_id = e.customer_id
  WHERE m.billing_period > period_of(e.ends_on)
    AND m.billing_period <= :period
  GROUP BY e.customer_id
),
judged AS (
  SELECT
    e.customer_id, e.org_id, e.opened_on, e.temporary_until, e.ends_on, e.days_over, e.contract_capacity_kva,
    e.usage_category, n.noticed_at, h.ticket_id, u.kwh_since, u.amount_since, u.months_since,
    CASE
      WHEN h.ticket_id IS NOT NULL THEN 'under_way'
      WHEN e.is_over AND e.temporary_until IS NULL THEN 'term_unknown_and_long'
      WHEN e.is_over THEN 'past_term'
      WHEN s.sent = 0 THEN 'notices_unknown'
      ELSE 'ends_soon'
    END AS verdict
  FROM ending AS e
  CROSS JOIN notices AS s
  LEFT JOIN handled AS h ON h.customer_id = e.customer_id
  LEFT JOIN noticed AS n ON n.customer_id = e.customer_id
  LEFT JOIN used AS u ON u.customer_id = e.customer_id
  WHERE e.is_over OR n.noticed_at IS NULL
)
SELECT
  customer_id AS subject_id,
  customer_id,
  org_id,
  :period_start AS period_start,
  :period_end AS period_end,
  CASE verdict
    WHEN 'under_way' THEN 'not_applicable'
    WHEN 'notices_unknown' THEN 'insufficient_data'
    ELSE 'hit'
  END AS exit,
  CASE
    WHEN verdict IN ('under_way', 'notices_unknown') THEN NULL
    WHEN verdict = 'ends_soon' THEN 'watch'
    ELSE 'order'
  END AS band,
  verdict AS reason,
  CAST(NULL AS DECIMAL(18, 4)) AS energy_kwh,
  CAST(NULL AS DECIMAL(18, 2)) AS back_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS penalty_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS refund_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS exposed_cny,
  opened_on,
  temporary_until,
  ends_on,
  days_over,
  contract_capacity_kva,
  usage_category,
  noticed_at,
  months_since,
  kwh_since,
  amount_since,
  ticket_id
FROM judged
