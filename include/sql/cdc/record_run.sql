-- Writes a run's line of the ledger, unless it has one: a run that was synced stays a success. Grain: a run.
-- Names: control. Parameters: run key, window start, window end, seconds of detection, updates, sync, result, reason, run key.
INSERT INTO {{ control | name }}.runs (
  run_key,
  window_start,
  window_end,
  started_at,
  finished_at,
  seconds_detect,
  seconds_update,
  seconds_sync,
  result,
  reason
)
SELECT
  %s::VARCHAR(512),
  %s::TIMESTAMP,
  %s::TIMESTAMP,
  taken_at,
  GETDATE(),
  %s::DOUBLE PRECISION,
  %s::DOUBLE PRECISION,
  %s::DOUBLE PRECISION,
  %s::VARCHAR(16),
  %s::VARCHAR(65535)
FROM {{ control | name }}.lease
WHERE
  NOT EXISTS (
    SELECT
      1
    FROM {{ control | name }}.runs
    WHERE
      runs.run_key = %s::VARCHAR(512)
  )
