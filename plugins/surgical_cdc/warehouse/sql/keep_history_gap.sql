-- Says that a run has changed more rows than a history keeps of one run.
-- Names: history. Parameters: run key, token.
INSERT INTO {{ history | name }} (
  scdc_run,
  scdc_token,
  scdc_change,
  scdc_at
)
SELECT
  %s::VARCHAR(512),
  %s::VARCHAR(32),
  'G',
  SYSDATE
