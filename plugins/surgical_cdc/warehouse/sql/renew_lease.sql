-- Renews the lease of an attempt that has it.
-- Names: control. Parameters: seconds, token.
UPDATE {{ control | name }}.lease
SET
  expires_at = DATEADD(second, %s::INTEGER, GETDATE())
WHERE
  token = %s::VARCHAR(32)
