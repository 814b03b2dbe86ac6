-- Frees the lease if a run holds it.
-- Parameters: run key.
UPDATE cdc.lease
SET
  holder = NULL,
  expires_at = NULL
WHERE
  holder = %s::VARCHAR(512)
