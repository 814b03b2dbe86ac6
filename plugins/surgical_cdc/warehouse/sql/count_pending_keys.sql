-- Number of keys that runs have updated in a fact without a sync.
-- Names: pending.
SELECT
  COUNT(*) AS pending_keys
FROM {{ pending | name }}
