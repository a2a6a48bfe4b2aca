WITH open_ticket AS (
  SELECT
    ticket_id, kind, customer_id, org_id, accepted_at, promised_at,
    completed_at IS NOT NULL OR archived_at IS NOT NULL AS is_contradictory
  FROM ticket
  WHERE status = 'open'
    AND accepted_at < CAST(:period_end AS TIMESTAMP)
),
step AS (
  -- a step done again counts in its last run
  SELECT ticket_id, step, started_at, finished_at, due_at, waiting_days, staff_id
  FROM ticket_step
  WHERE started_at < CAST(:data_date + INTERVAL 1 DAY AS TIMESTAMP)
  QUALIFY row_number() OVER (PARTITION BY ticket_id, step ORDER BY started_at DESC) = 1
),
activity AS (
  SELECT
    ticket_id,
    max(greatest(started_at, coalesce(finished_at, started_at))) AS last_activity,
    max(CASE WHEN finished_at IS NULL AND waiting_days > 0 THEN 1 ELSE 0 END) AS is_waiting,
    max(CASE WHEN finished_at IS NULL THEN waiting_days END) AS waiting_days
  FROM step
  GROUP BY ticket_id
),
late_step AS (
  -- the unfinished step longest overdue
  SELECT ticket_id, step, started_at, due_at, staff_id
  FROM step
  WHERE finished_at IS NULL
    AND CAST(due_at AS DATE) < :data_date
  QUALIFY row_number() OVER (PARTITION BY ticket_id ORDER BY due_at, step) = 1
),
current_step AS (
  SELECT ticket_id, step, started_at, staff_id
  FROM step
  QUALIFY row_number() OVER (
    PARTITION BY ticket_id ORDER BY CASE WHEN finished_at IS NULL THEN 0 ELSE 1 END, started_at DESC, step
  ) = 1
),
judged AS (
  SELECT
    t.ticket_id, t.kind, t.customer_id, t.org_id, t.accepted_at, t.promised_at, t.is_contradictory,
    coalesce(a.last_activity, t.accepted_at) AS last_activity,
    coalesce(a.is_waiting, 0) AS is_waiting,
    a.waiting_days,
    coalesce(l.step, c.step) AS step,
    coalesce(l.started_at, c.started_at) AS step_started_at,
    l.due_at,
    coalesce(l.staff_id, c.staff_id) AS staff_id,
    date_diff('day', CAST(t.promised_at AS DATE), :data_date) AS promise_days,
    date_diff('day', CAST(l.due_at AS DATE), :data_date) AS step_days,
    date_diff('day', CAST(coalesce(a.last_activity, t.accepted_at) AS DATE), :data_date) AS idle_days
  FROM open_ticket AS t
  LEFT JOIN activity AS a ON a.ticket_id = t.ticket_id
  LEFT JOIN late_step AS l ON l.ticket_id = t.ticket_id
  LEFT JOIN current_step AS c ON c.ticket_id = t.ticket_id
)
SELECT
  ticket_id AS subject_id,
  customer_id,
  org_id,
  :period_start AS period_start,
  :period_end AS period_end,
  CASE WHEN is_contradictory THEN 'mapping_suspect' ELSE 'hit' END AS exit,
  CASE
    WHEN is_contradictory THEN NULL
    WHEN is_waiting = 1 THEN 'watch'
    ELSE 'order'
  END AS band,
  CASE
    WHEN is_contradictory THEN 'open_but_completed'
    WHEN promise_days > 0 THEN 'promise_overdue'
    WHEN step_days > 0 THEN 'step_overdue'
    ELSE 'stuck'
  END AS reason,
  CAST(NULL AS DECIMAL(18, 4)) AS energy_kwh,
  CAST(NULL AS DECIMAL(18, 2)) AS back_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS penalty_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS refund_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS exposed_cny,
  trim(concat(
    CASE WHEN promise_days > 0 THEN 'promise_overdue ' ELSE '' END,
    CASE WHEN step_days > 0 THEN 'step_overdue ' ELSE '' END,
    CASE WHEN idle_days > :stuck_days THEN 'stuck' ELSE '' END
  )) AS reasons,
  kind AS ticket_kind,
  accepted_at,
  promised_at,
  promise_days AS days_past_promise,
  step,
  step_started_at,
  due_at,
  step_days AS days_past_due,
  staff_id,
  last_activity,
  idle_days,
  waiting_days
FROM judged
WHERE is_contradictory
  OR promise_days > 0
  OR step_days > 0
  OR idle_days > :stuck_days
