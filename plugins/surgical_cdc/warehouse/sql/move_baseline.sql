-- Names the attempt (or refresh) that the baseline shows from now on.
-- Names: control. Parameters: run key, token.
UPDATE {{ control | name }}.lease
SET
  baseline_run = %s::VARCHAR(512),
  baseline_token = %s::VARCHAR(32)
