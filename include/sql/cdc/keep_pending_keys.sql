-- Keeps a run's affected keys until its sync.
-- Names: pending. Parameters: run key.
INSERT INTO {{ pending | name }} (
  run_key,
  anchor
)
SELECT
  %s::VARCHAR(512),
  anchor
FROM scdc_affected_keys
