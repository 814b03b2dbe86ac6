-- Removes the names of a run's scratch tables from the list that cleanup reads.
-- Names: control. Parameters: run key.
DELETE FROM {{ control | name }}.scratch_tables
WHERE
  run_key = %s::VARCHAR(512)
