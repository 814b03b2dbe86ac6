-- Frees the lease if a run holds it.
-- Names: control. Parameters: run key.
UPDATE {{ control | name }}.lease
SET
  holder = NULL,
  expires_at = NULL
WHERE
  holder = %s::VARCHAR(512)
