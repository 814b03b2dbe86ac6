-- Removes a run's affected keys at its sync: the baseline is now where the fact is.
-- Names: pending. Parameters: run key.
DELETE FROM {{ pending | name }}
WHERE
  run_key = %s::VARCHAR(512)
