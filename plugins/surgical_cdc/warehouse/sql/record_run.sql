-- Writes an attempt's line of the ledger with one result, unless it has one. Grain: an attempt and result.
-- Names: control. Parameters: run key, token, kind, window start, window end, start (NULL: when it took the lease), token,
-- seconds of detection, updates, sync, run that is undone, result, reason, run key, token, result.
INSERT INTO {{ control | name }}.runs (
  run_key,
  token,
  kind,
  window_start,
  window_end,
  started_at,
  finished_at,
  seconds_detect,
  seconds_update,
  seconds_sync,
  undoes,
  result,
  reason
)
SELECT
  %s::VARCHAR(512),
  %s::VARCHAR(32),
  %s::VARCHAR(16),
  %s::TIMESTAMP,
  %s::TIMESTAMP,
  COALESCE(%s::TIMESTAMP, CASE WHEN lease.token = %s::VARCHAR(32) THEN lease.taken_at END),
  GETDATE(),
  %s::DOUBLE PRECISION,
  %s::DOUBLE PRECISION,
  %s::DOUBLE PRECISION,
  %s::VARCHAR(512),
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
      AND runs.token = %s::VARCHAR(32)
      AND runs.result = %s::VARCHAR(16)
  )
