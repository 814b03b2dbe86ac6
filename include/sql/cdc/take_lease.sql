-- Gives the lease to a run, or renews the run's own.
-- Names: control. Parameters: run key, run key, hours.
UPDATE {{ control | name }}.lease
SET
  taken_at = CASE WHEN holder = %s::VARCHAR(512) THEN taken_at ELSE GETDATE() END,
  holder = %s::VARCHAR(512),
  expires_at = DATEADD(hour, %s::INTEGER, GETDATE())
