WITH rows_in_time AS (
  SELECT
    s.transformer_id, t.customer_id, t.capacity_kva, s.ticket_id, k.kind AS ticket_kind,
    s.status,
    s.effective_from AS from_day,
    least(
      coalesce(s.effective_to, DATE '9999-12-31'),
      coalesce(
        lead(s.effective_from) OVER (PARTITION BY s.transformer_id ORDER BY s.effective_from), DATE '9999-12-31'
      )
    ) AS to_day
  FROM transformer_status AS s
  JOIN transformer AS t ON t.transformer_id = s.transformer_id
  LEFT JOIN ticket AS k ON k.ticket_id = s.ticket_id
  WHERE t.kind = 'dedicated'
    AND t.customer_id IS NOT NULL
),
off_rows AS (
  SELECT
    transformer_id, customer_id, capacity_kva, ticket_id, ticket_kind, from_day, to_day,
    CASE
      WHEN lag(to_day) OVER (PARTITION BY transformer_id ORDER BY from_day) >= from_day THEN 0
      ELSE 1
    END AS is_new
  FROM rows_in_time
  WHERE status IN ('sealed', 'stopped')
    AND from_day < to_day
    AND (ticket_kind = 'suspend' OR ticket_kind IS NULL)
),
numbered AS (
  SELECT
    transformer_id, customer_id, capacity_kva, ticket_id, ticket_kind, from_day, to_day,
    sum(is_new) OVER (PARTITION BY transformer_id ORDER BY from_day) AS spell_no
  FROM off_rows
),
spell AS (
  -- stopped first and sealed the next day is one suspension
  SELECT
    transformer_id, customer_id, capacity_kva,
    min(from_day) AS from_day,
    max(to_day) AS to_day,
    max(ticket_id) AS ticket_id,
    count(CASE WHEN ticket_kind IS NULL THEN 1 END) AS without_ticket
  FROM numbered
  GROUP BY transformer_id, customer_id, capacity_kva, spell_no
  HAVING max(to_day) > CAST(concat(substring(:period, 1, 4), '-01-01') AS DATE)
    AND min(from_day) < :period_end
),
in_year AS (
  SELECT
    customer_id,
    greatest(from_day, CAST(concat(substring(:period, 1, 4), '-01-01') AS DATE)) AS from_day,
    least(to_day, :period_end, :data_date + 1) AS to_day
  FROM spell
),
marked AS (
  -- a day on which two transformers rest is one day of suspension
  SELECT
    customer_id, from_day, to_day,
    CASE
      WHEN max(to_day) OVER (
        PARTITION BY customer_id ORDER BY from_day, to_day ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
      ) >= from_day THEN 0
      ELSE 1
    END AS is_new
  FROM in_year
  WHERE from_day < to_day
),
joined AS (
  SELECT
    customer_id, from_day, to_day,
    sum(is_new) OVER (
      PARTITION BY customer_id ORDER BY from_day, to_day ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS stretch_no
  FROM marked
),
stretch AS (
  SELECT
    customer_id, stretch_no,
    min(from_day) AS from_day,
    date_diff('day', min(from_day), max(to_day)) AS days
  FROM joined
  GROUP BY customer_id, stretch_no
),
counted AS (
  SELECT
    customer_id, from_day, days,
    sum(days) OVER (
      PARTITION BY customer_id ORDER BY from_day ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS days_so_far
  FROM stretch
),
year_of AS (
  SELECT
    customer_id,
    CAST(sum(days) AS INTEGER) AS days_in_year,
    min(CASE
      WHEN days_so_far > :max_days THEN CAST(from_day + CAST(:max_days - (days_so_far - days) AS INTEGER) AS DATE)
    END) AS limit_on
  FROM counted
  GROUP BY customer_id
),
granted AS (
  -- capacity left out of the charge, in kVA times days of the screened month
  SELECT
    s.customer_id,
    y.days_in_year,
    y.limit_on,
    min(s.transformer_id) AS transformer_id,
    min(s.from_day) AS spell_from,
    max(s.to_day) AS spell_to,
    min(CASE WHEN s.to_day <= :data_date + 1 THEN date_diff('day', s.from_day, s.to_day) END) AS shortest_days,
    max(s.ticket_id) AS ticket_id,
    sum(s.without_ticket) AS without_ticket,
    CAST(coalesce(sum(
      CASE
        WHEN y.limit_on < :period_end AND s.to_day > y.limit_on
          THEN s.capacity_kva * greatest(0, date_diff(
            'day', greatest(s.from_day, y.limit_on, :period_start), least(s.to_day, :period_end)))
      END), 0) AS DECIMAL(18, 4)) AS long_kva_days,
    CAST(coalesce(sum(
      CASE
        WHEN s.to_day <= :data_date + 1 AND date_diff('day', s.from_day, s.to_day) < :min_days
          THEN s.capacity_kva * greatest(0, date_diff(
            'day', greatest(s.from_day, :period_start), least(s.to_day, :period_end)))
      END), 0) AS DECIMAL(18, 4)) AS short_kva_days
  FROM spell AS s
  JOIN year_of AS y ON y.customer_id = s.customer_id
  WHERE s.to_day > :period_start
  GROUP BY s.customer_id, y.days_in_year, y.limit_on
),
suspect AS (
  SELECT
    customer_id, days_in_year, limit_on, transformer_id, spell_from, spell_to, shortest_days, ticket_id,
    without_ticket, long_kva_days, short_kva_days,
    greatest(long_kva_days, short_kva_days) AS wrong_kva_days
  FROM granted
  WHERE long_kva_days > 0 OR short_kva_days > 0
),
running AS (
  SELECT
    k.customer_id,
    CAST(sum(k.kva * date_diff('day', greatest(k.from_day, :period_start), least(k.to_day, :period_end)))
      AS DECIMAL(18, 4)) AS kva_days
  FROM kva_run AS k
  JOIN suspect AS s ON s.customer_id = k.customer_id
  WHERE k.from_day < :period_end
    AND k.to_day > :period_start
  GROUP BY k.customer_id
),
agreed AS (
  SELECT c.customer_id, c.org_id, c.status, c.basic_charge_method, c.capacity_kva
  FROM contract_span AS c
  JOIN suspect AS s ON s.customer_id = c.customer_id
  WHERE c.effective_from < :period_end
    AND c.effective_until > :period_start
  QUALIFY row_number() OVER (PARTITION BY c.customer_id ORDER BY c.effective_from DESC, c.contract_id) = 1
),
bills AS (
  SELECT b.customer_id, count(*) AS bills
  FROM live_bill AS b
  JOIN suspect AS s ON s.customer_id = b.customer_id
  WHERE b.billing_period = :period
  GROUP BY b.customer_id
),
charged AS (
  SELECT
    l.customer_id,
    CAST(sum(l.quantity * coalesce(l.days, days_in_ym(:period))) AS DECIMAL(18, 4)) AS kva_days
  FROM live_line AS l
  JOIN suspect AS s ON s.customer_id = l.customer_id
  WHERE l.component = 'basic_capacity'
    AND l.billing_period = :period
  GROUP BY l.customer_id
),
priced AS (
  SELECT l.customer_id, l.price
  FROM live_line AS l
  JOIN suspect AS s ON s.customer_id = l.customer_id
  WHERE l.component = 'basic_capacity'
    AND l.price IS NOT NULL
    AND l.billing_period <= :period
  QUALIFY row_number() OVER (
    PARTITION BY l.customer_id ORDER BY l.billing_period DESC, l.bill_id DESC, l.line_no DESC
  ) = 1
),
reduced AS (
  SELECT s.customer_id, max(k.ticket_id) AS ticket_id
  FROM suspect AS s
  JOIN ticket AS k ON k.customer_id = s.customer_id
  WHERE k.kind = 'capacity_reduction'
    AND k.status <> 'cancelled'
    AND CAST(k.archived_at AS DATE) <= s.limit_on
    AND CAST(k.archived_at AS DATE) >= s.spell_from
  GROUP BY s.customer_id
),
compared AS (
  SELECT
    s.customer_id, a.org_id, a.status, a.basic_charge_method, a.capacity_kva, s.days_in_year, s.limit_on,
    s.transformer_id, s.spell_from, s.spell_to, s.shortest_days, s.ticket_id, s.without_ticket, s.long_kva_days,
    s.short_kva_days, s.wrong_kva_days, coalesce(b.bills, 0) AS bills, p.price, d.ticket_id AS reduction_id,
    coalesce(c.kva_days, 0) AS billed_kva_days,
    CAST(coalesce(r.kva_days, 0) + s.wrong_kva_days AS DECIMAL(18, 4)) AS right_kva_days,
    CAST(least(s.wrong_kva_days, coalesce(r.kva_days, 0) + s.wrong_kva_days - coalesce(c.kva_days, 0))
      AS DECIMAL(18, 4)) AS missing_kva_days
  FROM suspect AS s
  JOIN agreed AS a ON a.customer_id = s.customer_id
  LEFT JOIN running AS r ON r.customer_id = s.customer_id
  LEFT JOIN bills AS b ON b.customer_id = s.customer_id
  LEFT JOIN charged AS c ON c.customer_id = s.customer_id
  LEFT JOIN priced AS p ON p.customer_id = s.customer_id
  LEFT JOIN reduced AS d ON d.customer_id = s.customer_id
),
judged AS (
  SELECT
    customer_id, org_id, basic_charge_method, capacity_kva, days_in_year, limit_on, transformer_id, spell_from, spell_to,
    shortest_days, ticket_id, price, reduction_id, billed_kva_days, right_kva_days, missing_kva_days,
    CASE
      WHEN status <> 'active' AND NOT (:judge_suspended AND status = 'suspended') THEN 'not_active'
      WHEN basic_charge_method IN ('demand_contract', 'demand_actual') THEN 'charged_by_demand'
      WHEN long_kva_days > 0 AND reduction_id IS NOT NULL THEN 'reduced_in_time'
      WHEN bills = 0 THEN 'not_billed'
      WHEN missing_kva_days <= :tol_kva * days_in_ym(:period) THEN NULL
      WHEN without_ticket > 0 THEN 'ticket_unknown'
      WHEN long_kva_days >= short_kva_days THEN 'too_long'
      ELSE 'too_short'
    END AS verdict
  FROM compared
  WHERE basic_charge_method IN ('capacity', 'demand_contract', 'demand_actual')
)
SELECT
  customer_id AS subject_id,
  customer_id,
  org_id,
  :period_start AS period_start,
  :period_end AS period_end,
  CASE
    WHEN verdict IN ('too_long', 'too_short') THEN 'hit'
    WHEN verdict IN ('not_billed', 'ticket_unknown') THEN 'insufficient_data'
    ELSE 'not_applicable'
  END AS exit,
  CASE WHEN verdict IN ('too_long', 'too_short') THEN 'order' END AS band,
  verdict AS reason,
  CAST(NULL AS DECIMAL(18, 4)) AS energy_kwh,
  CASE
    WHEN verdict IN ('too_long', 'too_short') THEN money(TRY_CAST(
      safe_div(
        CAST(missing_kva_days AS DECIMAL(19, 4)) * price,
        -- a day was a thirtieth of the month until the end of May 2024
        CASE WHEN :period < '2024-06' THEN 30 ELSE days_in_ym(:period) END
      ) AS DECIMAL(18, 6)))
  END AS back_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS penalty_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS refund_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS exposed_cny,
  basic_charge_method,
  capacity_kva,
  transformer_id,
  spell_from,
  spell_to,
  days_in_year,
  limit_on,
  shortest_days,
  billed_kva_days,
  right_kva_days,
  missing_kva_days,
  price,
  ticket_id,
  reduction_id
FROM judged
WHERE verdict IS NOT NULL
