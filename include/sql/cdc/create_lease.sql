-- The lease's only row, when its table is new. Runs under the lock of lock_lease.
-- Names: control.
INSERT INTO {{ control | name }}.lease (
  holder,
  taken_at,
  expires_at,
  baseline_run
)
SELECT
  NULL::VARCHAR(512),
  NULL::TIMESTAMP,
  NULL::TIMESTAMP,
  NULL::VARCHAR(512)
WHERE
  NOT EXISTS (
    SELECT
      1
    FROM {{ control | name }}.lease
  )
