-- Removes a run's line of the ledger if it says that the run failed.
-- Parameters: run key.
DELETE FROM cdc.runs
WHERE
  run_key = %s::VARCHAR(512)
  AND result = 'failed'
