-- Names the run (or refresh) that the baseline shows from now on.
-- Names: control. Parameters: its key.
UPDATE {{ control | name }}.lease
SET
  baseline_run = %s::VARCHAR(512)
