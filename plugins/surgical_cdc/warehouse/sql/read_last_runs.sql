-- The last runs, undos and refreshes, each with the rows of facts that it wrote, the newest first. Grain: a line of runs.
-- Names: control, most. No parameters.
SELECT
  runs.run_key,
  runs.window_end,
  runs.finished_at,
  runs.result,
  runs.seconds_detect,
  runs.seconds_update,
  runs.seconds_sync,
  COALESCE(facts.written, 0) AS written
FROM {{ control | name }}.runs
LEFT JOIN (
  SELECT
    run_key,
    token,
    SUM(inserted + updated + deleted) AS written
  FROM {{ control | name }}.run_facts
  GROUP BY
    run_key,
    token
) AS facts
  ON facts.run_key = runs.run_key AND facts.token = runs.token
WHERE
  COALESCE(runs.kind, 'run') IN ('run', 'undo', 'refresh')
ORDER BY
  runs.finished_at DESC
LIMIT {{ most }}
