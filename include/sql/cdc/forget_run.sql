-- Removes a run's lines from one table of the ledger.
-- Names: ledger. Parameters: run key.
DELETE FROM {{ ledger | name }}
WHERE
  run_key = %s::VARCHAR(512)
