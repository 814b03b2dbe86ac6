-- Number of affected keys, and how many of them are NULL.
SELECT
  COUNT(*) AS keys,
  COUNT(*) - COUNT(anchor) AS null_keys
FROM scdc_affected_keys
