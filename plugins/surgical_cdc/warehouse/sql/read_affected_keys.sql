-- The affected keys.
SELECT
  anchor
FROM scdc_affected_keys
