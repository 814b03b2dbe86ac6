-- The lease, one row, with the server's time.
-- Names: control.
SELECT
  holder,
  token,
  taken_at,
  expires_at,
  GETDATE() AS read_at,
  baseline_run,
  baseline_token,
  swept_at,
  version
FROM {{ control | name }}.lease
