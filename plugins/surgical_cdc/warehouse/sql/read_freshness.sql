-- Up to when the baseline of each source shows all that was staged, as the ledger has it. Grain: a source.
-- Names: control. No parameters.
SELECT
  run_sources.source_name,
  MAX(run_sources.window_end) AS fresh_to
FROM {{ control | name }}.run_sources
JOIN {{ control | name }}.runs
  ON runs.run_key = run_sources.run_key AND runs.token = run_sources.token
WHERE
  runs.kind = 'run'
  AND run_sources.synced
  AND run_sources.window_start IS NULL
GROUP BY
  run_sources.source_name
