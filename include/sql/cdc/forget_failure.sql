-- Removes a run's line of the ledger if it says that the run failed.
-- Names: control. Parameters: run key.
DELETE FROM {{ control | name }}.runs
WHERE
  run_key = %s::VARCHAR(512)
  AND result = 'failed'
