-- Numbers the affected keys, so that some of them can be tried.
CREATE TEMP TABLE scdc_numbered_keys AS
SELECT
  scdc_affected_keys.anchor,
  ROW_NUMBER() OVER (ORDER BY scdc_affected_keys.anchor) AS number
FROM scdc_affected_keys
