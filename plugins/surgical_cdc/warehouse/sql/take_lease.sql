-- Gives the lease to an attempt, or renews the attempt's own.
-- Names: control. Parameters: token, run key, token, seconds.
UPDATE {{ control | name }}.lease
SET
  taken_at = CASE WHEN token = %s::VARCHAR(32) THEN taken_at ELSE GETDATE() END,
  holder = %s::VARCHAR(512),
  token = %s::VARCHAR(32),
  expires_at = DATEADD(second, %s::INTEGER, GETDATE())
