-- Removes an attempt's affected keys at its sync: the baseline is now where the fact is.
-- Names: pending. Parameters: token.
DELETE FROM {{ pending | name }}
WHERE
  token = %s::VARCHAR(32)
