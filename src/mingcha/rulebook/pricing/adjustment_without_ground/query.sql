WITH batch AS (
  SELECT ticket_id
  FROM adjustment
  WHERE cause = 'policy'
    AND ticket_id IS NOT NULL
  GROUP BY ticket_id
  HAVING count(*) >= :batch_n
),
judged AS (
  SELECT
    a.adjustment_id, a.customer_id, a.billing_period, a.window_from, a.window_to, a.kind, a.cause, a.energy_kwh,
    a.amount, a.applied_at, a.applied_by, a.approved_at, a.approved_by, a.evidence_count, a.bill_id, a.ticket_id,
    b.ticket_id IS NOT NULL AS in_batch,
    a.approved_by IS NULL
      AND (a.bill_id IS NOT NULL OR CAST(a.applied_at AS DATE) <= :data_date - :approve_days) AS no_approval,
    a.ticket_id IS NULL AS no_ticket,
    coalesce(a.evidence_count, 0) = 0 AS no_evidence,
    a.cause = 'other' AND abs(a.amount) >= :min_cny AS cause_other
  FROM adjustment AS a
  LEFT JOIN batch AS b ON b.ticket_id = a.ticket_id AND a.cause = 'policy'
  WHERE a.applied_at >= CAST(:period_start AS TIMESTAMP)
    AND a.applied_at < CAST(:period_end AS TIMESTAMP)
),
told AS (
  SELECT
    adjustment_id, customer_id, billing_period, window_from, window_to, kind, cause, energy_kwh, amount, applied_at,
    applied_by, approved_at, approved_by, evidence_count, bill_id, ticket_id, no_approval, no_ticket, no_evidence,
    cause_other, in_batch,
    -- one ticket and one decision carry a policy batch: its single rows need no evidence of their own
    CASE
      WHEN no_approval THEN 'not_approved'
      WHEN in_batch AND no_evidence THEN 'policy_batch'
      WHEN no_ticket THEN 'no_ticket'
      WHEN no_evidence THEN 'no_evidence'
      WHEN cause_other THEN 'cause_other'
    END AS reason
  FROM judged
)
SELECT
  t.adjustment_id AS subject_id,
  t.customer_id,
  c.org_id,
  :period_start AS period_start,
  :period_end AS period_end,
  CASE WHEN t.reason = 'policy_batch' THEN 'not_applicable' ELSE 'hit' END AS exit,
  CASE
    WHEN t.reason = 'policy_batch' THEN NULL
    WHEN t.reason = 'not_approved' AND t.bill_id IS NOT NULL THEN 'urgent'
    WHEN abs(t.amount) >= :min_cny OR t.reason = 'not_approved' THEN 'order'
    ELSE 'watch'
  END AS band,
  t.reason,
  kwh(abs(t.energy_kwh)) AS energy_kwh,
  CAST(NULL AS DECIMAL(18, 2)) AS back_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS penalty_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS refund_cny,
  CASE WHEN t.reason <> 'policy_batch' THEN money(abs(t.amount)) END AS exposed_cny,
  t.kind,
  t.cause,
  t.amount,
  t.billing_period AS adjusted_period,
  t.window_from,
  t.window_to,
  t.applied_at,
  t.applied_by,
  t.approved_at,
  t.approved_by,
  t.evidence_count,
  t.bill_id,
  t.ticket_id,
  CASE WHEN t.no_approval THEN 'not_approved ' ELSE '' END
    || CASE WHEN t.no_ticket THEN 'no_ticket ' ELSE '' END
    || CASE WHEN t.no_evidence THEN 'no_evidence ' ELSE '' END
    || CASE WHEN t.cause_other THEN 'cause_other' ELSE '' END AS reasons
FROM told AS t
LEFT JOIN customer AS c ON c.customer_id = t.customer_id
WHERE t.reason IS NOT NULL
