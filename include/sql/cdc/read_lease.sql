-- The lease, one row: whether it has expired (or is free), and whether it lasts longer than some hours.
-- Names: control. Parameters: hours below which it is renewed.
SELECT
  holder,
  expires_at,
  CASE WHEN expires_at > GETDATE() THEN 0 ELSE 1 END AS expired,
  CASE WHEN expires_at > DATEADD(hour, %s::INTEGER, GETDATE()) THEN 1 ELSE 0 END AS lasts,
  baseline_run
FROM {{ control | name }}.lease
