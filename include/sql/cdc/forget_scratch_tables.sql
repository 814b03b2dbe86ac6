-- Removes the names of a run's scratch tables from the list that cleanup reads.
-- Parameters: run key.
DELETE FROM cdc.scratch_tables
WHERE
  run_key = %s::VARCHAR(512)
