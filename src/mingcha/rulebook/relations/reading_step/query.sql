WITH recent AS (
  -- most readings follow one of the month before: only these are sorted, whatever the history
  SELECT
    reading_id, usage_point_id, meter_id, billing_period, register, start_value, end_value, multiplier, energy,
    started_on, read_on, method, reader_staff_id,
    lag(reading_id) OVER w AS last_reading_id,
    lag(end_value) OVER w AS last_end_value,
    lag(read_on) OVER w AS last_read_on,
    lag(method) OVER w AS last_method
  FROM reading
  WHERE billing_period >= ym_add(:first_period, -1)
    AND billing_period <= :last_period
  WINDOW w AS (PARTITION BY usage_point_id, meter_id, register ORDER BY read_on, started_on, reading_id)
),
unfollowed AS (
  SELECT DISTINCT usage_point_id, meter_id, register
  FROM recent
  WHERE last_reading_id IS NULL
    AND billing_period >= :first_period
),
older AS (
  -- the others (read every two or more months, new meters) are looked up further back
  SELECT r.usage_point_id, r.meter_id, r.register, r.reading_id, r.end_value, r.read_on, r.method
  FROM reading AS r
  JOIN unfollowed AS u
    ON u.usage_point_id = r.usage_point_id AND u.meter_id = r.meter_id AND u.register = r.register
  WHERE r.billing_period >= :history_period
    AND r.billing_period < ym_add(:first_period, -1)
  QUALIFY row_number() OVER (
    PARTITION BY r.usage_point_id, r.meter_id, r.register
    ORDER BY r.read_on DESC, r.started_on DESC, r.reading_id DESC
  ) = 1
),
stepped AS (
  SELECT
    c.reading_id, c.usage_point_id, c.meter_id, c.billing_period, c.register, c.start_value, c.end_value, c.multiplier,
    c.energy, c.started_on, c.read_on, c.method, c.reader_staff_id,
    coalesce(c.last_reading_id, o.reading_id) AS prev_reading_id,
    coalesce(c.last_end_value, o.end_value) AS prev_end_value,
    coalesce(c.last_read_on, o.read_on) AS prev_read_on,
    coalesce(c.last_method, o.method) AS prev_method
  FROM recent AS c
  LEFT JOIN older AS o
    ON c.last_reading_id IS NULL
    AND o.usage_point_id = c.usage_point_id AND o.meter_id = c.meter_id AND o.register = c.register
  WHERE c.billing_period >= :first_period
),
archive AS (
  -- an interval ends where the next begins, whatever effective_to says: each reading meets at most one row
  SELECT
    usage_point_id, effective_from, role, customer_id, multiplier,
    least(
      coalesce(effective_to, DATE '9999-12-31'),
      coalesce(lead(effective_from) OVER (PARTITION BY usage_point_id ORDER BY effective_from), DATE '9999-12-31')
    ) AS effective_until
  FROM usage_point
),
installed AS (
  SELECT
    meter_id, usage_point_id, installed_at, install_register,
    CAST(installed_at AS DATE) AS from_day,
    coalesce(
      CAST(lead(installed_at) OVER (PARTITION BY meter_id, usage_point_id ORDER BY installed_at) AS DATE),
      DATE '9999-12-31'
    ) AS until_day
  FROM meter_install
),
joined AS (
  SELECT
    s.reading_id, s.usage_point_id, s.meter_id, s.billing_period, s.register, s.start_value, s.end_value,
    s.multiplier, s.energy, s.started_on, s.read_on, s.method, s.reader_staff_id,
    a.customer_id, c.org_id, a.role,
    a.multiplier AS archive_multiplier,
    a.effective_from AS archive_effective_from,
    -- without the meter's own digits they are read off the larger index, and only where a roll-over is in question
    coalesce(
      m.digits,
      CASE
        WHEN s.end_value < s.start_value
          THEN CAST(greatest(length(CAST(CAST(floor(s.start_value) AS BIGINT) AS VARCHAR)), 4) AS INTEGER)
      END
    ) AS digits,
    i.install_register, i.installed_at,
    s.prev_reading_id, s.prev_end_value, s.prev_read_on, s.prev_method
  FROM stepped AS s
  LEFT JOIN archive AS a
    ON a.usage_point_id = s.usage_point_id
    AND a.effective_from <= s.started_on
    AND a.effective_until > s.started_on
  LEFT JOIN customer AS c ON c.customer_id = a.customer_id
  LEFT JOIN meter AS m ON m.meter_id = s.meter_id
  LEFT JOIN installed AS i
    ON i.meter_id = s.meter_id
    AND i.usage_point_id = s.usage_point_id
    AND i.from_day < s.read_on
    AND i.until_day >= s.read_on
),
sized AS (
  SELECT
    reading_id, usage_point_id, meter_id, billing_period, register, start_value, end_value, multiplier, energy,
    started_on, read_on, method, reader_staff_id, customer_id, org_id, role, archive_multiplier,
    archive_effective_from, digits, install_register, installed_at,
    prev_reading_id, prev_end_value, prev_read_on, prev_method,
    CASE WHEN end_value < start_value THEN TRY_CAST(power(10, digits) AS DECIMAL(18, 4)) END AS register_size
  FROM joined
),
rolled AS (
  SELECT
    reading_id, usage_point_id, meter_id, billing_period, register, start_value, end_value, multiplier, energy,
    started_on, read_on, method, reader_staff_id, customer_id, org_id, role, archive_multiplier,
    archive_effective_from, digits, install_register, installed_at,
    prev_reading_id, prev_end_value, prev_read_on, prev_method, register_size,
    coalesce(start_value > 0.9 * register_size AND end_value < 0.1 * register_size, FALSE) AS rolled_over
  FROM sized
)
SELECT
  reading_id, usage_point_id, meter_id, billing_period, register, start_value, end_value, multiplier, energy,
  started_on, read_on, method, reader_staff_id, customer_id, org_id, role, archive_multiplier,
  archive_effective_from, digits, install_register, installed_at,
  prev_reading_id, prev_end_value, prev_read_on, prev_method,
  rolled_over,
  TRY_CAST(
    (CASE WHEN rolled_over THEN end_value - start_value + register_size ELSE end_value - start_value END) * multiplier
    AS DECIMAL(18, 4)
  ) AS step_energy
FROM rolled
