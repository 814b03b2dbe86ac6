-- The lease, one row, with the server's time.
-- Names: control.
SELECT
  holder,
  expires_at,
  GETDATE() AS read_at,
  baseline_run
FROM {{ control | name }}.lease
