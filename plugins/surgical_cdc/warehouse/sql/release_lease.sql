-- Frees the lease if an attempt holds it; whose it was last stays readable.
-- Names: control. Parameters: token.
UPDATE {{ control | name }}.lease
SET
  expires_at = NULL
WHERE
  token = %s::VARCHAR(32)
