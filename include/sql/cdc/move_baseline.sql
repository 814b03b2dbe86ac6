-- Names the run (or refresh) that the baseline shows from now on.
-- Parameters: its key.
UPDATE cdc.lease
SET
  baseline_run = %s::VARCHAR(512)
