-- The affected keys of a run in which only pending keys are affected: none yet.
-- Names: pending.
CREATE TEMP TABLE scdc_affected_keys AS
SELECT
  anchor
FROM {{ pending | name }}
WHERE
  1 = 0
