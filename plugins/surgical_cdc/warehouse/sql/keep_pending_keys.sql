-- Keeps an attempt's affected keys until its sync.
-- Names: pending. Parameters: token.
INSERT INTO {{ pending | name }} (
  token,
  anchor
)
SELECT
  %s::VARCHAR(32),
  anchor
FROM scdc_affected_keys
